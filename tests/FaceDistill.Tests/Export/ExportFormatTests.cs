using FaceDistill.Export;
using FaceDistill.Export.Graphs;

namespace FaceDistill.Tests.Export;

public sealed class ExportFormatTests
{
    [Theory]
    [InlineData(null, "onnx")]
    [InlineData("a/x.onnx", "onnx")]
    [InlineData("x.ORT", "ort")]
    [InlineData("x.safetensors", "safetensors")]
    [InlineData("x.tflite", "tflite")]
    [InlineData("a.b/x.ncnn.param", "ncnn")]
    [InlineData("student.int8.onnx", "onnx-int8")]
    [InlineData("a/b.FP16.onnx", "onnx-fp16")]
    [InlineData("x.int8.tflite", "tflite-int8")]
    [InlineData("x.int8.onnx/y.tflite", "tflite")]
    [InlineData("int8/x.onnx", "onnx")]
    [InlineData("point8.onnx", "onnx")]
    public void The_files_ending_tells_the_format(string? path, string format) => Assert.Equal(format, ExportFormat.Of(path).Name);

    [Theory]
    [InlineData("student-int8.tflite", "tflite", "onnx-int8, tflite-int8")]
    [InlineData("int8.onnx", "onnx", "onnx-int8, tflite-int8")]
    [InlineData("x.int8.ncnn.param", "ncnn", "onnx-int8, tflite-int8")]
    [InlineData("x.INT8.ort", "ort", "onnx-int8, tflite-int8")]
    [InlineData("x.fp16.tflite", "tflite", "onnx-fp16")]
    [InlineData("x_fp16.safetensors", "safetensors", "onnx-fp16")]
    public void A_name_that_speaks_of_fewer_bits_than_its_ending_has_is_refused(string path, string ending, string those)
    {
        string message = Assert.Throws<FaceDistillException>(() => ExportFormat.Of(path)).Message;
        Assert.StartsWith($"{path} says {those[^4..]}, and by its ending it would be {ending}, in float32; give --format ({those} have it", message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Names_and_default_files_are_different_and_an_unknown_one_lists_those_there_are()
    {
        Assert.Equal(ExportFormat.All.Count, ExportFormat.All.Select(f => f.Name).Distinct().Count());
        Assert.Equal(ExportFormat.All.Count, ExportFormat.All.Select(f => f.DefaultFile).Distinct().Count());
        Assert.All(ExportFormat.All, f => Assert.True(f.Fits(f.DefaultFile) && ExportFormat.Named(f.Name) == f));
        Assert.Contains("onnx-fp16", Assert.Throws<FaceDistillException>(() => ExportFormat.Named("mlmodel")).Message, StringComparison.Ordinal);
        Assert.Contains(".safetensors", Assert.Throws<FaceDistillException>(() => ExportFormat.Of("x.mlmodel")).Message, StringComparison.Ordinal);
        Assert.Contains(".ncnn.param", Assert.Throws<FaceDistillException>(() => ExportFormat.Of("x.param")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("onnx", "input float32 [batch, 3, 96, 96]", "image uint8 [batch, 96, 96, 3]", "embedding float32 [batch, 16]")]
    [InlineData("tflite", "input float32 [batch, 96, 96, 3]", "image uint8 [batch, 96, 96, 3]", "embedding float32 [batch, 16]")]
    [InlineData("ncnn", "blob input float32 [3, 96, 96], one face at a time",
        "blob image, as ncnn::Mat::from_pixels gives it of RGB pixels, float32 [3, 96, 96], one face at a time", "blob embedding float32 [16]")]
    public void A_card_tells_what_the_file_takes_and_gives(string format, string input, string image, string output)
    {
        Assert.Equal((input, output), ExportFormat.Named(format).Tensors(new GraphPrePostprocessing(), 96, 16));
        Assert.Equal((image, output), ExportFormat.Named(format).Tensors(new GraphPrePostprocessing(Preprocess: true), 96, 16));
    }

    [Fact]
    public void The_spread_of_cosines_takes_the_nearest_rank()
    {
        var spread = CosineSpread.Of(Enumerable.Range(1, 100).Select(i => i / 100.0).Reverse());
        Assert.Equal((0.505, 0.05, 0.01), (Math.Round(spread.Mean, 9), spread.Percentile5, spread.Min));
        Assert.Equal(new CosineSpread(1, 1, 1), CosineSpread.Of([1.0000001]));
    }
}
