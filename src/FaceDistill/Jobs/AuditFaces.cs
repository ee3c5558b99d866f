using System.Globalization;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>One side of an audit: faces with embeddings, and where their pictures lie.</summary>
/// <param name="Name">The data set's name: that of its folder.</param>
/// <param name="Root">The data set's folder, with its protocol files; null where it is unknown.</param>
/// <param name="Set">The embeddings.</param>
/// <param name="Model">The name of the model, and the hash of what it computes.</param>
internal sealed record AuditFaces(string Name, string? Root, EmbeddingSet Set, (string Name, string Hash) Model)
{
    /// <summary>Reads a finished store.</summary>
    /// <exception cref="FaceDistillException">It is not whole, or lacks the view of the faces as they were aligned.</exception>
    public static AuditFaces OfStore(string folder)
    {
        var store = EmbeddingStore.Open(folder);
        string? root = EmbeddingSource.Of(folder)?.Data;
        string place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root ?? folder)), name = new DataFolder(place, place).Name;
        return new AuditFaces(name, root, store.ReadAll(EmbeddedView.NameOf(FaceView.Original)), (store.Key.Teacher, store.Key.TeacherHash));
    }

    /// <summary>Embeds what is not embedded yet.</summary>
    /// <exception cref="FaceDistillException">A face is not right.</exception>
    public static AuditFaces Of(DataFolder data, AlignedFaces faces, IEmbedder model, JobContext job) =>
        new(data.Name, data.Root, new FaceEmbeddings(model, faces).Of(FaceView.Original, job), (model.Name, EmbeddingCache.ModelHash(model)));

    /// <summary>One of them, as a list names it.</summary>
    public AuditPicture Picture(int row) => new(Name, Set.Paths[row], Set.Identities[row]);

    /// <summary>The faces that are not on a list; says how many are, as training does.</summary>
    /// <exception cref="FaceDistillException">None remains.</exception>
    public AuditFaces Without(ExclusionList list, JobContext job)
    {
        var (excluded, unknown) = list.In(Name, Set.Paths, AlignedFolder.OwnFaces(Root));
        int[] rows = [.. Enumerable.Range(0, Set.Count).Where(row => !excluded[row])];
        list.Tell(Name, Set.Count - rows.Length, Set.Count, unknown, job);
        return rows.Length > 0 ? this with { Set = Set.Of(rows) }
            : throw new FaceDistillException($"{list.File} excludes every picture of {Name}");
    }

    /// <summary>The faces that a run was trained on, whatever else lies in its folders now.</summary>
    /// <exception cref="FaceDistillException">None of them is there.</exception>
    public AuditFaces Of(TrainedFaces trained, string run, JobContext job)
    {
        int[] rows = [.. Enumerable.Range(0, Set.Count).Where(row => trained.Has(Set.Faces![row], Set.Photos![row]))];
        if (rows.Length < Set.Count)
        {
            job.Say?.Invoke($"{Name}: {Set.Count - rows.Length} of its {Set.Count} faces are none that {run} was trained on, and are left out");
        }

        return rows.Length > 0 ? this with { Set = Set.Of(rows) } : throw new FaceDistillException($"no face in {Root} is one that {run} was trained on");
    }

    /// <summary>The faces of LFW's View 1 test people.</summary>
    /// <exception cref="FaceDistillException">The list of people is not with the data, or none of them is there.</exception>
    public AuditFaces View1Test()
    {
        string root = Root ?? throw new FaceDistillException(
            $"{Name}: the store does not say which data it is of, so LFW's peopleDevTest.txt is not found; name the data instead");
        return this with { Set = LfwView1.Of(Set, LfwPeople.Read(Evaluator.Find(Evaluator.LfwView1Test, root, "peopleDevTest.txt"))).Set };
    }

    /// <summary>What the parts are known by that the lists beside the data have measured (<see cref="NeededPictures"/>).</summary>
    public IReadOnlyList<string> PartsIds => [.. new[] { Evaluator.LfwTenFold, Evaluator.Pairs }.Select(PartId).OfType<string>()];

    private string? PartId(string protocol)
    {
        try
        {
            return NeededPictures.In(Set, NeededPictures.Of(protocol, Root, new EvaluationOptions())).PhotosId;
        }
        catch (FaceDistillException)
        {
            return null; // there is no such list, or none that an evaluation could read
        }
    }

    /// <summary>How many people the faces show; 0 where not all have an identity.</summary>
    public int People => Array.Exists(Set.Identities, string.IsNullOrWhiteSpace) ? 0 : Set.Identities.Distinct(StringComparer.Ordinal).Count();

    /// <summary>The content of each face's photo and of its aligned picture.</summary>
    public (ContentHash Photo, ContentHash Aligned)[] Hashes => [.. Set.Photos!.Zip(Set.Faces!)];
}

