using System.Diagnostics;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>Measures models by a protocol, and notes the outcome in the run folders among them.</summary>
public sealed class EvaluateJob(AssetFinder finder)
{
    /// <summary>Runs it.</summary>
    /// <exception cref="FaceDistillException">A model, the data or the protocol is not right; the message says what.</exception>
    public EvaluationResult Run(EvaluateRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var watch = RunningTime.Start();
        request = request with { Options = WithDecidingRate(request.Protocol, request.Options) };
        string? folder = request.Data?.Root ?? request.Embeddings.Select(e => EmbeddingSource.Of(e)?.Data).FirstOrDefault(d => d is not null);
        if (folder is not null && request.Options.PairFile is { } list
            && Path.GetFullPath(list) == Path.GetFullPath(PairList.FileName, Path.GetFullPath(folder)))
        {
            request = request with { Options = request.Options with { PairFile = null } }; // the data's own
        }

        Evaluator.Check(request.Protocol, folder, request.Options); // here and below: before the models are run
        CheckArguments(request);
        if (request.Report is { } wanted)
        {
            EvaluationReport.CheckFolder(wanted.Folder);
            request = request with { Options = request.Options with { WorstPairs = EvaluationReport.WorstPairs } };
        }

        var needed = NeededPictures.Of(request.Protocol, folder, request.Options);
        var measured = Apart(Embedded(request, needed, job), [.. request.Models, .. request.Embeddings]);
        var sets = measured.Select(m => m.Set).ToList();
        IdentityNotes.Tell(sets.SelectMany(set => set.Identities), job);
        var trained = request.Models.Zip(sets).Select(m => TrainingOverlap.Of(m.First, request.Data!, request.Protocol, m.Second, request.Options)).ToList();
        string[] warnings =
        [
            .. from model in trained.Zip(sets)
               where model.First?.Any == true
               select $"{model.Second.Name} {model.First!.Words}{Remedy(request.Protocol, folder)}",
            .. from model in request.Models
               where request.Note && !ModelArgument.IsTeacher(model) && !ModelArgument.IsRun(model)
               select $"{model} does not say on which faces it was trained: nobody looked whether these are among them (its run folder says it)",
            .. from model in request.Models.Zip(trained)
               where model.Second is null && ModelArgument.IsRun(model.First) && TrainedFaces.Read(model.First) is not null
               select $"{model.First} started from a student of which it is not known on which faces it was trained: these may be among them",
            .. sets.Select(s => s.PhotosId).OfType<string>().Distinct().Count() > 1
                ? ["the models were measured on different faces: their figures do not compare"] : Array.Empty<string>(),
            .. request.Models.Where(m => ModelArgument.IsRun(m) && TrainedFaces.Read(m) is null)
                .Select(m => $"{m} was made by an earlier version and does not say on which faces it was trained: nobody looked whether these are among them"),
            .. request.Models.Where(ModelArgument.IsRun).Select(RunStudent.UnfinishedWarning).OfType<string>(),
            .. request.Models.Zip(sets).SelectMany(m => TrainingOverlap.Audited(m.First, request.Protocol, m.Second)),
            .. from set in sets
               let spread = EmbeddingSpread.OfUnits(set.Values, set.Dimension)
               where spread is { IsDead: true, Variance: >= 0 } // what is not a number is refused below
               select $"{set.Name} {spread.Words}",
        ];
        Array.ForEach(warnings, w => job.Say?.Invoke($"warning: {w}"));
        bool draws = Evaluator.Draws(request.Protocol, folder, request.Options);
        var result = Measure(request, sets, folder, job) with
        {
            FlipSummed = request.Flip ? true : null,
            FacesId = sets.Select(s => s.FacesId).Distinct().Count() == 1 ? request.Options.TestId(sets[0].FacesId, draws) : null,
            PhotosId = sets.Select(s => s.PhotosId).Distinct().Count() == 1 ? request.Options.TestId(sets[0].PhotosId, draws) : null,
        };
        List<EmbeddingSet> taken = [.. sets.Select(set => Evaluator.Measured(request.Protocol, set, folder, request.Options))];
        result = result with
        {
            Models = [.. result.Models.Select((m, i) => m with
            {
                ModelHash = sets[i].ModelHash,
                TrainedOn = trained.ElementAtOrDefault(i),
                SeveralFaces = AcquisitionResult.Several(taken[i]),
                Acquisition = AcquisitionResult.Of(
                    taken[i], path => Evaluator.PersonOf(request.Protocol, path), m, Evaluator.AllPairsProtocols.Contains(request.Protocol)),
            })],
        };
        string[] lost = [.. AcquisitionResult.Words(result.Models)];
        Array.ForEach(lost, w => job.Say?.Invoke(w));
        result = result with { Warnings = warnings.Length + lost.Length > 0 ? [.. warnings, .. lost] : null };
        using var process = Process.GetCurrentProcess();
        result = result with { Seconds = watch.Elapsed.TotalSeconds, PeakMemoryBytes = process.PeakWorkingSet64 };

        if (request.Report is { } report)
        {
            WriteReport(report, request, result, folder, [.. measured.Select(m => m.Faces)], job);
        }

        foreach (var (run, i) in request.Models.Select((m, i) => (m, i)).Where(m => request.Note && ModelArgument.IsRun(m.m)))
        {
            string? reason = request.Flip ? "has the figures without --flip"
                : request.Options.Score != ScoreKind.Cosine ? "has the figures by cosine"
                : WritableFolder.WhyNot(run) is { } why ? $"cannot be written ({why})" : null;
            if (reason is not null)
            {
                job.Say?.Invoke($"{run} {reason}: the outcome is not noted there");
                continue;
            }

            RunEvaluations.Write(run, new RunEvaluation(request.Options.TestName(new DataFolder(folder!, folder!).Name, draws), result)
            {
                Student = sets[i].Name,
                StudentHash = measured[i].Hash, // of what was measured: a run that goes on may hold another by now
                FacesId = request.Options.TestId(sets[i].FacesId, draws),
                Drawn = measured[i].Faces?.Manifest.IsDrawn == true,
            });
            RunReport.Write(run);
        }

        return result;
    }

