using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Jobs;

/// <summary>Exports the student of a run folder, verified on faces, with its model card, and brings the run's report up to date.</summary>
public sealed class ExportJob(AssetFinder finder)
{
    private const int Parts = 2; // the file that is checked on faces; with --evaluate, its accuracy

    /// <summary>Exports.</summary>
    /// <param name="request">What.</param>
    /// <param name="job">Told of faces that are aligned, embedded and scored.</param>
    /// <exception cref="FaceDistillException">The run is not whole, there are no faces, or the file is not what the student is.</exception>
    public ExportOutcome Run(ExportRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Validated();
        TorchDevice.Resolve(request.Device); // here and below: before faces are aligned
        _ = request.Calibration is { } calibration ? DataFolder.Resolve(calibration, finder) : null;
        var checkpoint = RunStudent.Open(request.Run, job);
        if (RunStudent.UnfinishedWarning(request.Run) is { } unfinished)
        {
            job.Say?.Invoke($"warning: {unfinished}");
        }

        var faces = Faces(request, request.Data, checkpoint, request.Protocol is null ? job : job.Part(1, Parts));
        var outcome = Write(request, checkpoint, faces, job);
        if (WritableFolder.WhyNot(request.Run) is null)
        {
            RunReport.Write(request.Run);
        }

        return outcome;
    }

    /// <summary>Exports a student verified on given faces, and notes the outcome in the run folder.</summary>
    /// <exception cref="FaceDistillException">The faces are aligned otherwise, or the file is not what the student is; nothing is left in place.</exception>
    internal ExportOutcome Write(
        ExportRequest request, StudentCheckpoint checkpoint, AlignedFaces faces, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(faces);
        faces.Require(checkpoint.Description.Contract.Template, checkpoint.Description.Student);
        EmbeddingSpread.RequireDifferent(faces, "--data");
        var format = request.Format;
        var context = new ExportContext(checkpoint, request.Processing, faces)
        {
            Calibration = () => request.Calibration is null && request.Data is null ? faces
                : NotTested(request, Faces(request, request.Calibration, checkpoint, job), checkpoint, job),
            Int8 = request.Int8,
            Cancel = job.Cancel,
        };
        var (write, int8) = format.Prepare(context);
        ExportOutcome? outcome = null;
        var files = StagedFiles.Make(request.Path, staged =>
        {
            write(staged, []);
            using (var exported = ModelArgument.OpenExported(staged, request.Device, null, OnnxProviders.Cpu))
            {
                outcome = ExportParity.Measure(context, exported, request.Device) with { Format = format.Name, Int8 = int8 };
            }

            ExportParity.Check(outcome, format, request.MinCosine, request.Path);
            var rows = Accuracy(request, checkpoint, staged, ref outcome, job);
            bool noted = RunEvaluations.Read(request.Run).Count > 0;
            var (thresholds, missing) = ExportEvaluation.Thresholds(rows, !format.KeepsThresholds, noted);
            if (thresholds.Count > 0)
            {
                write(staged, thresholds);
                rows = OfFile(rows, staged, request.Device);
            }

            if (missing is not null && (noted || rows.Count > 0))
            {
                job.Say?.Invoke($"thresholds of {request.Path}: {missing}");
            }

            var card = new ModelCards(finder).Of(request, checkpoint, outcome, staged, rows, ExportEvaluation.OnCards(thresholds));
            (card with { MissingThresholds = missing }).Write(staged);
            job.Cancel.ThrowIfCancellationRequested();
        });
        outcome = outcome! with { Files = files };
        if (WritableFolder.WhyNot(request.Run) is { } reason)
        {
            job.Say?.Invoke($"{request.Run} cannot be written ({reason}): the export is not noted there");
            return outcome;
        }

        JsonFile.Write(Path.Combine(request.Run, RunReport.ExportFileName), outcome);
        return outcome;
    }

    /// <summary>Writes the file unless it was exported after the run's last step, perhaps with thresholds or more than the plain student.</summary>
    internal void WriteOnce(ExportRequest request, AlignedFaces faces, JobContext job)
    {
        var student = RunStudent.Open(request.Run);
        string[] weights = [Path.Combine(request.Run, StudentCheckpoint.FileName), student.Path];
        if (!File.Exists(request.Path) || !File.Exists(request.Path + ExportedModel.CardEnding)
            || weights.Any(f => File.GetLastWriteTimeUtc(f) >= File.GetLastWriteTimeUtc(request.Path)))
        {
            Write(request, student, faces, job);
        }
    }

    // Ranges that were fitted to the test's faces would flatter the figures that are measured on them.
    private AlignedFaces NotTested(ExportRequest request, AlignedFaces calibration, StudentCheckpoint checkpoint, JobContext job)
    {
        if (request.Calibration is null || request.Protocol is null)
        {
            return calibration;
        }

        var tested = Faces(request, request.Data, checkpoint, job).Dataset.Images.SelectMany(i => new[] { i.Hash, i.Photo }).Where(h => !h.IsNone).ToHashSet();
        int same = calibration.Dataset.Images.Count(i => tested.Contains(i.Hash) || tested.Contains(i.Photo));
        return same == 0 ? calibration : throw new FaceDistillException($"{same} of the {calibration.Dataset.Images.Count} faces of --calibration "
            + $"{request.Calibration} are in the test data {request.Data}; name training faces");
    }

