using System.Diagnostics;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>What to evaluate.</summary>
/// <param name="Protocol">One of <see cref="Evaluator.Protocols"/>.</param>
/// <param name="Models">Model arguments: run folders, exported .onnx files, teacher:CARD; they need <paramref name="Data"/>.</param>
/// <param name="Data">The test faces; also where LFW's protocol files are.</param>
/// <param name="Aligned">The template that the user says the pictures are aligned to; null to go by alignment.json.</param>
/// <param name="Device">Where a run folder's student computes.</param>
public sealed record EvaluateRequest(string Protocol, IReadOnlyList<string> Models, DataFolder? Data, string? Aligned, string Device)
{
    /// <summary>Instead of models, or besides: stores, or .npy files float32 [N, D].</summary>
    public IReadOnlyList<string> Embeddings { get; init; } = [];

    /// <summary>For .npy files: a text file with one identity a line.</summary>
    public string? Labels { get; init; }

    /// <summary>What to tell besides the pair counts.</summary>
    public EvaluationOptions Options { get; init; } = new();

    /// <summary>Which model is the teacher of the others: one of the arguments as given, or else a model's name; null for the first
    /// teacher:CARD among the models.</summary>
    public string? Reference { get; init; }

    /// <summary>Whether to measure each model's agreement with the teacher, which scores all pairs three times more.</summary>
    public bool Agreement { get; init; } = true;

    /// <summary>Whether to note the outcome in the run folders among the models.</summary>
    public bool Note { get; init; } = true;

    /// <summary>The report to write; null for none.</summary>
    public ReportRequest? Report { get; init; }
}

/// <summary>A report to write.</summary>
/// <param name="Folder">Where.</param>
/// <param name="Faces">Whether to put small pictures of the worst pairs' faces into it.</param>
/// <param name="CommandLine">What was typed, for the report.</param>
public sealed record ReportRequest(string Folder, bool Faces, string CommandLine);

/// <summary>Measures models by a protocol, and notes the outcome in the run folders among them.</summary>
public sealed class EvaluateJob(AssetFinder finder)
{
    /// <summary>Runs it.</summary>
    /// <exception cref="FaceDistillException">A model, the data or the protocol is not right; the message says what.</exception>
    public EvaluationResult Run(EvaluateRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Evaluator.Protocols.Contains(request.Protocol))
        {
            throw new FaceDistillException($"no protocol '{request.Protocol}'; there are {string.Join(", ", Evaluator.Protocols)}");
        }

        var watch = Stopwatch.StartNew();
        request.Options.Check(); // before the models are run
        if (request.Report is { } wanted)
        {
            EvaluationReport.CheckFolder(wanted.Folder);
            request = request with { Options = request.Options with { WorstPairs = EvaluationReport.WorstPairs } };
        }

        var measured = request.Models.Select(m => EmbedModel(m, request, job))
            .Concat(request.Embeddings.Select(e => ReadEmbeddings(e, request))).ToList();
        var sets = measured.Select(m => m.Set).ToList();
        string? folder = request.Data?.Root ?? request.Embeddings.Select(e => EmbeddingSource.Of(e)?.Data).FirstOrDefault(d => d is not null);
        string[] warnings =
        [
            .. request.Models.Zip(sets).Select(m => TrainingOverlap.Of(m.First, request.Data!, request.Protocol, m.Second)).OfType<string>(),
            .. request.Models.Zip(sets).SelectMany(m => TrainingOverlap.Audited(m.First, request.Data!, request.Protocol, m.Second.Name)),
            .. from set in sets
               let spread = EmbeddingSpread.OfUnits(set.Values, set.Dimension)
               where spread is { IsDead: true, Variance: >= 0 } // what is not a number is refused below
               select $"{set.Name} {spread.Words}",
        ];
        Array.ForEach(warnings, w => job.Say?.Invoke($"warning: {w}"));
        var result = Measure(request, sets, folder, job) with { Warnings = warnings.Length > 0 ? warnings : null };
        using (var process = Process.GetCurrentProcess())
        {
            result = result with { Seconds = watch.Elapsed.TotalSeconds, PeakMemoryBytes = process.PeakWorkingSet64 };
        }

        if (request.Report is { } report)
        {
            WriteReport(report, request, result, folder, [.. measured.Select(m => m.Faces)], job);
        }

