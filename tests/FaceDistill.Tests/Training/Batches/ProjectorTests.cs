using FaceDistill.Formats;
using FaceDistill.Stores;
using FaceDistill.Training.Batches;

namespace FaceDistill.Tests.Training.Batches;

public sealed class ProjectorTests
{
    [Fact]
    public void Embeddings_that_lie_in_a_plane_lose_nothing()
    {
        var set = Set(200, 6, rank: 2, seed: 1);
        var projector = Fit(set, 2);
        Assert.Equal(1, projector.Kept, 1e-6);
        var projected = Projected(set, projector);
        Assert.Equal((2, "teacher", 200), (projected.Dimension, projected.Name, projected.Count));
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(Inner(set, i, i + 1), Inner(projected, i, i + 1), 1e-4); // scores are the same
        }
    }

    [Fact]
    public void Rows_are_orthonormal_and_projections_are_plain_products()
    {
        var set = Set(9000, 5, rank: 5, seed: 2); // more than a round of rows
        var p = Fit(set, 3);
        for (int a = 0; a < 3; a++)
        {
            for (int b = 0; b < 3; b++)
            {
                Assert.Equal(a == b ? 1 : 0, Enumerable.Range(0, 5).Sum(i => (double)p.Matrix[(a * 5) + i] * p.Matrix[(b * 5) + i]), 1e-5);
            }
        }

        var projected = Projected(set, p);
        foreach (int row in new[] { 0, 8191, 8192, 8999 })
        {
            Assert.Equal(Enumerable.Range(0, 5).Sum(i => (double)p.Matrix[5 + i] * set.Row(row)[i]), projected.Row(row)[1], 1e-4);
        }
    }

    [Fact]
    public void No_other_axes_keep_more_and_the_kept_part_is_what_is_kept()
    {
        var set = Set(300, 6, rank: 6, seed: 3);
        var best = Fit(set, 2);
        double Length(Projector p) => Projected(set, p).Values.Sum(v => (double)v * v) / set.Values.Sum(v => (double)v * v);
        Assert.Equal(best.Kept, Length(best), 1e-5);
        for (int a = 0; a < 6; a++)
        {
            var axes = new float[12];
            (axes[a], axes[6 + ((a + 1) % 6)]) = (1, 1);
            Assert.True(Length(new Projector(axes, 6, 2, 0)) < best.Kept);
        }
    }

    [Fact]
    public void It_is_written_with_its_teacher()
    {
        using var folder = new TempFolder();
        var projector = Fit(Set(50, 4, rank: 4, seed: 4), 2);
        projector.Write(folder.Path, "teacher", "abc");
        var (tensors, metadata) = SafetensorsFile.Read(folder[Projector.FileName]);
        Assert.Equal([2, 4], tensors["projection"].Shape);
        Assert.Equal(projector.Matrix, tensors["projection"].Floats());
        Assert.Equal(("teacher", "abc"), (metadata["teacher"], metadata["teacher_sha256"]));
    }

    [Fact]
    public void A_longer_embedding_and_too_few_faces_are_refused()
    {
        Assert.Contains("at most as long", Assert.Throws<FaceDistillException>(() => Fit(Set(50, 4, 4, 5), 4)).Message, StringComparison.Ordinal);
        Assert.Contains("2 faces cannot show 3", Assert.Throws<FaceDistillException>(() => Fit(Set(2, 4, 4, 5), 3)).Message,
            StringComparison.Ordinal);
    }

    private static Projector Fit(EmbeddingSet set, int dimension) => Projector.Fit(set, [.. Enumerable.Range(0, set.Count)], dimension);

    private static EmbeddingSet Projected(EmbeddingSet set, Projector projector)
    {
        var rows = new ProjectedRows(set, projector);
        var values = new float[rows.Count * rows.Dimension];
        for (int i = 0; i < rows.Count; i++)
        {
            rows.Read(i, values.AsSpan(i * rows.Dimension, rows.Dimension));
        }

        return new EmbeddingSet(rows.Name, rows.Dimension, values, set.Paths, set.Identities);
    }

    private static double Inner(EmbeddingSet set, int a, int b)
    {
        double sum = 0;
        for (int d = 0; d < set.Dimension; d++)
        {
            sum += (double)set.Row(a)[d] * set.Row(b)[d];
        }

        return sum;
    }

    private static EmbeddingSet Set(int faces, int dimension, int rank, int seed)
    {
        var random = new Random(seed);
        double[][] axes = [.. Enumerable.Range(0, rank).Select(_ => Enumerable.Range(0, dimension).Select(_ => random.NextDouble() - 0.3).ToArray())];
        var values = new float[faces * dimension];
        for (int i = 0; i < faces; i++)
        {
            double[] weights = [.. axes.Select((_, k) => random.NextDouble() / (k + 1))];
            for (int d = 0; d < dimension; d++)
            {
                values[(i * dimension) + d] = (float)axes.Select((a, k) => a[d] * weights[k]).Sum();
            }
        }

        return new EmbeddingSet("teacher", dimension, values, [.. Enumerable.Range(0, faces).Select(i => $"{i}")], [.. Enumerable.Repeat("", faces)]);
    }
}
