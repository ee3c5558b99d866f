using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Tests.Stores;

public sealed class EmbeddingRunTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Fact]
    public async Task Of_several_who_want_the_same_embeddings_one_computes_them_and_the_others_wait()
    {
        using var folder = new TempFolder();
        var named = new Named(tiny.Teacher, $"tiny-{Path.GetFileName(folder.Path)}"); // a store of its own in the cache
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () => EmbeddingRun.Run(named, tiny.Faces, [EmbeddedView.Of(FaceView.Original)], folder.Path, null, JobContext.None))));
        try
        {
            Assert.Equal(tiny.Faces.Dataset.Images.Count, outcomes.Sum(o => o.Computed));
            Assert.Single(outcomes.Select(o => o.Store.Folder).Distinct());
            Assert.Equal(tiny.Read("original").Values.ToArray(), outcomes[3].Store.ReadAll("original").Values.ToArray());
        }
        finally
        {
            Directory.Delete(outcomes[0].Store.Folder, recursive: true);
        }
    }

    private sealed class Named(IEmbedder model, string name) : IEmbedder
    {
        public string Name => name;

        public string Hash => model.Hash;

        public ModelInputSpec Contract => model.Contract;

        public int Dimension => model.Dimension;

        public void Embed(float[] faces, int count, Span<float> embeddings) => model.Embed(faces, count, embeddings);

        public void Dispose()
        {
        }
    }
}