        foreach (var (run, i) in request.Models.Select((m, i) => (m, i)).Where(m => request.Note && ModelArgument.IsRun(m.m)))
        {
            if (WritableFolder.WhyNot(run) is { } reason)
            {
                job.Say?.Invoke($"{run} cannot be written ({reason}): the outcome is not noted there");
                continue;
            }

            RunEvaluations.Write(run, new RunEvaluation(Path.GetFileName(folder!), result)
            {
                Student = sets[i].Name,
                StudentHash = FileHash.Sha256(RunStudent.Open(run).Path),
            });
            RunReport.Write(run);
        }

        return result;
    }

    private static EvaluationResult Measure(
        EvaluateRequest request, List<EmbeddingSet> sets, string? folder, JobContext job)
    {
        int? teacher = Teacher(request, sets);
        var result = Evaluator.RunAll(request.Protocol, sets, teacher, folder, request.Options, job);
        bool cosine = request.Options.Score == ScoreKind.Cosine;
        if (teacher is not null && request.Agreement && !cosine)
        {
            job.Say?.Invoke("agreement with the teacher is measured by cosine only; leave out --score to get it");
        }

        return result with
        {
            Models = [.. result.Models.Select((m, i) => m with { Cost = i < request.Models.Count ? ModelArgument.Cost(request.Models[i]) : null })],
            Agreements = teacher is { } reference && request.Agreement && cosine
                ? Evaluator.Agreements(request.Protocol, sets, reference, folder, request.Options.Fars, job) : null,
        };
    }

    /// <summary>The argument decides before the name: two files may have one name.</summary>
    private static int? Teacher(EvaluateRequest request, List<EmbeddingSet> sets)
    {
        if (request.Reference is not { } name)
        {
            int first = request.Models.ToList().FindIndex(ModelArgument.IsTeacher);
            return first < 0 ? null : first;
        }

        string[] given = [.. request.Models, .. request.Embeddings];
        int[] named = [.. Enumerable.Range(0, sets.Count).Where(i => given[i] == name)];
        named = named.Length > 0 ? named : [.. Enumerable.Range(0, sets.Count).Where(i => sets[i].Name == name)];
        return named.Length == 1 ? named[0] : throw new FaceDistillException(
            $"--reference {name} names {named.Length} of the models; give one of {string.Join(", ", given)}");
    }

    private static void WriteReport(
        ReportRequest report, EvaluateRequest request, EvaluationResult result, string? folder, IReadOnlyList<AlignedFaces?> faces, JobContext job)
    {
        foreach (var (model, _) in result.Models.Zip(faces).Where(e => report.Faces && e.Second is null))
        {
            job.Say?.Invoke($"--report-faces: the aligned faces of {model.Name} are not at hand; the report names its pairs only");
        }

        new EvaluationReport(result, request.Options, folder, report.CommandLine, RunEnvironment.Here(request.Device), DateTime.UtcNow)
        {
            Faces = report.Faces ? faces : null,
        }
            .Write(report.Folder);
        job.Say?.Invoke($"report: {Path.Combine(report.Folder, "report.html")}");
    }

    private (EmbeddingSet Set, AlignedFaces? Faces) EmbedModel(
        string argument, EvaluateRequest request, JobContext job)
    {
        var data = request.Data ?? throw new ArgumentException("models need faces", nameof(request));
        using var model = ModelArgument.Open(argument, finder, request.Device);
        var faces = new FaceSource(finder).Open(data, model.Contract.Template, request.Aligned, job);
        var outcome = EmbeddingRun.Run(model, faces, [EmbeddedView.Of(FaceView.Original)], data.Root, null, job);
        return (outcome.Store.ReadAll(EmbeddedView.NameOf(FaceView.Original), new JobContext(Cancel: job.Cancel)), faces);
    }

    private static (EmbeddingSet Set, AlignedFaces? Faces) ReadEmbeddings(string path, EvaluateRequest request)
    {
        if (Directory.Exists(path))
        {
            string? aligned = request.Report?.Faces == true ? EmbeddingSource.Of(path)?.Aligned : null;
            return (EmbeddingStore.Open(path).ReadAll(EmbeddedView.NameOf(FaceView.Original)), aligned is not null && AlignmentManifest.In(aligned)
                ? AlignedFaces.Open(aligned) : null);
        }

        var matrix = NpyFile.Read(path);
        string[] identities = LabelsFile.Read(
            request.Labels ?? throw new FaceDistillException($"{path} needs --labels FILE, a text file with one identity a line"), matrix.Rows);
        return (new EmbeddingSet(Path.GetFileName(path), matrix.Columns, matrix.Values,
            [.. Enumerable.Range(0, matrix.Rows).Select(i => InvariantText.Of($"row {i}"))], identities), null);
    }
}
