using System.Text;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Synthetic;
using FaceDistill.Views;

namespace FaceDistill.Tests.Jobs;

public sealed class AuditJobTests(TrainedRun trained) : IClassFixture<TrainedRun>, IDisposable
{
    private const int Dimension = 8;
    private readonly TempFolder _folder = new();
    private readonly List<string> _lines = [];

    [Fact]
    public void Training_faces_of_test_people_are_listed_with_what_chance_would_give()
    {
        // 40 test people with three faces each; the training faces are 60 strangers and two of person 7.
        float[][] people = [.. Enumerable.Range(0, 100).Select(Person)];
        Store("test", [.. Enumerable.Range(0, 120).Select(i => ($"p{i / 3}/{i}.jpg", $"p{i / 3}", Near(people[i / 3], i)))]);
        Store("train", [.. Enumerable.Range(0, 60).Select(i => ($"{i}.jpg", "", Near(people[40 + i], 1000 + i))), ("leak1.jpg", "", Near(people[7], 5000)),
            ("leak2.jpg", "", Near(people[7], 5001))]);
        var summary = Run(new AuditRequest([_folder["train"]], [_folder["test"]], "none", _folder["audit.csv"]) { Far = 1e-3 });
        var test = Assert.Single(summary.Tests);
        var count = Assert.Single(test.Counts);
        Assert.Equal((120, 40, 120L * 119 / 2 - 120), (test.Faces, test.People, test.ImpostorPairs));
        Assert.Equal(7.0 / test.ImpostorPairs, test.MeasuredFar!.Value, 1e-9); // 7.02 permitted
        Assert.Equal(62L * 120, count.Pairs);
        Assert.Equal(test.MeasuredFar.Value * count.Pairs, count.ExpectedPairs!.Value, 1e-9);
        Assert.Equal(0, count.SameFiles);
        string[] rows = File.ReadAllLines(_folder["audit.csv"]);
        Assert.Equal("kind,data,path,other,other_path,person,similarity,pairs", rows[0]);
        Assert.Equal(count.Matches, rows.Length - 1);
        Assert.Equal(2, rows.Count(row => row.StartsWith("person,train,leak", StringComparison.Ordinal) && row.Contains(",p7,", StringComparison.Ordinal)));
        Assert.Equal(summary.Listed, ExclusionList.Read(_folder["audit.csv"]).Count("train"));
        Assert.Equal(JsonFile.Serialize(summary), JsonFile.Serialize(AuditSummary.In(_folder.Path)));
        Assert.DoesNotContain(_lines, l => l.StartsWith("warning", StringComparison.Ordinal));

        // The list given back leaves strangers only; what it says of nothing here is told as training tells it.
        File.AppendAllText(_folder["audit.csv"], "person,train,gone.jpg,test,x,p7,0.9,1\nperson,elsewhere,a.jpg,test,x,p7,0.9,1\n");
        var again = Run(new AuditRequest([_folder["train"]], [_folder["test"]], "none", _folder["again.csv"]) { Far = 1e-3, Exclude = _folder["audit.csv"] });
        Assert.Equal((62 - count.Matches, 0), (again.Tests[0].Counts[0].Faces, again.Tests[0].Counts[0].Matches));
        Assert.Equal([$"train: {count.Matches} of 62 faces excluded by {_folder["audit.csv"]}; 1 of its lines fit no face here (first: gone.jpg)",
            $"{_folder["audit.csv"]}: 1 lines are of other data sets (elsewhere)"], _lines.Where(l => l.Contains("audit.csv", StringComparison.Ordinal)));
    }

    [Fact]
    public void Several_faces_of_one_photo_are_no_duplicates_of_each_other()
    {
        ContentHash photo = new(1), copied = new(2), one = new(11), two = new(12), other = new(13);
        var same = new SameFiles();
        Assert.Equal([(3, 1)], same.Add([(photo, one), (photo, two), (copied, other), (photo, two)], 0)); // the photo lies there twice
        Assert.Equal([(4, 0), (5, 1)], same.Add([(photo, new ContentHash(14)), (new ContentHash(3), two)], 4)); // another set, aligned otherwise
        Assert.Equal([(0, 0)], same.In([(photo, new ContentHash(15))]));
    }

