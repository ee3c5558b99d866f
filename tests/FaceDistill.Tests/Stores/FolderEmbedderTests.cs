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

public sealed class FolderEmbedderTests : IDisposable
{
    private const int Faces = 70; // two whole batches of 32 and a remainder
    private static readonly FaceView[] Both = [FaceView.Original, FaceView.Mirrored];
    private readonly TempFolder _folder = new();
    private readonly OnnxEmbedder _teacher;

    public FolderEmbedderTests() =>
        _teacher = TeacherCard.Open(TinyTeacher.Write(_folder["teacher"]), new AssetFinder([], [], [], _folder["cache"]));

    public void Dispose()
    {
        _teacher.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Many_at_once_equal_one_by_one_and_the_mirrored_view_is_the_flipped_picture()
    {
        var faces = Aligned(Faces, 64);
        int told = 0;
        float[] all = new FolderEmbedder(_teacher, faces).Embed(3, Faces - 3, [.. Both.Select(EmbeddedView.Of)], n => Interlocked.Add(ref told, n), default);
        Assert.Equal(Faces - 3, told);
        for (int i = 3; i < Faces; i++)
        {
            using var face = faces.ReadView(i, TinyTeacher.Size);
            using var flipped = new Mat();
            Cv2.Flip(face, flipped, FlipMode.Y);
            float[] expected = [.. One(face), .. One(flipped)];
            float[] actual = all[((i - 3) * 2 * TinyTeacher.Dimension)..((i - 2) * 2 * TinyTeacher.Dimension)];
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            Assert.NotEqual(expected[..TinyTeacher.Dimension], expected[TinyTeacher.Dimension..]);
        }
    }

    [Fact]
    public void A_damaged_face_and_another_template_are_one_clear_line()
    {
        var faces = Aligned(Faces, 64);
        string damaged = faces.Dataset.FullPath(faces.Dataset.Images[40]);
        File.WriteAllText(damaged, "no picture");
        Assert.StartsWith(damaged, Assert.Throws<FaceDistillException>(
            () => new FolderEmbedder(_teacher, faces).Embed(0, Faces, [.. Both.Select(EmbeddedView.Of)], null, default)).Message, StringComparison.Ordinal);
        var other = faces with { Manifest = faces.Manifest with { Template = "arcface" } };
        Assert.Contains("'arcface' but tiny wants 'dlib'", Assert.Throws<FaceDistillException>(
            () => new FolderEmbedder(_teacher, other).Embed(0, 1, [.. Both.Select(EmbeddedView.Of)], null, default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_run_computes_nothing_and_a_cancelled_one_is_continued_to_the_same_values()
    {
        var faces = Aligned(1100, 32); // a part of a store is 1,024 faces
        var whole = Run(faces, "whole");
        Assert.Equal(1100, whole.Computed);
        Assert.Equal(0, Run(faces, "whole").Computed);

        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Run(faces, "cut", new JobContext(Progress: new CancelIn(1030, cancel), Cancel: cancel.Token)));
        Assert.Contains("incomplete", Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_folder["cut"])).Message, StringComparison.Ordinal);
        var continued = Run(faces, "cut");
        Assert.Equal(1100 - EmbeddingStoreKey.DefaultImagesPerPart, continued.Computed);
        foreach (string view in new[] { "original", "mirrored" })
        {
            EmbeddingSet a = whole.Store.ReadAll(view), b = continued.Store.ReadAll(view);
            Assert.Equal(a.Values, b.Values);
            Assert.Equal(faces.Dataset.Images.Select(i => i.Path), b.Paths);
        }

        Assert.Equal(faces.Dataset.Root, EmbeddingSource.Of(_folder["cut"])!.Aligned);
    }

    [Fact]
    public void A_store_of_other_faces_is_refused()
    {
        var faces = Aligned(4, 64);
        Run(faces, "store");
        Pictures.Noise(faces.Dataset.FullPath(faces.Dataset.Images[2]), 64, 64, seed: 99);
        Assert.Contains(_folder["store"], Assert.Throws<FaceDistillException>(() => Run(faces, "store")).Message, StringComparison.Ordinal);
    }

    private EmbeddingOutcome Run(AlignedFaces faces, string store, JobContext? job = null) =>
        EmbeddingRun.Run(_teacher, faces, [.. Both.Select(EmbeddedView.Of)], faces.Dataset.Root, _folder[store], job ?? JobContext.None);

    private float[] One(Mat face)
    {
        var input = new float[_teacher.Contract.Values];
        FaceTensor.Fill(face, _teacher.Contract, input);
        var embedding = new float[TinyTeacher.Dimension];
        _teacher.Embed(input, 1, embedding);
        return embedding;
    }

    private AlignedFaces Aligned(int count, int side)
    {
        Pictures.Fill(_folder["faces"], count, 1, side);
        new AlignmentManifest(1, "dlib", side, 0, "user", "", true).Write(_folder["faces"]);
        return AlignedFaces.Open(_folder["faces"]);
    }

    private sealed class CancelIn(int count, CancellationTokenSource cancel) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Stage.StartsWith("embedding with", StringComparison.Ordinal) && value.Done >= count)
            {
                cancel.Cancel();
            }
        }
    }
}
