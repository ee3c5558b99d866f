using System.Globalization;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>One side of an audit: faces with embeddings, and where their pictures lie.</summary>
/// <param name="Name">The data set's name: that of its folder.</param>
/// <param name="Root">The data set's folder, with its protocol files; null where it is unknown.</param>
/// <param name="Set">The embeddings.</param>
/// <param name="Aligned">The folder of the aligned faces; null where it is unknown.</param>
/// <param name="Model">The name of the model, and the hash of what it computes.</param>
internal sealed record AuditFaces(string Name, string? Root, EmbeddingSet Set, string? Aligned, (string Name, string Hash) Model)
{
    /// <summary>Reads a finished store.</summary>
    /// <exception cref="FaceDistillException">It is not whole, or lacks the view of the faces as they were aligned.</exception>
    public static AuditFaces OfStore(string folder)
    {
        var store = EmbeddingStore.Open(folder);
        var source = EmbeddingSource.Of(folder);
        string? root = source?.Data is { Length: > 0 } data ? RootOf(data) : null;
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root ?? folder)));
        return new AuditFaces(name, root, store.ReadAll(EmbeddedView.NameOf(FaceView.Original)), source?.Aligned, (store.Key.Teacher, store.Key.TeacherHash));
    }

    /// <summary>Embeds what is not embedded yet.</summary>
    /// <exception cref="FaceDistillException">A face is not right.</exception>
    public static AuditFaces Of(DataFolder data, AlignedFaces faces, IEmbedder model, JobContext job)
    {
        var embeddings = new FolderEmbeddings(model, faces);
        embeddings.Embed([EmbeddedView.Of(FaceView.Original)], job);
        var store = EmbeddingStore.Open(embeddings.Folders.First());
        var set = embeddings.Read(EmbeddedView.NameOf(FaceView.Original), job.Cancel);
        return new AuditFaces(data.Name, data.Root, set, faces.Dataset.Root, (store.Key.Teacher, store.Key.TeacherHash));
    }

    /// <summary>One of them, as a list names it.</summary>
    public AuditPicture Picture(int row) => new(Name, Set.Paths[row], Set.Identities[row]);

    /// <summary>The faces that are not on a list.</summary>
    public AuditFaces Without(ExclusionList? list)
    {
        if (list is null)
        {
            return this;
        }

        bool[] excluded = list.In(Name, Set.Paths).Excluded;
        int[] rows = [.. Enumerable.Range(0, Set.Count).Where(row => !excluded[row])];
        return rows.Length > 0 ? this with { Set = EmbeddingRows.Take(Set, rows, row => Set.Identities[row]) }
            : throw new FaceDistillException($"{list.File} excludes every picture of {Name}");
    }

    /// <summary>The faces of LFW's View 1 test people.</summary>
    /// <exception cref="FaceDistillException">The list of people is not beside the data, or none of them is there.</exception>
    public AuditFaces View1Test()
    {
        string root = Root ?? throw new FaceDistillException(
            $"{Name}: the store does not say which data it is of, so LFW's peopleDevTest.txt is not found; name the data instead");
        return this with { Set = LfwView1.Of(Set, LfwPeople.Read(Path.Combine(root, "peopleDevTest.txt"))).Set };
    }

    /// <summary>How many people the faces show; 0 where not all have an identity.</summary>
    public int People => Array.Exists(Set.Identities, string.IsNullOrWhiteSpace) ? 0 : Set.Identities.Distinct(StringComparer.Ordinal).Count();

    /// <summary>SHA-256 of each face's photo and of its aligned picture; null where the pictures are not at hand.</summary>
    /// <returns>Photo (empty where it is not at hand) and aligned picture, in the faces' order.</returns>
    /// <exception cref="FaceDistillException">A picture cannot be read.</exception>
    public (string Photo, string Aligned)[]? Hashes(JobContext job)
    {
        if (Aligned is null || !Array.TrueForAll(Set.Paths, path => File.Exists(Path.Combine(Aligned, path))))
        {
            return null;
        }

        string photos = AlignmentManifest.In(Aligned) ? AlignmentManifest.Read(Aligned).Source : "";
        var hashes = new (string, string)[Set.Count];
        int done = 0;
        try
        {
            Parallel.For(0, Set.Count, new ParallelOptions { CancellationToken = job.Cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
            {
                string photo = PhotoOf(photos, Set.Paths[i]);
                hashes[i] = (photo.Length > 0 ? FileHash.Sha256(photo) : "", FileHash.Sha256(Path.Combine(Aligned, Set.Paths[i])));
                int now = Interlocked.Increment(ref done);
                if (now % 256 == 0 || now == Set.Count)
                {
                    job.Progress?.Report(new WorkProgress($"hashing {Name}", now, Set.Count, "images"));
                }
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<FaceDistillException>().FirstOrDefault() is { } first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        return hashes;
    }

    // Aligning makes .jpg of every ending, and adds it where two photos differ in their endings only.
    private static string PhotoOf(string folder, string face) => folder.Length == 0 ? ""
        : PictureFile.Extensions.Select(ending => Path.ChangeExtension(face, ending))
        .Prepend(Path.ChangeExtension(face, null)).Where(PictureFile.IsPicture).Select(path => Path.Combine(folder, path)).FirstOrDefault(File.Exists) ?? "";

    // A store made of several folders' faces names the pictures' folder, which may be "images" in the data set's.
    private static string RootOf(string data) =>
        Path.GetDirectoryName(data) is { } parent && Directory.Exists(parent) && DataFolder.Of(parent).Images == data ? parent : data;
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
    private readonly Dictionary<string, int> _photos = new(StringComparer.Ordinal), _aligned = new(StringComparer.Ordinal);

    /// <summary>Adds pictures, numbered from <paramref name="first"/>; those that were there already are returned, with the first of their like.</summary>
    public List<(int Row, int Other)> Add((string Photo, string Aligned)[] hashes, int first)
    {
        var found = new List<(int, int)>();
        for (int i = 0; i < hashes.Length; i++)
        {
            int other = Of(hashes[i]);
            if (other >= 0)
            {
                found.Add((first + i, other));
                continue;
            }

            _aligned.Add(hashes[i].Aligned, first + i);
            if (hashes[i].Photo.Length > 0)
            {
                _photos.Add(hashes[i].Photo, first + i);
            }
        }

        return found;
    }

    /// <summary>The pictures that are also among those added.</summary>
    public List<(int Row, int Other)> In((string Photo, string Aligned)[] hashes) =>
        [.. hashes.Select((hash, row) => (row, Of(hash))).Where(pair => pair.Item2 >= 0)];

    private int Of((string Photo, string Aligned) hash) =>
        _photos.TryGetValue(hash.Photo, out int photo) ? photo : _aligned.GetValueOrDefault(hash.Aligned, -1);
}
