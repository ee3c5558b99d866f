using System.Diagnostics;
using System.Globalization;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Options;

namespace FaceDistill.Benchmarks;

/// <summary>Does the memory of a training run stay level over 5,000 steps, with a checkpoint each epoch and augmented faces?</summary>
internal static class MemoryCurve
{
    // What is compiled and kept on the way (machine code, pools) has come after some 2,000 steps.
    private const int Steps = 7000, Every = 500, Settled = 2000;

    /// <summary>The student that is measured where none is named: a small one, of which a leak is a large part.</summary>
    public static TrainCase Small { get; } = new("mobilenet-v1:0.25@64", 32);

    public static bool Print(TrainCase test, TextWriter output)
    {
        using var run = new EndToEnd();
        int steps = EndToEnd.StepsPerEpoch(test);
        output.WriteLine($"\nResident memory of the trainer, {test}, a checkpoint every {steps} steps, after a full collection:\n");
        output.WriteLine("| step | MB | of it managed | before the collection | seconds |\n|---|---|---|---|---|");
        var curve = new List<(long Step, double Megabytes)>();
        var watch = Stopwatch.StartNew();
        var probe = new Probe(p =>
        {
            if (p.Done / test.Batch % Every == 0)
            {
                double before = Resident(), managed = Collected();
                curve.Add((p.Done / test.Batch, Resident()));
                output.WriteLine(InvariantText.Of(
                    $"| {curve[^1].Step} | {curve[^1].Megabytes:0.0} | {managed:0.0} | {before:0.0} | {watch.Elapsed.TotalSeconds:0} |"));
            }
        });
        run.ImagesPerSecond(test, HeadKind.Gap, PrecisionMode.Fp32, (Steps + steps - 1) / steps, probe, augmented: true);
        double early = curve.First(p => p.Step >= Settled).Megabytes, late = curve[^1].Megabytes;
        output.WriteLine(InvariantText.Of($"\nsteps {Settled} to {curve[^1].Step}: {early:0.0} MB to {late:0.0} MB ({(late / early) - 1:+0.00%;-0.00%}; ")
            + $"level means below 1%): {(late / early < 1.01 ? "held" : "MISSED")}");
        return late / early < 1.01;
    }

    // What nobody refers to is not counted.
    private static double Collected()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(false) / 1e6;
    }

    /// <summary>What the system says of this process's memory, MB.</summary>
    /// <param name="label">Of which memory, on Linux; elsewhere it is what is resident.</param>
    public static double Resident(string label = "VmRSS:")
    {
        string? line = OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(label, StringComparison.Ordinal))
            : null;
        if (line is not null)
        {
            return long.Parse(line[label.Length..^"kB".Length], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture) * 1.024e-3;
        }

        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / 1e6;
    }

    // Progress<T> would report on another thread, later.
    private sealed class Probe(Action<WorkProgress> told) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => told(value);
    }
}
