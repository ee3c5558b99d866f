using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Datasets;

/// <summary>Aligning a folder of real photos among everything else that lies in such folders.</summary>
public sealed class FolderAlignerTests : IDisposable
{
    private const int Photos = 20;
    private static readonly AlignedFrame Frame = AlignedFrame.Of(96, 0.1);
    private readonly TempFolder _folder = new();

    private string Raw => _folder["raw"];

    private string Output => _folder["aligned"];

    public void Dispose() => _folder.Dispose();

    [RealDataFact]
    public void Every_face_is_aligned_every_other_file_listed_and_a_second_run_does_nothing()
    {
        Prepare();
        var first = Run();
        Assert.Equal((Photos + 2, 0), (first.Aligned, first.Reused));
        Assert.Equal(
            [("junk/corrupt.jpg", "not readable as a picture"), ("junk/noise, plain.png", "no face found"), ("junk/notes.txt", "not a picture file")],
            first.Skipped);
        Assert.Equal(
            "path,reason\njunk/corrupt.jpg,not readable as a picture\n\"junk/noise, plain.png\",no face found\njunk/notes.txt,not a picture file\n",
            File.ReadAllText(Path.Combine(Output, AlignmentManifest.SkippedFileName)));
        Assert.Equal(Photos + 2, first.Faces.Dataset.Images.Count);
        Assert.Equal(3, first.Faces.Dataset.Images.Count(i => i.Path.StartsWith("twin/", StringComparison.Ordinal)));
        Assert.Equal(new AlignmentManifest(1, "dlib", 96, 10, first.Faces.Manifest.Aligner, Raw, true), first.Faces.Manifest);
        var before = Contents();
        var second = Run();
        Assert.Equal((Photos + 2, Photos + 2), (second.Aligned, second.Reused));
        Assert.Equal(before, Contents());
        Assert.All(Enumerable.Range(0, Photos), i => first.Faces.ReadView(i, 64).Dispose());
    }

