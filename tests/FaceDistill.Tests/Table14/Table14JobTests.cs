using System.Text.Json;
using FaceDistill.Assets;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Table14;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Table14;

public sealed class Table14JobTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder;

    public Table14JobTests() => _finder = new AssetFinder([], [], _folder["cache"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_interrupted_row_goes_on_where_it_was_and_the_row_before_it_is_kept()
    {
        var request = Request();
        using var stop = new CancellationTokenSource();
        var said = new List<string>();
        // The second row's training has begun.
        var progress = new Listener(
            p => Cancel(stop, p.Stage == "training" && p.Done >= 40 && said.Any(s => s.EndsWith("0.25@96: training", StringComparison.Ordinal))));
        Assert.ThrowsAny<OperationCanceledException>(() => new Table14Job(_finder).Run(request, new JobContext(said.Add, progress, stop.Token)));
        var first = File.GetLastWriteTimeUtc(Row("0.25@64", "row.json"));
        Assert.False(File.Exists(Row("0.25@96", "row.json")));

        said.Clear();
        var result = new Table14Job(_finder).Run(request, new JobContext(said.Add));
        Assert.Contains("mobilenet-v1:0.25@64: finished before", said);
        Assert.Contains(said, s => s.StartsWith("resumed at epoch", StringComparison.Ordinal));
        Assert.Equal(first, File.GetLastWriteTimeUtc(Row("0.25@64", "row.json")));
        Assert.Equal(4, result.Lines.Single(l => l.Student.EndsWith("0.25@96", StringComparison.Ordinal)).Training.Epochs);
    }

    [Fact]
    public void A_recipe_that_trains_otherwise_does_not_take_a_finished_row_for_its_own()
    {
        var request = Request();
        new Table14Job(_finder).Run(request with { Rows = ["mobilenet-v1:0.25@64"] }, JobContext.None);
        var other = request with
        {
            Rows = ["mobilenet-v1:0.25@64"],
            Recipe = request.Recipe with { Options = request.Recipe.Options with
            {
                Optimizer = request.Recipe.Options.Optimizer with { LearningRate = 1e-3 },
            } },
        };
        string message = Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(other, JobContext.None)).Message;
        Assert.Contains("belongs to a run with other options", message, StringComparison.Ordinal);
        Assert.True(File.Exists(Row("0.25@64", "row.json"))); // what was measured stays, and what it was measured by
        Assert.Equal(request.Recipe.Options.Optimizer.LearningRate,
            JsonFile.Read<Table14Recipe>(Path.Combine(request.Output, Table14Job.RecipeFile)).Options.Optimizer.LearningRate);
        Assert.Single(new Table14Job(_finder).Run(request with { Rows = ["mobilenet-v1:0.25@64"] }, JobContext.None).Lines);
    }

    [Fact]
    public void Files_that_were_left_out_keep_a_whole_timing_and_are_left_out_of_a_new_one()
    {
        var request = Request();
        var small = request with { Rows = ["mobilenet-v1:0.25@64"] };
        var before = new Table14Job(_finder).Run(small, JobContext.None);
        File.Delete(Row("0.25@64", "student.onnx"));
        Assert.Equal(before.Speed!.Students, new Table14Job(_finder).Run(small, JobContext.None).Speed!.Students);
        var result = new Table14Job(_finder).Run(request, JobContext.None);
        Assert.Equal(["mobilenet-v1:0.25@96"], result.Speed!.Students.Select(s => s.Student));
    }

    [Fact]
    public void A_file_that_was_exported_again_and_a_row_that_starts_from_an_unfinished_one_are_no_finished_rows()
    {
        var request = Request();
        request = request with
        {
            Recipe = request.Recipe with { Rows = [request.Recipe.Rows[0], request.Recipe.Rows[1] with { Init = "mobilenet-v1:0.25@64" }] },
        };
        string message = Assert.Throws<FaceDistillException>(() => new Table14Job(_finder)
            .Run(request with { Rows = ["mobilenet-v1:0.25@96"] }, JobContext.None)).Message;
        Assert.Contains("mobilenet-v1:0.25@96-start starts from mobilenet-v1:0.25@64, which is not finished", message, StringComparison.Ordinal);
        var small = request with { Rows = ["mobilenet-v1:0.25@64"] };
        new Table14Job(_finder).Run(small, JobContext.None);
        string weights = Row("0.25@64", StudentCheckpoint.FileName);
        File.Move(weights, _folder["moved"]); // as in a clone, which has a row's figures and not its weights
        message = Assert.Throws<FaceDistillException>(() => new Table14Job(_finder)
            .Run(request with { Rows = ["mobilenet-v1:0.25@96"] }, JobContext.None)).Message;
        Assert.Contains($"holds the figures, and no {StudentCheckpoint.FileName}", message, StringComparison.Ordinal);
        File.Move(_folder["moved"], weights);
        File.AppendAllText(Row("0.25@64", "student.int8.onnx"), "x");
        var said = new List<string>();
        new Table14Job(_finder).Run(small, new JobContext(said.Add));
        Assert.Contains(said, s => s.EndsWith("trained before", StringComparison.Ordinal));
        File.WriteAllText(Row("0.25@64", "row.json"), "{}");
        Assert.Contains("delete it, and the row is measured again",
            Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(small, JobContext.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_whose_student_is_dead_is_refused_before_it_is_measured()
    {
        var request = Request() with { Rows = ["mobilenet-v1:0.25@64"] };
        new Table14Job(_finder).Run(request, JobContext.None);
        File.Delete(Row("0.25@64", "row.json"));
        DeadStudent.Make(Row("0.25@64", ""));
        string message = Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(request, JobContext.None)).Message;
        Assert.Contains("nearly the same embedding", message, StringComparison.Ordinal);
        Assert.Contains("delete the folder", message, StringComparison.Ordinal);
        Assert.False(File.Exists(Row("0.25@64", "row.json")));
    }

    [Fact]
    public void The_folder_of_another_table_is_refused_before_anything_is_written()
    {
        var request = Request();
        new Table14Job(_finder).Run(request with { Rows = ["mobilenet-v1:0.25@64"] }, JobContext.None);
        string before = File.ReadAllText(Path.Combine(request.Output, Table14Job.RecipeFile));
        var other = request with { Recipe = request.Recipe with { Test = "elsewhere" } };
        Assert.Contains("holds a table of", Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(other, JobContext.None)).Message,
            StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Path.Combine(request.Output, Table14Job.RecipeFile)));
    }

    [Fact]
    public void Missing_test_faces_are_told_before_the_first_row_is_trained()
    {
        var request = Request();
        request = request with { Recipe = request.Recipe with { Test = "elsewhere" } };
        string said = Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(request, JobContext.None)).Message;
        Assert.StartsWith("no folder elsewhere, ", said, StringComparison.Ordinal);
        Assert.EndsWith("; the recipe names it, and its paths are from the folder where the command runs", said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(request.Output, "rows")));
    }

    // Whether its rows are finished is known by the contents of their data, which not everybody has.
    [Theory]
    [InlineData("table14")]
    [InlineData("table14-further")]
    [InlineData("table14-faceplugin")]
    [InlineData("table14-views")]
    [InlineData("table14-rest")]
    public void Rows_of_the_tables_in_the_repository_are_those_of_its_recipe_and_their_files_those_that_were_measured(string name)
    {
        string eval = Path.Combine(RepositoryRoot.Path, "eval"), table = Path.Combine(eval, "results", name);
        var recipe = Table14Recipe.Read(Path.Combine(eval, "recipes", name + ".json"));
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(table, "rows")));
        foreach (string folder in Directory.GetDirectories(Path.Combine(table, "rows")))
        {
            var row = Assert.Single(recipe.Rows, r => Table14RecipeRow.Short(r.Name) == Path.GetFileName(folder));
            var made = Recipe.Read(Path.Combine(folder, Recipe.FileName));
            Assert.Equal("", ResumeRules.Difference(made.Options, recipe.OptionsOf(row, start => start.Name).With(made.Options)));
            Assert.Equal(recipe.Teacher, made.Teacher);
            Assert.Equal(recipe.Data, made.Data);
            var files = JsonFile.Read<Table14Line>(Path.Combine(folder, Table14Line.FileName)).Files;
            string single = Path.Combine(folder, "student.onnx"), inBits = Path.Combine(folder, "student.int8.onnx");
            Assert.True(!File.Exists(single) || FileHash.Sha256(single) == files.OnnxSha256, single);
            // Of these nobody wants what a start makes better, or the first seed shows.
            bool figuresAlone = row.Init is null && (row.Seed is not null || StudentSpec.Parse(row.Student) is { Width: >= 0.5, Resolution: > 96 });
            Assert.True((figuresAlone && !File.Exists(inBits)) || FileHash.Sha256(inBits) == files.Int8Sha256, inBits);
        }
    }

    [Fact]
    public void A_finished_row_does_not_survive_a_picture_that_was_changed_added_or_removed()
    {
        var request = Request();
        request = request with { Rows = ["mobilenet-v1:0.25@64"] };
        new Table14Job(_finder).Run(request, JobContext.None);
        var row = request.Recipe.Rows[0];
        bool Finished() => new Table14RowJob(request, _finder).Finished(row) is not null;
        Assert.True(Finished());
        foreach (string data in new[] { request.Recipe.Data[0], request.Recipe.Test })
        {
            string picture = Directory.GetFiles(data, "*.*", SearchOption.AllDirectories).First(f => !f.EndsWith(".json", StringComparison.Ordinal));
            byte[] bytes = File.ReadAllBytes(picture);
            var date = File.GetLastWriteTimeUtc(picture);
            File.WriteAllBytes(picture, [.. bytes[..^1], (byte)~bytes[^1]]); // of the same size and date
            File.SetLastWriteTimeUtc(picture, date);
            Assert.False(Finished());
            File.Delete(picture);
            Assert.False(Finished());
            File.WriteAllBytes(picture, bytes);
            Assert.True(Finished());
            string more = Path.Combine(data, "more" + Path.GetExtension(picture));
            File.Copy(picture, more);
            Assert.False(Finished());
            File.Delete(more);
        }
    }

    [Fact]
    public void A_row_that_was_trained_on_other_pictures_is_not_taken_for_finished_training()
    {
        var request = Request();
        request = request with { Rows = ["mobilenet-v1:0.25@64"] };
        new Table14Job(_finder).Run(request, JobContext.None);
        string picture = Directory.GetFiles(request.Recipe.Data[0], "*.*", SearchOption.AllDirectories)
            .First(f => !f.EndsWith(".json", StringComparison.Ordinal));
        File.AppendAllText(picture, "x"); // decodes as before, but is another file
        Assert.Contains("was begun on other faces", Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(request, JobContext.None)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_is_refused_by_the_plan_and_before_any_row_is_trained()
    {
        var request = Request();
        var recipe = request.Recipe;
        File.WriteAllText(_folder["both.json"], $$"""
            { "name": "both", "description": "several", "licence": "MIT", "source": "the test",
              "ensemble": [{{JsonSerializer.Serialize(recipe.Teacher)}}, "dlib-resnet"] }
            """);
        var started = recipe with { Rows = [recipe.Rows[0], recipe.Rows[1] with { Init = recipe.Rows[0].Student }] };
        foreach (var (wrong, says) in new[]
        {
            (request with { Recipe = started, Rows = ["mobilenet-v1:0.25@96-start"] }, "mobilenet-v1:0.25@64, which is not finished"),
            (request with { Recipe = recipe with { Protocols = ["lfw-view1-test"] } }, "lfw-view1-test needs LFW's peopleDevTest.txt"),
            (request with { Recipe = recipe with { SecondTest = new() { Data = recipe.Data[0], Protocol = "lfw-view1-test" } } },
                "lfw-view1-test needs LFW's peopleDevTest.txt"),
            (request with { Recipe = recipe with { Teacher = _folder["both.json"] } }, "is an ensemble of several"),
        })
        {
            var said = new List<string>();
            Assert.Contains(says, Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(wrong, new JobContext(said.Add))).Message,
                StringComparison.Ordinal);
            Assert.Contains(says, Assert.Throws<FaceDistillException>(() => Table14Plan.Of(wrong, _finder, new JobContext(said.Add))).Message,
                StringComparison.Ordinal);
            Assert.Empty(said);
        }
    }

    [Fact]
    public void Two_processes_on_one_table_are_refused()
    {
        var request = Request();
        using var held = FaceDistill.Files.FolderLock.Take(request.Output);
        Assert.Contains("another facedistill", Assert.Throws<FaceDistillException>(() => new Table14Job(_finder).Run(request, JobContext.None)).Message,
            StringComparison.Ordinal);
    }

    private string Row(string row, string file) => Path.Combine(_folder["table"], "rows", row, file);

    private Table14Request Request() => Request(_folder);

    /// <summary>A table of two small students on drawn faces, and a teacher that costs nothing.</summary>
    internal static Table14Request Request(TempFolder folder)
    {
        var recipe = new Table14Recipe
        {
            Teacher = TinyTeacher.Write(folder["teacher"]),
            Data = ["replaced"],
            Test = "replaced",
            Options = new DistillOptions
            {
                Student = new StudentOptions { Name = "mobilenet-v1:0.25@64" },
                Run = new TrainingRunOptions { Precision = PrecisionMode.Fp32, Device = "cpu" },
            },
            Rows = [new() { Student = "mobilenet-v1:0.25@64" }, new() { Student = "mobilenet-v1:0.25@96" }],
        };
        SmokeFaces.CopyTo(folder["table"]);
        recipe = Table14Smoke.Of(recipe, folder["table"], JobContext.None);
        recipe = recipe with { Rows = [recipe.Rows[0], recipe.Rows[1] with { Epochs = 4 }] };
        return new Table14Request(recipe, "facedistill table14", folder["table"], []);
    }

    private static void Cancel(CancellationTokenSource stop, bool now)
    {
        if (now)
        {
            stop.Cancel();
        }
    }

    private sealed class Listener(Action<WorkProgress> hear) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => hear(value);
    }
}