    [Fact]
    public void Names_that_hide_one_person_twice_are_warned_of()
    {
        float[][] people = [.. Enumerable.Range(0, 40).Select(Person)];
        people[1] = people[0]; // one person, two names
        Store("test", [.. Enumerable.Range(0, 240).Select(i => ($"p{i / 6}/{i}.jpg", $"p{i / 6}", Near(people[i / 6], i)))]);
        Run(new AuditRequest([_folder["test"]], [_folder["test"]], "none", _folder["audit.csv"]) { Far = 1e-4 });
        Assert.Contains(_lines, l => l.StartsWith("warning: only", StringComparison.Ordinal)
            && l.Contains("of the genuine pairs of test reach", StringComparison.Ordinal));
    }

    [Fact]
    public void The_threshold_may_be_given_or_measured_elsewhere()
    {
        float[][] people = [.. Enumerable.Range(0, 60).Select(Person)];
        Store("labelled", [.. Enumerable.Range(0, 120).Select(i => ($"p{i / 3}/{i}.jpg", $"p{i / 3}", Near(people[i / 3], i)))]);
        Store("test", [("a.jpg", "", Near(people[41], 1)), ("b.jpg", "", Near(people[42], 2))]);
        Store("train", [("c.jpg", "", Near(people[41], 3)), ("d.jpg", "", Near(people[43], 4))]);
        var request = new AuditRequest([_folder["train"]], [_folder["test"]], "none", _folder["audit.csv"]) { Far = 1e-3 };
        Assert.Contains("--calibration", Assert.Throws<FaceDistillException>(() => Run(request)).Message, StringComparison.Ordinal);
        Assert.Contains("too few", Assert.Throws<FaceDistillException>(() => Run(request with { Calibration = _folder["labelled"], Far = 1e-6 })).Message,
            StringComparison.Ordinal);
        var measured = Run(request with { Calibration = _folder["labelled"] }).Tests[0];
        Assert.Equal(("labelled", 0, 1e-3), (measured.MeasuredOn, measured.People, measured.Far));
        var given = Run(request with { Threshold = 0.98 }).Tests[0];
        Assert.Equal((0.98, null, null, 1), (Math.Round(given.Threshold, 6), given.Far, given.MeasuredFar, given.Counts[0].Matches));
        Assert.Null(given.Counts[0].ExpectedPairs);
        var both = Run(request with { Threshold = measured.Threshold, Calibration = _folder["labelled"] }).Tests[0];
        Assert.Equal((measured.MeasuredFar, measured.MeasuredTar, null), (both.MeasuredFar, both.MeasuredTar, both.Far));
    }

    [Fact]
    public void Same_files_are_told_apart_from_people_and_the_second_of_two_is_dropped()
    {
        string card = TinyTeacher.Write(_folder["teacher"]);
        Draw("test", 6, 4, 9);
        Draw("train", 5, 4, 5);
        string test = AlignedFaces.Open(_folder["test"]).Dataset.Images[5].Path, own = AlignedFaces.Open(_folder["train"]).Dataset.Images[2].Path;
        File.Copy(Path.Combine(_folder["test"], test), _folder["train/zz-copied" + Path.GetExtension(test)]);
        File.Copy(Path.Combine(_folder["train"], own), _folder["train/zz-twice" + Path.GetExtension(own)]);
        var summary = Run(new AuditRequest([_folder["train"]], [_folder["test"]], card, _folder["audit.csv"]) { Threshold = 0.999999, Duplicates = 0.999999 });
        Assert.Equal((22, 0, 1), (summary.Tests[0].Counts[0].Faces, summary.Tests[0].Counts[0].Matches, summary.Tests[0].Counts[0].SameFiles));
        Assert.Equal((22, 1, 0), (summary.Duplicates[0].Faces, summary.Duplicates[0].SameFiles, summary.Duplicates[0].Near));
        string[] rows = File.ReadAllLines(_folder["audit.csv"]);
        Assert.Equal([
            $"same file,train,zz-copied{Path.GetExtension(test)},test,{test},{Path.GetDirectoryName(test)},1.0000,1",
            $"same file,train,zz-twice{Path.GetExtension(own)},train,{own},{Path.GetDirectoryName(own)},1.0000,1"], rows[1..]);
    }

