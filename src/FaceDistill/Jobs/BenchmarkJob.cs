using System.Runtime.InteropServices;
using FaceDistill.Assets;
using FaceDistill.Benchmark;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Teachers;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Jobs;

/// <summary>What to benchmark.</summary>
/// <param name="Models">Run folders, any .onnx files, teacher:CARD; at least one.</param>
/// <param name="Evaluations">Documents of 'evaluate --json' (or its report.json) from which the models' accuracies are taken.</param>
/// <param name="Protocol">The protocol of the accuracies; null for that of the first evaluation, or else all-pairs.</param>
/// <param name="Data">Faces to measure accuracy on; null to measure none.</param>
/// <param name="Aligned">The template that the user says these are aligned to; null to go by alignment.json.</param>
/// <param name="Device">Where a run folder's student computes while its accuracy is measured; times are those of ONNX Runtime.</param>
/// <param name="Rounds">How often each model has its turn; four runs a turn are timed.</param>
/// <param name="Output">The folder for the table and the plot; null for none.</param>
public sealed record BenchmarkRequest(
    IReadOnlyList<string> Models, IReadOnlyList<string> Evaluations, string? Protocol, DataFolder? Data, string? Aligned, string Device, int Rounds,
        string? Output)
{
    /// <summary>Where ONNX Runtime computes: cpu, cuda, directml, openvino, coreml, or auto, as in <see cref="FaceEmbedder.Load"/>.</summary>
    public string Provider { get; init; } = OnnxProviders.Auto;
}

/// <summary>Measures models' latency and throughput side by side in one run, with their cost and, where known, their accuracy.</summary>
public sealed class BenchmarkJob(AssetFinder finder)
{
    private const int ThroughputRounds = 5;

    /// <summary>Runs it.</summary>
    /// <exception cref="FaceDistillException">A model, an evaluation or the data is not right; the message says what.</exception>
    public BenchmarkJson Run(BenchmarkRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Rounds is < 1 or > 100_000)
        {
            throw new FaceDistillException($"a benchmark has 1 to 100000 rounds, not {request.Rounds}");
        }

        if (request.Output is { } place && (File.Exists(place) ? "is a file; name a folder"
            : WritableFolder.WhyNot(place) is { } reason ? $"cannot be written ({reason}); name another folder" : null) is { } wrong)
        {
            throw new FaceDistillException($"--output {place} {wrong}");
        }

