using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;

namespace FaceDistill.Tests.Datasets;

/// <summary>Raw photos on their way into the cache.</summary>
public sealed class AlignedCacheTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [RealDataFact]
    public void Raw_photos_are_aligned_into_the_cache_once_and_known_there_by_content()
    {
        string[] names = ["ann/1.jpg", "ann/2.jpg", "bob/1.jpg", "twin/same.jpg", "twin/other.jpg"];
        foreach (var (photo, name) in RealData.LfwPhotos(names.Length).Zip(names))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder["raw/" + name])!);
            File.Copy(photo, _folder["raw/" + name]);
            File.AppendAllText(_folder["raw/" + name], Guid.NewGuid().ToString()); // after the picture's end: photos that no earlier run aligned
        }

        var lines = new List<string>();
        Pictures.Noise(_folder["raw/junk/noise.png"], 160, 120);
        File.WriteAllText(_folder["raw/junk/notes.txt"], "holiday");

        var faces = Open(said: 2); // what is done, and how many files were left out
        Assert.Equal(5, faces.Dataset.Images.Count);
        Assert.Equal(("arcface", AlignedFrame.DefaultSize), (faces.Manifest.Template, faces.Manifest.Size));
        Assert.Equal(new[] { "junk/noise.png", "junk/notes.txt" }, faces.Skipped.Select(s => s.Path));
        Assert.All(faces.Dataset.Images, i => Assert.StartsWith(CacheFolder.Root, faces.Dataset.FullPath(i), StringComparison.Ordinal));
        Assert.All(faces.Dataset.Images, i => Assert.True(i.Shown > 0));
        Assert.Equal(faces.Dataset.Images, Open(said: 1).Dataset.Images);

        // Of photos that come those alone are aligned.
        foreach (string name in new[] { "ann/3.jpg", "new/1.jpg" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder["raw/" + name])!);
            File.WriteAllBytes(_folder["raw/" + name], [.. File.ReadAllBytes(_folder["raw/ann/1.jpg"]), .. Guid.NewGuid().ToByteArray()]);
        }

        Assert.Equal(7, Open(said: 2).Dataset.Images.Count);
        Assert.Contains(lines, l => l.Contains("aligning 2 of 8", StringComparison.Ordinal));
        File.Delete(_folder["raw/ann/3.jpg"]);
        Directory.Delete(_folder["raw/new"], recursive: true);

        // A copy under another name, with other dates, is the same faces.
        Directory.Move(_folder["raw"], _folder["moved"]);
        string[] photos = [.. Directory.GetFiles(_folder["moved"], "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Array.ForEach(photos, p => File.SetLastWriteTimeUtc(p, DateTime.UtcNow));
        Assert.Equal(faces.Id, Open(said: 1, "moved").Id);

        // A face that is gone from the cache, and one that was altered, are made again.
        string file = faces.Dataset.FullPath(faces.Dataset.Images[0]);
        File.Delete(file);
        File.AppendAllText(faces.Dataset.FullPath(faces.Dataset.Images[1]), "junk");
        Assert.Equal(faces.Id, Open(said: 2, "moved").Id);
        Assert.True(File.Exists(file));

        // A photo replaced by a picture of the same size and date, and one that is none any more.
        string replaced = photos.First(p => p.EndsWith("same.jpg", StringComparison.Ordinal));
        byte[] bytes = File.ReadAllBytes(replaced);
        var date = File.GetLastWriteTimeUtc(replaced);
        bytes[^1] ^= 1;
        File.WriteAllBytes(replaced, bytes);
        File.SetLastWriteTimeUtc(replaced, date);
        Assert.NotEqual(faces.Dataset.Images.Single(i => i.Path == "twin/same.jpg").Photo,
            Open(said: 2, "moved").Dataset.Images.Single(i => i.Path == "twin/same.jpg").Photo);
        File.WriteAllText(replaced, $"no picture any more {Guid.NewGuid()}");
        Assert.Equal(4, Open(said: 2, "moved").Dataset.Images.Count);
        Assert.Equal(4, Open(said: 1, "moved").Dataset.Images.Count);

        AlignedFaces Open(int said, string folder = "raw")
        {
            lines.Clear();
            var opened = new FaceSource(AssetFinder.FromEnvironment()).Open(DataFolder.Of(_folder[folder]), "arcface", null, new JobContext(lines.Add));
            Assert.True(said == lines.Count, string.Join('\n', lines));
            return opened;
        }
    }
}
