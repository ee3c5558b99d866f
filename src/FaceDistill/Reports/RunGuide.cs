using System.Reflection;
using System.Text.Json.Nodes;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>What a run came to, for the one who made it: figures, their meaning, the files, and what to type next. The terminal and the page say the
/// same.</summary>
internal static class RunGuide
{
    private const string FirstStudent = "mobilenet-v1:0.5@96";

    // Below this part of the variance there is nothing to boast of.
    private const double Learnt = 0.05;

    /// <summary>The whole in a sentence.</summary>
    public static string Verdict(RunReportData report)
    {
        string student = report.Run.Options.Student.Name, teacher = report.Run.Teacher;
        if (!report.Run.Synthetic || !report.Finished || report.Run.TeacherHash.Length == 0)
        {
            return $"{student}: {RunReportMarkdown.Verdict(report)}";
        }

        double learnt = 1 - (Kept(report).ValidationLoss ?? Kept(report).Loss);
        string speed = report.Speed is { } s ? InvariantText.Of($", and it is {s.Speedup:0.0} times as fast") : "";
        return learnt < Learnt || report.Run.Options.Loss != new LossOptions()
            ? $"Every stage works; {Count(report.Epochs.Count, "epoch")} gave {student} a loss of {InvariantText.Of($"{Kept(report).Loss:0.000}")}{speed}"
            : InvariantText.Of($"It works: {student} has learnt {100 * learnt:0}% of what tells {teacher}'s embeddings of its drawn faces apart{speed}");
    }

    /// <summary>Loss, agreement and speed: what it is, the figure, what it means.</summary>
    public static IReadOnlyList<(string Name, string Figure, string Means)> Figures(RunReportData report)
    {
        var (kept, first) = (Kept(report), report.Epochs[0]);
        bool plain = report.Run.Options.Loss == new LossOptions();
        var figures = new List<(string, string, string)>
        {
            ("Loss", Number($"{kept.Loss:0.000}"), plain
                ? Number($"of the teacher's variance is not explained: 1 is nothing learnt, 0 everything. Epoch 1 had {first.Loss:0.000}")
                    + (kept.ValidationLoss is { } held ? Number($"; faces held out of training: {held:0.000}") : "") + "."
                : Number($"({report.Run.Options.Loss}). Epoch 1 had {first.Loss:0.000}.")),
        };
        if (kept.CentredCosine is { } cosine)
        {
            figures.Add(("Agreement with the teacher", Number($"{cosine:0.000}"),
                $"mean cosine of both embeddings of a face held out of training, centred: 0 is chance, 1 the same."));
        }

        figures.Add(report.Speed is { } speed
            ? ("Speed", Number($"{speed.Speedup:0.0} times"),
                Number($"as fast as {speed.Teacher}: {speed.StudentMs:0.00} ms a face, the teacher {speed.TeacherMs:0.00}")
                + " (the fastest of many runs in turns, one thread, ONNX Runtime).")
            : ("Cost", Number($"{report.Cost.MultAdds / 1e6:0.0} M"), Number($"mult-adds a face; {report.Cost.Parameters / 1e6:0.00} M parameters.")));
        return figures;
    }

    /// <summary>What the accuracies can say and cannot; empty for faces that were photographed.</summary>
    public static IReadOnlyList<string> Meaning(RunReportData report)
    {
        if (!report.Run.Synthetic)
        {
            return [];
        }

        string[] limits =
        [
            $"The faces are drawings. That a student learns, agrees with its teacher and is measured shows that every stage works here. "
                + $"{Count(report.Run.Images, "drawn face")} and minutes of training are too few to know people whom it never saw, which is what TAR asks "
                + "for; and no figure of drawings, the teacher's neither, says anything about photographs.",
        ];
        return RealFaces.Best(report.Run.Teacher) is { } real ? [.. limits, $"What real faces gave: {real.Sentence}"] : limits;
    }

    /// <summary>What an accuracy at a rate is.</summary>
    /// <param name="far">The rate, as in JSON keys.</param>
    public static string Tar(string far) => InvariantText.Of(
        $"TAR at {far} is the share of pairs of one person that is accepted where at most one in {1 / InvariantNumber.Of(far):#,0} "
            + $"pairs of two people is.");

