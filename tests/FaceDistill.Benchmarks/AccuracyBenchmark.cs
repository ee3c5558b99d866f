using System.Diagnostics;
using System.Globalization;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Teachers;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Benchmarks;

/// <summary>
/// How many minutes of training until a student keeps 25%, 50% and 70% of its teacher's TAR at 1e-4 on held-out people? Each contender is the product's
/// recipe with another optimizer or start, one after the other in one process. Aligning and the teacher's pass, which distill caches, are done before and
/// not timed.
/// </summary>
internal static class AccuracyBenchmark
{
    private const string TeacherName = "dlib-resnet", ResultFile = "tests/FaceDistill.Benchmarks/results/accuracy.md";
    private const double Far = EvaluationResult.RetentionFar;
    private static readonly double[] Levels = [0.25, 0.5, 0.7];

    // The first two by default; the others tell what of their difference is the optimizer's and what the start's.
    private static readonly Contender[] Contenders =
    [
        new("adamw", OptimizerKind.AdamW, null), new("muon", OptimizerKind.Muon, "faceres"),
        new("muon-random", OptimizerKind.Muon, null), new("adamw-faceres", OptimizerKind.AdamW, "faceres"),
    ];

    // What stands where an option is left out. At 1e-4 HeldOutMeasure.FewestErrors asks for 300,000 pairs of two people, which 180 people of lfw-train just
    // give. 300 are some 1,300 faces (at most 20 of each) and 840,000 pairs, at the price of a twentieth of the training faces: the teacher's 95% interval is
    // 58-82%, where 200 people (864 faces) leave it at 48-81%. No more than 300 are held out by a run that names no number, either.
    private static readonly Dictionary<string, string[]> Defaults = new(StringComparer.Ordinal)
    {
        ["--data"] = ["utkface", "lfw-train"], ["--minutes"] = ["12"], ["--people"] = ["300"], ["--only"] = ["adamw", "muon"],
        ["--student"] = ["mobilenet-v1:0.5@96"], ["--every"] = ["50"],
    };

