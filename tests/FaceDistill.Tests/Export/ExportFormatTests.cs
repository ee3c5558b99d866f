using System.Diagnostics;
using FaceDistill.Cli;
using FaceDistill.Export;
using FaceDistill.Files;

namespace FaceDistill.Tests.Export;

public sealed class ExportFormatTests(TrainedRun run) : IClassFixture<TrainedRun>
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
        Assert.Contains("onnx-fp16", Assert.Throws<FaceDistillException>(() => ExportFormat.Named("tflite")).Message, StringComparison.Ordinal);
        Assert.Contains(".safetensors", Assert.Throws<FaceDistillException>(() => ExportFormat.Of("x.tflite")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_student_gives_the_same_ort_file_in_every_process()
    {
        using var folder = new TempFolder();
        string[] files = [.. Enumerable.Range(0, 3).Select(i => folder[$"{i}.ort"])];
        foreach (string file in files)
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet",
                [typeof(CommandLine).Assembly.Location, "export", "--model", run.Folder, "--data", run.Tiny.Faces.Dataset.Root, "--output", file])
            { RedirectStandardError = true, RedirectStandardOutput = true })!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error);
        }

        Assert.Single(files.Select(FileHash.Sha256).Distinct());
        byte[] once = File.ReadAllBytes(files[0]);
        Assert.Equal(once, OrtFile.Settled(once));
        File.WriteAllText(files[0], "no flatbuffer at all");
        Assert.Contains("does not know", Assert.Throws<FaceDistillException>(() => OrtFile.Settle(files[0])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_spread_of_cosines_takes_the_nearest_rank()
    {
        var spread = CosineSpread.Of(Enumerable.Range(1, 100).Select(i => i / 100.0).Reverse());
        Assert.Equal((0.505, 0.05, 0.01), (Math.Round(spread.Mean, 9), spread.Percentile5, spread.Min));
        Assert.Equal(new CosineSpread(1, 1, 1), CosineSpread.Of([1.0000001]));
    }
}