    [RealDataFact]
    public void A_run_that_was_cancelled_is_continued_to_the_same_pictures()
    {
        Prepare();
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Run(new JobContext(Progress: new CancelAfter("aligning", 5, cancel), Cancel: cancel.Token)));
        Assert.Contains("not finished", Assert.Throws<FaceDistillException>(() => AlignedFaces.Open(Output)).Message, StringComparison.Ordinal);
        var continued = Run();
        Assert.InRange(continued.Reused, 1, Photos);
        Assert.Equal(Photos + 2, continued.Aligned);
        var pixels = Contents();
        Directory.Delete(Output, recursive: true);
        Run();
        Assert.Equal(pixels, Contents());
    }

    [RealDataFact]
    public void A_run_that_was_killed_is_continued_to_the_same_pictures()
    {
        Prepare();
        Run();
        var whole = Contents();
        string[] faces = [.. Directory.GetFiles(Output, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        foreach (string face in faces.Where((_, i) => i % 3 == 0))
        {
            File.Delete(face);
        }

        Directory.CreateDirectory(_folder["first"]); // killed while its first file was written
        using (var dead = System.Diagnostics.Process.Start("dotnet", "--version"))
        {
            dead.WaitForExit();
            File.WriteAllText(Leftovers.Beside(_folder["first/alignment.json"]).Replace($".{Environment.ProcessId}-", $".{dead.Id}-", StringComparison.Ordinal),
                "{");
        }

        var begun = new FolderAligner(new PhotoAligner(Detector(), AlignmentTemplate.Dlib, Frame))
            .Run(FaceDataset.List(Raw), _folder["first"], JobContext.None);
        Assert.Equal(Photos + 2, begun.Aligned);
        Assert.Empty(Directory.GetFiles(_folder["first"], "*.part"));

        File.Delete(Path.Combine(Output, AlignmentManifest.SkippedFileName));
        File.WriteAllText(faces[1] + ".123-abc.part", "half a picture");
        var manifest = AlignmentManifest.Read(Output);
        (manifest with { Complete = false }).Write(Output);
        var continued = Run();
        Assert.Equal((Photos + 2, faces.Length - ((faces.Length + 2) / 3)), (continued.Aligned, continued.Reused));
        Assert.Equal(Photos + 2, continued.Faces.Dataset.Images.Count);
        File.Delete(faces[1] + ".123-abc.part");
        Assert.Equal(whole, Contents());
    }

    [RealDataFact]
    public void A_photo_that_changed_is_aligned_again_whatever_its_date_and_size_say()
    {
        Prepare(photos: 3);
        Run();
        var before = Contents();
        string photo = Path.Combine(Raw, "twin", "same.jpg"), face = Path.Combine(Output, "twin", "same.jpg");
        File.Copy(RealData.LfwPhotos(1)[0], photo, overwrite: true);
        File.SetLastWriteTimeUtc(photo, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc)); // as cp -p of an older photo leaves it
        var again = Run();
        Assert.Equal(again.Aligned - 1, again.Reused);
        Assert.Equal([Path.Combine(Output, AlignedFolder.IndexName), face], Contents().Where(file => before[file.Key] != file.Value).Select(file => file.Key)
            .Order());

        File.WriteAllText(photo, "no picture any more");
        File.SetLastWriteTimeUtc(photo, new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var without = Run();
        Assert.Equal(again.Aligned - 1, without.Aligned);
        Assert.Contains(("twin/same.jpg", "not readable as a picture"), without.Skipped);
        Assert.Equal(without.Aligned, without.Faces.Dataset.Images.Count);
        Assert.False(File.Exists(face));
    }

    [RealDataFact]
    public void A_face_that_was_altered_or_deleted_is_made_again()
    {
        Prepare(photos: 3);
        Run();
        var before = Contents();
        string[] faces = [.. Directory.GetFiles(Output, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        File.Delete(faces[0]);
        File.Copy(faces[1], faces[2], overwrite: true);
        var again = Run();
        Assert.Equal(again.Aligned - 2, again.Reused);
        Assert.Equal(before, Contents());
    }

    [RealDataFact]
    public void A_photo_that_fails_to_be_read_is_tried_again_and_then_the_folder_is_not_called_finished()
    {
        Prepare(photos: 3);
        int failures = 2;
        string weak = Path.Combine(Raw, "twin", "same.jpg");
        ContentHash Content(FilePlace place) => place.File == weak && failures-- > 0 ? throw new IOException("Input/output error") : ContentHash.OfFile(place);
        var aligner = new FolderAligner(new PhotoAligner(Detector(), AlignmentTemplate.Dlib, Frame) { Content = Content });
        Assert.Equal(5, aligner.Run(FaceDataset.List(Raw), Output, JobContext.None).Aligned); // it came back at the third time

        Directory.Delete(Output, recursive: true);
        failures = int.MaxValue;
        string message = Assert.Throws<FaceDistillException>(() => aligner.Run(FaceDataset.List(Raw), Output, JobContext.None)).Message;
        Assert.StartsWith($"{weak} could not be read three times over (Input/output error)", message, StringComparison.Ordinal);
        Assert.Contains("not finished", Assert.Throws<FaceDistillException>(() => AlignedFaces.Open(Output)).Message, StringComparison.Ordinal);
        failures = 0;
        Assert.Equal(5, aligner.Run(FaceDataset.List(Raw), Output, JobContext.None).Aligned);
    }

    [RealDataFact]
    public void A_face_whose_photo_is_gone_is_refused()
    {
        Prepare(photos: 3);
        Run();
        File.Delete(Path.Combine(Raw, "twin", "same.png.jpg"));
        string message = Assert.Throws<FaceDistillException>(() => Run()).Message;
        Assert.StartsWith(Output, message, StringComparison.Ordinal);
        Assert.Contains("twin/same.png.jpg.jpg", message, StringComparison.Ordinal);
        Assert.Equal(5, AlignedFaces.Open(Output).Dataset.Images.Count); // the folder stays as good as it was
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void An_output_among_the_photos_is_refused_before_anything_is_written()
    {
        Pictures.Noise(_folder["raw/noise.png"], 120, 120);
        File.WriteAllText(_folder["any.onnx"], "never opened");
        var aligner = new FolderAligner(new PhotoAligner(_folder["any.onnx"], AlignmentTemplate.Dlib, Frame));
        foreach (string output in new[] { Raw, Path.Combine(Raw, "aligned"), Path.Combine(Raw, "a", "b") + Path.DirectorySeparatorChar })
        {
            string message = Assert.Throws<FaceDistillException>(() => aligner.Run(FaceDataset.List(Raw), output, JobContext.None)).Message;
            Assert.Contains("outside the photos", message, StringComparison.Ordinal);
        }

        Assert.Equal([_folder[Path.Combine("raw", "noise.png")]], Directory.GetFileSystemEntries(Raw));
        // Its neighbours are outside: these get as far as the detector.
        Assert.All(new[] { Raw + "-aligned", _folder["..raw"] }, output => Assert.Contains("does not load",
            Assert.Throws<FaceDistillException>(() => aligner.Run(FaceDataset.List(Raw), output, JobContext.None)).Message, StringComparison.Ordinal));
    }

    [RealDataFact]
    public void Other_settings_other_files_and_a_held_lock_are_refused()
    {
        Prepare(photos: 1);
        Run();
        var other = new FolderAligner(new PhotoAligner(Detector(), AlignmentTemplate.ArcFace, Frame));
        Assert.Contains("aligned otherwise (dlib at 96)",
            Assert.Throws<FaceDistillException>(() => other.Run(FaceDataset.List(Raw), Output, JobContext.None)).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["full"]);
        File.WriteAllText(_folder["full/thesis.tex"], "mine");
        Assert.Contains("already holds other files",
            Assert.Throws<FaceDistillException>(() => other.Run(FaceDataset.List(Raw), _folder["full"], JobContext.None)).Message, StringComparison.Ordinal);
        Assert.Equal([_folder[Path.Combine("full", "thesis.tex")]], Directory.GetFileSystemEntries(_folder["full"]));
        using var held = FolderLock.Take(Output);
        Assert.StartsWith("another facedistill is writing", Assert.Throws<FaceDistillException>(() => Run()).Message, StringComparison.Ordinal);
    }

    [RealDataFact]
    public void A_folder_without_any_face_says_so()
    {
        Pictures.Noise(_folder["raw/noise.png"], 120, 120);
        File.WriteAllText(_folder["raw/a.jpg"], "no picture");
        File.WriteAllText(_folder["raw/b.jpg"], "nor this");
        string message = Assert.Throws<FaceDistillException>(() => Run()).Message;
        Assert.StartsWith($"no photo in {Raw} shows a face: ", message, StringComparison.Ordinal);
        Assert.Contains(": 2 (first: a.jpg); ", message, StringComparison.Ordinal);
        Assert.Contains(": 1 (first: noise.png)", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Output)); // nothing that calls itself unfinished
    }

    [Fact]
    public void A_detector_that_does_not_load_and_a_folder_without_pictures_are_one_clear_line()
    {
        Pictures.Noise(_folder["raw/noise.png"], 120, 120);
        File.WriteAllText(_folder["broken.onnx"], "not a model");
        var aligner = new FolderAligner(new PhotoAligner(_folder["broken.onnx"], AlignmentTemplate.Dlib, Frame));
        Assert.Contains("does not load", Assert.Throws<FaceDistillException>(
            () => aligner.Run(FaceDataset.List(Raw), Output, JobContext.None)).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("has no picture", Assert.Throws<FaceDistillException>(
            () => aligner.Run(FaceDataset.List(_folder["empty"]), Output, JobContext.None)).Message, StringComparison.Ordinal);
    }

    private static string Detector() => DetectorCard.FindModel(AssetFinder.FromEnvironment());

    private FolderAlignment Run(JobContext? job = null) =>
        new FolderAligner(new PhotoAligner(Detector(), AlignmentTemplate.Dlib, Frame)).Run(FaceDataset.List(Raw), Output, job ?? JobContext.None);

    // LFW's first photos, one of them three times under other endings, and what else people have in such a folder.
    private void Prepare(int photos = Photos)
    {
        var lfw = FaceDataset.List(Path.Combine(RealData.Lfw!, "images"));
        foreach (var image in lfw.Images.Take(photos - 1))
        {
            Copy(lfw.FullPath(image), image.Path);
        }

        foreach (string ending in new[] { ".jpg", ".png", ".png.jpg" }) // the second becomes what the third is called
        {
            Copy(lfw.FullPath(lfw.Images[photos]), "twin/same" + ending);
        }

        Pictures.Noise(_folder["raw/junk/noise, plain.png"], 160, 120);
        File.WriteAllBytes(_folder["raw/junk/corrupt.jpg"], [0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
        File.WriteAllText(_folder["raw/junk/notes.txt"], "holiday");
    }

    private void Copy(string photo, string name)
    {
        string target = Path.Combine(Raw, name);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(photo, target);
    }

    private SortedDictionary<string, string> Contents() => new(Directory.GetFiles(Output, "*", SearchOption.AllDirectories)
        .ToDictionary(p => p, FileHash.Sha256), StringComparer.Ordinal);

    private sealed class CancelAfter(string stage, int count, CancellationTokenSource cancel) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Stage == stage && value.Done >= count)
            {
                cancel.Cancel();
            }
        }
    }
}