    public static int Run(string[] arguments)
    {
        bool write = arguments.Contains("--write");
        var given = Given([.. arguments.Where(a => a != "--write")]);
        Contender[] contenders = [.. Contenders.Where(c => given?["--only"].Contains(c.Name) == true)];
        if (given is null || contenders.Length != given["--only"].Length
            || !double.TryParse(given["--minutes"][0], CultureInfo.InvariantCulture, out double minutes)
            || !int.TryParse(given["--people"][0], out int people) || !int.TryParse(given["--every"][0], out int every) || every < 1)
        {
            Console.Error.WriteLine($"""
                usage: accuracy [--data NAME ...] [--minutes M] [--people N] [--only CONTENDER ...] [--student STUDENT] [--every STEPS] [--write]
                contenders are {string.Join(", ", Contenders.Select(c => c.Name))}; --write, in the repository's folder, writes {ResultFile}
                without options: {string.Join(' ', Defaults.Select(d => $"{d.Key} {string.Join(' ', d.Value)}"))}
                """);
            return 2;
        }

        try
        {
            if (write && !Directory.Exists(Path.GetDirectoryName(ResultFile)))
            {
                throw new FaceDistillException(
                    $"there is no {Path.GetDirectoryName(ResultFile)} here; start it in the repository's folder, or leave --write out");
            }

            var options = new DistillOptions
            {
                Student = new StudentOptions { Name = given["--student"][0] },
                Run = new TrainingRunOptions { Minutes = minutes, Device = "cpu" },
                HeldOut = new HeldOutOptions { People = people },
            }.Validated();
            string report = $"Command: dotnet run -c Release --project tests/FaceDistill.Benchmarks -- {string.Join(' ', ["accuracy", .. arguments])}\n\n"
                + Compare(given["--data"], options, contenders, every);
            Console.Write(report);
            if (write)
            {
                File.WriteAllText(ResultFile, report);
            }

            return 0;
        }
        catch (FaceDistillException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    // The values of every option; null where one is unknown or has none.
    private static Dictionary<string, string[]>? Given(string[] arguments)
    {
        var values = Defaults.ToDictionary(StringComparer.Ordinal);
        for (int at = 0; at < arguments.Length;)
        {
            string option = arguments[at];
            string[] own = [.. arguments.Skip(at + 1).TakeWhile(a => !a.StartsWith("--", StringComparison.Ordinal))];
            if (!values.ContainsKey(option) || own.Length == 0)
            {
                return null;
            }

            values[option] = own;
            at += 1 + own.Length;
        }

        return values;
    }

    private static string Compare(string[] data, DistillOptions options, Contender[] contenders, int every)
    {
        TorchNative.EnsureLoaded();
        HostMemory.KeepFreed();
        var told = new JobContext(Console.Error.WriteLine);
        var finder = AssetFinder.FromEnvironment();
        using var teacher = TeacherCard.Open(TeacherName, finder);
        DataFolder[] folders = [.. data.Select(d => DataFolder.Resolve(d, finder))];
        var aligned = new FaceSource(finder).Open(folders, teacher.Contract.Template, null, told);
        var faces = new DistillTargets(teacher, aligned, options, "", resumes: false).Prepare(told);
        var truth = HeldOutMeasure.Teacher(faces);
        RequirePairs(truth);
        var contract = FaceTensor.StudentContract(StudentSpec.Parse(options.Student.Name).Resolution, teacher.Contract.Template);
        var description = new StudentDescription(options.Student.Name, options.Student.Head, faces.Dimension, contract, teacher.Name, teacher.Hash);
        var device = TorchDevice.Resolve(options.Run.Device);
        options = options with
        {
            Run = options.Run with { Precision = PrecisionChoice.Resolve(options.Run.Precision, description.Architecture(), options.Run.BatchSize, device) },
        };
        double best = ThresholdPass.Score(truth, [Far]).At(Far)!.Tar;
        Outcome[] outcomes = [.. contenders.Select(c => Train(c, faces, description, options, every, best, finder))];

        var limits = new EvaluationOptions { Fars = [Far], Metrics = false };
        var result = Evaluator.RunAll(Evaluator.AllPairs, [truth, .. outcomes.Select(o => o.Last)], 0, null, limits);
        var reference = result.Models[0];
        var rows = outcomes.Select((o, i) =>
            Text($"| {o.Before} {Rate(result.Models[i + 1])} | {100 * result.Models[i + 1].RetentionAt1e4:0.0}%"
                + $"{Around(result.Models[i + 1].RetentionInterval95At1e4)} | {o.After} |"));
        double? minutes = options.Run.Minutes;
        string student = Text($"{options.Student.Name}, {options.Run.Precision.ToString().ToLowerInvariant()}, batch {options.Run.BatchSize}");
        string columns = $"| contender | optimizer | start | epochs | minutes in all |{string.Concat(Levels.Select(l => Text($" minutes to {100 * l:0}% |")))}"
            + " TAR at 1e-4 at the end | kept of the teacher's | images seen | images/s | cores used |";
        return Text($"""
            {TrainBenchmark.Machine()}, {TorchSharp.torch.get_num_threads()} torch threads

            {student}, {faces.Training.Length} training faces of {string.Join(", ", data)}.
            Held out of them: {faces.HeldOut.Names.Length} people, {truth.Count} of their faces measured, {reference.GenuinePairs} genuine and
            {reference.ImpostorPairs} impostor pairs; on these the teacher, {TeacherName}, reaches TAR {Rate(reference)} at {FarTargets.Label(Far)}.
            In parentheses 95% intervals by {limits.Resamples} resamples of the people.

            Minutes are of the training clock: the start's pruning, reading, decoding, steps and checkpoints. Aligning and the teacher's pass are not in it, nor
            is any measurement: of speed at the beginning, of batch norms, of the held-out people every {every} steps and at each epoch's end. A level's minutes
            are those of the first measurement that had it, and have no interval. The learning rate falls to 0 over as many epochs as fit into
            {minutes} minutes, the start included, by the measurement of distill --minutes: a shorter plan reaches the lower levels sooner. The student
            at the end is that of the last step; none was chosen. Images/s are those of the epochs, without the start.

            {columns}
            {string.Concat(Enumerable.Repeat("|---", 10 + Levels.Length))}|
            {string.Join('\n', rows)}

            Minutes, and what was kept of the teacher's TAR then, from before the first step on:

            {string.Join('\n', outcomes.Select(o => $"- {o.Curve}"))}

            """);
    }

    private static Outcome Train(
        Contender contender, TrainingFaces faces, StudentDescription description, DistillOptions options, int every, double best, AssetFinder finder)
    {
        string run = Directory.CreateTempSubdirectory("facedistill-bench").FullName;
        string Point(AccuracyPoint p) => Text($"{p.Seconds / 60:0.00} {100 * p.Tar / best:0.0}%");
        try
        {
            options = (options with
            {
                Student = options.Student with { Init = contender.Start },
                Optimizer = options.Optimizer with { Kind = contender.Optimizer },
            }).WithUsual(rate: true, decay: true);
            var backbone = contender.Start is { } start ? BackboneCard.Open(start, finder) : null;
            var left = options with
            {
                Run = options.Run with { Minutes = options.Run.Minutes - (backbone is null ? 0 : StartMinutes(backbone, faces, description, options, run)) },
            };
            Console.Error.WriteLine(Text($"{contender.Name}: {left.Run.Minutes:0.00} minutes for epochs"));
            int epochs = TimeBudget.Epochs(faces, description, left.Validated(), TorchDevice.Resolve(options.Run.Device), null, default);
            options = options with { Run = options.Run with { Epochs = epochs, Minutes = null } };
            using var curve = new AccuracyCurve(faces, description, options, run, every,
                p => Console.Error.WriteLine(Text($"{contender.Name}: {Point(p)} after {(double)p.Images / faces.Training.Length:0.00} of {epochs} epochs")));
            curve.Run(backbone);
            var reached = Levels.Select(l => curve.Points.Find(p => p.Tar >= l * best) is { } p ? Text($" {p.Seconds / 60:0.00} |") : " not reached |");
            string optimizer = Text(
                $"{options.Optimizer.Kind.ToString().ToLowerInvariant()} {options.Optimizer.LearningRate}, decay {options.Optimizer.WeightDecay}");
            return new Outcome(
                Text($"{contender.Name} | {optimizer} | {contender.Start ?? "random"} | {epochs} | {curve.Seconds / 60:0.00} |{string.Concat(reached)}"),
                Text($"{curve.Images} | {curve.Images / (curve.Seconds - curve.Points[0].Seconds):0} | {curve.ProcessorSeconds / curve.Seconds:0.00}"),
                $"{contender.Name}: {string.Join(", ", curve.Points.Select(Point))}",
                curve.Last!);
        }
        finally
        {
            Directory.Delete(run, recursive: true);
        }
    }

    // What a start leaves of the minutes decides the epochs, which a trainer must know before it starts: so it starts twice, the second time by the clock.
    private static double StartMinutes(Backbone start, TrainingFaces faces, StudentDescription description, DistillOptions options, string run)
    {
        using var trainer = new Trainer(faces, description, options, run);
        var watch = Stopwatch.StartNew();
        trainer.StartFrom(start);
        return watch.Elapsed.TotalMinutes;
    }

    private static void RequirePairs(EmbeddingSet set)
    {
        var groups = new IdentityGroups(set.Identities);
        if (HeldOutMeasure.FarOf(groups.GenuinePairs, groups.ImpostorPairs) is not <= Far)
        {
            const int errors = HeldOutMeasure.FewestErrors;
            throw new FaceDistillException(
                $"{set.Count} faces of held-out people give {groups.GenuinePairs} genuine and {groups.ImpostorPairs} impostor pairs, fewer than the "
                + $"{errors} and {errors / (decimal)Far:0} that a TAR at {FarTargets.Label(Far)} needs; raise --people");
        }
    }

    private static string Rate(ModelResult model) => Text($"{100 * model.Rates!.At(Far)!.Tar:0.00}%") + Around(model.Uncertainty?.At(Far));

    private static string Around(IReadOnlyList<double>? interval) =>
        interval is [var low, var high] ? Text($" ({100 * low:0.0}-{100 * high:0.0})") : "";

    private static string Text(InvariantText text) => text.ToString();

    private sealed record Contender(string Name, OptimizerKind Optimizer, string? Start);

    // A table's cells before and after those that the evaluation of all gives, the line of the curve, and the last embeddings.
    private sealed record Outcome(string Before, string After, string Curve, EmbeddingSet Last);
}