    // Hash: of the model's file as it was read; null of embeddings.
    private sealed record Measured(EmbeddingSet Set, AlignedFaces? Faces, string? Hash);

    private static List<Measured> Apart(List<Measured> measured, string[] given)
    {
        var names = ModelArgument.Apart([.. measured.Select(m => m.Set.Name)], given);
        return [.. measured.Select((m, i) => names[i] == m.Set.Name ? m : m with { Set = m.Set.Named(names[i]) })];
    }

    // No report, and no run's note, lacks the rate that decides, whichever others are asked for; a search has rates of false alarms.
    private static EvaluationOptions WithDecidingRate(string protocol, EvaluationOptions options) =>
        options.Fars is { Count: > 0 } asked && protocol is not (Evaluator.Identification or Evaluator.IjbbSearch or Evaluator.IjbcSearch)
            ? options with { Fars = [.. asked.Append(EvaluationResult.RetentionFar).Distinct().OrderDescending()] } : options;

    private static EvaluationResult Measure(EvaluateRequest request, List<EmbeddingSet> sets, string? folder, JobContext job)
    {
        int? teacher = Teacher(request, [.. sets.Select(s => s.Name)]);
        bool cosine = request.Options.Score == ScoreKind.Cosine;
        EvaluationTime.Tell(request.Protocol, sets, request.Agreement && cosine ? teacher : null, request.Options, job);
        var result = Evaluator.RunAll(request.Protocol, sets, teacher, folder, request.Options, job);
        if (teacher is not null && request.Agreement && !cosine)
        {
            job.Say?.Invoke("agreement with the teacher is measured by cosine only; leave out --score to get it");
        }

        return result with
        {
            Models = [.. result.Models.Select((m, i) => m with { Cost = i < request.Models.Count ? ModelArgument.Cost(request.Models[i]) : null })],
            Agreements = teacher is { } reference && request.Agreement && cosine
                ? Evaluator.Agreements(request.Protocol, sets, reference, folder, request.Options.Fars, job, result.Models) : null,
        };
    }