        string folder = Leftovers.TemporaryFolder("bench");
        try
        {
            OnnxProviders.Here.Find(request.Provider);
            var opened = request.Models.Select(m => BenchmarkModel.Of(m, finder, folder, job)).ToList();
            var names = ModelArgument.Apart([.. opened.Select(m => m.Name)], request.Models);
            var models = opened.Select((m, i) => m with { Name = names[i] }).ToList();
            var evaluations = Evaluations(request, models, job); // before the clock runs: what is wrong shows at once
            var measured = Measure(request, models, job);
            var result = measured with
            {
                Protocol = evaluations.FirstOrDefault()?.Protocol,
                Models = [.. measured.Models.Zip(models).Select(m => m.First.With(
                    evaluations.SelectMany(e => e.Models).LastOrDefault(e => e.ModelHash is not null && e.ModelHash == m.Second.Hash)))],
            };
            if (request.Output is { } output)
            {
                BenchmarkReport.Write(result, output);
                job.Say?.Invoke($"bench: {Path.Combine(output, "bench.html")}");
            }

            return result;
        }
        finally
        {
            Leftovers.Delete(folder);
        }
    }

    private static BenchmarkJson Measure(BenchmarkRequest request, List<BenchmarkModel> models, JobContext job)
    {
        int cores = Environment.ProcessorCount;
        var costs = models.Select(m => GraphCost.Of(m.Path, m.Contract)).ToList();
        var sessions = new List<BenchSession>();
        try
        {
            sessions.AddRange(models.Select(m => new BenchSession(m.Path, m.Contract, request.Provider, job.Say)));
            Action[] runs = [.. sessions.Select(s => (Action)s.Run)];
            var latencies = LatencyRounds.Measure(runs, request.Rounds, job);
            var rates = LatencyRounds.Throughput(
                [.. sessions.Select(s => ((Action)s.RunMany, s.PicturesAtOnce, OnnxProviders.FacesAtOnce(s.Provider) > 0 ? 1 : cores))],
                Math.Min(ThroughputRounds, request.Rounds), job);
            int reference = Math.Max(0, models.FindIndex(m => ModelArgument.IsTeacher(m.Argument)));
            return new BenchmarkJson(models[reference].Name, cores, RuntimeInformation.OSDescription, [.. models.Select((m, i) => new BenchmarkModelJson(
                m.Name, m.Argument, OnnxModelFiles.Of(m.Path).Sum(f => new FileInfo(f).Length), m.Student?.MultAdds ?? costs[i].MultAdds,
                m.Student?.Parameters ?? costs[i].Parameters, latencies[i], rates[i], latencies[reference].P50 / latencies[i].P50)
            {
                Provider = sessions[i].Provider, ThroughputBatch = sessions[i].PicturesAtOnce,
            })])
            {
                ReferenceAt = reference,
            };
        }
        finally
        {
            sessions.ForEach(s => s.Dispose());
        }
    }

    /// <summary>The evaluations of one protocol: the files given, then what is measured now; the last one that names a model counts.</summary>
    private List<EvaluationResult> Evaluations(BenchmarkRequest request, List<BenchmarkModel> models, JobContext job)
    {
        var given = request.Evaluations.Select(file => (File: file, Result: JsonFile.Read<EvaluationResult>(file))).ToList();
        string protocol = request.Protocol ?? given.FirstOrDefault().Result?.Protocol ?? Evaluator.AllPairs;
        foreach (var (file, result) in given.Where(g => g.Result.Protocol != protocol))
        {
            throw new FaceDistillException($"{file} is an evaluation by {result.Protocol}, not by {protocol}; accuracies of two protocols do not compare");
        }

        foreach (var (file, model) in given.SelectMany(g => g.Result.Models.Select(m => (g.File, m))).Where(g => g.m.ModelHash is null))
        {
            job.Say?.Invoke($"{file} does not say which weights its {model.Name} has (an earlier version wrote it, or it is of a .npy file): left out");
        }

        RequireOneTest(given);
        string[] measured = given.Count == 0 ? [] : [.. models.Select(m => m.Hash).OfType<string>()];
        foreach (var (file, result) in given.Where(g => g.Result.Models.Any(m => m.ModelHash is not null)
            && !g.Result.Models.Any(m => measured.Contains(m.ModelHash))))
        {
            job.Say?.Invoke($"{file} is of none of the models measured here (its weights or inputs are others), and no accuracy is taken from it: it is of "
                + $"{string.Join(", ", result.Models.Select(m => m.Name))}");
        }

        var found = given.Select(g => g.Result).ToList();
        string[] known = [.. models.Where(m => m.Contract is not null).Select(m => m.Argument)];
        if (request.Data is not null && known.Length > 0)
        {
            foreach (var foreign in models.Where(m => m.Contract is null))
            {
                job.Say?.Invoke($"{foreign.Argument} does not say what input it wants; its accuracy is left out (a card and teacher:CARD.json would give it)");
            }

            found.Add(new EvaluateJob(finder)
                .Run(new EvaluateRequest(protocol, known, request.Data, request.Aligned, request.Device) { Provider = request.Provider }, job));
        }

        return found;
    }

    // By one score, on the same photos however they were aligned.
    private static void RequireOneTest(List<(string File, EvaluationResult Result)> given)
    {
        foreach (var (file, result) in given.Where(g => ScoreOf(g.Result) != ScoreOf(given[0].Result)))
        {
            throw new FaceDistillException($"{file} is an evaluation by {ShownText.Words(ScoreOf(result))}, {given[0].File} by "
                + $"{ShownText.Words(ScoreOf(given[0].Result))}; accuracies by two scores do not compare");
        }

        foreach (var (one, other) in given.SelectMany((g, i) => given.Take(i).Select(before => (before, g))).Where(p => AreOthers(p.before.Result, p.g.Result)))
        {
            throw new FaceDistillException($"{other.File} is an evaluation of another test than {one.File} (other faces, or another list, "
                + "share or draw of them); accuracies on two tests do not compare");
        }
    }

    private static ScoreKind ScoreOf(EvaluationResult result) => result.Score ?? ScoreKind.Cosine;

    // What an earlier version wrote has no id of its photos.
    private static bool AreOthers(EvaluationResult one, EvaluationResult other)
    {
        (string? One, string? Other)[] ids = [(one.PhotosId, other.PhotosId), (one.FacesId, other.FacesId)];
        var known = ids.Where(id => id.One is not null && id.Other is not null).ToList();
        return known.Count > 0 && known.TrueForAll(id => id.One != id.Other);
    }
}

