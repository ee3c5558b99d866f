using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Synthetic;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

/// <summary>The number of OpenCV's threads is the whole process's: an application finds it as it was.</summary>
public sealed class OneOpenCvThreadTests(TinyRun tiny) : IClassFixture<TinyRun>, IDisposable
{
    private const int Own = 3;
    private readonly int _before = Cv2.GetNumThreads();

    public void Dispose() => Cv2.SetNumThreads(_before);

    [Fact]
    public void The_last_one_that_is_let_go_of_sets_back_what_was_found()
    {
        Cv2.SetNumThreads(Own);
        var first = OneOpenCvThread.Hold();
        var second = OneOpenCvThread.Hold();
        first.Dispose();
        first.Dispose();
        Assert.Equal(1, Cv2.GetNumThreads());
        second.Dispose();
        Assert.Equal(Own, Cv2.GetNumThreads());
    }

    [Fact]
    public void Drawing_embedding_reading_batches_and_measuring_a_cost_set_it_back()
    {
        Cv2.SetNumThreads(Own);
        using var folder = new TempFolder();
        SyntheticFaces.Write(folder.Path, new DrawnPeople(2, 1, 1), AlignmentTemplate.Dlib.PointsIn(AlignedFrame.Of(64, 0)), 64);
        Assert.Equal(Own, Cv2.GetNumThreads());
        new FaceEmbeddings(tiny.Teacher, tiny.Faces).Of(FaceView.Original, JobContext.None);
        Assert.Equal(Own, Cv2.GetNumThreads());
        using var reader = new BatchReader(tiny.Training(), 64, 4, 1, mirror: true);
        Assert.NotEmpty(reader.Training(0, 0, default));
        Assert.Equal(Own, Cv2.GetNumThreads());
        TrainingCost.Measure(TinyRun.Options with { Targets = new TargetOptions { Augment = AugmentOptions.Strong } }, 16, 100, default);
        Assert.Equal(Own, Cv2.GetNumThreads());
    }
}
