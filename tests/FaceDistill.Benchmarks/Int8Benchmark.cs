using System.Diagnostics;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Training.Checkpoints;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Benchmarks;

/// <summary>What 8 bits do to a run's student: the error of each combination, the file's size, the time of one face on one thread.</summary>
internal static class Int8Benchmark
{
    private const int Rounds = 40, Each = 10;

    public static void Print(string run, string faceFolder, string? output, TextWriter writer)
    {
        var checkpoint = RunStudent.Open(run);
        var faces = AlignedFaces.Open(faceFolder);
        string folder = Directory.CreateTempSubdirectory("facedistill-int8").FullName, plain = Path.Combine(folder, "fp32.onnx"),
            small = output ?? Path.Combine(folder, "int8.onnx");
        var watch = Stopwatch.StartNew();
        using var quantiser = new StudentInt8(checkpoint, faces, new Int8Options());
        var (graph, report) = quantiser.Build(default);
        var full = StudentOnnx.Build(checkpoint);
        foreach (var (key, value) in full.Metadata)
        {
            graph.Metadata[key] = value;
        }

        OnnxWriter.Write(full, plain);
        OnnxWriter.Write(graph, small);
        writer.WriteLine(InvariantText.Of(
            $"{checkpoint.Description.Student}, {report.CalibrationFaces} + {report.SelectionFaces} faces, {watch.Elapsed.TotalSeconds:0} s\n"));
        writer.WriteLine("| method | equalised | bias corrected | part of the variance added as error |\n|---|---|---|---|");
        foreach (var t in report.Tried)
        {
            writer.WriteLine(InvariantText.Of($"| {t.Method} | {t.Equalized} | {t.BiasCorrected} | {t.Error:0.00000} |"));
        }

        double a = new FileInfo(plain).Length, b = new FileInfo(small).Length;
        writer.WriteLine(InvariantText.Of($"\nfile {a / 1e6:0.000} MB to {b / 1e6:0.000} MB: {a / b:0.00} times smaller"));
        var (slow, fast) = Milliseconds(plain, small, checkpoint.Description.Contract.Size);
        writer.WriteLine(InvariantText.Of(
            $"one face, one thread, median of {Rounds * Each}: fp32 {slow:0.000} ms, int8 {fast:0.000} ms: {slow / fast:0.00} times as fast"));
    }

    // In turns, so that whatever disturbs the machine disturbs both.
    private static (double A, double B) Milliseconds(string a, string b, int size)
    {
        using var first = OnnxSessions.Open(a);
        using var second = OnnxSessions.Open(b);
        var times = (new List<double>(), new List<double>());
        float[] input = [.. Enumerable.Range(0, 3 * size * size).Select(i => MathF.Sin(i))];
        for (int round = 0; round < Rounds; round++)
        {
            Time(first, input, size, times.Item1);
            Time(second, input, size, times.Item2);
        }

        return (times.Item1.Order().ElementAt(times.Item1.Count / 2), times.Item2.Order().ElementAt(times.Item2.Count / 2));
    }

    private static void Time(InferenceSession session, float[] input, int size, List<double> times)
    {
        using var run = new RunOptions();
        using var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, input.AsMemory(), [1, 3, size, size]);
        for (int i = 0; i < Each; i++)
        {
            long start = Stopwatch.GetTimestamp();
            using var outputs = session.Run(run, ["input"], [value], ["embedding"]);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }
}
