using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Teachers;
using FaceDistill.Training;

namespace FaceDistill.Jobs;

/// <summary>What to audit.</summary>
/// <param name="Data">The training faces: folders, data sets' names, or embedding stores; empty to take those of <see cref="Run"/>.</param>
/// <param name="Tests">The test faces, likewise; empty to look for duplicates only.</param>
/// <param name="Teacher">The card of the model that embeds what is not given as a store.</param>
/// <param name="Output">The list to write, a .csv file, with the counts in a .json file of that name beside it; null for audit.csv in the run folder.</param>
public sealed record AuditRequest(IReadOnlyList<string> Data, IReadOnlyList<string> Tests, string Teacher, string? Output)
{
    /// <summary>The run folder whose training faces are audited, where audit.json is kept; null for none.</summary>
    public string? Run { get; init; }

    /// <summary>Which faces of the tests: "all", or <see cref="Evaluator.LfwView1Test"/>.</summary>
    public string Protocol { get; init; } = AuditTest.AllFaces;

    /// <summary>The permitted false accept rate of a pair, at least 1e-12 and below 1.</summary>
    public double Far { get; init; } = 1e-6;

    /// <summary>The least similarity of a match, above 0 and below 1; null to measure the one at <see cref="Far"/>.</summary>
    public double? Threshold { get; init; }

    /// <summary>The labelled faces on which it is measured: a folder, a data set's name, or a store; null for each test itself.</summary>
    public string? Calibration { get; init; }

    /// <summary>The least similarity of near duplicates among the training faces, above 0 and at most 1; null to look for none.</summary>
    public double? Duplicates { get; init; }

    /// <summary>A list of pictures that do not train, and are left out; null for none.</summary>
    public string? Exclude { get; init; }

    /// <summary>The template that the user says the training pictures are aligned to; null to go by alignment.json, as for those of tests.</summary>
    public string? Aligned { get; init; }

    /// <summary>Where ONNX Runtime computes the teacher: cpu, cuda, directml, openvino, coreml, or auto, as in <see cref="FaceEmbedder.Load"/>.</summary>
    public string Provider { get; init; } = OnnxProviders.Auto;
}

/// <summary>Lists training pictures that show people of a test, and duplicates among training pictures, by a teacher's embeddings and by content.</summary>
public sealed class AuditJob(AssetFinder finder)
{
    /// <summary>The least similarity of near duplicates, unless told otherwise.</summary>
    public const double DuplicateThreshold = 0.9;

    /// <summary>The list's name in a run folder.</summary>
    public const string ListName = "audit.csv";

    /// <summary>The protocols.</summary>
    public static IReadOnlyList<string> Protocols { get; } = [AuditTest.AllFaces, Evaluator.LfwView1Test];

    private const double LeastTar = 0.5; // a strong teacher accepts far more at any useful threshold
    private IEmbedder? _model;

