using System.Diagnostics;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Options;

namespace FaceDistill.Benchmarks;

/// <summary>Does the memory of a training run stay level over 1,000 steps?</summary>
internal static class MemoryCurve
{
    private const int Steps = 1000, Every = 50, Settled = 200;

    public static bool Print(TrainCase test, TextWriter output)
    {
        using var run = new EndToEnd();
        var curve = new List<(long Step, double Megabytes)>();
        var probe = new Probe(p => Sample(p.Done / test.Batch, curve));
        int steps = EndToEnd.StepsPerEpoch(test);
        run.ImagesPerSecond(test, HeadKind.Gap, PrecisionMode.Bf16, (Steps + steps - 1) / steps, probe);
        output.WriteLine($"\nWorking set of the trainer, {test}, bf16, a checkpoint every {steps} steps:\n");
        output.WriteLine("| step | MB |\n|---|---|");
        curve.ForEach(p => output.WriteLine(InvariantText.Of($"| {p.Step} | {p.Megabytes:0} |")));
        double early = curve.Where(p => p.Step <= Settled).Max(p => p.Megabytes), late = curve.Where(p => p.Step > Settled).Max(p => p.Megabytes);
        using var process = Process.GetCurrentProcess();
        output.WriteLine(InvariantText.Of(
            $"\nhighest in steps 1-{Settled}: {early:0} MB, after: {late:0} MB ({(late / early) - 1:+0.0%;-0.0%}; flat means below 2%): "
                + $"{(late / early < 1.02 ? "held" : "MISSED")}; peak of the process {process.PeakWorkingSet64 / 1e6:0} MB"));
        return late / early < 1.02;
    }

    private static void Sample(long step, List<(long Step, double Megabytes)> curve)
    {
        if (step % Every == 0)
        {
            using var process = Process.GetCurrentProcess();
            curve.Add((step, process.WorkingSet64 / 1e6));
        }
    }

    // Progress<T> would report on another thread, later.
    private sealed class Probe(Action<WorkProgress> told) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => told(value);
    }
}
