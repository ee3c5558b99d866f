using FaceDistill.Stores;

namespace FaceDistill.Tests.Stores;

public sealed class ImageListHashTests : IDisposable
{
    private static readonly string[] Paths = ["a/1.jpg", "a/2.jpg", "b/3.jpg"];
    private readonly TempFolder _temp = new();

    public ImageListHashTests() => Make(_temp["one"]);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_copy_with_other_dates_has_the_same_hash()
    {
        Make(_temp["two"]);
        File.SetLastWriteTimeUtc(Path.Combine(_temp["two"], Paths[0]), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));

        Assert.Equal(ImageListHash.Compute(_temp["one"], Paths), ImageListHash.Compute(_temp["two"], Paths));
    }

    [Fact]
    public void A_changed_byte_another_order_name_or_length_of_the_list_changes_the_hash()
    {
        var hashes = new List<string>
        {
            ImageListHash.Compute(_temp["one"], Paths),
            ImageListHash.Compute(_temp["one"], [Paths[1], Paths[0], Paths[2]]),
            ImageListHash.Compute(_temp["one"], Paths[..2]),
        };
        File.Move(Path.Combine(_temp["one"], Paths[2]), Path.Combine(_temp["one"], "b/4.jpg"));
        hashes.Add(ImageListHash.Compute(_temp["one"], [Paths[0], Paths[1], "b/4.jpg"]));
        string changed = Path.Combine(_temp["one"], Paths[0]);
        byte[] bytes = File.ReadAllBytes(changed);
        bytes[^1] ^= 1;
        File.WriteAllBytes(changed, bytes);
        hashes.Add(ImageListHash.Compute(_temp["one"], [Paths[0], Paths[1], "b/4.jpg"]));

        Assert.Equal(hashes.Count, hashes.Distinct().Count());
        Assert.All(hashes, h => Assert.Matches("^[0-9a-f]{64}$", h));
    }

    [Fact]
    public void A_missing_image_is_named()
    {
        var e = Assert.Throws<FaceDistillException>(() => ImageListHash.Compute(_temp["one"], [.. Paths, "b/none.jpg"]));

        Assert.StartsWith($"cannot read {Path.Combine(_temp["one"], "b/none.jpg")}", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static void Make(string root)
    {
        for (int i = 0; i < Paths.Length; i++)
        {
            string file = Path.Combine(root, Paths[i]);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, Enumerable.Range(0, 100_000 + i).Select(j => (byte)(j * (i + 3))).ToArray());
        }
    }
}
