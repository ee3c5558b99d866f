using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Tests.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Datasets;

/// <summary>Photos of several people (drawn faces) as a folder of aligned faces.</summary>
public sealed class AlignedFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private IEnumerable<string> Without(string picture)
    {
        File.WriteAllText(_folder["list.txt"], $"all\t{picture}\n");
        return AlignedFaces.Open(_folder["all"]).Without(ExclusionList.Read(_folder["list.txt"]), "all", out _).Dataset.Images.Select(i => i.Path)
            .Order(StringComparer.Ordinal);
    }

    [Fact]
    public void A_face_is_called_as_its_photo_and_one_in_a_file_of_many_keeps_its_whole_name()
    {
        FaceImage[] images = [.. new[] { "a/b.c.PNG", "Ann/part-00.snappy-0000012", "Ann/part-00.snappy-0000013" }.Select(path => new FaceImage(path, ""))];
        Assert.Equal(["a/b.c.jpg", "Ann/part-00.snappy-0000012.jpg", "Ann/part-00.snappy-0000013.jpg"],
            AlignedFolder.Names(new FaceDataset(_folder.Path, images, [])));
    }

    [RealDataFact]
    public void How_many_faces_a_photo_shows_is_recorded_and_all_are_written_where_they_are_wanted()
    {
        Directory.CreateDirectory(_folder["raw"]);
        void Photo(string name, int people)
        {
            (int, Rect)[] places = [(1, new(60, 60, 200, 200)), (2, new(300, 200, 100, 100)), (3, new(450, 240, 80, 80))];
            using var photo = UprightFacesTests.Scene(new Size(640, 480), places[..people]);
            Cv2.ImWrite(Path.Combine(_folder["raw"], name), photo);
        }

        Photo("group.png", 3);
        Photo("group.2.png", 1); // its face is called as the second face of the other would be
        var one = Align("one");
        Assert.Equal((1, 0, 2), (one.SeveralFaces, one.OtherFaces, one.Faces.Dataset.Images.Count));
        string[] index = File.ReadAllLines(Path.Combine(_folder["one"], AlignedFolder.IndexName));
        Assert.Equal("path,photo,face,faces", index[0]);
        Assert.Equal([("group.2.jpg", "1"), ("group.jpg", "3")], index[1..].Select(row => (row.Split(',')[0], row.Split(',')[3])));
        Assert.Equal([1, 3], AlignedFaces.Open(_folder["one"]).Hashed(JobContext.None).Dataset.Images.Select(i => i.Shown));

        // What an earlier version wrote did not say it: its faces are made again.
        File.WriteAllLines(Path.Combine(_folder["one"], AlignedFolder.IndexName), index.Select(row => row[..row.LastIndexOf(',')]));
        Assert.Equal(0, Align("one").Reused);

        FolderAlignment All() => Align("all", allFaces: true);
        var all = All();
        Assert.Equal((1, 2, 2, 0), (all.SeveralFaces, all.OtherFaces, all.Aligned, all.Reused));
        Assert.Equal(["group.2.face.jpg", "group.2.jpg", "group.3.jpg", "group.jpg"], all.Faces.Dataset.Images.Select(i => i.Path)
            .Order(StringComparer.Ordinal));
        Assert.Equal(File.ReadAllBytes(_folder["one/group.jpg"]), File.ReadAllBytes(_folder["all/group.jpg"]));
        Assert.Equal(["group.2.jpg"], Without("group.png")); // a photo that is left out is so with everybody whom it shows
        Assert.Equal(["group.2.jpg"], Without("group.jpg"));
        Assert.Equal(["group.2.face.jpg", "group.2.jpg", "group.jpg"], Without("group.3.jpg"));
        Directory.CreateDirectory(_folder["raw/ann"]);
        File.Copy(_folder["raw/group.png"], _folder["raw/ann/group.png"]);
        all = All();
        Assert.Equal(["ann", "", ""], AlignedFaces.Open(_folder["all"]).Dataset.Images.OrderByDescending(i => i.Path == "ann/group.jpg")
            .Where(i => i.Path.StartsWith("ann/", StringComparison.Ordinal)).Select(i => i.Identity)); // whom else the photo shows nobody said
        Directory.Delete(_folder["raw/ann"], recursive: true);
        Directory.Delete(_folder["all"], recursive: true);
        all = All();
        Assert.Equal(2, All().Reused);
        File.Delete(_folder["all/group.3.jpg"]);
        Assert.Equal((1, 4), (All().Reused, Directory.GetFiles(_folder["all"], "*.jpg").Length));
        Photo("group.png", 2);
        Assert.Equal((1, 3), (All().Reused, Directory.GetFiles(_folder["all"], "*.jpg").Length));
        Assert.Contains("all faces", Assert.Throws<FaceDistillException>(() => Align("all")).Message, StringComparison.Ordinal);
    }

    private FolderAlignment Align(string output, bool allFaces = false)
    {
        string detector = DetectorCard.FindModel(AssetFinder.FromEnvironment());
        var aligner = new PhotoAligner(detector, AlignmentTemplate.Dlib, AlignedFrame.Of(96, 0.1)) { AllFaces = allFaces };
        return new FolderAligner(aligner).Run(FaceDataset.List(_folder["raw"]), _folder[output], JobContext.None);
    }
}
