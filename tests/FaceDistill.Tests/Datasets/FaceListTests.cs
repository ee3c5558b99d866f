using FaceDistill.Datasets;
using FaceDistill.Files;

namespace FaceDistill.Tests.Datasets;

/// <summary>The list that a million faces are kept in.</summary>
public sealed class FaceListTests
{
    private const int Many = 20_000;

    [Fact]
    public void Whatever_is_put_in_comes_out_again()
    {
        var random = new Random(1);
        string[] names = ["a.jpg", "", "é/ü.png", "x/y/z", "名前/写真.jpg", "odd\ud800/lone\udc00.jpg", "a/\u00ff\u0100.jpg", "/", "x/" + new string('n', 255)];
        ContentHash Content() => random.Next(3) == 0 ? default : new ContentHash(((UInt128)random.NextInt64() << 64) + (UInt128)random.NextInt64());
        FaceImage Face(int i)
        {
            var image = new FaceImage(names[random.Next(names.Length)] + (i % 2 == 0 ? "" : $"{i}"), names[random.Next(names.Length)])
            {
                Hash = Content(), Photo = Content(), Shown = random.Next(3),
            };
            return image with
            {
                Place = random.Next(5) switch
                {
                    0 => default,
                    1 => new FilePlace($"/data/{i}/train.rec", random.NextInt64(), random.Next(1, int.MaxValue)),
                    2 => new FilePlace(AlignedCache.FileOf("/cache/aligned/dlib112", image.Photo, image.Hash, image.Shown)),
                    3 => new FilePlace(AlignedCache.FileOf("/cache/aligned/dlib112", image.Hash, image.Hash, image.Shown)),
                    _ => new FilePlace($"/photos/{names[random.Next(names.Length)]}x"),
                },
            };
        }

        foreach (int count in new[] { 0, 1, 1023, 1024, 1025, 5000 })
        {
            FaceImage[] images = [.. Enumerable.Range(0, count).Select(Face)];
            var list = FaceList.Of(images);
            Assert.Equal(images, list);
            Assert.Equal(count, list.Count);
            Assert.All(Enumerable.Range(0, count), i => Assert.Equal(images[i], list[i]));
            Assert.Same(list, new FaceDataset("/", list, []).Images);
            Assert.Equal(images.Reverse(), (new FaceDataset("/", list, []) with { Images = [.. list.Reverse()] }).Images);
            Assert.Throws<ArgumentOutOfRangeException>(() => list[count]);
            Assert.Throws<ArgumentOutOfRangeException>(() => list[-1]);
        }
    }

    [Theory]
    [InlineData("folder", 85)] // names of 13 characters, two contents of 16 bytes
    [InlineData("cache", 95)]
    [InlineData("file", 110)]
    public void A_face_takes_some_tens_of_bytes(string kind, int most) => Assert.InRange(HeldMemory.Of(() => Drawn(kind)) / Many, 40, most);

    private static FaceList Drawn(string kind)
    {
        var random = new Random(2);
        ContentHash Content() => new(((UInt128)random.NextInt64() << 64) + (UInt128)random.NextInt64());
        return FaceList.Of([.. Enumerable.Range(0, Many).Select(i =>
        {
            var image = new FaceImage($"person{i / 20:00000}/{i:00000000}.jpg", $"person{i / 20:00000}") { Hash = Content(), Photo = Content(), Shown = 1 };
            return kind switch
            {
                "cache" => image with { Place = AlignedCache.FileOf("/home/user/.cache/facedistill/aligned/dlib112", image.Photo, image.Hash, 1) },
                "file" => image with { Place = new FilePlace("/data/webface/train.rec", 10_000L * i, 9000) },
                _ => image,
            };
        })]);
    }
}
