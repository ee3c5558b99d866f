namespace FaceDistill.Attack.Groups;

/// <summary>Options out of their range and arguments that name nothing: refused before work begins, whatever else stands on the line.</summary>
internal static class CommandLineCases
{
    /// <summary>Values of distill's options.</summary>
    private static readonly string[] Distill =
    [
        "--epochs -1", "--epochs 0", "--epochs 1e3", "--epochs 99999999999", "--epochs x", "--epochs 1,000", "--clip 1,5", "--batch-size 0",
            "--batch-size 1000000000", "--learning-rate NaN",
            "--learning-rate -1",
        "--learning-rate Infinity", "--learning-rate 1e-400", "--minutes -1", "--minutes NaN", "--minutes 0", "--minutes 1e300", "--dimension 0",
            "--dimension -5",
        "--dimension 129", "--ema 1", "--ema NaN", "--clip NaN", "--progressive 0", "--progressive NaN", "--validation 1", "--validation NaN", "--seed 1e9",
        "--seed 99999999999999999999", "--views 0", "--views 100000", "--mixup -1", "--mixup 1", "--loss-squared 0", "--loss-squared NaN",
            "--loss-arcface 1 --arcface-margin 9",
        "--arcface-scale NaN", "--weight-decay -1", "--device cuda", "--device zzz", "--precision fp64", "--head x", "--head 1", "--teacher nope",
        "--teacher ../../etc/passwd.json", "--aligned zzz", "--models /nope", "--init /nope", "--recipe /nope.json", "--patience -1", "--warmup-epochs 1000",
            "--unknown 1",
        "--targets 0", "--optimizer 7", "--keep 3", "--schedule 2", "--init-channels 9", "--precision 1", "--exclude /nope", "--replicas -1",
            "--checkpoint-minutes -1",
        "--validation-people -1",
    ];

    /// <summary>Models that count is asked of.</summary>
    private static readonly string[] Count =
    [
        "mobilenet-v1:0@96", "mobilenet-v1:2@96", "mobilenet-v1:NaN@96", "mobilenet-v1:0.5@97", "mobilenet-v1:-1@96", "mobilenet-v1:1e-9@96",
            "mobilenet-v1:0.5@999999999999", "",
        new string('x', 2000), "mobilenet-v1:0,5@96", "mobilenet-v1:0.0001@32",
    ];

    /// <summary>Options of evaluate.</summary>
    private static readonly string[] Evaluate =
    [
        "--resamples 1000000000", "--resamples -1", "--resamples 5", "--seed x", "--protocol zzz", "--score zzz", "--unknown 1.5 --protocol identification",
        "--unknown NaN --protocol identification", "--unknown -1 --protocol identification", "--reference nope", "--protocol pairs",
            "--protocol blufr --blufr-lists /nope",
        "--gallery /nope --protocol identification", "--model /nope", "--model teacher:nope", "--model teacher:/etc/passwd", "--model @", "--data /nope",
            "--data @",
        "--protocol lfw-10fold", "--protocol lfw-view1-test", "--aligned arcface",
    ];

    private static readonly string[] Align =
        ["--size 31", "--size 1025", "--size -1", "--size x", "--margin -1", "--margin NaN", "--margin 2", "--template zzz", "--data /nope", "--template 1",
        "--shard 0/2", "--shard 3/2", "--shard x", "--shard 1", "--shard 1/0", "--shard auto"];

    private static readonly string[] Export =
    [
        "--min-cosine 2", "--min-cosine NaN", "--max-loss -1", "--max-loss 1", "--format zzz", "--float32-layers -1 --format onnx-int8", "--ranges x",
            "--ranges 7 --format onnx-int8",
        "--calibration CASE", "--evaluate --protocol lfw-view1-test", "--output /proc/x.onnx", "--output CASE/x.zzz", "--data /nope",
            "--calibration /nope --format onnx-int8",
    ];

    private static readonly string[] Bench =
        ["--rounds 0", "--rounds -1", "--rounds x", "--rounds 99999999999", "--evaluations /nope", "--protocol all-pairs", "--data /nope", "--device zzz",
        "--provider zzz", "--provider directml"];

