using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Runs;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Jobs;

public sealed class EvaluateJobTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public void The_outcome_is_noted_in_the_run_under_the_datas_name(string ending)
    {
        string copy = run.CopyTo(_folder["run"]);
        string card = TinyTeacher.Write(_folder["teacher"]);
        var faces = run.CopyFaces(_folder["people"]);
        var result = Job().Run(Request(["teacher:" + card, copy]) with { Data = DataFolder.Of(faces.Dataset.Root + ending) }, JobContext.None);
        Assert.Equal(0, result.Reference);
        var noted = Assert.Single(RunEvaluations.Read(copy));
        Assert.Equal("people", noted.Data);
        var agreement = Assert.Single(noted.Result.Agreements!);
        Assert.Equal((result.Models[0].Name, result.Models[1].Name, 120), (agreement.Teacher, agreement.Student, agreement.Images));
        Assert.Equal((20, 3), (agreement.Worst.Count, agreement.Search!.Count));
        Assert.Equal(JsonFile.Serialize(result), JsonFile.Serialize(noted.Result));
        Assert.Contains("all-pairs on people", File.ReadAllText(_folder["run/report.md"]), StringComparison.Ordinal);
        Assert.Equal(120, result.Models[1].Images);
    }

    [Theory]
    [InlineData(Evaluator.Pairs, "one.csv", "two.csv")]
    [InlineData(Evaluator.Identification, "one.csv", "two.csv")]
    [InlineData(Evaluator.Identification, "30% unknown", "50% unknown")]
    public void Another_list_or_share_on_the_same_faces_is_another_test(string protocol, string one, string two)
    {
        string copy = run.CopyTo(_folder["run"]);
        var faces = run.CopyFaces(_folder["people"]);
        var people = faces.Dataset.Images.GroupBy(i => i.Identity).Select(g => g.Select(i => i.Path).ToArray()).ToArray();
        EvaluationOptions Options(string asked, int photo)
        {
            if (asked.EndsWith("unknown", StringComparison.Ordinal))
            {
                return new() { UnknownShare = photo == 0 ? 0.3 : 0.5 };
            }

            bool pairs = protocol == Evaluator.Pairs;
            File.WriteAllLines(_folder[asked], pairs
                ? ["a,b,same", .. people.Select(p => $"{p[photo]},{p[photo + 1]},1"), .. people.Skip(1).Select((p, i) => $"{p[photo]},{people[i][photo]},0")]
                : people.Select(p => p[photo]));
            return pairs ? new() { PairFile = _folder[asked] } : new() { GalleryFile = _folder[asked] };
        }

        foreach (var (asked, photo) in new[] { (one, 0), (two, 1), (one, 0) }) // the last in place of the first
        {
            var request = Request([copy]) with { Protocol = protocol, Data = DataFolder.Of(faces.Dataset.Root), Options = Options(asked, photo) };
            Job().Run(request, JobContext.None);
        }

        var noted = RunEvaluations.Read(copy);
        Assert.Equal([$"people ({one})", $"people ({two})"], noted.Select(n => n.Data).Order());
        Assert.NotEqual(noted[0].FacesId, noted[1].FacesId);
        Assert.NotEqual(noted[0].Result.PhotosId, noted[1].Result.PhotosId);
        Assert.Equal(noted[0].FacesId, noted[0].Result.FacesId);
    }

    // A run that goes on puts a new student in place of the one that is measured.
    [Fact]
    public void Figures_are_noted_of_the_weights_that_were_measured()
    {
        string copy = run.CopyTo(_folder["run"]), student = RunStudent.Open(copy).Path, before = FileHash.Sha256(student);
        var job = new JobContext(Progress: new Heard(_ =>
        {
            var (tensors, metadata) = SafetensorsFile.Read(student);
            SafetensorsFile.Write(student, tensors, new Dictionary<string, string>(metadata) { ["later"] = "yes" });
        }));
        Job().Run(Request([copy]) with { Data = DataFolder.Of(run.CopyFaces(_folder["people"]).Dataset.Root) }, job);
        Assert.NotEqual(before, FileHash.Sha256(student));
        Assert.Equal(before, Assert.Single(RunEvaluations.Read(copy)).StudentHash);
    }

    [Fact]
    public void Flip_summed_figures_say_so_and_are_kept_apart()
    {
        string copy = run.CopyTo(_folder["run"]), card = "teacher:" + TinyTeacher.Write(_folder["teacher"]);
        var plain = Request([card, copy]) with { Data = DataFolder.Of(run.CopyFaces(_folder["people"]).Dataset.Root), Note = false };
        var told = new List<string>();
        var without = Job().Run(plain, JobContext.None);
        var flipped = Job().Run(plain with { Flip = true, Note = true }, new JobContext(told.Add));
        Assert.Equal((null, true), (without.FlipSummed, flipped.FlipSummed));
        Assert.All(flipped.Models, m => Assert.EndsWith(" (flip-summed)", m.Name, StringComparison.Ordinal));
        Assert.Empty(without.Models.Select(m => m.ModelHash).Intersect(flipped.Models.Select(m => m.ModelHash)));
        Assert.Equal(0, flipped.Reference);
        Assert.Empty(RunEvaluations.Read(copy)); // what stands there is the student without
        Assert.Contains($"{copy} has the figures without --flip: the outcome is not noted there", told);
        Job().Run(plain with { Note = true, Options = new EvaluationOptions { Score = ScoreKind.Euclidean, Resamples = 0 } }, new JobContext(told.Add));
        Assert.Empty(RunEvaluations.Read(copy));
        Assert.Contains($"{copy} has the figures by cosine: the outcome is not noted there", told);
        Assert.Equal(JsonFile.Serialize(without.Models[1].TarAtFar), JsonFile.Serialize(Job().Run(plain, JobContext.None).Models[1].TarAtFar)); // cached apart

        var embed = new EmbedRequest(card, plain.Data!.Root, _folder["store"], false, null, "cpu");
        var outcome = new EmbedJob(new AssetFinder([], [], _folder["cache"])).Run(embed with { Flip = true }, JobContext.None);
        Assert.Equal("tiny (flip-summed)", outcome.Model);
        var stored = Job().Run(Request([]) with { Embeddings = [_folder["store"]] }, JobContext.None);
        Assert.Equal(JsonFile.Serialize(flipped.Models[0].TarAtFar), JsonFile.Serialize(stored.Models[0].TarAtFar));
        Assert.Equal(flipped.Models[0].Name, stored.Models[0].Name);
        new EmbedJob(new AssetFinder([], [], _folder["cache"])).Run(embed with { Output = _folder["plain"] }, JobContext.None);
        Refused(plain with { Models = [copy], Embeddings = [_folder["plain"]], Flip = true }, "tiny was not embedded with --flip");
        Assert.Equal(2, Job().Run(plain with { Models = [copy], Embeddings = [_folder["store"]], Flip = true }, JobContext.None).Models.Count);
        Assert.Contains("holds", Assert.Throws<FaceDistillException>(() => new EmbedJob(new AssetFinder([], [], _folder["cache"])).Run(
            embed, JobContext.None)).Message, StringComparison.Ordinal); // the store is another model's
    }

    [Fact]
    public void Embeddings_that_do_not_differ_are_warned_of()
    {
        NpyFile.Write(_folder["same.npy"], 2, [1, 2, 2, 4, 1, 2, 3, 6]);
        NpyFile.Write(_folder["other.npy"], 2, [1, 2, 2, -4, 1, 3, 3, -6]);
        File.WriteAllText(_folder["labels.txt"], "one\none\ntwo\ntwo\n");
        var request = Request([]) with { Embeddings = [_folder["same.npy"], _folder["other.npy"]], Labels = _folder["labels.txt"] };
        string warning = Assert.Single(Job().Run(request, JobContext.None).Warnings!);
        Assert.StartsWith("same.npy gives 4 faces nearly the same embedding: their variance is 0.0e+0", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_are_counted_before_gigabytes_of_values_are_read()
    {
        NpyFile.Write(_folder["a.npy"], 1, [1, 2, 3]);
        byte[] header = File.ReadAllBytes(_folder["a.npy"])[..^12];
        System.Text.Encoding.ASCII.GetBytes("(2000000000, 1), }").CopyTo(header, header.AsSpan().IndexOf("(3, 1), }"u8));
        File.WriteAllBytes(_folder["a.npy"], header);
        using (var file = new FileStream(_folder["a.npy"], FileMode.Open))
        {
            file.SetLength(header.Length + 8_000_000_000); // takes no room on the disk
        }

        File.WriteAllText(_folder["labels.txt"], "one\ntwo\n");
        long before = GC.GetTotalAllocatedBytes();
        Refused(Request([]) with { Embeddings = [_folder["a.npy"]], Labels = _folder["labels.txt"] },
            $"labels.txt ends at line 2; {_folder["a.npy"]} holds 2000000000 embeddings");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 2_000_000_000);
    }

    [Fact]
    public void What_cannot_be_measured_is_refused_before_the_values_are_read()
    {
        NpyFile.Write(_folder["a.npy"], 1, [float.NaN, 1, 2, 3]);
        var request = Request([]) with { Embeddings = [_folder["a.npy"]], Labels = _folder["labels.txt"] };
        File.WriteAllText(_folder["labels.txt"], "one\ntwo\nthree\nfour\n");
        Refused(request, "a.npy: no genuine pair");
        File.WriteAllText(_folder["labels.txt"], "one\ntwo\none\ntwo\n");
        Refused(request with { Options = new() { Fars = [1e-6, 1e-3] } }, "a.npy: 4 pairs of two people permit no false accept at a rate of 1e-3, 1e-4, 1e-6");
        Refused(request, "a.npy: the embedding in row 0 (the first is 0) holds a NaN");
    }

    // Thirteen thousand photos were once aligned to measure 3,707. What no list names may even be broken.
    [Theory]
    [InlineData(Evaluator.LfwView1Test)]
    [InlineData(Evaluator.LfwTenFold)]
    [InlineData(Evaluator.Pairs)]
    public void Only_the_pictures_that_a_protocol_measures_are_read(string protocol)
    {
        string root = run.CopyFaces(_folder["people"]).Dataset.Root;
        string[] people = [.. Directory.GetDirectories(root).Order(StringComparer.Ordinal)];
        var names = new List<string>();
        foreach (string person in people)
        {
            foreach (var (file, i) in Directory.GetFiles(person).Order(StringComparer.Ordinal).Select((f, i) => (f, i)))
            {
                string name = LfwImage.Name(Path.GetFileName(person), i + 1);
                File.Move(file, Path.Combine(person, name + ".png"));
                names.Add(name);
            }
        }

        const int Listed = 4;
        string[] known = [.. people.Take(Listed).Select(p => Path.GetFileName(p)!)];
        foreach (string file in people.Skip(Listed).SelectMany(Directory.GetFiles))
        {
            File.WriteAllText(file, "no picture");
        }

        File.WriteAllText(Path.Combine(root, "peopleDevTest.txt"), $"{Listed}\n" + string.Concat(known.Select(p => $"{p}\t2\n")));
        File.WriteAllText(Path.Combine(root, "pairs.txt"), "2\t1\n" + string.Concat(Enumerable.Range(0, 2).Select(fold =>
            $"{known[2 * fold]}\t1\t2\n{known[2 * fold]}\t1\t{known[(2 * fold) + 1]}\t1\n")));
        File.WriteAllText(Path.Combine(root, "pairs.csv"), "a,b,same\n" + string.Concat(known.Select(p => $"{p}/{p}_0001,{p}/{p}_0002.jpg,1\n"))
            + $"{known[0]}/{known[0]}_0001,{known[1]}/{known[1]}_0001,0\n");
        string card = "teacher:" + TinyTeacher.Write(_folder["teacher"]);
        string other = Path.GetFileName(people[^1]);
        File.WriteAllText(Path.Combine(root, AlignmentManifest.SkippedFileName), $"path,reason\n{other}/{other}_0009.jpg,no face found\n"); // not listed
        var result = Job().Run(Request([card]) with { Protocol = protocol, Data = DataFolder.Of(root) }, JobContext.None);
        Assert.Null(result.Models[0].Acquisition);
        Assert.Equal(protocol == Evaluator.LfwTenFold ? 6 : 8, result.Models[0].Images);
        Assert.Empty(result.Models[0].Missing ?? []);

        // A store of more faces gives the same figures of the same faces.
        Array.ForEach(people[Listed..], p => Directory.Delete(p, recursive: true));
        new EmbedJob(new AssetFinder([], [], _folder["cache"])).Run(new EmbedRequest(card, root, _folder["store"], false, null, "cpu"), JobContext.None);
        var stored = Job().Run(Request([]) with { Protocol = protocol, Data = DataFolder.Of(root), Embeddings = [_folder["store"]] }, JobContext.None);
        Assert.Equal((result.FacesId, result.Models[0].GenuinePairs), (stored.FacesId, stored.Models[0].GenuinePairs));
        Assert.Null(stored.Models[0].Acquisition);
        var none = Request([card]) with { Protocol = protocol, Data = DataFolder.Of(root) };
        Array.ForEach(people[..Listed], p => Directory.Move(p, p + "x"));
        Array.ForEach(Directory.GetFiles(root, "*.png", SearchOption.AllDirectories), f => File.Move(f, f + "x.png"));
        Refused(none, "none of the pictures that");
    }

    [Fact]
    public void One_name_in_two_folders_is_said_once()
    {
        NpyFile.Write(_folder["a.npy"], 2, [1, 2, 2, 4.5f, 1, 2.5f, 3, -6]);
        File.WriteAllText(_folder["labels.txt"], "2020/alice\n2020/alice\n2021/alice\nbob\n");
        var said = new List<string>();
        File.Copy(_folder["a.npy"], _folder["b.npy"]);
        Job().Run(Request([]) with { Embeddings = [_folder["a.npy"], _folder["b.npy"]], Labels = _folder["labels.txt"] }, new JobContext(said.Add));
        Assert.Contains("(2020/alice, 2021/alice)", Assert.Single(said, line => line.StartsWith("note:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_evaluated_is_one_clear_line()
    {
        Refused(Request([]) with { Protocol = "best-pairs" }, "all-pairs");
        Refused(Request([]) with { Embeddings = ["a.npy", "b.npy", "a.npy"], Labels = "labels.txt" }, "a.npy is given twice");
        NpyFile.Write(_folder["a.npy"], 2, [1, 2, 3, 4]);
        Refused(Request([]) with { Embeddings = [_folder["a.npy"]] }, "--labels");
        File.WriteAllText(_folder["labels.txt"], "one\n");
        Refused(Request([]) with { Embeddings = [_folder["a.npy"]], Labels = _folder["labels.txt"] }, "labels.txt");
    }

    [Fact]
    public void What_is_wrong_with_the_last_model_or_the_reference_shows_before_the_first_embeds()
    {
        string card = TinyTeacher.Write(_folder["teacher"]);
        var data = DataFolder.Of(run.CopyFaces(_folder["people"]).Dataset.Root);
        var told = new List<WorkProgress>();
        var job = new JobContext(Progress: new Heard(told.Add));
        foreach (var request in new[] { Request(["teacher:" + card, _folder["none.onnx"]]), Request(["teacher:" + card]) with { Reference = "nobody" } })
        {
            Assert.Throws<FaceDistillException>(() => Job().Run(request with { Data = data }, job));
            Assert.Empty(told);
        }

        Refused(Request(["teacher:" + card]) with { Data = data, Labels = _folder["labels.txt"] }, "--labels");
    }

    [Fact]
    public void That_no_pair_is_of_one_person_shows_before_the_first_embeds()
    {
        string root = run.CopyFaces(_folder["people"]).Dataset.Root;
        foreach (string file in Directory.GetDirectories(root).SelectMany(p => Directory.GetFiles(p).Skip(1)))
        {
            File.Delete(file);
        }

        var told = new List<WorkProgress>();
        var request = Request(["teacher:" + TinyTeacher.Write(_folder["teacher"])]) with { Data = DataFolder.Of(root) };
        var refused = Assert.Throws<FaceDistillException>(() => Job().Run(request, new JobContext(Progress: new Heard(told.Add))));
        Assert.StartsWith("tiny: no genuine pair, each of the 12 identities has one image", refused.Message, StringComparison.Ordinal);
        Assert.Empty(told);
        foreach (string file in Directory.GetDirectories(root).SelectMany(Directory.GetFiles))
        {
            File.Move(file, Path.Combine(root, Path.GetFileName(Path.GetDirectoryName(file)!) + ".png")); // nobody's
        }

        refused = Assert.Throws<FaceDistillException>(() => Job().Run(request, new JobContext(Progress: new Heard(told.Add))));
        Assert.Matches(@"^tiny: row 1 \(.*\.png\) has no identity; put each person's images into a folder of their own", refused.Message);
        Assert.Empty(told);
    }

    public void Dispose() => _folder.Dispose();

    private static EvaluateRequest Request(string[] models) => new(Evaluator.AllPairs, models, null, null, "cpu");

    private EvaluateJob Job() => new(new AssetFinder([], [], _folder["cache"]));

    private void Refused(EvaluateRequest request, string expected) =>
        Assert.Contains(expected, Assert.Throws<FaceDistillException>(() => Job().Run(request, JobContext.None)).Message, StringComparison.Ordinal);

    private sealed class Heard(Action<WorkProgress> hear) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => hear(value);
    }
}
