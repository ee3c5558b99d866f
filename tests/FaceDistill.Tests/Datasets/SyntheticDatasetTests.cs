using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Synthetic;
using OpenCvSharp;

namespace FaceDistill.Tests.Datasets;

public sealed class SyntheticDatasetTests
{
    private static readonly AlignedFrame Frame = new(64, 5);

    [Fact]
    public void The_folder_opens_as_aligned_faces()
    {
        using var folder = new TempFolder();
        AlignedFaces faces = Write(folder["faces"], seed: 1);
        Assert.Equal(6, faces.Dataset.Images.Count);
        Assert.Equal(["id_00000", "id_00001", "id_00002"], faces.Dataset.Images.Select(image => image.Identity).Distinct());
        Assert.Equal(("dlib", "synthetic", Frame), (faces.Manifest.Template, faces.Manifest.Aligner, faces.Manifest.Frame));
        using Mat view = faces.ReadView(5, 64);
        Assert.Equal(new Size(64, 64), view.Size());
    }

    [Fact]
    public void A_finished_folder_is_not_drawn_again_and_a_gap_is_filled()
    {
        using var folder = new TempFolder();
        Write(folder["faces"], seed: 1);
        string path = SyntheticFaces.PathOf(folder["faces"], 1, 1);
        File.WriteAllText(path, "kept");
        Write(folder["faces"], seed: 1);
        Assert.Equal("kept", File.ReadAllText(path));
        File.Delete(path);
        Write(folder["faces"], seed: 1);
        using Mat filled = Cv2.ImRead(path);
        Assert.Equal(new Size(74, 74), filled.Size());
    }

    [Fact]
    public void A_cancelled_folder_is_refused_as_a_data_set_until_it_is_filled()
    {
        using var folder = new TempFolder();
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Write(folder["faces"], 1, source.Token));
        Assert.Throws<FaceDistillException>(() => AlignedFaces.Open(folder["faces"]));
        Assert.Equal(6, Write(folder["faces"], seed: 1).Dataset.Images.Count);
    }

    [Fact]
    public void Other_content_is_left_alone()
    {
        using var folder = new TempFolder();
        Write(folder["faces"], seed: 1);
        var other = Assert.Throws<FaceDistillException>(() => Write(folder["faces"], seed: 2));
        Assert.Contains(folder["faces"], other.Message, StringComparison.Ordinal);
        File.WriteAllText(folder["photo.txt"], "mine");
        Assert.Throws<FaceDistillException>(() => Write(folder.Path, seed: 1));
    }

    [Theory]
    [InlineData(0, 2, 64)]
    [InlineData(3, 0, 64)]
    [InlineData(3, 2, 2000)]
    public void A_refused_call_leaves_nothing_behind(int identities, int images, int size)
    {
        using var folder = new TempFolder();
        Assert.ThrowsAny<ArgumentException>(
            () => SyntheticDataset.Write(folder["faces"], new DrawnPeople(identities, images, 1), AlignmentTemplate.Dlib, new(size, 0)));
        Assert.False(Directory.Exists(folder["faces"]));
    }

    private static AlignedFaces Write(string folder, ulong seed, CancellationToken cancellation = default) =>
        SyntheticDataset.Write(folder, new DrawnPeople(3, 2, seed), AlignmentTemplate.Dlib, Frame, new JobContext(Cancel: cancellation));
}