    /// <summary>Whole command lines.</summary>
    private static readonly string[] Whole =
    [
        "bench --model /nope.onnx", "teachers pull nope", "teachers verify ../x", "datasets pull nope", "datasets verify utkface2", "bogus",
            "--bogus", "distill",
        "embed --data FEW", "embed --data FEW --teacher CARD --model MODEL", "quickstart --epochs 0 --output CASE/o", "quickstart --epochs -1 --output CASE/o",
        "quickstart --device zzz --output CASE/o", "quickstart --device cuda --output CASE/o", "table14 --recipe /nope --output CASE/o",
        "table14 --recipe TABLE --output CASE/o --rows zzz", "table14 --recipe TABLE --output CASE/o --device cuda", "export --model /nope",
            "export --model FEW",
        "export --model MODEL", "bench --model FEW", "--json", "count --dimension -1", "audit --data FEW --test /nope", "audit --data FEW --test FEW --far 2",
            "datasets verify /nope.json",
        "teachers verify /nope.json", "embed --data /nope --teacher CARD --output CASE/o",
            "distill --resume --output CASE/o --data FEW --student mobilenet-v1:0.25@64 --epochs nan",
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Distill.Select((d, i) => new Case($"distill {d}", t => Refused(t, ["distill", "--data", t.Bases.Few, "--student", Bases.Student, "--batch-size", "8",
            .. d.Contains("--teacher", StringComparison.Ordinal)
                ? Array.Empty<string>()
                : ["--teacher", t.Bases.Card], .. d.StartsWith("--epochs", StringComparison.Ordinal)
                || d.StartsWith("--minutes", StringComparison.Ordinal)
                    ? Array.Empty<string>()
                    : ["--epochs", "1"], .. Split(t, d), "--output", t["o"]]), Short: i is 1 or 7 or 36)),
        .. Count.Select((c, i) => new Case($"count {(c.Length > 40 ? c[..30] : c)}", t => Refused(t, ["count", c]), Short: i == 0)),
        new("count dimension 2e9", t => t.DoneOrRefused(t.Run("count", "mobilenet-v1:1.0@160", "--dimension", "2000000000"), "2000000000")),
        .. Evaluate.Select((e, i) => new Case($"evaluate {e.Replace("@", "", StringComparison.Ordinal)}", t => Refused(t, ["evaluate",
            .. e.StartsWith("--model", StringComparison.Ordinal) ? Array.Empty<string>() : ["--model", t.Bases.Model],
            .. e.StartsWith("--data", StringComparison.Ordinal)
                ? Array.Empty<string>()
                : ["--data", t.Bases.Few], .. Split(t, e), "--report", t["o"]]), Short: i is 4)),
        .. Align.Select(a => new Case($"align {a}", t => Refused(t,
            ["align", .. a.StartsWith("--data", StringComparison.Ordinal) ? Array.Empty<string>() : ["--data", t.Bases.Photos], .. Split(t, a), "--output",
                t["o"]]))),
        .. Export.Select(x =>
            new Case($"export {x}", t => Refused(t, ["export", "--model", t.Bases.Run, .. x.Contains("--data", StringComparison.Ordinal) ? Array.Empty<string>()
            : ["--data", t.Bases.Few], .. Split(t, x), .. x.Contains("--output", StringComparison.Ordinal) ? Array.Empty<string>()
                : ["--output", t["o/x.onnx"]]]))),
        .. Bench.Select(b => new Case($"bench {b}", t => Refused(t, ["bench", "--model", t.Bases.Model, .. Split(t, b), "--output", t["o"]]))),
        new("bench --evaluations junk",
            t => Refused(t, ["bench", "--model", t.Bases.Model, "--rounds", "1", "--evaluations", t.Write("e.json", "{\"models\": 5}"), "--output", t["o"]])),
        new("bench --evaluations deep", t => Refused(t,
            ["bench", "--model", t.Bases.Model, "--rounds", "1", "--evaluations", t.Write("e.json", new string('[', 100_000)), "--output", t["o"]])),
        .. Whole.Select((w, i) => new Case(w.Length == 0 ? "no arguments" : w, t => Refused(t, Split(t, w)), Short: i is 6 or 11)),
    ];

    /// <summary>Refused with 1 or 2, and nothing made.</summary>
    private static void Refused(Trial t, string[] line)
    {
        if (line.Length == 0 || line is ["teachers"])
        {
            var help = t.Run(line); // prints what there is, as a wrong usage
            t.Expect(help.Exit == 2, $"exit {help.Exit} instead of 2");
            return;
        }

        var outcome = t.Run(new Launch(line) { Limit = TimeSpan.FromSeconds(20) });
        t.RefusedOrUsage(outcome, t["o"]);
        t.Expect(outcome.Time < TimeSpan.FromSeconds(15) * Child.Slowness, "refused only after work");
    }

    private static string[] Split(Trial t, string line) =>
    [
        .. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word switch
        {
            "FEW" => t.Bases.Few,
            "CARD" => t.Bases.Card,
            "MODEL" => t.Bases.Model,
            "TABLE" => t.Write("table.json", RecipeCases.Table(t.Bases.Card, t.Bases.Few)),
            "@" => "",
            _ => word.Replace("CASE", t.Folder, StringComparison.Ordinal),
        }),
    ];
}
