using System.Text;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Synthetic;
using FaceDistill.Table14;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Table14;

/// <summary>What a table takes over that was made elsewhere or earlier: finished runs, a further test, an audit; and rows of several seeds.</summary>
public sealed class Table14TakeOverTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder;

    public Table14TakeOverTests() => _finder = new AssetFinder([], [], _folder["cache"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_that_distill_finished_elsewhere_and_was_moved_here_is_measured_and_not_trained_again()
    {
        var request = Request();
        var recipe = request.Recipe with
        {
            Rows = [request.Recipe.Rows[0], new() { Student = "mobilenet-v1:0.25@96", Init = "mobilenet-v1:0.25@64", Epochs = 3 }],
        };
        request = request with { Recipe = recipe };
        string wide = _folder["runs/0.25@64"], narrow = _folder["runs/narrow"];
        Distil(recipe, recipe.Rows[0], wide, null, recipe.Data[0]);
        Distil(recipe, recipe.Rows[1], narrow, wide + "/", Path.Combine(recipe.Data[0], "..", Path.GetFileName(recipe.Data[0])));
        OfAnotherBuild(narrow);
        Directory.CreateDirectory(Path.Combine(request.Output, "rows"));
        Directory.Move(wide, Row("0.25@64", ""));
        Directory.Move(narrow, Row("0.25@96-start", ""));
        string[] students = [Row("0.25@64", "student.best.safetensors"), Row("0.25@96-start", "student.best.safetensors")];
        var trained = students.Select(FaceDistill.Files.FileHash.Sha256).ToList();
        var said = new List<string>();
        var result = new Table14Job(_finder).Run(request, new JobContext(said.Add));
        Assert.Equal(2, said.Count(s => s.EndsWith("trained before", StringComparison.Ordinal)));
        Assert.DoesNotContain(said, s => s.EndsWith(": training", StringComparison.Ordinal));
        Assert.Equal(trained, students.Select(FaceDistill.Files.FileHash.Sha256));
        var line = Assert.Single(result.Lines, l => l.Training.IsWarm);
        Assert.Equal(("mobilenet-v1:0.25@96-start", "mobilenet-v1:0.25@64"), (line.Name, line.Training.Init));
        Assert.True(File.Exists(Row("0.25@96-start", "student.int8.onnx")));
        Assert.Equal(result.Lines.Single(l => !l.Training.IsWarm).Training.Images, Table14Notes.Before(result, line));
    }

    [Fact]
    public void A_moved_run_that_started_from_something_else_is_refused()
    {
        var request = Request();
        var recipe = request.Recipe with
        {
            Rows = [request.Recipe.Rows[0], new() { Student = "mobilenet-v1:0.25@96", Init = "mobilenet-v1:0.25@64", Epochs = 3 }],
        };
        request = request with { Recipe = recipe };
        Distil(recipe, recipe.Rows[0] with { Epochs = 1 }, _folder["0.25@64"], null, recipe.Data[0]); // of the row's name, with other weights
        Distil(recipe, recipe.Rows[1], Row("0.25@96-start", ""), _folder["0.25@64"], recipe.Data[0]);
        string message = Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(request, JobContext.None)).Message;
        Assert.Contains("0.25@96-start holds a student that started from", message, StringComparison.Ordinal);
        Directory.Move(Row("0.25@96-start", ""), Row("0.25@96", ""));
        var random = request with { Recipe = recipe with { Rows = [recipe.Rows[0], recipe.Rows[1] with { Init = null }] } };
        Assert.Contains("not from random weights; bring that start back, or move the folder away",
            Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(random, JobContext.None)).Message, StringComparison.Ordinal);
        Assert.Contains("rename it to", // a table of before: the row of a start had the student's name
            Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(request, JobContext.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_that_starts_from_an_exported_file_is_taken_over_where_it_did_and_refused_where_the_file_is_another()
    {
        var request = Request();
        var wide = request.Recipe.Rows[0];
        Distil(request.Recipe, wide, _folder["wide"], null, request.Recipe.Data[0]);
        string file = _folder["wide/student.onnx"];
        request = request with { Recipe = request.Recipe with { Rows = [new() { Student = "mobilenet-v1:0.25@96", Init = file, Epochs = 3 }] } };
        Assert.Null(request.Recipe.StartOf(request.Recipe.Rows[0]));
        Assert.Contains("narrower than mobilenet-v1:0.5@96", Assert.Throws<FaceDistillException>(() =>
            (request.Recipe with { Rows = [new() { Student = "mobilenet-v1:0.5@96", Init = file }] }).Validated()).Message, StringComparison.Ordinal);
        Distil(request.Recipe, request.Recipe.Rows[0], Row("0.25@96-start", ""), file, request.Recipe.Data[0]);
        var said = new List<string>();
        var line = Assert.Single(new Table14Job(_finder).Run(request, new JobContext(said.Add)).Lines);
        Assert.DoesNotContain(said, s => s.EndsWith(": training", StringComparison.Ordinal));
        Assert.Equal("mobilenet-v1:0.25@64", line.Training.Origins![0].Name);

        string Refused(string init) => Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(From(init), JobContext.None)).Message;
        Table14Request From(string init) =>
            request with { Recipe = request.Recipe with { Rows = [request.Recipe.Rows[0] with { Init = init }] } };
        string moved = _folder["moved.onnx"]; // the same, under another name
        File.Move(file, moved);
        File.Move(file + ".card.json", moved + ".card.json");
        Assert.Contains($"starts from {file}, by whose contents its figures are known, and there is no such file", Refused(file), StringComparison.Ordinal);
        said.Clear();
        new Table14Job(_finder).Run(From(moved), new JobContext(said.Add));
        Assert.Contains("mobilenet-v1:0.25@96-start: finished before", said);

        new ExportJob(_finder).Run(new ExportRequest(_folder["wide"], new OnnxHalfFormat(), file), JobContext.None); // another in its place
        Assert.Contains("0.25@96-start holds a student that started from", Refused(file), StringComparison.Ordinal);
        Directory.Delete(Row("0.25@96-start", ""), recursive: true);
        Assert.StartsWith($"--init {_folder["none.onnx"]}: there is no such", Refused(_folder["none.onnx"]), StringComparison.Ordinal); // before any training
    }

    // The teacher's card names no hash: its rows are those of the file that lies there, and of how the card lets it see a face.
    [Fact]
    public void A_row_of_another_teacher_is_refused_and_one_measured_by_another_list_is_measured_again()
    {
        var request = Request();
        request = request with { Rows = ["mobilenet-v1:0.25@64"], Recipe = request.Recipe with { Protocols = [.. request.Recipe.Protocols, Evaluator.Pairs] } };
        string test = DataFolder.Resolve(request.Recipe.Test, _finder).Root, list = Path.Combine(test, PairList.FileName);
        string[][] people = [.. FaceDataset.List(test).Images.GroupBy(i => i.Identity).Select(g => g.Select(i => i.Path).ToArray())];
        string[] Lines(int photo) =>
            ["a,b,same", .. people.Select(p => $"{p[0]},{p[photo]},1"), .. people.Skip(1).Select((p, i) => $"{p[0]},{people[i][photo]},0")];
        File.WriteAllLines(list, Lines(1));
        new Table14Job(_finder).Run(request, JobContext.None);

        string card = request.Recipe.Teacher, model = Path.ChangeExtension(card, ".onnx");
        foreach (var (file, other) in new (string, Func<byte[], byte[]>)[]
        {
            (card, text => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).Replace("\"rgb\"", "\"bgr\"", StringComparison.Ordinal))),
            (model, bytes => [.. bytes, .. "2\u00011"u8]), // a doc_string
        })
        {
            byte[] kept = File.ReadAllBytes(file);
            File.WriteAllBytes(file, other(kept));
            Assert.Contains("was begun with another teacher than this tiny",
                Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(request, JobContext.None)).Message, StringComparison.Ordinal);
            File.WriteAllBytes(file, kept);
        }

        const string Finished = "mobilenet-v1:0.25@64: finished before";
        var said = new List<string>();
        new Table14Job(_finder).Run(request, new JobContext(said.Add));
        Assert.Contains(Finished, said);
        File.WriteAllLines(list, Lines(2));
        said.Clear();
        new Table14Job(_finder).Run(request, new JobContext(said.Add));
        Assert.Contains(said, s => s.EndsWith("trained before", StringComparison.Ordinal));
        Assert.DoesNotContain(Finished, said);
    }

    [Fact]
    public void A_second_test_that_came_later_is_measured_without_training_on_the_same_pairs_for_all()
    {
        var request = Request();
        request = request with { Rows = ["mobilenet-v1:0.25@64"] };
        Assert.Null(Assert.Single(new Table14Job(_finder).Run(request, JobContext.None).Lines).Second);
        string strangers = _folder["strangers"];
        SyntheticDataset.Write(
            strangers, new DrawnPeople(19, 8, 3), FaceDistill.Faces.AlignmentTemplate.Dlib, FaceDistill.Faces.AlignedFrame.Default, JobContext.None);
        request = request with { Recipe = request.Recipe with { SecondTest = new Table14RecipeTest { Data = strangers },
            Rows = [request.Recipe.Rows[0] with { ExpectedMinutes = 12.5 }] } };
        var said = new List<string>();
        var result = new Table14Job(_finder).Run(request, new JobContext(said.Add));
        Assert.Contains(said, s => s.EndsWith("trained before", StringComparison.Ordinal));
        var second = Assert.Single(result.Lines).Second!;
        Assert.Equal([171L * 64, 171 * 64], second.Models.Select(m => m.ImpostorPairs)); // 19 people of 8 pictures
        Assert.NotNull(second.Models[0].TarInterval95AtFar!["1e-4"]);
        Assert.Equal("tiny", second.Models[1].Name);
        Assert.Equal((12.5, true), (result.Lines[0].Training.Predicted!.Minutes, result.Lines[0].Training.Predicted!.Before)); // the recipe's
        said.Clear();
        new Table14Job(_finder).Run(request, new JobContext(said.Add));
        Assert.Contains("mobilenet-v1:0.25@64: finished before", said);
    }

    [Fact]
    public void Seeds_are_rows_of_their_own_and_a_long_training_is_predicted_before_it_begins()
    {
        var request = Request();
        var recipe = request.Recipe with
        {
            Rows = [new() { Student = "mobilenet-v1:0.1@64", Seeds = 2, Epochs = 14 }],
            Options = request.Recipe.Options with
            {
                Run = request.Recipe.Options.Run with { BatchSize = 2 },
                Optimizer = new() { Kind = OptimizerKind.Sgd, LearningRate = 0.01 }, // a fifth of a step of Muon's time
            },
        };
        var result = new Table14Job(_finder).Run(request with { Recipe = recipe }, JobContext.None);
        Assert.Equal(["mobilenet-v1:0.1@64", "mobilenet-v1:0.1@64-seed2"], result.Lines.Select(l => l.Name));
        Assert.Equal([1L, 2], result.Lines.Select(l => l.Training.Seed!.Value));
        Assert.Equal(2, result.Lines.Select(l => l.Files.OnnxSha256).Distinct().Count());
        Assert.All(result.Lines, l => Assert.True(l.Training.Predicted is { Before: true, Minutes: > 0 }));
        File.Delete(Row("0.1@64", "row.json"));
        File.Delete(Row("0.1@64", "prediction.json")); // as of a run that was made elsewhere
        result = new Table14Job(_finder).Run(request with { Recipe = recipe }, JobContext.None);
        Assert.Equal([false, true], result.Lines.Select(l => l.Training.Predicted!.Before));
    }

    [Fact]
    public void An_audit_in_the_tables_folder_stands_in_the_report_and_where_none_is_its_command()
    {
        var request = Request();
        request = request with
        {
            Rows = ["mobilenet-v1:0.25@64"], Recipe = request.Recipe with { SecondTest = new Table14RecipeTest { Data = request.Recipe.Data[0] } },
        };
        var result = new Table14Job(_finder).Run(request, JobContext.None);
        Assert.All(result.Audits!, a => Assert.Null(a.Found));
        string page = File.ReadAllText(Path.Combine(request.Output, "report.html"));
        Assert.Contains("Nobody looked whether the training faces show people of test", page, StringComparison.Ordinal);
        Assert.Contains("audit-training.csv", page, StringComparison.Ordinal);
        string list = Path.Combine(request.Output, "audit-training.csv");
        new AuditJob(_finder)
            .Run(new AuditRequest(request.Recipe.Data, [request.Recipe.Data[0]], request.Recipe.Teacher, list) { Far = 1e-2 }, JobContext.None);
        result = new Table14Job(_finder).Run(request, JobContext.None);
        Assert.Null(result.Audits![0].Found);
        Assert.Equal(96, Assert.Single(result.Audits[1].Found!.Counts).SameFiles); // the training faces themselves
        Assert.Contains("audit-training.csv (96 pictures)", result.Audits[1].Words, StringComparison.Ordinal);
        Assert.Empty(result.Audits[1].Unseen);

        // An audit of other pictures under that name is none.
        string made = Path.ChangeExtension(list, ".json");
        var summary = JsonFile.Read<AuditSummary>(made);
        JsonFile.Write(made, summary with { Tests = [.. summary.Tests.Select(t => t with { PhotosId = "of other pictures" })] });
        Assert.Null(new Table14Job(_finder).Run(request, JobContext.None).Audits![1].Found);
    }

    private void Distil(Table14Recipe recipe, Table14RecipeRow row, string run, string? init, string data)
    {
        var options = recipe.OptionsOf(row, _ => "");
        new DistillJob(_finder).Run(
            new DistillRequest(recipe.Teacher, [DataFolder.Resolve(data, _finder)], null,
                options with { Student = options.Student with { Init = init } }, run, false) { DataNames = [data] }, JobContext.None);
    }

    private static void OfAnotherBuild(string run)
    {
        string file = Path.Combine(run, "run.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"version\": \"", "\"version\": \"9.", StringComparison.Ordinal)
            .Replace("libtorch ", "libtorch 9.", StringComparison.Ordinal));
    }

    private string Row(string row, string file) => Path.Combine(_folder["table"], "rows", row, file);

    private Table14Request Request() => Table14JobTests.Request(_folder);
}
