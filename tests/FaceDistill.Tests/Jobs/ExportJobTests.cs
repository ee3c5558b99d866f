using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Training;

namespace FaceDistill.Tests.Jobs;

public sealed class ExportJobTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void The_export_is_verified_on_the_training_faces_and_noted()
    {
        string copy = run.CopyTo(_folder["run"]);
        var outcome = Job(new ExportRequest(copy, new OnnxFormat(), null));
        string model = Path.Combine(copy, DistillJob.ExportName);
        Assert.Equal([model, model + ".MODEL_CARD.md", model + ".card.json"], outcome.Files);
        Assert.Equal((120, "onnx"), (outcome.Faces, outcome.Format));
        Assert.InRange(outcome.MaxAbsDifference, 0, 1e-4);
        Assert.Equal(JsonFile.Serialize(outcome), JsonFile.Serialize(JsonFile.Read<ExportOutcome>(_folder[$"run/{RunReport.ExportFileName}"])));
        Assert.Contains("student.onnx", File.ReadAllText(_folder["run/report.md"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "has one face")]
    [InlineData(3, "has 3 faces that are one picture")]
    public void Faces_that_a_constant_would_pass_verify_nothing(int count, string says)
    {
        string picture = run.Tiny.Faces.Dataset.FullPath(run.Tiny.Faces.Dataset.Images[0]);
        Directory.CreateDirectory(_folder["same"]);
        for (int i = 0; i < count; i++)
        {
            File.Copy(picture, _folder[$"same/{i}{Path.GetExtension(picture)}"]);
        }

        var request = new ExportRequest(run.CopyTo(_folder["run"]), new OnnxFormat(), _folder["x.onnx"]) { Data = _folder["same"], Aligned = "dlib" };
        string message = Assert.Throws<FaceDistillException>(() => Job(request)).Message;
        Assert.StartsWith($"{_folder["same"]} {says}, by which no export is verified", message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["x.onnx"]));
    }

    [Fact]
    public void Nothing_measured_means_no_threshold_and_no_accuracy()
    {
        string copy = run.CopyTo(_folder["run"]);
        Job(new ExportRequest(copy, new OnnxFormat(), _folder["x.onnx"]));
        var card = JsonFile.Read<ModelCard>(_folder["x.onnx.card.json"]);
        Assert.Empty(card.Accuracy);
        Assert.Empty(card.Thresholds);
        Assert.Equal([19.988, 19.5827], card.Input.Points[0]); // the left eye's, of 64 pixels that were 160
        Assert.Equal((FileHash.Sha256(_folder["x.onnx"]), new FileInfo(_folder["x.onnx"]).Length, 17), (card.Sha256, card.Bytes, card.OperatorSet));
        using var session = OnnxSessions.Open(_folder["x.onnx"]);
        Assert.False(session.ModelMetadata.CustomMetadataMap.ContainsKey(StudentThreshold.MetadataKey));
        string text = File.ReadAllText(_folder["x.onnx.MODEL_CARD.md"]);
        Assert.Equal(2, text.Split("None was measured").Length - 1);
        Assert.Contains("export --model RUN --format onnx --output x.onnx --evaluate --data DATA'", text, StringComparison.Ordinal);
        Assert.Contains("Trained on drawn faces", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_evaluated_export_carries_its_thresholds_and_the_card_tells_both_figures()
    {
        string copy = run.CopyTo(_folder["run"]);
        var request = new ExportRequest(copy, new OnnxHalfFormat(), _folder["x.onnx"])
        {
            Processing = new GraphPrePostprocessing(true, true), Data = run.DrawStrangers(_folder["people"]).Dataset.Root, Protocol = "all-pairs",
                Device = "cpu",
        };
        var outcome = Job(request);
        Assert.Equal(("all-pairs", 120 * 119 / 2 - 12 * 45), (outcome.Accuracy!.Protocol, outcome.Accuracy.ImpostorPairs));
        Assert.Null(outcome.Accuracy.TarAfter); // 6600 impostor pairs permit none at 1e-4
        var card = JsonFile.Read<ModelCard>(_folder["x.onnx.card.json"]);
        Assert.Equal(["this file", "the student in TorchSharp"], card.Accuracy.Select(a => a.Model));
        var threshold = Assert.Single(card.Thresholds);
        Assert.Equal((1e-3, card.Accuracy[0].Result.ThresholdAtFar!["1e-3"]!.Value, "all-pairs", 6600L),
            (threshold.Far, threshold.Threshold, threshold.Protocol, threshold.ImpostorPairs));
        using (var session = OnnxSessions.Open(_folder["x.onnx"]))
        {
            // The card's, and the curve: rates at which ten of the pairs or more are accepted, each with its interval, for there are twelve people.
            var carried = JsonFile.Parse<StudentThreshold[]>(session.ModelMetadata.CustomMetadataMap[StudentThreshold.MetadataKey], "x");
            Assert.Equal([0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001], carried.Select(t => t.Far));
            Assert.Equal(threshold.Threshold, carried[^1].Threshold);
            Assert.Equal(carried.Select(t => t.Threshold).Order(), carried.Select(t => t.Threshold));
            Assert.All(carried[..^1], t => Assert.InRange(t.Far, t.FarInterval95![0] * 0.9, t.FarInterval95[1] * 1.1));
            Assert.All(carried, t => Assert.Equal(("all-pairs", 6600L), (t.Protocol, t.ImpostorPairs)));
        }

        using (var embedder = FaceEmbedder.Load(_folder["x.onnx"]))
        {
            var rate = embedder.FalseAcceptRate(embedder.Thresholds[3].Threshold);
            Assert.Equal((0.05, 0.05, 0.05, "5e-2"), (rate.Rate, rate.AtLeast, rate.AtMost, rate.ToString()));
            Assert.Equal("at most 2e-3", embedder.FalseAcceptRate(1).ToString()); // 13 pairs; 1e-3 permits six, too few to stand on
        }

        Assert.Equal(FileHash.Sha256(_folder["x.onnx"]), card.Sha256);
        using var written = ModelArgument.OpenExported(_folder["x.onnx"], "cpu");
        Assert.Equal(EmbeddingCache.ModelHash(written), card.Accuracy[0].Result.ModelHash); // with the thresholds, which it was measured without
        Assert.InRange(card.Accuracy[0].Result.TarAtFar!["1e-3"]!.Value, card.Accuracy[1].Result.TarAtFar!["1e-3"]!.Value - 0.01, 1);
        Assert.Empty(RunEvaluations.Read(copy));
        Refused(request with { MaxLoss = 1 }, "too few to measure a loss");
    }

    [Fact]
    public void What_was_evaluated_before_counts_for_this_student_only()
    {
        string copy = run.CopyTo(_folder["run"]);
        new EvaluateJob(Finder()).Run(
            new EvaluateRequest("all-pairs", [copy], DataFolder.Of(run.DrawStrangers(_folder["people"]).Dataset.Root), null, "cpu"), JobContext.None);
        Job(new ExportRequest(copy, new OnnxFormat(), _folder["x.onnx"]));
        var card = JsonFile.Read<ModelCard>(_folder["x.onnx.card.json"]);
        Assert.Equal("the student in TorchSharp", Assert.Single(card.Accuracy).Model);
        Assert.Equal(1e-3, Assert.Single(card.Thresholds).Far);

        var noted = RunEvaluations.Read(copy)[0];
        RunEvaluations.Write(copy, noted with { StudentHash = new string('0', 64) });
        Job(new ExportRequest(copy, new OnnxFormat(), _folder["x.onnx"]));
        Assert.Empty(JsonFile.Read<ModelCard>(_folder["x.onnx.card.json"]).Accuracy);

        // A test on the training faces tells nothing of strangers: the card says so, and the file gets no threshold.
        File.Delete(Assert.Single(Directory.GetFiles(copy, "evaluation-*.json")));
        new EvaluateJob(Finder()).Run(
            new EvaluateRequest("all-pairs", [copy], DataFolder.Of(run.CopyFaces(_folder["renamed"]).Dataset.Root), null, "cpu"), JobContext.None);
        Job(new ExportRequest(copy, new OnnxFormat(), _folder["x.onnx"]));
        card = JsonFile.Read<ModelCard>(_folder["x.onnx.card.json"]);
        Assert.True(Assert.Single(card.Accuracy).Seen);
        Assert.Empty(card.Thresholds);
    }

    [Fact]
    public void An_export_that_fails_its_gate_leaves_the_old_file()
    {
        string copy = run.CopyTo(_folder["run"]);
        Directory.CreateDirectory(_folder["out"]);
        File.WriteAllText(_folder["out/x.onnx"], "old");
        // 8 bits: half precision may give a cosine of 1 to every digit.
        var quick = new Int8Options { Method = CalibrationMethod.MinMax, Equalize = false, CorrectBias = false };
        Refused(new ExportRequest(copy, new OnnxInt8Format(), _folder["out/x.onnx"]) { MinCosine = 1, Int8 = quick }, "--min-cosine");
        Assert.Equal([_folder["out/x.onnx"]], Directory.EnumerateFileSystemEntries(_folder["out"]));
        Assert.Equal("old", File.ReadAllText(_folder["out/x.onnx"]));
    }

    [Fact]
    public void Files_of_ncnn_are_put_in_place_together_or_not_at_all()
    {
        string copy = run.CopyTo(_folder["run"]);
        string[] names = ["x.ncnn.param", "x.ncnn.bin", "x.ncnn.json"];
        var request = new ExportRequest(copy, new NcnnFormat(), _folder[names[0]]);
        Assert.Equal([.. names, "x.ncnn.param.MODEL_CARD.md", "x.ncnn.param.card.json"], Job(request).Files.Select(Path.GetFileName));
        var card = JsonFile.Read<ModelCard>(_folder["x.ncnn.param.card.json"]);
        Assert.Equal(names[1..].Select(n => (n, FileHash.Sha256(_folder[n]), new FileInfo(_folder[n]).Length)),
            card.Companions.Select(c => (c.Name, c.Sha256, c.Bytes)));
        byte[][] before = [.. names.Select(n => File.ReadAllBytes(_folder[n]))];
        DeadStudent.Make(copy);
        Refused(request, "faces nearly the same embedding");
        Assert.Equal(before, names.Select(n => File.ReadAllBytes(_folder[n])));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_folder.Path), e => e.Contains(".part", StringComparison.Ordinal));
    }

    [Fact]
    public void A_dead_student_is_exported_in_no_format()
    {
        string copy = run.CopyTo(_folder["run"]);
        DeadStudent.Make(copy);
        foreach (var format in ExportFormat.All)
        {
            Refused(new ExportRequest(copy, format, _folder["x" + format.Ending]) { MinCosine = 1e-9 }, "faces nearly the same embedding: their variance is ");
            Assert.False(File.Exists(_folder["x" + format.Ending]));
        }
    }

    [Fact]
    public void A_living_students_outcome_tells_both_spreads()
    {
        var outcome = Job(new ExportRequest(run.CopyTo(_folder["run"]), new OnnxFormat(), null) { Processing = new GraphPrePostprocessing(true, true) });
        Assert.InRange(outcome.Spread!.Variance / outcome.Spread.Reference, EmbeddingSpread.Least, 2);
        Assert.Equal(1, outcome.FileSpread!.Variance / outcome.FileSpread.Reference, 1e-3); // at unit length, beside unit length
    }

    [Fact]
    public void What_does_not_go_together_is_refused_before_any_work()
    {
        var request = new ExportRequest("no-such-run", new OnnxFormat(), "x.onnx");
        Refused(request with { Output = "x.safetensors" }, "end in .onnx");
        Refused(new ExportRequest("no-such-run", new SafetensorsFormat(), null) { Processing = new GraphPrePostprocessing(Preprocess: true) }, "weights only");
        Refused(request with { MinCosine = 1.1 }, "above 0 and at most 1");
        Refused(request with { MinCosine = double.NaN }, "above 0 and at most 1");
        Refused(request with { MaxLoss = -1 }, "0 to 100");
        Refused(request with { MaxLoss = 1 }, "needs --evaluate");
        Refused(request with { Protocol = "all-pairs" }, "--data");
        Refused(request with { Protocol = "lfw-10fold", Data = "lfw" }, "all-pairs or lfw-view1-test");
        Refused(request, "facedistill distill");
    }

    // 8 bits measured their ranges on all of LFW, test people included, where the run was trained on a part of it.
    [Fact]
    public void Calibration_takes_the_faces_that_the_run_was_trained_on_and_none_besides()
    {
        string copy = run.CopyTo(_folder["run"]), data = run.CopyFaces(_folder["data"]).Dataset.Root;
        File.Copy(Directory.GetFiles(run.DrawStrangers(_folder["strangers"]).Dataset.Root, "*.png", SearchOption.AllDirectories)[0],
            Path.Combine(data, "stranger.png"));
        (run.Info with { TrainedOn = [DataFolder.Of(data)] }).Write(copy);
        var said = new List<string>();
        var faces = TrainingData.Open(copy, "dlib", Finder(), new JobContext(said.Add));
        Assert.Equal(120, faces.Dataset.Images.Count);
        Assert.DoesNotContain("stranger.png", faces.Dataset.Images.Select(i => i.Path));
        Assert.Contains("1 of the 121 faces found now are none that it was trained on", Assert.Single(said), StringComparison.Ordinal);
    }

    [Fact]
    public void Calibration_on_the_tests_own_faces_is_refused()
    {
        string strangers = run.DrawStrangers(_folder["people"]).Dataset.Root, copy = run.CopyTo(_folder["run"]);
        Directory.CreateDirectory(_folder["renamed"]);
        File.Copy(Directory.GetFiles(strangers, "*.png", SearchOption.AllDirectories)[3], _folder["renamed/a.png"]);
        AlignmentManifest.Read(strangers).Write(_folder["renamed"]);
        var request = new ExportRequest(copy, new OnnxInt8Format(), _folder["x.onnx"])
        {
            Data = strangers,
            Protocol = "all-pairs",
            Calibration = _folder["renamed"],
        };
        Refused(request, "1 of the 1 faces of --calibration");
        Assert.False(File.Exists(_folder["x.onnx"]));
    }

    [Fact]
    public void Figures_of_earlier_weights_stand_in_no_report()
    {
        string copy = run.CopyTo(_folder["run"]);
        new EvaluateJob(Finder()).Run(
            new EvaluateRequest("all-pairs", [copy], DataFolder.Of(run.DrawStrangers(_folder["people"]).Dataset.Root), null, "cpu"), JobContext.None);
        Assert.Single(RunReport.Write(copy).Evaluations);
        DeadStudent.Make(copy); // other weights
        Assert.Empty(RunReport.Write(copy).Evaluations);
    }

    [Fact]
    public void A_run_of_an_earlier_version_says_so_in_one_line()
    {
        string copy = run.CopyTo(_folder["run"]), info = Path.Combine(copy, "run.json");
        File.WriteAllText(info, File.ReadAllText(info).Replace("\"facesId\"", "\"dataHash\"", StringComparison.Ordinal));
        File.Delete(Path.Combine(copy, TrainedFaces.FileName));
        Refused(new ExportRequest(copy, new OnnxFormat(), null), "was made by an earlier version and does not say on which faces it was trained");
        var result = new EvaluateJob(Finder()).Run(
            new EvaluateRequest("all-pairs", [copy], DataFolder.Of(run.DrawStrangers(_folder["people"]).Dataset.Root), null, "cpu"), JobContext.None);
        Assert.Contains("was made by an earlier version", Assert.Single(result.Warnings!), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_test_sets_of_one_name_keep_their_own_figures()
    {
        string copy = run.CopyTo(_folder["run"]);
        foreach (string test in new[] { run.DrawStrangers(_folder["a/test"]).Dataset.Root, run.CopyFaces(_folder["b/test"]).Dataset.Root })
        {
            new EvaluateJob(Finder()).Run(new EvaluateRequest("all-pairs", [copy], DataFolder.Of(test), null, "cpu"), JobContext.None);
        }

        Assert.Equal(["test", "test"], RunEvaluations.Read(copy).Select(e => e.Data));
        Job(new ExportRequest(copy, new OnnxFormat(), _folder["x.onnx"]));
        var card = JsonFile.Read<ModelCard>(_folder["x.onnx.card.json"]);
        Assert.Equal([false, true], card.Accuracy.Select(a => a.Seen).Order());
        Assert.Equal(card.Accuracy.Single(a => !a.Seen).Result.ThresholdAtFar!["1e-3"], Assert.Single(card.Thresholds).Threshold);
    }

    [Fact]
    public void Faces_that_are_gone_can_be_replaced_with_others()
    {
        string copy = run.CopyTo(_folder["run"]);
        (run.Info with { TrainedOn = [new DataFolder(_folder["gone"], _folder["gone"])] }).Write(copy);
        Refused(new ExportRequest(copy, new OnnxFormat(), null), "not at hand any more");
        (run.Info with { TrainedOn = [DataFolder.Of(run.DrawStrangers(_folder["strangers"]).Dataset.Root)] }).Write(copy);
        Refused(new ExportRequest(copy, new OnnxFormat(), null), "no face that");
        File.Delete(Path.Combine(copy, TrainedFaces.FileName));
        Refused(new ExportRequest(copy, new OnnxFormat(), null), "--data");
        Assert.False(File.Exists(_folder[$"run/{DistillJob.ExportName}"]));
        Assert.NotEmpty(Job(new ExportRequest(copy, new OnnxFormat(), _folder["x.onnx"]) { Data = run.Tiny.Faces.Dataset.Root }).Files);
        Assert.True(File.Exists(_folder["x.onnx"]));
    }

    public void Dispose() => _folder.Dispose();

    private AssetFinder Finder() => new([], [], _folder["cache"]);

    private ExportOutcome Job(ExportRequest request) => new ExportJob(Finder()).Run(request with { Device = "cpu" }, JobContext.None);

    private void Refused(ExportRequest request, string expected) =>
        Assert.Contains(expected, Assert.Throws<FaceDistillException>(() => Job(request)).Message, StringComparison.Ordinal);
}