/// <summary>A model that is benchmarked: what ONNX Runtime runs, and what is known about it.</summary>
/// <param name="Argument">As the user gave it.</param>
/// <param name="Name">As evaluations name it.</param>
/// <param name="Path">The model's file.</param>
/// <param name="Contract">Its input; null for a file that FaceDistill did not export.</param>
/// <param name="Student">What the student costs; null for others.</param>
internal sealed record BenchmarkModel(string Argument, string Name, string Path, ModelInputSpec? Contract, StudentCost? Student)
{
    /// <summary>SHA-256 of the model with its input contract, by which its accuracies are found; null where its contract is not known.</summary>
    public string? Hash => Contract is null ? null : EmbeddingCache.ModelHash(Weights ?? OnnxModelFiles.Sha256(Path), Contract);

    /// <summary>SHA-256 of the file that its weights are from; null for <see cref="Path"/>.</summary>
    public string? Weights { get; init; }

    private static readonly string[] Endings = [".onnx", ".ort"];

    private static readonly (string Ending, string Runtime)[] OfPhones =
        [(TfliteFormat.FileEnding, "LiteRT"), (NcnnNetwork.Ending, "ncnn"), (StudentSafetensors.Ending, "PyTorch")];

    /// <summary>Finds a model's file; a run folder's student is exported first.</summary>
    /// <param name="argument">A run folder, any .onnx file, or teacher:CARD.</param>
    /// <param name="finder">Finds a teacher's files.</param>
    /// <param name="folder">Where a run folder's export goes.</param>
    /// <param name="job">Told where a file of an earlier version could not be verified.</param>
    /// <exception cref="FaceDistillException">It is none of these, or is damaged.</exception>
    public static BenchmarkModel Of(string argument, AssetFinder finder, string folder, JobContext job)
    {
        if (ModelArgument.IsTeacher(argument))
        {
            var (card, files) = TeacherCard.Load(argument[(argument.IndexOf(':', StringComparison.Ordinal) + 1)..]);
            return new BenchmarkModel(argument, card.Name, card.FindModel(finder, files), card.Contract, null);
        }

        if (ModelArgument.IsRun(argument))
        {
            var checkpoint = RunStudent.Open(argument, job);
            if (RunStudent.UnfinishedWarning(argument) is { } unfinished)
            {
                job.Say?.Invoke($"warning: {unfinished}");
            }

            string name = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(argument)));
            string path = System.IO.Path.Combine(folder, $"{Guid.NewGuid():N}.onnx");
            OnnxWriter.Write(StudentOnnx.Build(checkpoint), path);
            return new BenchmarkModel(
                argument, $"{checkpoint.Description.Student} ({name})", path, checkpoint.Description.Contract,
                StudentCost.Of(checkpoint.Description.Architecture()))
            {
                Weights = checkpoint.Hash,
            };
        }

        if (File.Exists(argument) && OfPhones.FirstOrDefault(p => argument.EndsWith(p.Ending, StringComparison.OrdinalIgnoreCase)) is { Runtime: { } runtime })
        {
            throw new FaceDistillException($"{argument} is not timed here: {runtime} computes it where it is used, and what verifies it on this machine says "
                + "nothing of its speed; give the student's .onnx or its run folder, whose times compare");
        }

        return Endings.Any(e => argument.EndsWith(e, StringComparison.OrdinalIgnoreCase)) && File.Exists(argument) ? OfFile(argument)
            : throw new FaceDistillException(ModelArgument.Card(argument) ??
                $"'{argument}' is no model to measure: give a run folder, an {string.Join(" or ", Endings)} file, or teacher:CARD");
    }

    private static BenchmarkModel OfFile(string path)
    {
        Dictionary<string, string> metadata;
        using (var session = OnnxSessions.Open(path))
        {
            metadata = session.ModelMetadata.CustomMetadataMap;
        }

        string file = System.IO.Path.GetFileName(path), origin = $"{path}, metadata {ExportedModel.ContractKey}";
        return metadata.TryGetValue(ExportedModel.ContractKey, out string? contract)
            ? new BenchmarkModel(
                path, $"{metadata.GetValueOrDefault(ExportedModel.StudentKey)} ({file})", path, JsonFile.Parse<ModelInputSpec>(contract, origin)
                .Validated(origin), ModelArgument.Cost(path))
            : new BenchmarkModel(path, file, path, null, null);
    }
}
