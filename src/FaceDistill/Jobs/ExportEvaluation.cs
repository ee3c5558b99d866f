using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Reports;
using FaceDistill.Runs;

namespace FaceDistill.Jobs;

/// <summary>Measures the run's student and its exported file side by side, or finds what was measured of the student before.</summary>
internal sealed class ExportEvaluation(AssetFinder finder)
{
    private const string File = "this file", Torch = "the student in TorchSharp";
    private const double DecidingFar = 1e-4;
    private static readonly double[] ThresholdFars = [1e-3, 1e-4, 1e-5];

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
                Note = false, // the run's own notes may hold its teacher as well
                Options = new EvaluationOptions { Metrics = false },
            },
            job);
        string name = Path.GetFileName(data.Root), label = FarTargets.Label(DecidingFar);
        var (before, after) = (result.Models[0], result.Models[1]);
        IReadOnlyList<double>? Interval(ModelResult m) => m.TarInterval95AtFar?.GetValueOrDefault(label);
        bool seen = TrainingData.Shares(request.Run, name, result.Protocol);
        return (new ExportAccuracy(
            result.Protocol, name, after.ImpostorPairs, before.TarAtFar?.GetValueOrDefault(label), Interval(before), after.TarAtFar?.GetValueOrDefault(label),
            Interval(after)),
            [new(File, name, result.Protocol, after, seen), new(Torch, name, result.Protocol, before, seen)]);
    }

    /// <summary>What the run folder notes of this very student, and of the teacher beside it.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="studentHash">SHA-256 of the student's checkpoint; notes of other weights are left out.</param>
    /// <param name="teacher">The teacher's name.</param>
    public static IReadOnlyList<ModelCardAccuracy> Noted(string run, string studentHash, string teacher) =>
    [
        .. from note in RunEvaluations.Read(run)
           where note.StudentHash == studentHash && note.Result.Score is null
           from model in note.Result.Models
           where model.Name == note.Student || model.Name == teacher
           select new ModelCardAccuracy(
               model.Name == note.Student
               ? Torch
               : model.Name, note.Data, note.Result.Protocol, model, TrainingData.Shares(run, note.Data, note.Result.Protocol)),
    ];

    /// <summary>The thresholds of the measurement that says most of strangers: the file's own before TorchSharp's, then by the most impostor pairs.</summary>
    /// <param name="rows">What was measured.</param>
    /// <param name="fileOnly">Whether only those measured on the file itself hold for it.</param>
    public static IReadOnlyList<StudentThreshold> Thresholds(IReadOnlyList<ModelCardAccuracy> rows, bool fileOnly)
    {
        var best = rows.Where(r => !r.Seen && r.Result.ThresholdAtFar is not null && (r.Model == File || (r.Model == Torch && !fileOnly)))
            .OrderBy(r => r.Model == File ? 0 : 1).ThenByDescending(r => r.Result.ImpostorPairs).FirstOrDefault();
        return best is null ? [] :
        [
            .. from far in ThresholdFars
               let threshold = best.Result.ThresholdAtFar!.GetValueOrDefault(FarTargets.Label(far))
               where threshold is not null
               select new StudentThreshold(far, threshold.Value, best.Protocol, best.Result.ImpostorPairs),
        ];
    }
}
