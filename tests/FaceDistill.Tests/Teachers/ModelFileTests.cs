using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Synthetic;
using FaceDistill.Datasets;
using FaceDistill.Teachers;

namespace FaceDistill.Tests.Teachers;

/// <summary>What an ONNX file says of itself, and what is taken where it says nothing.</summary>
public sealed class ModelFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Size_layout_batch_and_type_are_read()
    {
        Assert.Equal(new ModelFile(64, TensorLayout.Nchw, 0, "Single", null, 17), Read("n", 3, 64, 64));
        Assert.Equal(new ModelFile(64, TensorLayout.Nhwc, 4, "Float16", null, 17), Read(4, 64, 64, 3, OnnxElementType.Float16));
        Assert.Equal(new ModelFile(null, TensorLayout.Nchw, 0, "Byte", null, 17), Read("n", 3, "h", "w", OnnxElementType.UInt8));
        Assert.Equal(new ModelFile(64, TensorLayout.Nhwc, 1, "Single", null, 17), Read(1, 64, "w", 3));
        Assert.Equal(new ModelFile(null, null, 0, "Single", null, 17), Read("a", "b", "c", "d"));
    }

    [Theory]
    [InlineData(1, 64, 64, "takes pictures [-1, 1, 64, 64]; a face model takes three channels, as the second or last axis")]
    [InlineData(3, 112, 96, "takes pictures of 96 x 112 pixels; FaceDistill's faces are square")]
    public void What_is_no_picture_of_a_face_is_one_clear_line(int channels, int rows, int columns, string says)
    {
        string message = Assert.Throws<FaceDistillException>(() => Read("n", channels, rows, columns)).Message;
        Assert.Equal($"{_folder["x.onnx"]} {says}", message);
    }

    [Fact]
    public void More_inputs_than_a_picture_are_named()
    {
        var graph = new OnnxGraph("phase");
        graph.Node("Identity", "out", [graph.Input("x", OnnxElementType.Float32, "n", 3, 8, 8)]);
        graph.Input("phase_train", OnnxElementType.Float32, 1);
        graph.Output("out", OnnxElementType.Float32, "n", 3, 8, 8);
        OnnxWriter.Write(graph, _folder["x.onnx"]);
        Assert.Contains("takes x [-1, 3, 8, 8], phase_train [1]; a face model takes one picture",
            Assert.Throws<FaceDistillException>(() => ModelFile.Read(_folder["x.onnx"], null)).Message, StringComparison.Ordinal);
    }

    // Mean colours of the quarters of a picture, of any size.
    [Theory]
    [InlineData(false, null, 112)]
    [InlineData(false, 64, 64)]
    [InlineData(true, 64, 64)]
    public void Where_the_file_leaves_size_and_layout_open_they_are_found_or_said(bool rowsFirst, int? size, int taken)
    {
        var graph = new OnnxGraph("free");
        string x = graph.Input("input", OnnxElementType.Float32, "a", "b", "c", "d");
        x = rowsFirst ? graph.Node("Transpose", "planes", [x], OnnxAttribute.Ints("perm", 0, 3, 1, 2)) : x;
        x = graph.Conv("colours", x, graph.Initializer<float>("unit", [1, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3, 1, 1), null); // three channels, or it does not run
        x = graph.AveragePool("pool", x, 16, 16);
        x = graph.Node("Resize", "four", [x, "", "", graph.Initializer<long>("sizes", [1, 3, 4, 4], 4)], OnnxAttribute.String("mode", "linear"));
        graph.Output(graph.Flatten("embedding", x), OnnxElementType.Float32, "a", 48);
        OnnxWriter.Write(graph, _folder["free.onnx"]);
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(12, 4, 1), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        var added = new AddTeacherJob(new AssetFinder([], [], _folder["cache"])).Run(
            new AddTeacherRequest(_folder["free.onnx"]) { Data = _folder["faces"], Size = size }, JobContext.None);
        Assert.Equal((taken, rowsFirst ? "nhwc" : "nchw", 48), (added.Size, added.Layout, added.Dimension));
        Assert.Equal(size is null, added.Notes.Any(n => n.Contains("leaves the size open: 112 is taken", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_model_of_bytes_is_tried_with_its_bytes_alone()
    {
        var graph = new OnnxGraph("bytes");
        string x = graph.Node("Cast", "float", [graph.Input("input", OnnxElementType.UInt8, "n", 64, 64, 3)], OnnxAttribute.Int("to", 1));
        x = graph.Node("Transpose", "planes", [graph.Sub("centred", x, graph.Initializer<float>("grey", [127.5f], 1))], OnnxAttribute.Ints("perm", 0, 3, 1, 2));
        graph.Output(graph.Flatten("embedding", graph.AveragePool("pool", x, 8, 8)), OnnxElementType.Float32, "n", 192);
        OnnxWriter.Write(graph, _folder["bytes.onnx"]);
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(12, 4, 1), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        var added = new AddTeacherJob(new AssetFinder([], [], _folder["cache"])).Run(
            new AddTeacherRequest(_folder["bytes.onnx"]) { Data = _folder["faces"] }, JobContext.None);
        Assert.Equal(["x", "x"], added.Tried.Select(t => t.Scaling));
        Assert.Equal("uint8", added.Type);
    }

    [Fact]
    public void An_output_that_the_file_has_not_is_refused_also_where_it_has_only_one()
    {
        string card = TinyTeacher.Write(_folder.Path), model = Path.ChangeExtension(card, ".onnx");
        Assert.Null(ModelFile.Read(model, "embedding").Output);
        Assert.Equal($"{model} has no output 'embeding', but embedding; did you mean 'embedding'?",
            Assert.Throws<FaceDistillException>(() => ModelFile.Read(model, "embeding")).Message);
    }

    private ModelFile Read(OnnxDim batch, OnnxDim one, OnnxDim two, OnnxDim three, OnnxElementType type = OnnxElementType.Float32)
    {
        var graph = new OnnxGraph("x");
        graph.Node("Identity", "out", [graph.Input("x", type, batch, one, two, three)]);
        graph.Output("out", type, batch, one, two, three);
        OnnxWriter.Write(graph, _folder["x.onnx"]);
        return ModelFile.Read(_folder["x.onnx"], null);
    }
}
