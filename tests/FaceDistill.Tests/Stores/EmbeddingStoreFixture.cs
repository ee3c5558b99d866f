using FaceDistill.Files;
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

    public static EmbeddingSource Source { get; } = new("/faces", "dlib", [new SkippedFile("junk.png", "no face found")]);

    public static float Value(int image, int view, int d) => MathF.Sin((image * 1.7f) + (view * 0.31f) + (d * 0.11f));

    public static ContentHash Face(int image) => new((UInt128)(image + 1) << 64);

    // Of the last two the photo is not known.
    public static ContentHash Photo(int image) => image < 33 ? new ContentHash((UInt128)(image + 1000)) : default;

    public static EmbeddingSet View(int view) => new(
        Key.Teacher, Dimension, [.. from i in Enumerable.Range(0, Images.Length) from d in Enumerable.Range(0, Dimension) select Value(i, view, d)],
        [.. Images.Select(i => i.Path)], [.. Images.Select(i => i.Identity)])
    {
        Faces = [.. Enumerable.Range(0, Images.Length).Select(Face)],
        Photos = [.. Enumerable.Range(0, Images.Length).Select(Photo)],
    };

    public static EmbeddingStoreWriter OpenWriter(string folder, JobContext? job = null) => EmbeddingStoreWriter.Open(folder, Key, [], job ?? JobContext.None);

    /// <summary>Writes the store where it is not whole.</summary>
    /// <returns>Whether it was not.</returns>
    public static bool Fill(string folder, JobContext? job = null)
    {
        using EmbeddingStoreWriter writer = OpenWriter(folder, job);
        bool needed = !writer.IsWhole;
        if (needed)
        {
            writer.Write([View(0), View(1)], Source, default);
        }

        return needed;
    }

    public static string Part(string folder, int part) => Path.Combine(folder, EmbeddingStoreKey.PartName(part));
}
