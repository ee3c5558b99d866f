using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Tests.Formats;
using FaceDistill.Training.Checkpoints;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Tests.Export.Graphs;

public sealed class GraphPrePostprocessingTests(TinyRun tiny) : IClassFixture<TinyRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void A_preprocessing_graph_takes_the_rgb_bytes_of_a_picture_and_gives_unit_lengths()
    {
        var checkpoint = Checkpoint;
        var contract = checkpoint.Description.Contract;
        using var face = tiny.Faces.ReadView(3, contract.Size);
        var scaled = new float[contract.Values];
        FaceTensor.Fill(face, contract, scaled);
        float[] raw = OnnxRun.First(StudentOnnx.Build(checkpoint), ("input", scaled, [1, 3, contract.Size, contract.Size])).Values;
        double length = Math.Sqrt(raw.Sum(v => (double)v * v));

        var bytes = new byte[contract.Values];
        FaceTensor.CopyRgb(face, bytes);
        using var session = OnnxRun.Session(new GraphPrePostprocessing(true, true).Attach(StudentOnnx.Build(checkpoint), checkpoint.Description));
        using var image = OrtValue.CreateTensorValueFromMemory(bytes, [1, contract.Size, contract.Size, 3]);
        using var options = new RunOptions();
        using var output = session.Run(options, [GraphPrePostprocessing.ImageInput], [image], ["embedding"])[0];
        float[] unit = output.GetTensorDataAsSpan<float>().ToArray();
        Assert.True(Math.Abs(length - 1) > 0.01, $"the raw length {length} is 1 by chance: the test says nothing");
        Assert.All(raw.Zip(unit), v => Assert.Equal(v.First / length, v.Second, 1e-5));

        // Blue for red gives another embedding: the comparison above has seen the colour order.
        var swapped = Enumerable.Range(0, bytes.Length).Select(i => bytes[(i / 3 * 3) + 2 - (i % 3)]).ToArray();
        using var wrong = OrtValue.CreateTensorValueFromMemory(swapped, [1, contract.Size, contract.Size, 3]);
        using var other = session.Run(options, [GraphPrePostprocessing.ImageInput], [wrong], ["embedding"])[0];
        Assert.True(other.GetTensorDataAsSpan<float>().ToArray().Zip(unit).Max(v => Math.Abs(v.First - v.Second)) > 1e-4);
    }

    [Fact]
    public void The_metadata_say_what_the_ends_do_and_the_given_graph_stays()
    {
        var description = Checkpoint.Description;
        var graph = StudentOnnx.Build(Checkpoint);
        byte[] before = OnnxRun.Bytes(graph);
        var metadata = new GraphPrePostprocessing(true, true).Attach(graph, description).Metadata;
        Assert.Equal(("uint8", "NHWC", "0, 0, 0", "1, 1, 1", "one"),
            (metadata["input_type"], metadata["layout"], metadata["mean"], metadata["std"], metadata["output_length"]));
        var contract = JsonFile.Parse<ModelInputSpec>(metadata[ExportedModel.ContractKey], "x");
        Assert.Equal((TensorLayout.Nhwc, ColorOrder.Rgb, description.Contract.Size), (contract.Layout, contract.ColorOrder, contract.Size));
        Assert.Equal(before, OnnxRun.Bytes(graph));
        Assert.Equal(before, OnnxRun.Bytes(new GraphPrePostprocessing().Attach(graph, description)));
    }

    public void Dispose() => _folder.Dispose();

    private StudentCheckpoint Checkpoint => RandomStudent.Write(_folder["checkpoint"], "mobilenet-v1:0.25@64", HeadKind.Gap);
}
