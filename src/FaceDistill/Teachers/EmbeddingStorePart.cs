using System.Globalization;
using System.Numerics.Tensors;

namespace FaceDistill.Teachers;

/// <summary>One part of an embedding store in memory: the embeddings of consecutive images, every view.</summary>
/// <param name="Index">The part's index.</param>
/// <param name="FirstImage">Index in the image list of the part's first image.</param>
/// <param name="Paths">The images' paths, relative to the data set and '/'-separated.</param>
/// <param name="Identities">The images' identities; empty where unknown.</param>
/// <param name="Views">The views, in order.</param>
/// <param name="Dimension">D, the embedding's length.</param>
/// <param name="Values">float32 [images * views, D], image-major: image 0 view 0, image 0 view 1, ..., image 1 view 0, ...</param>
public sealed record EmbeddingStorePart(
    int Index,
    int FirstImage,
    IReadOnlyList<string> Paths,
    IReadOnlyList<string> Identities,
    IReadOnlyList<string> Views,
    int Dimension,
    ReadOnlyMemory<float> Values)
{
    /// <summary>The most images a part may cover.</summary>
    internal const int MaxRows = 1 << 20;

    /// <summary>The most float values a part may hold (512 MiB), so that a part is always a small piece of memory.</summary>
    internal const int MaxValues = 1 << 27;

    /// <summary>The embedding of one view of the part's image <paramref name="image"/>, float32 [D].</summary>
    public ReadOnlySpan<float> Row(int image, int view) =>
        Values.Span.Slice(((image * Views.Count) + view) * Dimension, Dimension);

    /// <summary>The first image and view with a NaN or an infinity, as words; null when all values are finite.</summary>
    internal string? FirstNonFinite()
    {
        if (TensorPrimitives.IsFiniteAll(Values.Span))
        {
            return null;
        }

        for (int row = 0; row < Paths.Count * Views.Count; row++)
        {
            (int image, int view) = Math.DivRem(row, Views.Count);
            if (!TensorPrimitives.IsFiniteAll(Row(image, view)))
            {
                return string.Create(CultureInfo.InvariantCulture, $"{Paths[image]} (image {FirstImage + image}, view {Views[view]})");
            }
        }

        return null;
    }
}