    /// <summary>The files that were made, from the working folder, each with what it is.</summary>
    public static IReadOnlyList<(string Path, string What)> Files(RunReportData report)
    {
        string size(string file) => Number($"{new FileInfo(Path.Combine(report.Folder, file)).Length / 1e6:0.0} MB");
        var files = new List<(string File, Func<string> What)>
        {
            (RunReport.PageFileName, () => "all this as a page, with the curves: open it in a browser"),
        };
        foreach (string file in Exported(report.Folder, report.Export))
        {
            string runs = ExportFormat.Meant(file)?.RunBy ?? "";
            files.Add((file, () => Number($"the student ({size(file)}): an aligned face in, {report.Dimension} values out{runs}")));
            files.Add((file + ".MODEL_CARD.md", () => "what it takes and gives, its figures, licences and limits: keep it beside the file"));
        }

        files.Add((RunStudent.BestFileName, () => "the weights of the best epoch, "
            + (report.Run.Options.HeldOut.Keep == KeepKind.Best ? "which are evaluated and exported"
                : "kept beside the last one's, which are exported (--keep last)")));
        files.Add((StudentCheckpoint.FileName, () => "the state of the training: distill --resume goes on from it"));
        files.Add(("log.csv", () => "loss and agreement of each epoch"));
        List<(string, string)> made = [.. files.Where(f => f.File == RunReport.PageFileName || File.Exists(Path.Combine(report.Folder, f.File)))
            .Select(f => (Shown(Path.Combine(report.Folder, f.File)), f.What()))];
        return report.Run.Synthetic ? [.. made, (Shown(report.Run.Data), $"the {Count(report.Run.Images, "drawn face")} that it learnt from")] : made;
    }

    /// <summary>Three commands to go on with, each with what it does.</summary>
    public static IReadOnlyList<(string Command, string What)> Next(RunReportData report)
    {
        string run = Shown(report.Folder), teacher = TeacherOf(report);
        bool taught = report.Run.TeacherHash.Length > 0;
        string beside = taught ? $" --model {Hints.Typed($"teacher:{teacher}")}" : "";
        (string Arguments, string What)[] next = report.Run.Synthetic && taught
            ?
            [
                ("teachers pull yunet", "fetches the face detector that photos need (0.2 MB)"),
                ($"distill --student {FirstStudent} --teacher {Hints.Typed(teacher)} --data photos/ --output run",
                    "distils on your own faces: photos/ is any folder of photos, no names needed"),
                ($"evaluate --model run{beside} --data people/ --report report",
                    "measures both on people that are not in photos/: one sub-folder a person"),
            ]
            :
            [
                ($"evaluate --model {Hints.Typed(run)}{beside} --data people/ --report report",
                    "measures it on people that it has not seen: one sub-folder a person"),
                ($"export --model {Hints.Typed(run)} --output student.tflite", "makes a file for phones (TensorFlow Lite) of it"),
                ($"bench --model {Hints.Typed(run)}{beside}", "times it on this machine"),
            ];
        return [.. next.Select(n => ($"{Hints.Command} {n.Arguments}", n.What))];
    }

    /// <summary>The exported files in a run folder: those of their formats' own names, and the last export's where it lies there.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="last">The last export; null for none.</param>
    internal static IReadOnlyList<string> Exported(string folder, ExportOutcome? last) =>
    [
        .. ExportFormat.All.Select(f => f.DefaultFile)
            .Concat((last?.Files ?? []).Take(1).Select(Path.GetFileName)) // a run folder may have been moved since
            .OfType<string>().Distinct().Where(f => File.Exists(Path.Combine(folder, f))),
    ];

    // As it was typed: a card of the user's own is found by its path, not by its name.
    private static string TeacherOf(RunReportData report) =>
        Path.Combine(report.Folder, Recipe.FileName) is var path && File.Exists(path) ? Recipe.Read(path).Teacher : report.Run.Teacher;

    /// <summary>The epoch whose student is evaluated and exported.</summary>
    internal static EpochLog Kept(RunReportData report) =>
        report.Run.Options.HeldOut.Keep == KeepKind.Best && report.Best is { } best ? report.Epochs[best.Epoch - 1] : report.Epochs[^1];

    /// <summary>Which epoch's student was exported, its figures, and what chose it where that is not the rule.</summary>
    public static string Exported(RunReportData report)
    {
        var (kept, held) = (Kept(report), report.Run.Options.HeldOut);
        bool plain = report.Run.Options.Loss == new LossOptions();
        string unit = plain ? " (1 explains nothing)" : $" ({report.Run.Options.Loss})";
        string text = InvariantText.Of($"epoch {kept.Epoch} of {report.Epochs.Count} exported: loss {kept.Loss:0.000}{unit}");
        text += kept.ValidationLoss is { } loss ? InvariantText.Of($", held out {loss:0.000}") : "";
        text += kept.CentredCosine is { } cosine ? InvariantText.Of($", centred cosine {cosine:0.000}") : "";
        text += kept.PeopleTar is { } tar ? $", TAR {Percent(tar)} at FAR {FarTargets.Label(kept.PeopleFar!.Value)} on held-out people" : "";
        text += plain && !((kept.ValidationLoss ?? kept.Loss) < 1)
            ? "; it is no nearer to its teacher than the mean of all faces, and is of no use: train longer, on more faces, or at another --learning-rate" : "";
        return text + (held.Keep != KeepKind.Best || report.Best is not { PeopleTar: null } ? ""
            : held.People > 0 ? $"; the centred cosine chose it: {Count(held.People.Value, "held-out person", "held-out people")} gave too few pairs"
            : "; the centred cosine chose it: no people were held out (too few are named, or none were wanted)");
    }

