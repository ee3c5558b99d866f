using FaceDistill.Datasets;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Training.Batches;

/// <summary>The faces of a run with their targets, split into those that train and those that only measure.</summary>
internal sealed class TrainingFaces
{
    private readonly IEmbeddingRows _original;
    private readonly IEmbeddingRows? _mirrored;

    /// <summary>Joins faces and targets.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="original">The teacher's embeddings of the faces, in their order; <see cref="Stores.NoEmbeddings"/> without a teacher.</param>
    /// <param name="mirrored">The teacher's embeddings of the mirrored faces; null to train without mirroring.</param>
    /// <param name="validation">The part of the faces held out, 0 to 0.5; of those that are left when people are held out.</param>
    /// <param name="seed">Decides which faces are held out.</param>
    /// <param name="people">How many people are held out with all their faces; null for the usual number, see <see cref="HeldOutPeople.Usual"/>.</param>
    /// <exception cref="FaceDistillException">Faces and embeddings are not of the same list, or there are too few.</exception>
    public TrainingFaces(AlignedFaces faces, IEmbeddingRows original, IEmbeddingRows? mirrored, double validation, long seed, int? people = 0)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(original);
        var images = faces.Dataset.Images;
        if (!original.AreOf(images) || mirrored?.AreOf(images) == false)
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
        Scaling = original.IsNone ? TargetScaling.None(original.Dimension) : TargetScaling.Measure(original, Training);
        (PersonLabels, PeopleCount) = FacePeople.Of(images);
    }

    /// <summary>The aligned faces.</summary>
    public AlignedFaces Faces { get; }

    /// <summary>D, the embedding's length.</summary>
    public int Dimension => _original.Dimension;

    /// <summary>The person of each face, 0 to <see cref="PeopleCount"/> - 1; -1 where not known. Used by ArcFace only.</summary>
    public int[] PersonLabels { get; }

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

    /// <summary>The map that the targets have gone through; null where they are the teacher's own embeddings.</summary>
    public Projector? Projector { get; init; }

    /// <summary>Further views of the training faces, with their targets; null to train on the aligned and mirrored faces.</summary>
    public AugmentedTargets? Augmented { get; init; }

    /// <summary>Copies the teacher's embedding of a face's view. Safe for several threads.</summary>
    /// <param name="index">The face's place in the list.</param>
    /// <param name="view">The view.</param>
    /// <param name="embedding">Receives float32 [D].</param>
    /// <exception cref="FaceDistillException">It cannot be read.</exception>
    public void Read(int index, FaceView view, Span<float> embedding) => (view switch
    {
        FaceView.Original => _original,
        FaceView.Mirrored when _mirrored is not null => _mirrored,
        _ => throw new ArgumentOutOfRangeException(nameof(view), view, "no embeddings of this view"),
    }).Read(index, embedding);

    /// <summary>The teacher's embeddings of some aligned faces.</summary>
    /// <param name="faces">Their places in the list.</param>
    /// <returns>float32 [faces, D].</returns>
    /// <exception cref="FaceDistillException">One cannot be read.</exception>
    public float[] Embeddings(IReadOnlyList<int> faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        var values = new float[(long)faces.Count * Dimension];
        for (int i = 0; i < faces.Count; i++)
        {
            _original.Read(faces[i], values.AsSpan(i * Dimension, Dimension));
        }

        return values;
    }

    internal void RequireBatch(int size)
    {
        if (Training.Length < size)
        {
            throw new FaceDistillException($"{Training.Length} training faces are fewer than one batch of {size}; lower --batch-size or add faces");
        }
    }
}

/// <summary>Numbers the people of a list of faces, by the folder that a face lies in.</summary>
internal static class FacePeople
{
    /// <summary>Numbers them from 0, as they come: a run goes on with the faces in the order that it began with, wherever their folders lie by then. A face
    /// without an identity has -1.</summary>
    /// <param name="images">The faces. Two folders are two people, also where both have the same name in two data sets.</param>
    public static (int[] People, int Count) Of(IReadOnlyList<FaceImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var (numbers, people) = (new Dictionary<string, int>(StringComparer.Ordinal), new int[images.Count]);
        var known = numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int i = 0; i < people.Length; i++)
        {
            var image = images[i];
            var folder = Path.GetDirectoryName(image.Path.AsSpan());
            if (image.Identity.Length == 0)
            {
                people[i] = -1;
            }
            else if (!known.TryGetValue(folder, out people[i]))
            {
                people[i] = numbers.Count;
                known[folder] = numbers.Count;
            }
        }

        return (people, numbers.Count);
    }
}