    [Fact]
    public void A_runs_audit_stands_in_its_report_and_in_evaluations_of_these_people()
    {
        string run = trained.CopyTo(_folder["run"]), card = TinyTeacher.Write(_folder["teacher"]);
        (trained.Info with { TrainedOn = [DataFolder.Of(trained.Tiny.Faces.Dataset.Root)], Excluded = 1 }).Write(run);
        string excluded = trained.Tiny.Faces.Dataset.Images[0].Path;
        File.WriteAllText(Path.Combine(run, RunInfo.ExcludedFileName), $"{Path.GetFileName(trained.Tiny.Faces.Dataset.Root)}\t{excluded}\n");
        var faces = trained.CopyFaces(_folder["people"]);
        string people = faces.Dataset.Root, first = faces.Dataset.Images[0].Path, second = faces.Dataset.Images[1].Path;
        File.WriteAllText(Path.Combine(people, PairList.FileName), $"a,b,same\n{first},{second},1\n");
        var summary = Run(new AuditRequest([], [people], card, null) { Run = run, Threshold = 0.5 });
        Assert.Equal((119, 119), (summary.Tests[0].Counts[0].Faces, summary.Tests[0].Counts[0].SameFiles)); // not the one that was left out
        Assert.DoesNotContain(excluded, File.ReadAllText(Path.Combine(run, AuditJob.ListName)).Split(',').Where((_, i) => i % 7 == 2));
        string report = File.ReadAllText(Path.Combine(run, "report.md"));
        Assert.Contains("## Audit of the training faces", report, StringComparison.Ordinal);
        Assert.Contains("119 are the same file", report, StringComparison.Ordinal);
        Assert.Contains("| left out | 1 pictures", report, StringComparison.Ordinal);
        Assert.Equal(119, JsonFile.Read<AuditSummary>(Path.Combine(run, AuditSummary.FileName)).Listed);
        var measured = new FaceEmbeddings(trained.Tiny.Teacher, AlignedFaces.Open(people)).Of(FaceView.Original, JobContext.None);
        string warning = Assert.Single(TrainingOverlap.Audited(run, Evaluator.AllPairs, measured));
        Assert.Contains("tiny: 0 of 119 training faces match people of people", warning, StringComparison.Ordinal);
        Assert.Empty(TrainingOverlap.Audited(run, Evaluator.AllPairs, measured.Of([.. Enumerable.Range(1, 100)]))); // other faces, of whatever name
        Assert.Single(TrainingOverlap.Audited(run, Evaluator.Pairs, measured.Of([0, 1]))); // the part that the list beside them has measured

        // Models of another template see other crops of these photos; and an audit that found nothing is no warning.
        var aligned = new EmbeddingSet(measured.Name, measured.Dimension, measured.Values, measured.Paths, measured.Identities)
        {
            Photos = measured.Faces, Faces = [.. measured.Faces!.Reverse()],
        };
        Assert.NotEqual(measured.FacesId, aligned.FacesId);
        Assert.Single(TrainingOverlap.Audited(run, Evaluator.AllPairs, aligned));
        string file = Path.Combine(run, AuditSummary.FileName);
        var clean = summary.Tests[0] with { Counts = [.. summary.Tests[0].Counts.Select(c => c with { Matches = 0, SameFiles = 0 })] };
        JsonFile.Write(file, summary with { Tests = [clean] });
        Assert.Empty(TrainingOverlap.Audited(run, Evaluator.AllPairs, measured));
        Assert.Empty(TrainingOverlap.Audited(run, Evaluator.Pairs, measured.Of([0, 1])));
    }

