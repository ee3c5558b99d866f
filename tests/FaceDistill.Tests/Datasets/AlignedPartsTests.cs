using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Tests.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Datasets;

/// <summary>Tasks that align a folder in parts, which come to the very folder that one makes alone.</summary>
public sealed class AlignedPartsTests : IDisposable
{
    private const int Photos = 14;
    private static readonly AlignedFrame Frame = AlignedFrame.Of(96, 0.1);
    private readonly TempFolder _folder = new();

    public AlignedPartsTests()
    {
        if (RealData.Lfw is null)
        {
            return;
        }

        var lfw = FaceDataset.List(Path.Combine(RealData.Lfw, "images"));
        var photos = lfw.Images.Take(Photos).Select(i => (File: lfw.FullPath(i), i.Path)).Append((lfw.FullPath(lfw.Images[0]), "twin/same.jpg"))
            .Append((lfw.FullPath(lfw.Images[0]), "twin/same.png"));
        foreach (var (file, path) in photos)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Raw, path))!);
            File.Copy(file, Path.Combine(Raw, path));
        }

        Directory.CreateDirectory(_folder["raw/drawn"]);
        (int, Rect)[] places = [(1, new(60, 60, 200, 200)), (2, new(300, 200, 100, 100)), (3, new(450, 240, 80, 80))];
        foreach (var (name, people) in new[] { ("group.png", 3), ("pair.png", 2), ("group.2.png", 1) })
        {
            using var scene = UprightFacesTests.Scene(new Size(640, 480), places[..people]);
            Cv2.ImWrite(_folder[$"raw/drawn/{name}"], scene);
        }

        Pictures.Noise(_folder["raw/junk/noise.png"], 160, 120);
        Pictures.Noise(_folder["raw/junk/more.png"], 160, 120, seed: 2);
        File.WriteAllText(_folder["raw/junk/notes.txt"], "holiday");
    }

    private string Raw => _folder["raw"];

    public void Dispose() => _folder.Dispose();

    [RealDataFact]
    public void In_any_order_the_folder_is_that_of_one_align()
    {
        InOrder("1/2 2/2", allFaces: false);
        InOrder("2/2 1/2", allFaces: false);
        InOrder("3/3 1/3 2/3", allFaces: true);
        InOrder("1/1", allFaces: false);
    }

    private void InOrder(string order, bool allFaces)
    {
        Array.ForEach([_folder["whole"], _folder["parts"]], Leftovers.Delete); // of the order before
        var whole = Aligner(allFaces).Run(FaceDataset.List(Raw), _folder["whole"], JobContext.None);
        var parts = order.Split(' ').Select(DataShard.Parse).ToList();
        var ended = new List<AlignedPart>();
        foreach (var part in parts)
        {
            ended.Add(Part("parts", part, allFaces));
            int[] missing = [.. parts.Select(p => p.Number).Except(ended.Select(p => p.Part.Number)).Order()];
            Assert.Equal(missing, ended[^1].Missing);
            Assert.Equal(missing.Length == 0, AlignmentManifest.IsComplete(_folder["parts"]));
        }

        Same();
        Assert.Equal((whole.OtherFaces, allFaces), (ended.Sum(p => p.OtherFaces), whole.OtherFaces > 0));
        Assert.Equal((whole.Aligned, 0), (ended.Sum(p => p.Aligned), ended.Sum(p => p.Reused)));
        Assert.Equal(whole.Skipped.Where(s => s.Reason != AlignmentManifest.NotAPicture), ended.SelectMany(p => p.Skipped).OrderBy(s => s.Path,
            StringComparer.Ordinal));
        Assert.Equal(whole.Faces.Dataset.Images, AlignedFaces.Open(_folder["parts"]).Dataset.Images);

        // Once more, as a scheduler does that has lost count: nothing is done, and nothing changes.
        var said = new List<string>();
        var again = Part("parts", parts[0], allFaces, new JobContext(said.Add));
        Assert.Equal((ended[0].Aligned, ended[0].Aligned, 0), (again.Aligned, again.Reused, again.Missing.Count));
        Assert.Equal(ended[0].Skipped, again.Skipped);
        Assert.Contains("is whole already", Assert.Single(said), StringComparison.Ordinal);
        Same();
        Assert.Equal(whole.Aligned, Aligner(allFaces).Run(FaceDataset.List(Raw), _folder["parts"], JobContext.None).Reused);
        Same();
    }

    [RealDataFact]
    public async Task At_once_they_fill_one_folder()
    {
        Aligner().Run(FaceDataset.List(Raw), _folder["whole"], JobContext.None);
        var ended = await Task.WhenAll(Enumerable.Range(1, 3).Select(k => Task.Run(() => Part("parts", new DataShard(k, 3)))));
        Assert.Contains(ended, p => p.Missing.Count == 0);
        Same();
    }

    [RealDataFact]
    public void One_that_was_killed_is_run_again_alone_and_what_is_missing_is_said()
    {
        Aligner().Run(FaceDataset.List(Raw), _folder["whole"], JobContext.None);
        Part("parts", new DataShard(1, 3));
        Part("parts", new DataShard(3, 3));
        var second = FaceDataset.List(Raw).Of(new DataShard(2, 3));
        Assert.InRange(second.Images.Count, 3, Photos);
        using (var cancel = new CancellationTokenSource())
        {
            Assert.ThrowsAny<OperationCanceledException>(
                () => Part("parts", new DataShard(2, 3), job: new JobContext(Progress: new CancelAfter(2, cancel), Cancel: cancel.Token)));
        }

        File.WriteAllText(_folder["parts/.lock-2-of-3"], ""); // as a kill leaves it
        string remedy = "the folder was not finished: part 2 of 3 is missing; run 'facedistill align' with the same options and --shard 2/3, or without "
            + "--shard for all that is missing";
        Assert.Equal($"{_folder[Path.Combine("parts", "alignment.json")]}: {remedy}", Assert.Throws<FaceDistillException>(
            () => AlignedFaces.Open(_folder["parts"])).Message);
        TempFolder.Copy(_folder["parts"], _folder["other"]);

        var again = Part("parts", new DataShard(2, 3));
        Assert.InRange(again.Reused, 1, again.Aligned - 1);
        Same();

        // The same by one without parts; and by the same parts where one's face was lost.
        File.Delete(Directory.GetFiles(_folder["other"], "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First());
        Aligner().Run(FaceDataset.List(Raw), _folder["other"], JobContext.None);
        Assert.Equal(Contents("whole"), Contents("other"));
    }

    [RealDataFact]
    public void A_part_that_saw_other_photos_is_missing()
    {
        Part("parts", new DataShard(1, 2));
        File.Copy(RealData.LfwPhotos(3)[2], _folder["raw/twin/new.jpg"]);
        Assert.Equal([1], Part("parts", new DataShard(2, 2)).Missing);
        Assert.Contains("its 2 parts saw different photos", Assert.Throws<FaceDistillException>(() => AlignedFaces.Open(_folder["parts"])).Message,
            StringComparison.Ordinal);
        Assert.Empty(Part("parts", new DataShard(1, 2)).Missing);
        Aligner().Run(FaceDataset.List(Raw), _folder["whole"], JobContext.None);
        Same();

        // A photo that comes later: all parts look again, and align it alone.
        File.Copy(RealData.LfwPhotos(4)[3], _folder["raw/twin/later.jpg"]);
        AlignedPart[] later = [.. Enumerable.Range(1, 2).Select(k => Part("parts", new DataShard(k, 2)))];
        Assert.Equal(1, later.Sum(p => p.Aligned - p.Reused));
        Aligner().Run(FaceDataset.List(Raw), _folder["whole"], JobContext.None);
        Same();
    }

    [RealDataFact]
    public void A_photo_that_was_replaced_after_its_part_was_done_is_aligned_again_when_the_parts_join()
    {
        Part("parts", new DataShard(1, 2));
        var first = FaceDataset.List(Raw).Of(new DataShard(1, 2));
        string photo = first.FullPath(first.Images.First(i => !i.Path.StartsWith("junk", StringComparison.Ordinal)));
        File.Copy(RealData.LfwPhotos(30)[29], photo, overwrite: true);
        Assert.Empty(Part("parts", new DataShard(2, 2)).Missing);
        Aligner().Run(FaceDataset.List(Raw), _folder["whole"], JobContext.None);
        Same();

        // Of a whole folder likewise, which a part alone does not mend.
        File.Copy(RealData.LfwPhotos(31)[30], photo, overwrite: true);
        Assert.Contains("is whole, but 1 of the photos of part 1/2 or their faces have changed since", Assert.Throws<FaceDistillException>(
            () => Part("parts", new DataShard(1, 2))).Message, StringComparison.Ordinal);
        Assert.Empty(Part("parts", new DataShard(2, 2)).Missing); // which is as it was
        Aligner().Run(FaceDataset.List(Raw), _folder["parts"], JobContext.None);
        File.Delete(Directory.GetFiles(_folder["parts"], "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First());
        Assert.Contains(Enumerable.Range(1, 2), k => Record.Exception(() => Part("parts", new DataShard(k, 2))) is FaceDistillException);

        // And of one whose photo is gone.
        Aligner().Run(FaceDataset.List(Raw), _folder["parts"], JobContext.None);
        File.Delete(photo);
        Assert.All(Enumerable.Range(1, 2), k => Assert.Contains("a face of no photo in", Assert.Throws<FaceDistillException>(
            () => Part("parts", new DataShard(k, 2))).Message, StringComparison.Ordinal));
    }

    [RealDataFact]
    public void Other_photos_than_those_of_the_folder_change_nothing_there()
    {
        Directory.CreateDirectory(_folder["strangers/zed"]);
        File.Copy(RealData.LfwPhotos(3)[2], _folder["strangers/zed/z.jpg"]);
        for (int done = 1; done <= 2; done++) // unfinished, then whole
        {
            Part("parts", new DataShard(done, 2));
            var before = Contents("parts");
            foreach (int k in new[] { 1, 2 })
            {
                Assert.Contains("a face of no photo in", Assert.Throws<FaceDistillException>(() => Aligner().Run(
                    FaceDataset.List(_folder["strangers"]), _folder["parts"], new DataShard(k, 2), JobContext.None)).Message, StringComparison.Ordinal);
            }

            Assert.Equal(before, Contents("parts"));
        }
    }

    [RealDataFact]
    public void Others_who_write_there_other_settings_and_other_files_are_refused()
    {
        Part("parts", new DataShard(1, 2));
        using (FolderLock.Take(_folder["parts"], "2-of-2"))
        {
            Assert.StartsWith("another facedistill is writing part 2-of-2 to ", Assert.Throws<FaceDistillException>(
                () => Part("parts", new DataShard(2, 2))).Message, StringComparison.Ordinal);
            Assert.StartsWith("another facedistill is writing part 2-of-2 to ", Assert.Throws<FaceDistillException>(
                () => Aligner().Run(FaceDataset.List(Raw), _folder["parts"], JobContext.None)).Message, StringComparison.Ordinal);
        }

        Assert.Contains("aligned otherwise", Assert.Throws<FaceDistillException>(
            () => Part("parts", new DataShard(2, 2), allFaces: true)).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["full"]);
        File.WriteAllText(_folder["full/thesis.tex"], "mine");
        Assert.Contains("already holds other files", Assert.Throws<FaceDistillException>(() => Part("full", new DataShard(1, 2))).Message,
            StringComparison.Ordinal);
        Assert.Contains("outside the photos", Assert.Throws<FaceDistillException>(() => Part("raw/out", new DataShard(1, 2))).Message,
            StringComparison.Ordinal);
        Assert.Equal([_folder[Path.Combine("full", "thesis.tex")]], Directory.GetFileSystemEntries(_folder["full"]));
        File.WriteAllText(_folder["parts/strange.jpg"], "nobody's");
        Assert.Contains("strange.jpg, a face of no photo", Assert.Throws<FaceDistillException>(() => Part("parts", new DataShard(2, 2))).Message,
            StringComparison.Ordinal);
        File.Delete(_folder["parts/strange.jpg"]);
        Assert.Empty(Part("parts", new DataShard(2, 2)).Missing);
    }

    // With every face of a photo wanted, what is written before the index is refused by no later run.
    [RealDataFact]
    public void Other_faces_that_a_killed_run_wrote_before_its_index_are_no_strangers()
    {
        Assert.InRange(Aligner(allFaces: true).Run(FaceDataset.List(Raw), _folder["whole"], JobContext.None).OtherFaces, 1, 100);
        TempFolder.Copy(_folder["whole"], _folder["parts"]);
        (AlignmentManifest.Read(_folder["parts"]) with { Complete = false }).Write(_folder["parts"]);
        File.Delete(_folder["parts/faces.csv"]);
        Aligner(allFaces: true).Run(FaceDataset.List(Raw), _folder["parts"], JobContext.None);
        Same();
        (AlignmentManifest.Read(_folder["parts"]) with { Complete = false }).Write(_folder["parts"]);
        string stranger = Path.Combine(Path.GetDirectoryName(AlignedFaces.Open(_folder["whole"]).Dataset.Images[0].Path)!, "nobody.2.jpg");
        File.WriteAllText(_folder[Path.Combine("parts", stranger)], "x");
        Assert.Contains("nobody.2.jpg, a face of no photo", Assert.Throws<FaceDistillException>(
            () => Aligner(allFaces: true).Run(FaceDataset.List(Raw), _folder["parts"], JobContext.None)).Message, StringComparison.Ordinal);
    }

    private void Same() => Assert.Equal(Contents("whole"), Contents("parts"));

    private AlignedPart Part(string output, DataShard part, bool allFaces = false, JobContext? job = null) =>
        Aligner(allFaces).Run(FaceDataset.List(Raw), _folder[output], part, job ?? JobContext.None);

    private static FolderAligner Aligner(bool allFaces = false) =>
        new(new PhotoAligner(DetectorCard.FindModel(AssetFinder.FromEnvironment()), AlignmentTemplate.Dlib, Frame) { AllFaces = allFaces });

    // Hidden files too.
    private SortedDictionary<string, string> Contents(string folder) => new(Directory.GetFiles(_folder[folder], "*", new EnumerationOptions
    {
        RecurseSubdirectories = true, AttributesToSkip = 0,
    }).ToDictionary(p => Path.GetRelativePath(_folder[folder], p), FileHash.Sha256), StringComparer.Ordinal);

    private sealed class CancelAfter(int count, CancellationTokenSource cancel) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Stage == "aligning" && value.Done >= count)
            {
                cancel.Cancel();
            }
        }
    }
}
