using System.Text.Json;

namespace FaceDistill.Attack.Groups;

/// <summary>Standard streams that are closed or full, and odd environments.</summary>
internal static class StreamCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("stdout | head -1", t => t.Done(Shell(t, "\"$@\" | head -1; exit ${PIPESTATUS[0]}", "teachers", "list"))),
        new("--help | head -1", t => t.Done(Shell(t, "\"$@\" | head -1", "evaluate", "--help"))),
        new("evaluate | true", t => t.Done(Shell(t, "\"$@\" | true", Evaluate(t)))),
        new("stderr closed", t =>
        {
            var outcome = Shell(t, "exec \"$@\" 2>&-", Evaluate(t));
            t.Expect(outcome.Exit == 0, $"exit {outcome.Exit} instead of 0");
            t.Expect(outcome.Output.Contains("TAR", StringComparison.Ordinal), "no result on standard output");
        }, Short: true),
        new("stdout closed", t => Refused(t, Shell(t, "exec \"$@\" >&-", Evaluate(t)))),
        new("stdin closed", t => t.Done(Shell(t, "exec \"$@\" <&-", Evaluate(t)))),
        new("all closed", t => t.Expect(Shell(t, "exec \"$@\" <&- >&- 2>&-", Evaluate(t)).Exit is 0 or 1, "neither done nor failed")),
        new("stdout /dev/full", t => Refused(t, Shell(t, "exec \"$@\" >/dev/full", [.. Evaluate(t), "--json"])), Short: true),
        new("stdout /dev/full table", t => Refused(t, Shell(t, "exec \"$@\" >/dev/full", "teachers", "list"))),
        new("stdout /dev/full help", t => t.Expect(Shell(t, "exec \"$@\" >/dev/full", "--help").Exit is 0 or 1, "neither done nor failed")),
        new("stderr /dev/full", t =>
        {
            t.Expect(Shell(t, "exec \"$@\" 2>/dev/full", "align", "--data", t.Bases.Photos, "--output", t["sf"]).Exit == 0, "not done");
            t.Expect(Files.Under(t["sf"]).Length > 10, "no faces");
        }),
        new("stderr pipe closed mid-run", t => t.Done(Shell(t, "\"$@\" 2> >(head -c 1 >/dev/null)", "align", "--data", t.Bases.Photos, "--output", t["sg"]))),
        new("usage error, stderr closed", t => t.Expect(Shell(t, "exec \"$@\" 2>&-", "bogus").Exit == 2, "not exit 2")),
        new("refusal, stderr /dev/full", t => t.Expect(Shell(t, "exec \"$@\" 2>/dev/full", "count", "x").Exit == 1, "not exit 1")),
        new("TERM=dumb, no locale", t => t.Done(Shell(t, "exec env -u LANG TERM=dumb LC_ALL=C \"$@\"", "teachers", "list"))),
        new("LANG=tr_TR", t => Count(t, "tr_TR.UTF-8")),
        new("LANG=de_DE decimals", t => Count(t, "de_DE.UTF-8")),
        new("cgroup-like: DOTNET_GCHeapHardLimit 60 MB, evaluate big npy",
            t => t.Done(Shell(t, "DOTNET_GCHeapHardLimit=0x3C00000 exec \"$@\"", "evaluate", "--embeddings",
            t.Write("ok.npy", NpyCases.Good()), "--labels", t.Write("l.txt", NpyCases.Labels()), "--resamples", "0"))),
    ];

    private static string[] Evaluate(Trial t) => ["evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0"];

    private static Outcome Shell(Trial t, string script, params string[] line) => t.Run(new Launch(line) { Shell = script });

    // A result that nobody gets is no success.
    private static void Refused(Trial t, Outcome outcome)
    {
        t.Expect(outcome.Exit is 1 or 0, $"exit {outcome.Exit}");
        t.Expect(outcome.Exit == 0 || outcome.Own.Length == 1, "not one line that says why");
    }

    private static void Count(Trial t, string locale)
    {
        var outcome = Shell(t, $"exec env LC_ALL={locale} \"$@\"", "count", "mobilenet-v1:0.5@96", "--json");
        t.Done(outcome);
        using var json = JsonDocument.Parse(outcome.Output);
        t.Expect(json.RootElement.GetProperty("multAdds").GetDouble() > 1e6, "not the number");
    }
}

/// <summary>Limits of memory.</summary>
internal static class MemoryCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. new[] { 1200, 700, 400 }.Select(
            mb => new Case($"distill RLIMIT_DATA {mb} MB", t => Limited(t, mb, [.. t.Bases.Distill, "--data", t.Bases.More, "--output", t["run"]]))),
        .. new[] { 700, 400 }.Select(
            mb => new Case($"evaluate RLIMIT_DATA {mb} MB", t => Limited(t, mb, ["evaluate", "--model", $"teacher:{t.Bases.Card}", "--data", t.Bases.Few,
            "--resamples", "0"]))),
        new("embed RLIMIT_DATA 400 MB", t => Limited(t, 400, ["embed", "--data", t.Bases.More, "--teacher", SignalCases.Slow(t), "--output", t["em"]])),
    ];

    /// <summary>Done, or one clear line.</summary>
    private static void Limited(Trial t, int megabytes, string[] line)
    {
        var outcome = t.Run(new Launch(line) { Shell = $"ulimit -d {megabytes * 1024}; exec \"$@\"", Limit = TimeSpan.FromMinutes(2) });
        if (outcome.Exit != 0)
        {
            t.Refused(outcome);
        }
    }
}