    [Fact]
    public void A_run_is_audited_on_what_it_was_trained_on_whatever_lies_in_its_folder_now()
    {
        string run = trained.CopyTo(_folder["run"]), card = TinyTeacher.Write(_folder["teacher"]), data = trained.CopyFaces(_folder["data"]).Dataset.Root;
        (trained.Info with { TrainedOn = [DataFolder.Of(data)] }).Write(run);
        string[] pictures = [.. Directory.GetFiles(data, "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Array.ForEach(pictures[..20], File.Delete);
        File.Copy(Directory.GetFiles(trained.DrawStrangers(_folder["strangers"]).Dataset.Root, "*.png", SearchOption.AllDirectories)[0], pictures[0]);
        var summary = Run(new AuditRequest([], [trained.CopyFaces(_folder["people"]).Dataset.Root], card, null) { Run = run, Threshold = 0.5 });
        Assert.Equal((100, 100), (summary.Tests[0].Counts[0].Faces, summary.Tests[0].Counts[0].SameFiles));
        Assert.Contains(_lines, l => l.Contains("1 of its 101 faces are none that", StringComparison.Ordinal));
        Assert.Contains(_lines, l => l.StartsWith("warning: 100 of the 120 faces that", StringComparison.Ordinal));
        File.Delete(Path.Combine(run, TrainedFaces.FileName));
        Refused(new AuditRequest([], [_folder["people"]], card, null) { Run = run, Threshold = 0.5 }, "made by an earlier version");
    }

    [Fact]
    public void What_is_said_of_the_training_faces_alignment_is_not_said_of_a_test_s_photos()
    {
        string card = TinyTeacher.Write(_folder["teacher"]);
        foreach (string name in new[] { "train", "photos", "test" })
        {
            Draw(name, 3, 4, 5);
        }

        File.Delete(_folder[$"train/{AlignmentManifest.FileName}"]);
        File.Delete(_folder[$"photos/{AlignmentManifest.FileName}"]);
        var request = new AuditRequest([_folder["train"]], [_folder["test"]], card, _folder["audit.csv"]) { Aligned = "dlib", Threshold = 0.5 };
        Assert.Equal(12, Run(request).Tests[0].Counts[0].SameFiles);
        Refused(request with { Tests = [_folder["photos"]] }, "yunet"); // photos are looked for faces, for which there is no detector here
        Refused(request with { Calibration = _folder["photos"] }, "yunet");
    }

    [Fact]
    public void A_store_of_a_rec_has_the_name_by_which_training_leaves_its_pictures_out()
    {
        Store("ms1m-store", [("a.jpg", "", Person(1)), ("b.jpg", "", Person(2))], source: _folder["ms1m/train.rec"]);
        Directory.CreateDirectory(_folder["ms1m"]);
        File.WriteAllText(_folder["ms1m/train.rec"], "");
        Assert.Equal("ms1m", AuditFaces.OfStore(_folder["ms1m-store"]).Name);
        Assert.Equal("ms1m", new DataFolder(_folder["ms1m/train.rec"], _folder["ms1m/train.rec"]).Name);
    }

    [Fact]
    public void What_cannot_be_audited_is_one_clear_line()
    {
        Store("train", [("a.jpg", "", Person(1)), ("b.jpg", "", Person(2))]);
        Store("other", [("a.jpg", "", Person(1)), ("b.jpg", "", Person(2))], "another");
        var request = new AuditRequest([_folder["train"]], [_folder["train"]], "none", _folder["audit.csv"]) { Threshold = 0.9 };
        Refused(request with { Tests = [_folder["other"]] }, "embedded by tiny and other by another");
        Refused(request with { Data = [_folder["train"], _folder["train"]] }, "two training sets are called train");
        Refused(request with { Protocol = Evaluator.LfwView1Test }, "peopleDevTest.txt");
        Refused(request with { Tests = [] }, "needs a test");
        Refused(request with { Output = _folder["audit.txt"] }, ".csv");
        Refused(request with { Threshold = 1.5 }, "above 0 and below 1");
        Refused(request with { Data = [_folder["nowhere"]] }, "no folder");
    }

    public void Dispose() => _folder.Dispose();

    private AuditSummary Run(AuditRequest request) => new AuditJob(new AssetFinder([], [], _folder["cache"])).Run(request, new JobContext(_lines.Add));

    private void Refused(AuditRequest request, string expected) =>
        Assert.Contains(expected, Assert.Throws<FaceDistillException>(() => Run(request)).Message, StringComparison.Ordinal);

    private void Draw(string name, int people, int images, ulong seed) =>
        SyntheticDataset.Write(_folder[name], new DrawnPeople(people, images, seed), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));

    private void Store(string name, (string Path, string Identity, float[] Vector)[] faces, string teacher = "tiny", string? source = null)
    {
        var key = new EmbeddingStoreKey(teacher, teacher, "alignment", name, Dimension, faces.Length, ["original"]);
        using var writer = EmbeddingStoreWriter.Open(_folder[name], key, [], JobContext.None);
        var set = new EmbeddingSet(
            teacher, Dimension, [.. faces.SelectMany(f => f.Vector)], [.. faces.Select(f => f.Path)], [.. faces.Select(f => f.Identity)])
        {
            Faces = [.. faces.Select(f => ContentHash.Of(Encoding.UTF8.GetBytes(name + f.Path)))],
            Photos = new ContentHash[faces.Length],
        };
        writer.Write([set], new EmbeddingSource(source ?? _folder[name], "dlib", []), default);
    }

    private static float[] Person(int number)
    {
        var random = new Random(number);
        return [.. Enumerable.Range(0, Dimension).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    private static float[] Near(float[] person, int number)
    {
        var random = new Random(10_000 + number);
        return [.. person.Select(v => v + (float)((random.NextDouble() - 0.5) * 0.05))];
    }
}