/// <summary>From which similarity on two faces count as one person, and how often two strangers reach it.</summary>
/// <param name="Least">The threshold.</param>
/// <param name="Far">The false accept rate measured at it; null where nothing was measured.</param>
/// <param name="ImpostorPairs">On how many pairs; 0 likewise.</param>
/// <param name="Tar">The part of the genuine pairs that reaches it; null likewise.</param>
internal sealed record AuditThreshold(float Least, double? Far, long ImpostorPairs, double? Tar)
{
    private const int MostTail = 1 << 20; // impostor scores kept to count those at a given threshold: 4 MB

    /// <summary>Measures on labelled faces, or counts there what a given threshold accepts.</summary>
    /// <exception cref="FaceDistillException">The faces have no names, or too few impostor pairs for the rate.</exception>
    public static AuditThreshold Of(AuditFaces labelled, AuditRequest request, JobContext job)
    {
        if (request.Threshold is { } given && (labelled.People < 2 || labelled.People == labelled.Set.Count))
        {
            return new AuditThreshold((float)given, null, 0, null);
        }

        if (labelled.People == 0)
        {
            throw new FaceDistillException($"{labelled.Name} has faces without a person's name, so no threshold is measured on it; "
                + "name labelled faces with --calibration DIR|NAME|STORE, or give --threshold X");
        }

        var groups = IdentityGroups.Of(labelled.Set);
        var vectors = ScoredVectors.Of(labelled.Set, groups.Order, ScoreKind.Cosine);
        if (request.Threshold is { } threshold)
        {
            var look = ThresholdPass.At(vectors, groups, Math.Min(MostTail, groups.ImpostorPairs), job);
            bool counted = look.Tail.Bound < (float)threshold; // every score from there on is held
            return !counted ? new AuditThreshold((float)threshold, null, 0, null) : new AuditThreshold(
                (float)threshold, (double)ExactThreshold.FalseAccepts((float)threshold, look.Tail) / groups.ImpostorPairs, groups.ImpostorPairs,
                look.Genuine.Count(score => score >= (float)threshold) / (double)look.Genuine.Length);
        }

        if (FarTargets.Permitted(request.Far, groups.ImpostorPairs) < 1)
        {
            string pairs = groups.ImpostorPairs.ToString("N0", CultureInfo.InvariantCulture);
            throw new FaceDistillException($"{labelled.Name} has {pairs} impostor pairs, too few for a threshold at FAR {FarTargets.Label(request.Far)}; "
                + "name more labelled faces with --calibration DIR|NAME|STORE, or give --threshold X");
        }

        var first = ThresholdPass.At(vectors, groups, ThresholdPass.Ranks([request.Far], groups.ImpostorPairs), job);
        var point = first.Result([request.Far]).At(request.Far)!;
        return new AuditThreshold(point.Threshold, (double)point.FalseAccepts / groups.ImpostorPairs, groups.ImpostorPairs, point.Tar);
    }
}

/// <summary>Finds pictures whose photo, or aligned face, is byte for byte one that was added before.</summary>
internal sealed class SameFiles
{
    private readonly Dictionary<ContentHash, int> _photos = [], _aligned = [];

