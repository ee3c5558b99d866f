using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Teachers;
using FaceDistill.Tests.Datasets;
using FaceDistill.Views;

namespace FaceDistill.Tests.Stores;

/// <summary>What keeps a GPU busy, with a computation in its place that says how it was called.</summary>
public sealed class OneFeederTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 4)]
    [InlineData(8, 4)]
    [InlineData(11, 4)]
    [InlineData(0, 4)]
    public void Every_face_is_in_one_batch_in_order_and_one_batch_is_computed_at_a_time(int count, int batch)
    {
        var (seen, sizes) = (new List<float>(), new List<int>());
        int running = 0, told = 0;
        OneFeeder.Run(count, batch, 2, (i, input) => (input[0], input[1]) = (i, -i), (input, first, faces) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            Assert.Equal(seen.Count / 2, first);
            seen.AddRange(input[..(2 * faces)]);
            sizes.Add(faces);
            Thread.Sleep(2);
            Interlocked.Decrement(ref running);
        }, n => told += n, CancellationToken.None);
        Assert.Equal(Enumerable.Range(0, count).SelectMany(i => new[] { (float)i, -i }), seen);
        Assert.Equal(Enumerable.Range(0, count).Chunk(batch).Select(b => b.Length), sizes);
        Assert.Equal(count, told);
    }

    [Fact]
    public void What_fails_comes_through_as_it_is_and_a_cancelled_run_stops()
    {
        var wrong = new FaceDistillException("face 5 is damaged");
        Assert.Equal(wrong.Message, Assert.Throws<FaceDistillException>(
            () => OneFeeder.Run(8, 4, 1, (i, input) => input[0] = i == 5 ? throw wrong : i, (_, _, _) => { }, _ => { }, CancellationToken.None)).Message);
        Assert.Same(wrong, Assert.Throws<FaceDistillException>(
            () => OneFeeder.Run(8, 4, 1, (_, _) => { }, (_, first, _) => _ = first == 4 ? throw wrong : first, _ => { }, CancellationToken.None)));
        using var cancel = new CancellationTokenSource();
        int computed = 0;
        Assert.ThrowsAny<OperationCanceledException>(() => OneFeeder.Run(800, 4, 1, (_, _) => { }, (_, _, _) =>
        {
            computed++;
            cancel.Cancel();
        }, _ => { }, cancel.Token));
        Assert.InRange(computed, 1, 3);
    }

    [Fact]
    public void A_model_on_a_device_gets_large_batches_and_its_embeddings_are_those_of_small_ones()
    {
        const int Faces = 70;
        Pictures.Fill(_folder["faces"], Faces, 1, 64);
        new AlignmentManifest(1, "dlib", 64, 0, "user", "", true).Write(_folder["faces"]);
        var faces = AlignedFaces.Open(_folder["faces"]);
        using var teacher = TeacherCard.Open(TinyTeacher.Write(_folder["teacher"]), new AssetFinder([], [], _folder["cache"]));
        EmbeddedView[] views = [EmbeddedView.Of(FaceView.Original), EmbeddedView.Of(FaceView.Mirrored)];
        using var small = new Counted(teacher, 0, Path.GetFileName(_folder.Path) + "s");
        using var large = new Counted(teacher, 96, Path.GetFileName(_folder.Path) + "l");
        using var summed = new FlipSummed(new Counted(teacher, 96, "f"));
        Assert.Equal((0, 96), (new FlipSummed(small).FacesAtOnce, summed.FacesAtOnce));
        Assert.Equal(96, new EnsembleTeacher("both", [large, large]).FacesAtOnce);
        Assert.Equal(0, new EnsembleTeacher("mixed", [large, small]).FacesAtOnce); // all cores compute the other's
        try
        {
            var expected = new FaceEmbeddings(small, faces).Of(views, JobContext.None);
            var actual = new FaceEmbeddings(large, faces).Of(views, JobContext.None);
            Assert.Equal([96, 44], large.Counts); // both views of 48 faces, and the rest
            Assert.All(small.Counts, n => Assert.InRange(n, 1, 64));
            Assert.All(expected.Zip(actual), set => Assert.All(set.First.Values.Zip(set.Second.Values), v => Assert.Equal(v.First, v.Second, 1e-6)));
        }
        finally
        {
            foreach (string kept in views.SelectMany(v => new[] { small, large }.Select(m => new EmbeddingCache(m, faces.Manifest.Frame, v.Name).Folder)))
            {
                Directory.Delete(kept, recursive: true);
            }
        }
    }

    private sealed class Counted(IEmbedder model, int atOnce, string name) : IEmbedder, IFedByOne
    {
        public List<int> Counts { get; } = [];

        public int FacesAtOnce => atOnce;

        public string Name => name;

        public string Hash => model.Hash + name;

        public ModelInputSpec Contract => model.Contract;

        public int Dimension => model.Dimension;

        public void Embed(float[] faces, int count, Span<float> embeddings)
        {
            lock (Counts)
            {
                Counts.Add(count);
            }

            model.Embed(faces, count, embeddings);
        }

        public void Dispose()
        {
        }
    }
}
