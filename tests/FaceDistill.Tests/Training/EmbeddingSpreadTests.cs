using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training;

namespace FaceDistill.Tests.Training;

public sealed class EmbeddingSpreadTests
{
    [Fact]
    public void The_variance_is_the_mean_squared_distance_from_the_mean()
    {
        Assert.Equal(1 + 4, EmbeddingSpread.VarianceOf([1, 10, 3, 14], 2)); // mean (2, 12): both at (1, 2) from it
        Assert.Equal(0, EmbeddingSpread.VarianceOf([7, 8, 9], 3));
        Assert.Equal(1e-6, EmbeddingSpread.VarianceOf([1 - 1e-3f, 1 + 1e-3f], 1), 1e-9);
    }

    [Theory]
    [InlineData(0.0999, true)]
    [InlineData(0.1001, false)]
    public void At_a_hundredth_of_the_reference_it_is_dead(double half, bool dead)
    {
        var spread = EmbeddingSpread.Of([(float)(5 - half), (float)(5 + half)], 1, 1, "the teacher's")!;
        Assert.Equal((half * half, 2), (spread.Variance, spread.Faces), new Near());
        Assert.Equal(dead, spread.IsDead);
    }

    [Fact]
    public void A_refusal_says_both_figures_and_what_to_do()
    {
        var spread = new EmbeddingSpread(1.2e-6, 0.345, "the teacher's", 128);
        string message = Assert.Throws<FaceDistillException>(() => spread.Require("run: the student", "train longer")).Message;
        Assert.Equal("run: the student gives 128 faces nearly the same embedding: their variance is 1.2e-6, and the teacher's is 3.5e-1, of which more than "
            + "a hundredth is asked for; train longer", message);
        new EmbeddingSpread(0.0035, 0.345, "the teacher's", 128).Require("run: the student", "train longer");
        Assert.True((spread with { Variance = double.NaN }).IsDead);
        Assert.Equal(spread, JsonFile.Parse<EmbeddingSpread>(JsonFile.Serialize(spread), "x"));
    }

    [Fact]
    public void Without_a_teacher_the_angles_decide_and_not_the_lengths()
    {
        Assert.True(EmbeddingSpread.OfUnits([1, 1, 100, 100, 5, 5], 2)!.IsDead);
        // 1 less the mean cosine, over all pairs, those with themselves included
        Assert.Equal(0.5, EmbeddingSpread.OfUnits([3, 0, 0, 0.1f], 2)!.Variance, 1e-6);
        Assert.True(EmbeddingSpread.OfUnits([0, 0, 0, 0], 2)!.IsDead);
        Assert.True(EmbeddingSpread.OfUnits([1, 0.01f, 1, -0.01f], 2)!.IsDead);
        Assert.False(EmbeddingSpread.OfUnits([1, 0.05f, 1, -0.05f], 2)!.IsDead);
    }

    [Fact]
    public void One_face_cannot_tell()
    {
        Assert.Null(EmbeddingSpread.OfUnits([1, 2], 2));
        Assert.Null(EmbeddingSpread.Of([1, 2], 2, 1, "x"));
        Assert.Null(EmbeddingSpread.Of([], 2, 1, "x"));
    }

    [Fact]
    public void A_student_is_measured_by_its_teachers_variance_which_its_checkpoint_keeps()
    {
        using var folder = new TempFolder();
        var student = RandomStudent.Write(folder["x"], "mobilenet-v1:0.25@64", HeadKind.Gap, dimension: 4, targetScale: 0.5f);
        Assert.Equal(4 * 0.25, EmbeddingSpread.Of(new float[8], student)!.Reference, 1e-9);
    }

    private sealed class Near : IEqualityComparer<(double Value, int Count)>
    {
        public bool Equals((double Value, int Count) a, (double Value, int Count) b) => Math.Abs(a.Value - b.Value) < 1e-6 && a.Count == b.Count;

        public int GetHashCode((double Value, int Count) x) => x.Count;
    }
}