    /// <summary>The argument decides before the name: two files may have one name.</summary>
    private static int? Teacher(EvaluateRequest request, IReadOnlyList<string> names)
    {
        if (request.Reference is not { } name)
        {
            int first = request.Models.ToList().FindIndex(ModelArgument.IsTeacher);
            return first < 0 ? null : first;
        }

        string[] given = [.. request.Models, .. request.Embeddings];
        int[] named = [.. Enumerable.Range(0, names.Count).Where(i => given[i] == name)];
        named = named.Length > 0 ? named : [.. Enumerable.Range(0, names.Count).Where(i => names[i] == name)];
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
        }.Write(report.Folder);
        job.Say?.Invoke($"report: {Path.Combine(report.Folder, "report.html")}");
    }

    private static void CheckArguments(EvaluateRequest request)
    {
        if (Evaluator.IjbProtocols.Contains(request.Protocol) && (request.Aligned is not null || request.Embeddings.Count > 0))
        {
            throw new FaceDistillException($"{request.Protocol} aligns its pictures itself, by the points in its files: give --model alone, without "
                + (request.Aligned is not null ? "--aligned" : "--embeddings"));
        }

        string? numpy = request.Embeddings.FirstOrDefault(e => !Directory.Exists(e));
        string? twice = request.Models.Concat(request.Embeddings).GroupBy(g => g, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;
        string? wrong = twice is not null ? $"{twice} is given twice; each model is measured once"
            : numpy is not null && request.Labels is null ? $"{numpy} needs --labels FILE, a text file with one identity a line"
            : numpy is null && request.Labels is not null
                ? $"--labels {request.Labels} belongs to a NumPy file of embeddings, which {string.Join(", ", request.Embeddings)} is not"
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException(wrong);
        }
    }

    // All models are opened before the first embeds: that the last is none shows at once.
    private List<Measured> Embedded(EvaluateRequest request, PictureChoice? needed, JobContext job)
    {
        var models = new List<IEmbedder>();
        try
        {
            foreach (string argument in request.Models)
            {
                models.Add(ModelArgument.Open(argument, finder, request.Device, request.Provider, job, request.Flip));
            }

            var read = request.Embeddings.Select(e => ReadEmbeddings(e, request, needed, job)).ToList();
            if (request.Flip && read.Find(r => r.Set.ModelHash is not null && !FlipSummed.Is(r.Set.Name)) is { } plain) // a .npy file does not say
            {
                throw new FaceDistillException($"{plain.Set.Name} was not embedded with --flip, and its figures would stand beside flip-summed ones: embed it "
                    + "again with --flip, or leave --flip out");
            }

            Teacher(request, [.. models.Select(m => m.Name), .. read.Select(r => r.Set.Name)]);
            var opened = new Dictionary<string, AlignedFaces>(StringComparer.Ordinal); // the faces of one template are opened once
            var data = request.Data is null ? null : request.Data with { Only = needed };
            return [.. models.Select(m => EmbedModel(m, request with { Data = data }, opened, job)), .. read];
        }
        finally
        {
            models.ForEach(m => m.Dispose());
        }
    }

    // Where LFW's lists are at hand, View 1 keeps the people of its training list apart.
    private static string Remedy(string protocol, string? folder) =>
        protocol != Evaluator.LfwView1Test && folder is not null && File.Exists(Path.Combine(folder, "peopleDevTest.txt"))
            ? $"; where it was trained on lfw-train, --protocol {Evaluator.LfwView1Test} measures others" : "";

    private Measured EmbedModel(
        IEmbedder model, EvaluateRequest request, Dictionary<string, AlignedFaces> opened, JobContext job)
    {
        var data = request.Data ?? throw new ArgumentException("models need faces", nameof(request));
        if (!opened.TryGetValue(model.Contract.Template, out var faces))
        {
            opened[model.Contract.Template] = faces = Evaluator.IjbProtocols.Contains(request.Protocol)
                ? IjbAligner.Open(Evaluator.IjbOf(request.Protocol, data.Root), model.Contract.Template, job)
                : new FaceSource(finder).Open(data, model.Contract.Template, request.Aligned, job);
        }

        var images = faces.Dataset.Images;
        long bytes = (long)images.Count * model.Dimension * sizeof(float);
        Evaluator.CheckPeople( // before what may take hours
            request.Protocol, model.Name, [.. images.Select(i => i.Identity)], bytes, request.Options, row => images[row].Path);
        return new Measured(new FaceEmbeddings(model, faces).Of(FaceView.Original, job), faces, model.Hash);
    }

    private Measured ReadEmbeddings(string path, EvaluateRequest request, PictureChoice? needed, JobContext job)
    {
        if (Directory.Exists(path))
        {
            var set = NeededPictures.In(EmbeddingStore.Open(path).ReadAll(EmbeddedView.NameOf(FaceView.Original)), needed);
            bool shown = request.Report?.Faces == true && EmbeddingSource.Of(path) is { } source && Path.Exists(source.Data);
            return new Measured(set, shown ? FacesOf(set, EmbeddingSource.Of(path)!, needed, job) : null, null);
        }

        string[] identities = [];
        var matrix = NpyFile.Read(path, (rows, columns) => Evaluator.CheckPeople(request.Protocol, Path.GetFileName(path), // before gigabytes of values
            identities = LabelsFile.Read(request.Labels!, rows, path), (long)rows * columns * sizeof(float), request.Options));
        return new Measured(new EmbeddingSet(Path.GetFileName(path), matrix.Columns, matrix.Values,
            [.. Enumerable.Range(0, matrix.Rows).Select(i => InvariantText.Of($"{RowNames.Numbered}{i}"))], identities), null, null);
    }

    // The pictures of a store's faces, where they are still those that were embedded.
    private AlignedFaces? FacesOf(EmbeddingSet set, EmbeddingSource source, PictureChoice? needed, JobContext job)
    {
        try
        {
            var faces = new FaceSource(finder).Open(DataFolder.Resolve(source.Data, finder) with { Only = needed }, source.Template, null, job);
            return faces.Id == set.FacesId ? faces : null;
        }
        catch (FaceDistillException)
        {
            return null; // the report says that they are not at hand
        }
    }
}