    /// <summary>Runs it, and writes the list and the counts; with a run folder also its audit.json and its report.</summary>
    /// <exception cref="FaceDistillException">Data, stores or the test's labels are not right; the message says what.</exception>
    public AuditSummary Run(AuditRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request);
        using var watch = RunningTime.Start();
        try
        {
            foreach (string named in request.Data.Concat(request.Tests).Append(request.Calibration).OfType<string>().Where(n => !Directory.Exists(n)))
            {
                DataFolder.Resolve(named, finder); // before anything is embedded
            }

            var list = request.Exclude is { } file ? ExclusionList.Read(file) : null; // before any work; not as DataFolder.Exclude: a store has none
            var training = Training(request, job);
            training = list is null ? training : [.. training.Select(t => t.Without(list, job))];
            list?.TellOthers(training.Select(t => t.Name), job);
            var tests = request.Tests.Select(t => LoadTest(t, request, job)).ToList();
            var calibration = request.Calibration is { } labelled ? Load(labelled, request, null, job) : null;
            CheckModels([.. training, .. tests, .. calibration is null ? [] : new[] { calibration }]);
            CheckNames(training);
            var findings = new List<AuditFinding>();
            var results = tests.Select(
                test => Audit(test, request.Protocol == AuditTest.AllFaces ? test : test.View1Test(), calibration, training, request, findings, job)).ToList();
            (long Pairs, IReadOnlyList<AuditDuplicates> Counts)? within = request.Duplicates is { } threshold
                ? AuditedDuplicates.Find(training, (float)threshold, findings, job) : null;
            string output = request.Output ?? Path.Combine(request.Run!, ListName);
            var summary = new AuditSummary(training[0].Model.Name, results, request.Duplicates, within?.Pairs, within?.Counts ?? [])
            {
                List = output,
                Listed = findings.Select(f => (f.Picture.Data, f.Picture.Path)).Distinct().Count(),
                Seconds = watch.Elapsed.TotalSeconds,
            };
            StagedFiles.WriteTexts(Path.GetDirectoryName(Path.GetFullPath(output))!, (Path.GetFileName(output), AuditFinding.Text(findings)),
                (Path.GetFileName(Path.ChangeExtension(output, ".json")), JsonFile.Serialize(summary) + "\n"));
            if (request.Run is { } run)
            {
                JsonFile.Write(Path.Combine(run, AuditSummary.FileName), summary);
                RunReport.Write(run);
            }

            return summary;
        }
        finally
        {
            _model?.Dispose();
            _model = null;
        }
    }

    private static void Check(AuditRequest request)
    {
        string? wrong = request.Data.Count == 0 && request.Run is null ? "an audit needs training faces or a run folder"
            : request.Tests.Count == 0 && request.Duplicates is null ? "an audit needs a test, or looks for duplicates"
            : request.Output is null && request.Run is null ? "an audit's list needs a file to go to"
            : request.Output is { } output && !output.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)
                ? $"the audit's list is a CSV file: name it {output}.csv"
            : Directory.Exists(request.Output) ? $"--output {request.Output} is a folder; name a file"
            : !Protocols.Contains(request.Protocol) ? $"no protocol '{request.Protocol}'; there are {string.Join(", ", Protocols)}"
            : request.Threshold is { } threshold && !(threshold is > 0 and < 1)
                ? InvariantText.Of($"the threshold is above 0 and below 1, not {threshold}")
            : request.Duplicates is { } duplicates && !(duplicates is > 0 and <= 1)
                ? InvariantText.Of($"the threshold of duplicates is above 0 and at most 1, not {duplicates}")
            : request.Output is { } list && WritableFolder.WhyNot(Path.GetDirectoryName(Path.GetFullPath(list))!) is { } why
                ? $"--output {list} cannot be written ({why}); name another file"
            : request.Run is { } run && WritableFolder.WhyNot(run) is { } reason
                ? $"{run} cannot be written ({reason}), and its audit is kept there; copy the run folder, or name its faces with --data"
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException(wrong);
        }

        FarTargets.Check([request.Far]);
    }

    private List<AuditFaces> Training(AuditRequest request, JobContext job)
    {
        if (request.Data.Count > 0)
        {
            return [.. request.Data.Select(d => Load(d, request, request.Aligned, job))];
        }

        var trainedOn = TrainingData.Folders(request.Run!) ?? throw new FaceDistillException(
            $"{request.Run} was made by an earlier version and does not say which folders it was trained on; name them with --data");
        if (request.Aligned is null && TrainingData.Aligned(request.Run!) is { } aligned)
        {
            // Aligned a second time they would be other faces.
            throw new FaceDistillException($"{request.Run} was trained on pictures that were said to be aligned ('{aligned}'); "
                + $"name their raw photos with --data, or give --aligned {aligned} with a teacher of that template");
        }

        var trained = TrainedFaces.Read(request.Run!) ?? throw new FaceDistillException(
            $"{request.Run} was made by an earlier version and does not say on which faces it was trained; name its data with --data");
        List<AuditFaces> sides = [.. trainedOn.Select(data => Embed(data, request, request.Aligned, job).Of(trained, request.Run!, job))];
        int found = sides.Sum(s => s.Set.Count), all = RunInfo.Read(request.Run!).Images;
        if (found < all)
        {
            job.Say?.Invoke($"warning: {found} of the {all} faces that {request.Run} was trained on are at hand; the others are not audited");
        }

        return sides;
    }

    private AuditFaces Load(string argument, AuditRequest request, string? aligned, JobContext job) =>
        File.Exists(Path.Combine(argument, "store.json")) ? AuditFaces.OfStore(argument)
            : Embed(DataFolder.Resolve(argument, finder), request, aligned, job);

    // No more of it than the protocol takes: an evaluation by that protocol finds the audit of its faces.
    private AuditFaces LoadTest(string argument, AuditRequest request, JobContext job)
    {
        var options = new EvaluationOptions();
        if (!File.Exists(Path.Combine(argument, "store.json")))
        {
            var data = DataFolder.Resolve(argument, finder);
            return Embed(data with { Only = NeededPictures.Of(request.Protocol, data.Root, options) }, request, null, job);
        }

        var store = AuditFaces.OfStore(argument);
        return store.Root is null ? store : store with { Set = NeededPictures.In(store.Set, NeededPictures.Of(request.Protocol, store.Root, options)) };
    }

    private AuditFaces Embed(DataFolder data, AuditRequest request, string? aligned, JobContext job)
    {
        _model ??= TeacherCard.Open(request.Teacher, finder, request.Provider, job.Say);
        var faces = new FaceSource(finder).Open(data, _model.Contract.Template, aligned, job);
        return AuditFaces.Of(data, faces, _model, job);
    }

    private static void CheckModels(IReadOnlyList<AuditFaces> sides)
    {
        if (sides.FirstOrDefault(s => s.Model.Hash != sides[0].Model.Hash) is { } other)
        {
            string weights = other.Model.Name == sides[0].Model.Name ? " with other weights" : "";
            throw new FaceDistillException($"{sides[0].Name} is embedded by {sides[0].Model.Name} and {other.Name} by {other.Model.Name}{weights}; "
                + "an audit compares embeddings of one model: name the data, or stores of one model");
        }
    }

    private static void CheckNames(List<AuditFaces> training)
    {
        if (training.GroupBy(t => t.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key is { } twice)
        {
            throw new FaceDistillException($"two training sets are called {twice}, and the list could not tell them apart; give one folder another name");
        }
    }

    private static AuditTest Audit(
        AuditFaces whole, AuditFaces test, AuditFaces? calibration, List<AuditFaces> training, AuditRequest request,
        List<AuditFinding> findings, JobContext job)
    {
        var labelled = calibration ?? test;
        var (threshold, far, impostors, tar) = AuditThreshold.Of(labelled, request, job);
        if (tar < LeastTar)
        {
            string share = InvariantText.Of($"only {tar:0.0%} of the genuine pairs of {labelled.Name} reach the threshold {threshold:0.0000}");
            job.Say?.Invoke($"warning: {share}, so most leaks are missed: the model is weak, or one person is there under two names; "
                + "take a stronger one, mend the names, measure on other faces (--calibration), or give --threshold X");
        }

        var same = new SameFiles();
        same.Add(test.Hashes, 0);

        var columns = ScoredVectors.Of(test.Set);
        var counts = new List<AuditCount>();
        foreach (var faces in training)
        {
            var rows = ScoredVectors.Of(faces.Set);
            var matches = CrossMatches.Find(rows, columns, threshold, $"comparing {faces.Name} with {test.Name}", job);
            var files = same.In(faces.Hashes);
            AuditFinding Finding(AuditFindingKind kind, int row, int column, double score, int pairs) =>
                new(kind, faces.Picture(row), test.Picture(column), score, pairs);
            var pairsOf = matches.ToDictionary(m => m.Row, m => m.Pairs);
            findings.AddRange(files.Select(f => Finding(
                AuditFindingKind.SameFile, f.Row, f.Other, rows.Score(f.Row, columns, f.Other), pairsOf.GetValueOrDefault(f.Row, 1))));
            CrossMatch[] people = [.. matches.Where(m => !files.Exists(f => f.Row == m.Row))];
            findings.AddRange(people.OrderByDescending(m => m.Score).ThenBy(m => m.Row)
                .Select(m => Finding(AuditFindingKind.Person, m.Row, m.Column, m.Score, m.Pairs)));
            long pairs = (long)faces.Set.Count * test.Set.Count;
            counts.Add(new AuditCount
            {
                Data = faces.Name,
                Faces = faces.Set.Count,
                Pairs = pairs,
                Matches = people.Length,
                People = test.People == 0 ? 0 : people.Select(m => test.Set.Identities[m.Column]).Distinct(StringComparer.Ordinal).Count(),
                MatchedPairs = people.Sum(m => (long)m.Pairs),
                ExpectedPairs = far * pairs,
                SameFiles = files.Count,
            });
        }

        return new AuditTest
        {
            Test = test.Name,
            FacesId = whole.Set.FacesId,
            PhotosId = whole.Set.PhotosId,
            PartsIds = request.Protocol == AuditTest.AllFaces ? whole.PartsIds : null,
            Protocol = request.Protocol,
            Faces = test.Set.Count,
            People = test.People,
            Threshold = threshold,
            Far = request.Threshold is null ? request.Far : null,
            MeasuredFar = far,
            MeasuredOn = far is null ? null : labelled.Name,
            ImpostorPairs = impostors,
            MeasuredTar = tar,
            Counts = counts,
        };
    }
}