    // The user's faces, or those that the student was trained on.
    private AlignedFaces Faces(ExportRequest request, string? data, StudentCheckpoint checkpoint, JobContext job)
    {
        string template = checkpoint.Description.Contract.Template;
        return data is null ? TrainingData.Open(request.Run, template, finder, job)
            : new FaceSource(finder).Open(DataFolder.Resolve(data, finder), template, request.Aligned, job);
    }

    private IReadOnlyList<ModelCardAccuracy> Accuracy(
        ExportRequest request, StudentCheckpoint checkpoint, string staged, ref ExportOutcome outcome, JobContext job)
    {
        var noted = ExportEvaluation.Noted(request.Run, checkpoint.Hash, checkpoint.Description.Teacher);
        if (request.Protocol is null)
        {
            return noted;
        }

        var (accuracy, rows) = new ExportEvaluation(finder).Measure(request, staged, job.Part(2, Parts));
        accuracy.Check(request.MaxLoss, request.Path);
        outcome = outcome with { Accuracy = accuracy };
        return [.. rows, .. noted.Where(n => !rows.Any(r => (r.Model, r.FacesId, r.Protocol) == (n.Model, n.FacesId, n.Protocol)))];
    }

    // The file was measured before its thresholds stood in it; its figures are found by what it is now.
    private static IReadOnlyList<ModelCardAccuracy> OfFile(IReadOnlyList<ModelCardAccuracy> rows, string file, string device)
    {
        if (!rows.Any(r => r.Model == ModelCardAccuracy.ThisFile))
        {
            return rows;
        }

        using var written = ModelArgument.OpenExported(file, device, null, OnnxProviders.Cpu);
        string hash = EmbeddingCache.ModelHash(written);
        return [.. rows.Select(r => r.Model == ModelCardAccuracy.ThisFile ? r with { Result = r.Result with { ModelHash = hash } } : r)];
    }
}

/// <summary>What to export.</summary>
/// <param name="Run">The run folder.</param>
/// <param name="Format">The file format.</param>
/// <param name="Output">The file; null for the format's own name in the run folder.</param>
public sealed record ExportRequest(string Run, ExportFormat Format, string? Output)
{
    /// <summary>What the file does besides the student.</summary>
    public GraphPrePostprocessing Processing { get; init; } = new();

    /// <summary>How an 8-bit file is made.</summary>
    public Int8Options Int8 { get; init; } = new();

    /// <summary>The smallest cosine to TorchSharp's embedding that is allowed of any face; null for the format's own.</summary>
    public double? MinCosine { get; init; }

    /// <summary>Faces to verify on, and to evaluate on: a folder or a data set's name; null for those the student was trained on.</summary>
    public string? Data { get; init; }

    /// <summary>Training faces that int8 measures its ranges on: a folder or a data set's name; null for those the student was trained on.</summary>
    public string? Calibration { get; init; }

    /// <summary>The template that the user says these are aligned to; null to go by alignment.json.</summary>
    public string? Aligned { get; init; }

    /// <summary>The protocol by which accuracy is measured before and after; null to measure none.</summary>
    public string? Protocol { get; init; }

    /// <summary>The most TAR at 1e-4 that may be lost, percentage points; null for no limit.</summary>
    public double? MaxLoss { get; init; }

    /// <summary>Where TorchSharp computes: auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The path of the file.</summary>
    public string Path => Output ?? System.IO.Path.Combine(Run, Format.DefaultFile);

    /// <summary>Refuses what cannot be done, before any work.</summary>
    /// <exception cref="FaceDistillException">A value is out of range, or two do not go together.</exception>
    public ExportRequest Validated()
    {
        Int8.Validated();
        string? wrong = Directory.Exists(Path) ? $"--output {Path} is a folder; name a file"
            : !Format.Fits(Path) ? $"{Path}: files of format {Format.Name} end in {Format.Ending}"
            : !Format.HasProcessing && Processing != new GraphPrePostprocessing()
                ? $"format {Format.Name} holds weights only; --preprocess and --normalize belong to the ONNX, TFLite and NCNN formats"
            : MinCosine is { } cosine && !(cosine is > 0 and <= 1) ? InvariantText.Of($"--min-cosine is above 0 and at most 1, not {cosine}")
            : MaxLoss is { } points && !(points is >= 0 and <= 100) ? InvariantText.Of($"--max-loss is 0 to 100 percentage points, not {points}")
            : MaxLoss is not null && Protocol is null ? "--max-loss needs --evaluate"
            : Calibration is not null && !Format.IsCalibrated ? $"--calibration belongs to the int8 formats, not to {Format.Name}"
            : Protocol is not null && Data is null ? "--evaluate needs test faces: name them with --data"
            : Protocol is not null && !Evaluator.AllPairsProtocols.Contains(Protocol)
                ? $"accuracy before and after is measured by {string.Join(" or ", Evaluator.AllPairsProtocols)}, not by '{Protocol}'"
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}