    /// <summary>
    /// Adds a set's pictures, numbered from <paramref name="first"/>; those that were there already are returned, with the first of their like. Several faces
    /// of one photo in one set are not.
    /// </summary>
    public List<(int Row, int Other)> Add((ContentHash Photo, ContentHash Aligned)[] hashes, int first)
    {
        var found = new List<(int, int)>();
        for (int i = 0; i < hashes.Length; i++)
        {
            var (photo, aligned) = hashes[i];
            int other = _aligned.GetValueOrDefault(aligned, _photos.TryGetValue(photo, out int earlier) && earlier < first ? earlier : -1);
            if (other >= 0)
            {
                found.Add((first + i, other));
                continue;
            }

            _aligned.Add(aligned, first + i);
            if (!photo.IsNone)
            {
                _photos.TryAdd(photo, first + i);
            }
        }

        return found;
    }

    /// <summary>The pictures that are also among those added.</summary>
    public List<(int Row, int Other)> In((ContentHash Photo, ContentHash Aligned)[] hashes) =>
        [.. hashes.Select((hash, row) => (row, Of(hash))).Where(pair => pair.Item2 >= 0)];

    private int Of((ContentHash Photo, ContentHash Aligned) hash) =>
        _photos.TryGetValue(hash.Photo, out int photo) ? photo : _aligned.GetValueOrDefault(hash.Aligned, -1);
}

/// <summary>Pictures of the training sets that are there twice, as files or nearly: the first stays, in the order of the sets.</summary>
internal static class AuditedDuplicates
{
    /// <summary>Finds them.</summary>
    /// <param name="training">The training sets, of one model.</param>
    /// <param name="threshold">The least cosine of near duplicates.</param>
    /// <param name="findings">Receives one entry for each picture to drop.</param>
    /// <param name="job">Told how far it is.</param>
    /// <returns>The pairs found, and what each set has of them.</returns>
    public static (long Pairs, IReadOnlyList<AuditDuplicates> Counts) Find(
        List<AuditFaces> training, float threshold, List<AuditFinding> findings,
        JobContext job)
    {
        int[] starts = new int[training.Count + 1];
        for (int i = 0; i < training.Count; i++)
        {
            starts[i + 1] = starts[i] + training[i].Set.Count;
        }

        (int Set, int Row) Place(int row)
        {
            int set = Array.FindLastIndex(starts, start => start <= row);
            return (set, row - starts[set]);
        }

        int dimension = training[0].Set.Dimension;
        float[] values = new float[(long)starts[^1] * dimension];
        var same = new SameFiles();
        var files = new List<(int Row, int Other)>();
        for (int i = 0; i < training.Count; i++)
        {
            UnitEmbeddings.Check(training[i].Set);
            training[i].Set.Values.CopyTo(values.AsSpan(starts[i] * dimension));
            files.AddRange(same.Add(training[i].Hashes, starts[i]));
        }

        var vectors = new ScoredVectors(values, dimension);
        var (pairs, drop) = NearDuplicates.Find(vectors, threshold, files.Select(f => f.Row).ToHashSet(), job);
        AuditFinding Finding(AuditFindingKind kind, int row, int other, double score)
        {
            var (set, face) = Place(row);
            var (otherSet, otherFace) = Place(other);
            return new AuditFinding(kind, training[set].Picture(face), training[otherSet].Picture(otherFace), score, 1);
        }

        findings.AddRange(files.Select(f => Finding(AuditFindingKind.SameFile, f.Row, f.Other, vectors.Score(f.Row, f.Other))));
        findings.AddRange(drop.Select(d => Finding(AuditFindingKind.Duplicate, d.Row, d.Kept, d.Score)));
        return (pairs, [.. training.Select((faces, i) => new AuditDuplicates(faces.Name, faces.Set.Count,
            files.Count(f => Place(f.Row).Set == i), drop.Count(d => Place(d.Row).Set == i)))]);
    }
}
