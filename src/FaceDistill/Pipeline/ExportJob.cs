using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Export;
using FaceDistill.Formats;
using FaceDistill.Reporting;

namespace FaceDistill.Pipeline;

/// <summary>Exports the student of a run folder, verified on faces, with its model card, and brings the run's report up to date.</summary>
public sealed class ExportJob(AssetFinder finder, Action<string>? say)
{
    /// <summary>Exports.</summary>
    /// <param name="request">What.</param>
    /// <param name="progress">Told of faces that are aligned, embedded and scored.</param>
    /// <param name="cancel">Stops; nothing is left in place.</param>
    /// <exception cref="FaceDistillException">The run is not whole, there are no faces, or the file is not what the student is.</exception>
    public ExportOutcome Run(ExportRequest request, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Validated();
        var checkpoint = RunStudent.Open(request.Run);
        var faces = Faces(request, request.Data, checkpoint, progress, cancel);
        var outcome = Write(request, checkpoint, faces, progress, cancel);
        RunReport.Write(request.Run);
        return outcome;
    }

    /// <summary>Exports a student verified on given faces, and notes the outcome in the run folder.</summary>
    /// <exception cref="FaceDistillException">The faces are aligned otherwise, or the file is not what the student is; nothing is left in place.</exception>
    public ExportOutcome Write(ExportRequest request, StudentCheckpoint checkpoint, AlignedFaces faces, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(faces);
        faces.Require(checkpoint.Description.Contract.Template, checkpoint.Description.Student);
        var format = request.Format;
        var context = new ExportContext(checkpoint, request.Ends, faces)
        {
            Calibration = () => request.Calibration is null && request.Data is null ? faces : Faces(request, request.Calibration, checkpoint, progress, cancel),
            Int8 = request.Int8,
            Cancel = cancel,
        };
        var (write, int8) = format.Prepare(context);
        ExportOutcome? outcome = null;
        var files = StagedFiles.Make(request.Path, staged =>
        {
            write(staged, []);
            using (var exported = ModelArgument.OpenExported(staged, request.Device))
            {
                outcome = ExportParity.Measure(context, exported, request.Device) with { Format = format.Name, Int8 = int8 };
            }

            ExportParity.Check(outcome, format, request.MinCosine, request.Path);
            var rows = Accuracy(request, checkpoint, staged, ref outcome, progress, cancel);
            var thresholds = ExportEvaluation.Thresholds(rows, fileOnly: !format.KeepsThresholds);
            if (thresholds.Count > 0)
            {
                write(staged, thresholds);
            }

            ModelCards.Of(request, checkpoint, outcome, staged, rows, thresholds, finder).Write(staged);
            cancel.ThrowIfCancellationRequested();
        });
        outcome = outcome! with { Files = files };
        JsonFile.Write(Path.Combine(request.Run, RunReport.ExportFileName), outcome);
        return outcome;
    }

    // The user's faces, or those that the student was trained on.
    private AlignedFaces Faces(ExportRequest request, string? data, StudentCheckpoint checkpoint, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        string template = checkpoint.Description.Contract.Template;
        return data is null ? TrainingData.Open(request.Run, template, finder, say, progress, cancel)
            : new FaceSource(finder, say).Open(DataFolder.Resolve(data, finder), template, request.Aligned, progress, cancel);
    }

    private IReadOnlyList<ModelCardAccuracy> Accuracy(
        ExportRequest request, StudentCheckpoint checkpoint, string staged, ref ExportOutcome outcome, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var noted = ExportEvaluation.Noted(request.Run, FileHash.Sha256(checkpoint.Path), checkpoint.Description.Teacher);
        if (request.Protocol is null)
        {
            return noted;
        }

        var (accuracy, rows) = new ExportEvaluation(finder, say).Measure(request, staged, progress, cancel);
        accuracy.Check(request.MaxLoss, request.Path);
        outcome = outcome with { Accuracy = accuracy };
        return [.. rows, .. noted.Where(n => !rows.Any(r => (r.Model, r.Data, r.Protocol) == (n.Model, n.Data, n.Protocol)))];
    }
}