    private static string Shown(string path)
    {
        string near = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return near.StartsWith("..", StringComparison.Ordinal) ? Path.GetFullPath(path) : near;
    }

    private static string Number(InvariantText text) => text.ToString();
}

/// <summary>How fast a run's exported student is beside its teacher (speed.json of the run folder), both timed in turns in one run.</summary>
/// <param name="OnnxSha256">SHA-256 of the file that was timed.</param>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="StudentMs">One face on one thread, the fastest of many runs, milliseconds.</param>
/// <param name="TeacherMs">The same of the teacher.</param>
/// <param name="Speedup">The teacher's time by the student's.</param>
public sealed record RunSpeed(string OnnxSha256, string Teacher, double StudentMs, double TeacherMs, double Speedup)
{
    internal const string FileName = "speed.json";

    /// <summary>That of a run folder's exported file; null where none or another one was timed.</summary>
    internal static RunSpeed? In(string folder, IEnumerable<string> exported) =>
        File.Exists(Path.Combine(folder, FileName)) && JsonFile.Read<RunSpeed>(Path.Combine(folder, FileName)) is var speed
            && exported.Any(f => FileHash.Sha256(Path.Combine(folder, f)) == speed.OnnxSha256)
                ? speed
                : null;
}

/// <summary>
/// What a student reached on real faces: read from the model cards of the results that the project keeps (eval/results), which are built in.
/// </summary>
/// <param name="Place">Where the result lies in the project.</param>
/// <param name="Card">Its model card.</param>
internal sealed record RealFaces(string Place, JsonNode Card)
{
    private const string Prefix = "results/";

    /// <summary>The kept student with the highest TAR at 1e-4, of this teacher where there is one; null where none is built in.</summary>
    public static RealFaces? Best(string teacher)
    {
        var home = typeof(RealFaces).Assembly;
        return home.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => Read(home, n))
            .Where(r => Tar(r.Own) is not null && (bool?)r.Own!["seen"] == false)
            .OrderByDescending(r => (string?)r.Card["teacher"]!["name"] == teacher).ThenByDescending(r => Tar(r.Own)).FirstOrDefault();
    }

    /// <summary>The finding, with what it was measured on and where it lies.</summary>
    public string Sentence
    {
        get
        {
            var (own, teacher) = (Own!, (string)Card["teacher"]!["name"]!);
            var range = own["result"]!["tarInterval95AtFar"]?[DecidingFar]?.AsArray().Select(v => (double)v!).ToArray();
            string share = Tar(Beside(own, teacher)) is { } reached
                ? InvariantText.Of($", {Percent(Tar(own) / reached)} of its teacher's {Percent(reached)}") : "";
            return InvariantText.Of(
                $"{Card["student"]}, distilled from {teacher} on {(int)Card["trainingFaces"]!:#,0} faces, reaches a TAR of {Percent(Tar(own))}"
                    + $"{Bracket(range)} at FAR {DecidingFar}{share}, over {(long)own["result"]!["impostorPairs"]!:#,0} impostor pairs of people of "
                    + $"{own["data"]} that it never saw ({Place}).");
        }
    }

    private JsonNode? Own => Card["accuracy"]!.AsArray().FirstOrDefault(a => (string?)a!["model"] == "this file");

    // The teacher by the same protocol on the same faces; where one of the two does not say which these are, on data of the same name.
    private JsonNode? Beside(JsonNode own, string teacher) => Card["accuracy"]!.AsArray().FirstOrDefault(
        a => (string?)a!["model"] == teacher && (string?)a["protocol"] == (string?)own["protocol"]
            && ((string?)a["facesId"] is { } faces && (string?)own["facesId"] is { } measured
                ? faces == measured : (string?)a["data"] == (string?)own["data"]));

    private static double? Tar(JsonNode? row) => (double?)row?["result"]?["tarAtFar"]?[DecidingFar];

    private static RealFaces Read(Assembly home, string name)
    {
        using var stream = home.GetManifestResourceStream(name)!;
        string folder = name[Prefix.Length..].Replace('\\', '/');
        return new RealFaces($"eval/results/{folder[..folder.LastIndexOf('/')]}", JsonNode.Parse(stream)!);
    }
}
