using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Training.Batches;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Training.Batches;

public sealed class FacePixelsTests(TrainedRun run) : IClassFixture<TrainedRun>
{
    [Theory]
    [InlineData(64)]
    [InlineData(96)]
    public void A_face_is_the_aligned_picture_in_rgb(int size)
    {
        using var expected = run.Tiny.Faces.ReadView(7, size);
        byte[] pixels = Copy(new FacePixels(run.Tiny.Faces, size), 7, FaceView.Original);
        Assert.Equal(size * size * 3, pixels.Length);
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                var bgr = expected.At<Vec3b>(y, x);
                Assert.Equal([bgr.Item2, bgr.Item1, bgr.Item0], pixels.AsSpan(3 * ((y * size) + x), 3));
            }
        }
    }

    [Fact]
    public void The_mirrored_face_is_what_opencv_makes_of_it()
    {
        using var picture = run.Tiny.Faces.ReadView(3, 64);
        using var flipped = picture.Flip(FlipMode.Y);
        var expected = new byte[64 * 64 * 3];
        FaceTensor.CopyRgb(flipped, expected);
        byte[] mirrored = Copy(new FacePixels(run.Tiny.Faces, 64), 3, FaceView.Mirrored);
        Assert.Equal(expected, mirrored);
        Assert.NotEqual(Copy(new FacePixels(run.Tiny.Faces, 64), 3, FaceView.Original), mirrored);
    }

    [Fact]
    public void The_budget_decides_what_is_kept_and_never_what_is_given()
    {
        using var folder = new TempFolder();
        var faces = run.CopyFaces(folder["faces"]);
        var all = new FacePixels(faces, 64);
        var one = new FacePixels(faces, 64, new PictureMemory(all.Bytes + KeptPictures.Overhead));
        var none = new FacePixels(faces, 64, new PictureMemory(0));
        byte[] expected = Copy(all, 0, FaceView.Original);
        Assert.Equal(expected, Copy(one, 0, FaceView.Original));
        Assert.Equal(expected, Copy(none, 0, FaceView.Original));
        byte[] second = Copy(all, 1, FaceView.Original);
        Assert.Equal(second, Copy(one, 1, FaceView.Original));
        File.Delete(faces.Dataset.FullPath(faces.Dataset.Images[0]));
        File.Delete(faces.Dataset.FullPath(faces.Dataset.Images[1]));
        Assert.Equal(expected, Copy(all, 0, FaceView.Original));
        Assert.Equal(expected, Copy(one, 0, FaceView.Original));
        Assert.Throws<FaceDistillException>(() => Copy(one, 1, FaceView.Original));
        Assert.Throws<FaceDistillException>(() => Copy(none, 0, FaceView.Original));
    }

    [Fact]
    public void All_readers_share_one_budget_and_what_is_disposed_gives_its_part_back()
    {
        var faces = run.Tiny.Faces;
        using var first = new FacePixels(faces, 64);
        int picture = first.Bytes + KeptPictures.Overhead;
        var memory = new PictureMemory(3 * picture);
        using (var pixels = new FacePixels(faces, 64, memory))
        {
            Parallel.For(0, 8, i => Copy(pixels, i % 2, FaceView.Original));
            Assert.False(memory.Has(2 * picture));
            Assert.True(memory.Has(picture)); // a face that two threads decoded counts once
            using var frames = new FaceFrames(faces, memory);
            using var frame = frames.Open(5);
            Assert.False(memory.Has(picture));
        }

        Assert.True(memory.Has(3 * picture));
    }

    [Fact]
    public void What_a_user_says_is_the_budget_of_each_process_and_a_third_of_the_memory_is_shared()
    {
        var said = PictureMemory.Of(new() { PictureMemory = 1e-6 }, sharers: 4);
        Assert.True(said.Has(1000));
        Assert.False(said.Has(1001));
        double third = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 3.0;
        Assert.Equal(third, PictureMemory.Of(null).Left, 1.0);
        Assert.Equal(third / 1000, PictureMemory.Of(null, sharers: 1000).Left, 1.0);
    }

    private static byte[] Copy(FacePixels pixels, int index, FaceView view)
    {
        var copy = new byte[pixels.Bytes];
        pixels.Copy(index, view, copy);
        return copy;
    }
}
