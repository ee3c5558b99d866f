using FaceDistill.Export;

namespace FaceDistill.Tests.Export;

public sealed class ExportFormatTests
{
    [Theory]
    [InlineData(null, "onnx")]
    [InlineData("a/x.onnx", "onnx")]
    [InlineData("x.ORT", "ort")]
    [InlineData("x.safetensors", "safetensors")]
    public void The_files_ending_tells_the_format(string? path, string format) => Assert.Equal(format, ExportFormat.Of(path).Name);

    [Fact]
    public void Names_and_default_files_are_different_and_an_unknown_one_lists_those_there_are()
    {
        Assert.Equal(ExportFormat.All.Count, ExportFormat.All.Select(f => f.Name).Distinct().Count());
        Assert.Equal(ExportFormat.All.Count, ExportFormat.All.Select(f => f.DefaultFile).Distinct().Count());
        Assert.All(ExportFormat.All, f => Assert.True(f.Fits(f.DefaultFile) && ExportFormat.Named(f.Name) == f));
        Assert.Contains("onnx-fp16", Assert.Throws<FaceDistillException>(() => ExportFormat.Named("mlmodel")).Message, StringComparison.Ordinal);
        Assert.Contains(".safetensors", Assert.Throws<FaceDistillException>(() => ExportFormat.Of("x.mlmodel")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_spread_of_cosines_takes_the_nearest_rank()
    {
        var spread = CosineSpread.Of(Enumerable.Range(1, 100).Select(i => i / 100.0).Reverse());
        Assert.Equal((0.505, 0.05, 0.01), (Math.Round(spread.Mean, 9), spread.Percentile5, spread.Min));
        Assert.Equal(new CosineSpread(1, 1, 1), CosineSpread.Of([1.0000001]));
    }
}
