using FaceDistill.Datasets;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Training.Batches;

/// <summary>The faces of a run with their targets, split into those that train and those that only measure.</summary>
internal sealed class TrainingFaces
{
    private readonly EmbeddingSet _original;
    private readonly EmbeddingSet? _mirrored;

    /// <summary>Joins faces and targets.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="original">The teacher's embeddings of the faces, in their order; <see cref="NoEmbeddings"/> without a teacher.</param>
    /// <param name="mirrored">The teacher's embeddings of the mirrored faces; null to train without mirroring.</param>
    /// <param name="validation">The part of the faces held out, 0 to 0.5; of those that are left when people are held out.</param>
    /// <param name="seed">Decides which faces are held out.</param>
    /// <param name="people">How many people are held out with all their faces; null for the usual number, see <see cref="HeldOutPeople.Usual"/>.</param>
    /// <exception cref="FaceDistillException">Faces and embeddings are not of the same list, or there are too few.</exception>
    public TrainingFaces(AlignedFaces faces, EmbeddingSet original, EmbeddingSet? mirrored, double validation, long seed, int? people = 0)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(original);
        var images = faces.Dataset.Images;
        if (!images.Select(i => i.Path).SequenceEqual(original.Paths) || (mirrored is not null && !mirrored.Paths.SequenceEqual(original.Paths)))
        {
            throw new FaceDistillException($"the embeddings are not those of the faces in {faces.Dataset.Root}; embed them again");
        }

        (Faces, _original, _mirrored) = (faces, original, mirrored);
        HeldOut = people is { } count ? HeldOutPeople.Of(images, count) : HeldOutPeople.Usual(images);
        var without = HeldOut.Faces.ToHashSet();
        int[] order = [.. SeededChoice.Permutation(images.Count, seed, epoch: -1).Where(i => !without.Contains(i))];
        int held = (int)Math.Round(order.Length * validation);
        Validation = [.. order.Take(held).Order()];
        Training = [.. order.Skip(held).Order()];
        Scaling = original.Values.AsSpan().ContainsAnyExcept(0f)
            ? TargetScaling.Measure(Rows(Training), original.Dimension)
            : TargetScaling.None(original.Dimension);
        (PersonLabels, PeopleCount) = FacePeople.Of(images);
    }

    /// <summary>Embeddings that are all 0, in the faces' order: of faces that train by their identities, without a teacher.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="dimension">D.</param>
    public static EmbeddingSet NoEmbeddings(AlignedFaces faces, int dimension)
    {
        ArgumentNullException.ThrowIfNull(faces);
        var images = faces.Dataset.Images;
        return new EmbeddingSet("none", dimension, new float[images.Count * dimension], [.. images.Select(i => i.Path)], [.. images.Select(i => i.Identity)]);
    }

    /// <summary>The aligned faces.</summary>
    public AlignedFaces Faces { get; }

    /// <summary>D, the embedding's length.</summary>
    public int Dimension => _original.Dimension;

    /// <summary>The person of each face, 0 to <see cref="PeopleCount"/> - 1; -1 where not known. Used by ArcFace only.</summary>
    public long[] PersonLabels { get; }

    /// <summary>The number of known people.</summary>
    public int PeopleCount { get; }

    /// <summary>Indices of the faces that train.</summary>
    public int[] Training { get; }

    /// <summary>Indices of the faces that only measure, of people who train too.</summary>
    public int[] Validation { get; }

    /// <summary>The people whose faces only measure.</summary>
    internal HeldOutPeople HeldOut { get; }

    /// <summary>How targets are centred and scaled; measured on the training faces, or taken from the checkpoint of a run that goes on.</summary>
    public TargetScaling Scaling { get; set; }

    /// <summary>Further views of the training faces, with their targets; null to train on the aligned and mirrored faces.</summary>
    public AugmentedTargets? Augmented { get; init; }

    /// <summary>The teacher's embedding of a face's view, float32 [D].</summary>
    public ReadOnlySpan<float> Embedding(int index, FaceView view) => view switch
    {
        FaceView.Original => _original.Row(index),
        FaceView.Mirrored when _mirrored is not null => _mirrored.Row(index),
        _ => throw new ArgumentOutOfRangeException(nameof(view), view, "no embeddings of this view"),
    };

    internal void RequireBatch(int size)
    {
        if (Training.Length < size)
        {
            throw new FaceDistillException($"{Training.Length} training faces are fewer than one batch of {size}; lower --batch-size or add faces");
        }
    }

    private float[] Rows(int[] indices)
    {
        var rows = new float[indices.Length * Dimension];
        for (int i = 0; i < indices.Length; i++)
        {
            _original.Row(indices[i]).CopyTo(rows.AsSpan(i * Dimension));
        }

        return rows;
    }
}

/// <summary>Numbers the people of a list of faces, by the folder that a face lies in.</summary>
internal static class FacePeople
{
    /// <summary>Numbers them from 0, in ordinal order of their folders; a face without an identity has -1.</summary>
    /// <param name="images">The faces. Two folders are two people, also where both have the same name in two data sets.</param>
    public static (long[] People, int Count) Of(IReadOnlyList<FaceImage> images)
    {
        string?[] folders = [.. images.Select(i => i.Identity.Length > 0 ? Path.GetDirectoryName(i.Path) : null)];
        var numbers = folders.OfType<string>().Distinct().Order(StringComparer.Ordinal).Select((folder, i) => (folder, i))
            .ToDictionary(p => p.folder, p => (long)p.i, StringComparer.Ordinal);
        return ([.. folders.Select(f => f is null ? -1 : numbers[f])], numbers.Count);
    }
}
