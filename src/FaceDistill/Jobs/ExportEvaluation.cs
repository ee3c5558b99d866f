using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Runs;

namespace FaceDistill.Jobs;

/// <summary>Measures the run's student and its exported file side by side, or finds what was measured of the student before.</summary>
internal sealed class ExportEvaluation(AssetFinder finder)
{
    private const string File = ModelCardAccuracy.ThisFile, Torch = ModelCardAccuracy.Torch;
    private const double DecidingFar = 1e-4;
    private static readonly double[] ThresholdFars = [1e-3, 1e-4, 1e-5];

    /// <summary>Those of a file's thresholds that its card tells; the others are its curve of false accepts.</summary>
    public static IReadOnlyList<StudentThreshold> OnCards(IReadOnlyList<StudentThreshold> thresholds) =>
        [.. thresholds.Where(t => ThresholdFars.Contains(t.Far))];

    /// <summary>Measures both.</summary>
    /// <param name="request">With a protocol and data.</param>
    /// <param name="file">The exported file.</param>
    /// <param name="job">Told of embedded faces and scored pairs.</param>
    public (ExportAccuracy Accuracy, IReadOnlyList<ModelCardAccuracy> Rows) Measure(
        ExportRequest request, string file, JobContext job)
    {
        var data = DataFolder.Resolve(request.Data!, finder);
        var result = new EvaluateJob(finder).Run(
            new EvaluateRequest(request.Protocol!, [request.Run, file], data, request.Aligned, request.Device)
            {
                Provider = OnnxProviders.Cpu, // where the file's bits are computed as they are
                Note = false, // the run's own notes may hold its teacher as well
                Options = new EvaluationOptions { Metrics = false, Curve = true },
            },
            job);
        string name = Path.GetFileName(data.Root), label = FarTargets.Label(DecidingFar);
        var (before, after) = (result.Models[0], result.Models[1]);
        IReadOnlyList<double>? Interval(ModelResult m) => m.TarInterval95AtFar?.GetValueOrDefault(label);
        bool seen = before.TrainedOn?.Any != false; // what is not known may be so
        bool drawn = AlignmentManifest.In(data.Images) && AlignmentManifest.Read(data.Images).IsDrawn;
        return (new ExportAccuracy(
            result.Protocol, name, after.ImpostorPairs, before.TarAtFar?.GetValueOrDefault(label), Interval(before), after.TarAtFar?.GetValueOrDefault(label),
            Interval(after)),
            [.. new[] { (File, after), (Torch, before) }.Select(
                m => new ModelCardAccuracy(m.Item1, name, result.Protocol, m.Item2, seen, result.FacesId) { Drawn = drawn })]);
    }

    /// <summary>What the run folder notes of this very student, and of the teacher beside it.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="studentHash">SHA-256 of the student's checkpoint; notes of other weights are left out.</param>
    /// <param name="teacher">The teacher's name.</param>
    public static IReadOnlyList<ModelCardAccuracy> Noted(string run, string studentHash, string teacher) =>
    [
        .. from note in RunEvaluations.Read(run)
           where note.StudentHash == studentHash && note.Result.Score is null && note.Result.Models.Any(m => m.Name == note.Student)
           from model in note.Result.Models
           where model.Name == note.Student || model.Name == teacher
           select new ModelCardAccuracy(
               model.Name == note.Student
               ? Torch
               : model.Name, note.Data, note.Result.Protocol, model, note.Result.Models.First(m => m.Name == note.Student).TrainedOn?.Any != false,
                   note.FacesId) { Drawn = note.Drawn },
    ];

    /// <summary>The thresholds of the measurement that says most of strangers: of photographs before drawn faces, the file's own before TorchSharp's, then by
    /// the most impostor pairs; none of templates, whose similarities are not those of single photos.</summary>
    /// <param name="rows">What was measured.</param>
    /// <param name="fileOnly">Whether only those measured on the file itself hold for it.</param>
    /// <param name="noted">Whether the run folder notes anything measured, perhaps of other weights.</param>
    /// <returns>The thresholds, and in words which are missing and why; null where none is.</returns>
    public static (IReadOnlyList<StudentThreshold> Thresholds, string? Missing) Thresholds(IReadOnlyList<ModelCardAccuracy> rows, bool fileOnly, bool noted)
    {
        var own = rows.Where(r => r.Model is File or Torch).ToList();
        var valid = own.Where(r => r.Model == File || !fileOnly).ToList();
        var strangers = valid.Where(r => !r.Seen).ToList();
        bool pooled = strangers.Exists(IsPooled);
        var best = strangers.Where(r => r.Result.ThresholdAtFar is not null && !IsPooled(r))
            .OrderBy(r => r.Drawn).ThenBy(r => r.Model == File ? 0 : 1).ThenByDescending(r => r.Result.ImpostorPairs).FirstOrDefault();
        if (best is null)
        {
            static string Tests(IEnumerable<ModelCardAccuracy> rows) => string.Join(", ", rows.Select(r => $"{r.Protocol} on {r.Data}").Distinct());
            return ([], own.Count == 0
                ? $"none was measured on this student{(noted ? " (what the run notes is of other weights, or not by cosine)" : "")}; export with --evaluate"
                : valid.Count == 0 ? "none was measured on this file, and those of the student in TorchSharp do not hold for its format; export with --evaluate"
                : strangers.Count == 0 ? $"none, since the training faces hold, or may hold, people of {Tests(valid)}; "
                    + "export with --evaluate on faces of others"
                : $"none, since {Tests(strangers)} gives none{(pooled ? " of single photos" : "")}; export with --evaluate");
        }

        var (result, protocol) = (best.Result, best.Protocol);
        var curve = Curve(result, protocol).ToList();
        var missing = ThresholdFars.Where(far => !curve.Exists(t => t.Far == far)).ToLookup(far => FarTargets.Permitted(far, result.ImpostorPairs) < 1);
        string few = string.Join(", ", missing[true].Select(FarTargets.Label)), unasked = string.Join(", ", missing[false].Select(FarTargets.Label));
        string[] why =
        [
            .. few.Length == 0 ? []
                : new[] { InvariantText.Of($"none at {few}, for which the {result.ImpostorPairs:N0} impostor pairs of {protocol} on {best.Data} are too few") },
            .. unasked.Length == 0 ? [] : new[] { $"none at {unasked}, which {protocol} on {best.Data} was not asked for" },
        ];
        return (curve, why.Length == 0 ? null : string.Join("; ", why));
    }

    private static bool IsPooled(ModelCardAccuracy row) => Evaluator.IjbProtocols.Contains(row.Protocol);

    // Those of cards, and those by which the rate of any similarity is told; from the highest rate to the lowest.
    private static IEnumerable<StudentThreshold> Curve(ModelResult result, string protocol)
    {
        var measured = (result.Curve ?? []).Select(t => t with { Protocol = protocol });
        var asked = from at in result.ThresholdAtFar!
                    where at.Value is not null
                    let far = InvariantNumber.Of(at.Key)
                    where ThresholdFars.Contains(far) || FarTargets.Permitted(far, result.ImpostorPairs) >= FarTargets.LeastAccepted
                    select new StudentThreshold(far, at.Value!.Value, protocol, result.ImpostorPairs);
        return measured.Concat(asked).DistinctBy(t => t.Far).OrderByDescending(t => t.Far);
    }
}
