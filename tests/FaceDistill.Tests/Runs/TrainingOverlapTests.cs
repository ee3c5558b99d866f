using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Runs;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Runs;

/// <summary>The one rule for 'was trained on these people': by content, and by names where there are any.</summary>
public sealed class TrainingOverlapTests(TrainedRun trained) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_renamed_copy_is_found_by_content()
    {
        var overlap = Overlap([("1", 1), ("1", 2), ("2", 3)], [("Ann", 1), ("Ann", 7), ("Bob", 3), ("Cid", 9)])!;
        Assert.Equal(new TrainedOverlap(People: 2, ByName: 0, OfPeople: 3, Faces: 2, OfFaces: 4), overlap);
        Assert.True(overlap.Any);
    }

    [Fact]
    public void The_photo_counts_where_it_was_aligned_otherwise()
    {
        var overlap = Overlap([("1", 1)], [("Ann", 501), ("Bob", 3)], photo: 1);
        Assert.Equal(new TrainedOverlap(1, 0, 2, 1, 2), overlap);
    }

    [Fact]
    public void Other_pictures_of_people_with_names_are_found_and_numbers_are_no_names()
    {
        Assert.Equal(new TrainedOverlap(2, 2, 3, 0, 3), Overlap([("Ann_Lee", 1), ("x/Bob", 2), ("Dan", 3)], [("Ann_Lee", 11), ("Bob", 12), ("Cid", 13)]));
        // Two unrelated sets that number their people alike.
        (string, int)[] numbers = [("n000001", 1), ("n000002", 2), ("person_1", 3), ("person_2", 4), ("17", 5), ("a5", 6), ("a", 7), ("B", 8)];
        Assert.False(Overlap(numbers, [.. numbers.Select(n => (n.Item1, n.Item2 + 100))])!.Any);
        // And two unrelated folders called photos.
        Assert.False(Overlap([("photos", 1), ("photos", 2)], [("photos", 11), ("photos", 12)])!.Any);
        // Beside numbers names are names.
        Assert.Equal(1, Overlap([.. numbers, ("Ann", 9)], [("Ann", 109), .. numbers.Select(n => (n.Item1, n.Item2 + 100))])!.People);
    }

    [Fact]
    public void Faces_without_a_person_count_as_faces() =>
        Assert.Equal(new TrainedOverlap(0, 0, 0, 1, 2), Overlap([("", 1), ("", 2)], [("", 2), ("", 3)]));

    [Fact]
    public void Of_view_1_only_the_test_people_are_measured()
    {
        File.WriteAllText(_folder["peopleDevTest.txt"], "1\nCid\t1\n");
        var set = Lfw("{0}", ["Ann", "Bob", "Cid"]);
        string run = Run([("Ann", 1), ("Bob", 2)]);
        Assert.Equal(2, TrainingOverlap.Of(run, new DataFolder(_folder.Path, "x"), Evaluator.LfwTenFold, set)!.People);
        Assert.Equal(new TrainedOverlap(0, 0, 1, 0, 1), TrainingOverlap.Of(run, new DataFolder(_folder.Path, "x"), Evaluator.LfwView1Test, set));
    }

    [Fact]
    public void By_a_list_of_pairs_those_that_it_names_are_measured_wherever_it_lies()
    {
        var set = Lfw("{0}", ["Ann", "Bob", "Cid"]);
        string list = _folder["pairs.csv"], run = Run([("Ann", 1), ("Cid", 3)]);
        File.WriteAllText(list, "a,b,same\nBob/Bob_0001,Cid/Cid_0001.png,0\n");
        Assert.Equal(new TrainedOverlap(1, 0, 2, 1, 2), TrainingOverlap.Of(
            run, new DataFolder("/elsewhere", "x"), Evaluator.Pairs, set, new EvaluationOptions { PairFile = list }));
    }

    [Theory]
    [InlineData("")]
    [InlineData("lfw/{0}")]
    [InlineData("lfw")]
    public void Lfws_people_are_known_by_their_pictures_names_however_these_lie(string folder)
    {
        File.WriteAllText(_folder["peopleDevTest.txt"], "2\nAnn_Lee\t1\nBob\t1\n");
        var set = Lfw(folder, ["Ann_Lee", "Bob", "Cid"]);
        foreach (var (protocol, people) in new[] { (Evaluator.LfwView1Test, 2), (Evaluator.LfwTenFold, 3) })
        {
            Assert.Equal(new TrainedOverlap(2, 1, people, 1, people), TrainingOverlap.Of(
                Run([("1", 1), ("Bob", 102)]), new DataFolder(_folder.Path, "x"), protocol, set)); // Ann_Lee's very picture, another one of Bob
        }
    }

    [Fact]
    public void Models_that_do_not_say_are_unknown_and_a_start_counts_too()
    {
        var data = new DataFolder("/lfw", "/lfw/images");
        var set = Set([("Ann", 1)]);
        Assert.Null(TrainingOverlap.Of("teacher:dlib-resnet", data, Evaluator.AllPairs, set));
        Directory.CreateDirectory(_folder["earlier"]);
        Assert.Null(TrainingOverlap.Of(_folder["earlier"], data, Evaluator.AllPairs, set)); // a run of an earlier version
        string start = Run([("Ann", 1)]);
        Assert.Null(TrainingOverlap.Of(Path.Combine(start, "student.onnx"), data, Evaluator.AllPairs, set)); // a file may lie anywhere
        string run = Run([("Bob", 2)], start: start);
        Assert.Equal((1, 1), (TrainingOverlap.Of(run, data, Evaluator.AllPairs, set)!.People, TrainedFaces.Read(run)!.Of(Set([("Bob", 2)])).People));
        string unknown = Run([("Bob", 2)], start: _folder["earlier"]);
        Assert.Null(TrainingOverlap.Of(unknown, data, Evaluator.AllPairs, set));
        Assert.Equal(1, TrainingOverlap.Of(unknown, data, Evaluator.AllPairs, Set([("Bob", 2)]))!.People);
    }

    [Fact]
    public void Whom_a_start_has_met_is_known_by_name_and_where_people_are_numbers_by_content()
    {
        string run = Run([("Ann", 1), ("a/0000017", 2), ("0000018", 3)]);
        IReadOnlySet<string>? Met(params (string Person, int Face)[] faces) =>
            TrainedFaces.Met(run, faces.Select(f => (f.Person, new FaceImage("x.jpg", f.Person) { Hash = Content(f.Face) })));
        Assert.Equal(["Ann"], Met(("Ann", 11), ("Bob", 12))!);
        Assert.Empty(Met(("b/0000017", 12), ("0000018", 13))!); // numbers of another set
        Assert.Equal(["0000019", "b/0000017"], Met(("b/0000017", 2), ("0000019", 3), ("0000018", 13))!.Order());
    }

    [Fact]
    public void A_damaged_list_is_one_clear_line()
    {
        string run = Run([("Ann", 1)]);
        File.AppendAllText(Path.Combine(run, TrainedFaces.FileName), "0123,x,Bob\n");
        string message = Assert.Throws<FaceDistillException>(() => TrainedFaces.Read(run)).Message;
        Assert.Contains($"{TrainedFaces.FileName} line 3", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_warning_is_in_the_document_and_the_runs_report()
    {
        var job = new EvaluateJob(new AssetFinder([], [], _folder["cache"]));
        string run = trained.CopyTo(_folder["run"]);
        string faces = trained.CopyFaces(_folder["renamed"]).Dataset.Root;
        var request = new EvaluateRequest(Evaluator.AllPairs, [run], DataFolder.Of(faces), null, "cpu");
        var document = job.Run(request, JobContext.None);
        Assert.Contains("trained on, or chose its best epoch by, 12 of the 12 people measured here, and 120 of the 120 faces",
            Assert.Single(document.Warnings!), StringComparison.Ordinal);
        Assert.Equal(new TrainedOverlap(12, 0, 12, 120, 120), document.Models[0].TrainedOn);
        Assert.Contains("**Warning: ", File.ReadAllText(Path.Combine(run, "report.md")), StringComparison.Ordinal);
    }

    private static ContentHash Content(int face) => new((UInt128)face);

    private static EmbeddingSet Set((string Identity, int Face)[] faces, int photo = 0) => new(
        "student", 1, new float[faces.Length], [.. faces.Select((f, i) => $"{i}.jpg")], [.. faces.Select(f => f.Identity)])
    {
        Faces = [.. faces.Select(f => Content(f.Face))],
        Photos = [.. faces.Select((_, i) => i == 0 ? Content(photo) : default)],
    };

    // One picture of each: faces 1, 2, ...
    private static EmbeddingSet Lfw(string folder, string[] people)
    {
        string[] identities = [.. people.Select(p => string.Format(System.Globalization.CultureInfo.InvariantCulture, folder, p))];
        var set = Set([.. identities.Select((identity, i) => (identity, i + 1))]);
        return new("student", 1, set.Values, [.. people.Zip(identities, (p, identity) => $"{identity}/{p}_0001.jpg".TrimStart('/'))], identities)
        {
            Faces = set.Faces, Photos = set.Photos,
        };
    }

    private TrainedOverlap? Overlap((string Identity, int Face)[] training, (string Identity, int Face)[] test, int photo = 0) =>
        TrainedFaces.Read(Run(training, photo))!.Of(Set(test, photo));

    private string Run((string Identity, int Face)[] faces, int photo = 0, string? start = null)
    {
        string run = _folder[Guid.NewGuid().ToString()];
        Directory.CreateDirectory(run);
        FaceImage[] images =
            [.. faces.Select((f, i) => new FaceImage($"{i}.jpg", f.Identity) { Hash = Content(f.Face), Photo = i == 0 ? Content(photo) : default })];
        TrainedFaces.Write(run, new AlignedFaces(new FaceDataset(run, images, []), new AlignmentManifest(1, "dlib", 64, 0, "user", "", true)), start);
        return run;
    }
}
