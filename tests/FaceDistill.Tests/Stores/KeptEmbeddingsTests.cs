using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Teachers;
using FaceDistill.Tests.Datasets;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Stores;

public sealed class KeptEmbeddingsTests : EmbeddedFaces
{
    // As many parts as there are faces, and one in three of them twice: rows are found wherever they lie, however many files may be open.
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(100)]
    public void Embeddings_that_stay_on_disk_are_those_in_memory(int open)
    {
        var all = Aligned(24);
        for (int i = 0; i < 24; i++)
        {
            File.Copy(all.Dataset.FullPath(all.Dataset.Images[i]), _folder[$"faces/twin{i / 3}.jpg"], overwrite: true);
            new FaceEmbeddings(_named, Some(all, i)).Of(Both[..(1 + (i % 2))], JobContext.None);
        }

        var faces = AlignedFaces.Open(_folder["faces"]).Hashed(JobContext.None);
        using var files = new OpenParts(open);
        var embeddings = new FaceEmbeddings(_named, faces);
        var kept = embeddings.Kept(Both, files, JobContext.None);
        Assert.Equal(12, embeddings.Computed); // the mirrored views of every second one
        var sets = new FaceEmbeddings(_named, faces).Of(Both, JobContext.None);
        Parallel.For(0, 4 * faces.Dataset.Images.Count, i =>
        {
            var row = new float[_named.Dimension];
            kept[i % 2].Read(i / 4, row);
            Assert.Equal(sets[i % 2].Row(i / 4).ToArray(), row);
        });
        Assert.True(kept[0].AreOf([.. faces.Dataset.Images]));
        Assert.False(kept[0].AreOf([.. faces.Dataset.Images.Reverse()]));
    }

    [Fact]
    public void A_face_takes_four_bytes_and_views_whose_rows_lie_alike_take_them_once()
    {
        const int Many = 1_000_000, Rows = 1000;
        var faces = Enumerable.Repeat(new FaceImage("x", ""), Many).ToArray();
        using var files = new OpenParts();
        KeptEmbeddings Kept(KeptEmbeddings? like)
        {
            var found = new EmbeddingPlaces(Many);
            for (int i = 0; i < Many; i += Rows)
            {
                found.Add(new EmbeddingPart($"{i}.emb", Rows, 128), Enumerable.Range(0, Rows).Select(row => (i + row, Rows - 1 - row)));
            }

            Assert.Equal(Many, found.Found);
            return new KeptEmbeddings("teacher", 128, faces, found, files, like);
        }

        Assert.InRange(HeldMemory.Of(() => Kept(null)) / Many, 3.9, 4.5);
        var first = Kept(null);
        Assert.InRange(HeldMemory.Of(() => Kept(first)) / Many, -0.1, 0.5); // the names of its parts
        GC.KeepAlive(first);
    }

    [Fact]
    public void Faces_that_come_are_embedded_and_those_that_were_there_are_not()
    {
        var embedded = new List<int>();
        var named = new Named(_teacher, _named.Name) { Embedded = embedded.Add };
        var first = Aligned(Faces);
        new FaceEmbeddings(named, first).Of(Both, JobContext.None);
        string folder = new EmbeddingCache(_named, first.Manifest.Frame, "original").Folder;
        var parts = Directory.GetFiles(folder).ToDictionary(p => p, p => (File.ReadAllText(p), File.GetLastWriteTimeUtc(p)));
        Assert.Equal(2 * Faces, embedded.Sum());

        embedded.Clear();
        for (int i = 0; i < 5; i++)
        {
            Pictures.Noise(_folder[$"faces/0new/{i}.jpg"], 64, 64, seed: 1000 + i);
        }

        var more = new FaceEmbeddings(named, AlignedFaces.Open(_folder["faces"]));
        more.Of(Both, JobContext.None);
        Assert.Equal((5, 10), (more.Computed, embedded.Sum()));
        Assert.All(parts, p => Assert.Equal(p.Value, (File.ReadAllText(p.Key), File.GetLastWriteTimeUtc(p.Key)))); // nothing is written again
        Assert.Equal(parts.Count + 1, Directory.GetFiles(folder).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_part_that_went_or_changed_is_named_with_the_remedy(bool deleted)
    {
        var faces = Aligned(Faces).Hashed(JobContext.None);
        using var files = new OpenParts();
        var kept = Assert.Single(new FaceEmbeddings(_named, faces).Kept(Both[..1], files, JobContext.None));
        string part = Assert.Single(Directory.GetFiles(new EmbeddingCache(_named, faces.Manifest.Frame, "original").Folder, "*.emb"));
        if (deleted)
        {
            File.Delete(part);
        }
        else
        {
            File.AppendAllText(part, "x");
        }

        for (int i = 0; i < 2; i++)
        {
            string message = Assert.Throws<FaceDistillException>(() => kept.Read(i, new float[_named.Dimension])).Message;
            Assert.StartsWith($"{part}, which holds embeddings, was changed or deleted", message, StringComparison.Ordinal);
            Assert.Contains("run the same again", message, StringComparison.Ordinal);
        }
    }

    private static AlignedFaces Some(AlignedFaces faces, int index) => faces with { Dataset = faces.Dataset with { Images = [faces.Dataset.Images[index]] } };
}
