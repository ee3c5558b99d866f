using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Tests.Files;

namespace FaceDistill.Tests.Datasets;

/// <summary>Folders of photos in which not everything is a picture that can be read, and names that are as long or as odd as names can be.</summary>
public sealed class OddFilesTests : IDisposable
{
    private static readonly AlignedFrame Frame = AlignedFrame.Of(96, 0.1);
    private readonly TempFolder _folder = new();

    private string Raw => _folder["raw"];

    public void Dispose()
    {
        UnixShell.Empty(_folder.Path);
        _folder.Dispose();
    }

    [UnixFact]
    public void What_cannot_be_reached_is_no_image_and_is_told()
    {
        Pictures.Noise(_folder["raw/a.png"], 40, 40);
        UnixShell.Run(Raw, "mkfifo b.jpg; ln -s . again; touch \"$(printf 'c\\377.jpg')\" notes.txt");
        var dataset = FaceDataset.List(Raw);
        Assert.Equal([new FaceImage("a.png", "")], dataset.Images);
        Assert.Equal(["again", "b.jpg", "c\ufffd.jpg", "notes.txt"], dataset.Others.Select(o => o.Path));
        Assert.Equal(["a link to a folder that it lies in", "a pipe, a socket or a device, not a file", "the name is not UTF-8", "not a picture file"],
            dataset.Others.Select(o => o.Reason));
    }

    [UnixFact]
    public void Aligned_faces_among_which_one_cannot_be_reached_are_refused()
    {
        Pictures.Noise(_folder["raw/a.png"], 40, 40);
        UnixShell.Run(Raw, "ln -s . again; touch notes.txt");
        Assert.Single(AlignedFaces.OpenAsserted(Raw, "dlib").Dataset.Images);
        UnixShell.Run(Raw, "mkdir p; ln -s gone.jpg p/b.jpg");
        Refused("p/b.jpg: a link that leads nowhere; take it out");
        UnixShell.Run(Raw, "rm p/b.jpg; mkdir \"$(printf 'p/\\377')\"");
        Refused("p/\ufffd: the name is not UTF-8; take it out");
    }

    [UnixFact]
    public void An_output_that_a_link_leads_to_among_the_photos_is_refused()
    {
        Pictures.Noise(_folder["raw/noise.png"], 120, 120);
        File.WriteAllText(_folder["any.onnx"], "never opened");
        UnixShell.Run(_folder.Path, "ln -s raw link; ln -s link/out out; mkdir elsewhere; ln -s ../elsewhere raw/more");
        foreach (string output in new[] { "link", "link/out", "out", "out/deep", "elsewhere/out", "raw/more" }) // what the next run would take for photos
        {
            Assert.Contains("outside the photos",
                Assert.Throws<FaceDistillException>(() => new FolderAligner(new PhotoAligner(_folder["any.onnx"], AlignmentTemplate.Dlib, Frame))
                .Run(FaceDataset.List(Raw), _folder[output], JobContext.None)).Message, StringComparison.Ordinal);
        }

        Assert.Equal([_folder["raw/more"], _folder["raw/noise.png"]], Directory.GetFileSystemEntries(Raw).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["elsewhere"]));
    }

    [RealDataFact]
    public void Every_photo_with_a_face_is_aligned_whatever_its_name_and_its_neighbours()
    {
        string photo = RealData.LfwPhotos(1)[0], longest = new string('a', 251), long2 = new string('b', 240);
        string[] names = ["plain.jpg", "linked/again.jpg", longest + ".jpg", long2 + ".jpeg", new string('é', 120) + ".jpg",
            .. OperatingSystem.IsWindows() ? Array.Empty<string>() : [@"back\slash.jpg", @"a\b/c.jpg"]];
        foreach (string name in names.Append(longest + ".png")) // the last needs a longer name, for the first has taken its own
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Raw, name))!);
            File.Copy(photo, Path.Combine(Raw, name));
        }

        if (!OperatingSystem.IsWindows())
        {
            UnixShell.Run(Raw, "mkfifo pipe.jpg; ln -s /dev/zero zero.jpg; ln -s . loop");
        }

        var done = new FolderAligner(new PhotoAligner(DetectorCard.FindModel(AssetFinder.FromEnvironment()), AlignmentTemplate.Dlib, Frame))
            .Run(FaceDataset.List(Raw), _folder["out"], JobContext.None);
        Assert.Equal((names.Length, names.Length), (done.Aligned, done.Faces.Dataset.Images.Count));
        Assert.Equal(names.Select(n => Path.ChangeExtension(n, ".jpg")).Order(StringComparer.Ordinal), done.Faces.Dataset.Images.Select(i => i.Path));
        Assert.Contains((longest + ".png", "the name of its face would be too long"), done.Skipped);
        Assert.Equal(OperatingSystem.IsWindows() ? 1 : 4, done.Skipped.Count);
    }

    private void Refused(string says) =>
        Assert.Contains(says, Assert.Throws<FaceDistillException>(() => AlignedFaces.OpenAsserted(Raw, "dlib")).Message, StringComparison.Ordinal);
}
