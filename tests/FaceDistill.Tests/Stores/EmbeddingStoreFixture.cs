using FaceDistill.Stores;

namespace FaceDistill.Tests.Stores;

/// <summary>A small made-up store: 35 images, 10 a part (so 4 parts, the last of 5), two views, 6 dimensions.</summary>
internal static class EmbeddingStoreFixture
{
    public const int Dimension = 6;

    public static EmbeddingStoreKey Key { get; } =
        new("dlib-resnet", "aa11", "bb22", "cc33", Dimension, 35, ["original", "mirrored"], ImagesPerPart: 10);

    public static (string Path, string Identity)[] Images { get; } =
        Enumerable.Range(0, Key.ImageCount).Select(i => ($"Zoë_{i / 3}/image_{i}.jpg", i == 34 ? "" : $"Zoë_{i / 3}")).ToArray();

    public static float Value(int image, int view, int d) => MathF.Sin((image * 1.7f) + (view * 0.31f) + (d * 0.11f));

    public static float[] PartValues(int part)
    {
        (int first, int count) = Key.Images(part);
        return (from i in Enumerable.Range(first, count)
                from v in Enumerable.Range(0, Key.Views.Count)
                from d in Enumerable.Range(0, Dimension)
                select Value(i, v, d)).ToArray();
    }

    public static EmbeddingStoreWriter OpenWriter(string folder) => EmbeddingStoreWriter.Open(folder, Key, Images);

    /// <summary>Writes the missing parts, at most so many, and returns those written.</summary>
    public static int[] Fill(string folder, int atMost = int.MaxValue)
    {
        using EmbeddingStoreWriter writer = OpenWriter(folder);
        int[] parts = writer.MissingParts().Take(atMost).ToArray();
        foreach (int part in parts)
        {
            writer.WritePart(part, PartValues(part));
        }

        return parts;
    }

    public static string Part(string folder, int part) => Path.Combine(folder, EmbeddingStoreKey.PartName(part));
}
