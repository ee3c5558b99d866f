using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Views;

namespace FaceDistill.Tests.Training.Batches;

public sealed class TrainingFacesTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.1, 12)]
    [InlineData(0.5, 60)]
    public void The_split_is_disjoint_complete_and_of_the_asked_for_size(double part, int held)
    {
        var faces = tiny.Training(part);
        Assert.Equal(held, faces.Validation.Length);
        Assert.Equal(Enumerable.Range(0, 120), faces.Training.Concat(faces.Validation).Order());
    }

    [Fact]
    public void The_split_depends_on_the_seed_alone()
    {
        Assert.Equal(tiny.Training(seed: 5).Validation, tiny.Training(seed: 5).Validation);
        Assert.NotEqual(tiny.Training(seed: 5).Validation, tiny.Training(seed: 6).Validation);
    }

    [Fact]
    public void The_scaling_is_measured_on_training_faces_only()
    {
        var faces = tiny.Training(0.5);
        var expected = TargetScaling.Measure(tiny.Read("original"), faces.Training);
        Assert.Equal(expected.Scale, faces.Scaling.Scale);
        Assert.Equal(expected.Mean, faces.Scaling.Mean);
    }

    [Fact]
    public void Embeddings_of_another_list_are_refused()
    {
        var set = tiny.Read("original");
        var turned = new EmbeddingSet(set.Name, set.Dimension, set.Values, [.. set.Paths.Reverse()], set.Identities);
        Assert.Contains("not those of the faces", Assert.Throws<FaceDistillException>(
            () => new TrainingFaces(tiny.Faces, turned, null, 0, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("not those of the faces", Assert.Throws<FaceDistillException>(
            () => new TrainingFaces(tiny.Faces, set, turned, 0, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_embeddings_of_mirrored_faces_there_are_none_to_give()
    {
        var faces = new TrainingFaces(tiny.Faces, tiny.Read("original"), null, 0, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => faces.Read(0, FaceView.Mirrored, new float[faces.Dimension]));
    }
}
