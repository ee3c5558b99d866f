using System.Collections.Concurrent;
using System.Diagnostics;
using FaceDistill.Attack.Groups;

namespace FaceDistill.Attack;

/// <summary>Runs cases and counts them.</summary>
/// <param name="options">What the command line asked for.</param>
internal sealed class Attack(Options options)
{
    /// <summary>All groups, in the order of the list of the first attack.</summary>
    public static IReadOnlyList<Group> Groups { get; } =
    [
        new("npy", NpyCases.All), new("labels", LabelsCases.All), new("inject", InjectCases.All), new("pairs", PairsCases.All),
        new("onnx", OnnxCases.All), new("image", ImageCases.All), new("safet", CheckpointCases.All), new("store", StoreCases.All),
            new("recipe", RecipeCases.All),
        new("card", CardCases.All), new("archive", ArchiveCases.All), new("data", DataCases.All), new("cli", CommandLineCases.All),
            new("outpath", OutputCases.All),
        new("full", FullCases.All), new("kill", KillCases.All), new("signal", SignalCases.All), new("stream", StreamCases.All),
        new("readonly", ReadOnlyCases.All), new("perm", PermCases.All), new("resume", ResumeCases.All), new("two", TwoCases.All), new("stale", StaleCases.All),
        new("verify", VerifyCases.All), new("memory", MemoryCases.All), new("same", SameCases.All), new("clock", ClockCases.All),
            new("leftover", LeftoverCases.All),
        new("kills", KillsCases.All, Extra: true), new("fuzz", FuzzCases.All, Extra: true),
    ];

    /// <summary>Runs what the options choose.</summary>
    /// <returns>The exit code: 1 where a case failed.</returns>
    public int Run()
    {
        var chosen = Groups.Where(g => options.Groups.Count == 0 ? !g.Extra : options.Groups.Contains(g.Name))
            .SelectMany(g => g.Cases().Select(c => (Group: g.Name, Case: c)))
            .Where(c => (!options.Short || c.Case.Short) && (options.Case is null || c.Case.Name.Contains(options.Case, StringComparison.OrdinalIgnoreCase)))
            .ToList();
        var results = new ConcurrentDictionary<int, CaseResult>();
        string root = Directory.CreateTempSubdirectory("facedistill-attack-").FullName;
        File.SetUnixFileMode(root, (UnixFileMode)0b111_101_101);
        var watch = Stopwatch.StartNew();
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true; // mounts and folders are taken away, and what was tried is told
            stop.Cancel();
        };
        try
        {
            string[] program = ["dotnet", options.Cli];
            Child.Calibrate(program, root);
            var bases = new Bases(Path.Combine(root, "bases"), program);
            Parallel.For(0, chosen.Count, new ParallelOptions { MaxDegreeOfParallelism = options.Jobs, CancellationToken = stop.Token }, i =>
            {
                if (i % 50 == 49)
                {
                    Child.Calibrate(program, root);
                }

                results[i] = RunOne(bases, chosen[i].Group, chosen[i].Case, Path.Combine(root, $"{i}"), program);
                Tell(results[i], results.Count, chosen.Count);
            });
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"stopped after {results.Count} of {chosen.Count} cases");
        }
        finally
        {
            if (options.Keep)
            {
                Console.Error.WriteLine($"kept: {root}");
            }
            else
            {
                Delete(root);
            }
        }

        var report = new AttackReport([.. results.OrderBy(r => r.Key).Select(r => r.Value)], watch.Elapsed);
        report.Print(Console.Out);
        if (options.Csv is { } csv)
        {
            report.WriteCsv(csv);
        }

        return stop.IsCancellationRequested ? 130 : report.Failed == 0 ? 0 : 1;
    }

    private CaseResult RunOne(Bases bases, string group, Case one, string folder, string[] program)
    {
        var watch = Stopwatch.StartNew();
        Directory.CreateDirectory(folder);
        using var trial = new Trial(bases, folder, program);
        CaseResult Result(Verdict verdict, string why) =>
            new(group, one.Name, string.Join(" ; ", trial.Commands).Replace(folder, "CASE", StringComparison.Ordinal)
            .Replace(bases.In(""), "BASE", StringComparison.Ordinal), string.Join(' ', trial.Exits), verdict,
            why.Replace(folder, "CASE", StringComparison.Ordinal), watch.Elapsed.TotalSeconds, trial.Peak);
        try
        {
            one.Body(trial);
            return trial.Wrongs.Count > 0
                ? Exceptions.Reason(group, one.Name) is { } reason ? Result(Verdict.Excepted, $"{reason} ({string.Join("; ", trial.Wrongs)})")
                    : Result(Verdict.Failed, string.Join("; ", trial.Wrongs.Distinct()))
                : trial.Noises.Count > 0 ? Result(Verdict.Noise, trial.Noises[0]) : Result(Verdict.Held, "");
        }
        catch (SkipException e)
        {
            return Result(Verdict.Skipped, e.Message);
        }
        catch (Exception e)
        {
            return Result(Verdict.Failed, $"the case itself broke: {e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n')[0].Trim()}");
        }
        finally
        {
            trial.Dispose();
            if (!options.Keep)
            {
                Delete(folder);
            }
        }
    }

    private void Tell(CaseResult result, int done, int total)
    {
        if (options.Verbose || result.Verdict == Verdict.Failed)
        {
            Console.Error.WriteLine(
                $"{done}/{total} {result.Class} {result.Group}: {result.Name} ({result.Seconds:0.0} s, {result.PeakMegabytes} MB) {result.Why}");
        }
    }

    private static void Delete(string folder)
    {
        // rm follows no link, minds no odd name, and what is mounted or locked stays for the system's own cleaning.
        using var rm = Process.Start(
            new ProcessStartInfo("bash", ["-c", "chmod -R u+rwX \"$1\"; rm -rf \"$1\"", "bash", folder]) { RedirectStandardError = true })!;
        rm.StandardError.ReadToEnd();
        rm.WaitForExit();
    }
}
