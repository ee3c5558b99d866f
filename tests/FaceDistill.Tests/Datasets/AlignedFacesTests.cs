using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;

namespace FaceDistill.Tests.Datasets;

public sealed class AlignedFacesTests : IDisposable
{
    private static readonly AlignmentManifest Manifest = new(1, "dlib", 64, 6, "user", "", true);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Raw_photos_are_refused_with_the_remedy()
    {
        Pictures.Fill(_folder.Path, 1, 1, 76);
        Assert.Contains($"facedistill align --data {_folder.Path}", Error(() => AlignedFaces.Open(_folder.Path)), StringComparison.Ordinal);
        Assert.Equal($"no folder {_folder["none"]}", Error(() => AlignedFaces.Open(_folder["none"])));
    }

    [Fact]
    public void A_folder_without_a_face_is_refused()
    {
        Manifest.Write(_folder.Path);
        Assert.Equal($"{_folder.Path} has no aligned face", Error(() => AlignedFaces.Open(_folder.Path)));
    }

    [Theory]
    [InlineData("""{"formatVersion":1,"template":"dlib","size":64,"pad":6,"aligner":"user","source":"","complete":false}""", "was not finished")]
    [InlineData("""{"formatVersion":2,"template":"another","size":64,"pad":6,"aligner":"user","source":"","complete":true}""", "format version 2 is not 1")]
    [InlineData("""{"formatVersion":1,"template":"another","size":64,"pad":6,"aligner":"user","source":"","complete":true}""", "template 'another'")]
    [InlineData("""{"formatVersion":1,"template":"dlib","size":31,"pad":6,"aligner":"user","source":"","complete":true}""", "out of range")]
    [InlineData("""{"formatVersion":1,"template":"dlib","size":64,"pad":-1,"aligner":"user","source":"","complete":true}""", "out of range")]
    [InlineData("""{"formatVersion":1,"template":"dlib"}""", "line 1")]
    [InlineData("not json", "line 1")]
    public void A_manifest_that_does_not_hold_is_named(string manifest, string says)
    {
        Pictures.Fill(_folder.Path, 1, 1, 76);
        File.WriteAllText(_folder[AlignmentManifest.FileName], manifest);
        string message = Error(() => AlignedFaces.Open(_folder.Path));
        Assert.StartsWith(_folder[AlignmentManifest.FileName], message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_hash_changes_with_everything_that_decides_the_pixels()
    {
        AlignmentManifest[] others =
            [Manifest with { Template = "arcface" }, Manifest with { Size = 65 }, Manifest with { Pad = 7 }, Manifest with { Aligner = "yunet-1" }];
        Assert.Equal(5, others.Append(Manifest).Select(m => m.Hash()).Distinct().Count());
        Assert.Equal(Manifest.Hash(), (Manifest with { Source = "elsewhere" }).Hash());
    }

    [Fact]
    public void A_face_that_changed_since_it_was_hashed_is_not_read()
    {
        Pictures.Fill(_folder.Path, 1, 2, 76);
        Manifest.Write(_folder.Path);
        var faces = AlignedFaces.Open(_folder.Path).Hashed(JobContext.None);
        faces.ReadFrame(0).Dispose();
        string[] files = [.. faces.Dataset.Images.Select(faces.Dataset.FullPath)];
        File.Copy(files[1], files[0], overwrite: true);
        Assert.Equal($"{files[0]} was changed while the faces were read; run the same again", Error(() => faces.ReadFrame(0).Dispose()));
    }

    [Fact]
    public void What_the_user_says_of_an_aligned_folder_does_not_contradict_it()
    {
        Pictures.Fill(_folder.Path, 1, 1, 76);
        Manifest.Write(_folder.Path);
        var source = new FaceSource(AssetFinder.FromEnvironment());
        Assert.Contains("says 'dlib'; leave --aligned out", Error(() => source.Open(DataFolder.Of(_folder.Path), "arcface", "arcface", JobContext.None)),
            StringComparison.Ordinal);
        var faces = source.Open(DataFolder.Of(_folder.Path), "dlib", "dlib", JobContext.None);
        Assert.Single(faces.Dataset.Images);
        Assert.Equal(Manifest, faces.Manifest); // the border is a border, whoever says what is known
    }

    [Fact]
    public void A_view_has_the_asked_for_size()
    {
        Pictures.Fill(_folder.Path, 1, 1, 76);
        Manifest.Write(_folder.Path);
        var faces = AlignedFaces.Open(_folder.Path);
        foreach (int size in new[] { 32, 64, 100 })
        {
            using var view = faces.ReadView(0, size);
            Assert.Equal((size, size), (view.Width, view.Height));
        }
    }

    [Fact]
    public void Another_template_than_the_model_s_is_refused()
    {
        Pictures.Fill(_folder.Path, 1, 1, 76);
        Manifest.Write(_folder.Path);
        var faces = AlignedFaces.Open(_folder.Path);
        faces.Require("dlib", "the model");
        string message = Error(() => faces.Require("arcface", "the model"));
        Assert.Contains("aligned to 'dlib' but the model wants 'arcface'", message, StringComparison.Ordinal);
        Assert.Contains("--template arcface", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_of_another_size_and_a_damaged_one_are_named()
    {
        Pictures.Fill(_folder.Path, 1, 2, 76);
        Manifest.Write(_folder.Path);
        var faces = AlignedFaces.Open(_folder.Path);
        string first = faces.Dataset.FullPath(faces.Dataset.Images[0]), second = faces.Dataset.FullPath(faces.Dataset.Images[1]);
        Pictures.Noise(first, 76, 75);
        File.WriteAllBytes(second, File.ReadAllBytes(second)[..10]);
        Assert.StartsWith($"{first} is 76x75 where alignment.json says 76x76", Error(() => faces.ReadView(0, 64)), StringComparison.Ordinal);
        Assert.StartsWith($"{second} is not readable as a picture", Error(() => faces.ReadView(1, 64)), StringComparison.Ordinal);
    }

    [Fact]
    public void Faces_asserted_to_be_aligned_are_taken_at_their_own_size()
    {
        Pictures.Fill(_folder["faces"], 2, 2, 50);
        var source = new FaceSource(new AssetFinder([], [], _folder["cache"]));
        var faces = source.Open(DataFolder.Of(_folder["faces"]), "arcface", "arcface", JobContext.None);
        Assert.Equal(new AlignmentManifest(1, "arcface", 50, 0, "user", "", true), faces.Manifest);
        Assert.Equal(4, faces.Dataset.Images.Count);
        Assert.False(AlignmentManifest.In(_folder["faces"])); // an assertion is of one run, not of the folder
        Assert.Contains("'dlib'", Error(() => source.Open(DataFolder.Of(_folder["faces"]), "dlib", "arcface", JobContext.None)), StringComparison.Ordinal);
        Assert.Contains("no alignment template 'x'", Error(() => source.Open(DataFolder.Of(_folder["faces"]), "dlib", "x", JobContext.None)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Asserted_faces_that_are_not_square_or_not_there_are_refused()
    {
        Pictures.Noise(_folder["faces/1.png"], 64, 60);
        Assert.Contains("64x60; aligned faces are square", Error(() => AlignedFaces.OpenAsserted(_folder["faces"], "dlib")), StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["empty"]);
        Pictures.Noise(_folder["sizes/1.png"], 64, 64);
        string other = Pictures.Noise(_folder["sizes/2.png"], 80, 80);
        var mixed = AlignedFaces.OpenAsserted(_folder["sizes"], "dlib");
        string message = Error(() => mixed.ReadFrame(1));
        Assert.StartsWith($"{other} is 80x80 and the first face of {_folder["sizes"]}, 1.png, is 64x64", message, StringComparison.Ordinal);
        Assert.DoesNotContain(AlignmentManifest.FileName, message, StringComparison.Ordinal); // there is none
        Assert.Equal($"{_folder["empty"]} has no picture", Error(() => AlignedFaces.OpenAsserted(_folder["empty"], "dlib")));
    }

    [Fact]
    public void A_source_without_the_detector_says_how_to_get_it()
    {
        Pictures.Fill(_folder["raw"], 1, 1, 64);
        var source = new FaceSource(new AssetFinder([], [], _folder["cache"]));
        Assert.Contains("facedistill teachers pull yunet",
            Error(() => source.Open(DataFolder.Of(_folder["raw"]), AlignmentTemplate.Dlib.Name, null, JobContext.None)), StringComparison.Ordinal);
    }

    private static string Error(Action action)
    {
        string message = Assert.Throws<FaceDistillException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
