using System.Text.Json;
using FaceDistill.Cli;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Table14;
using FaceDistill.Tests.Table14;

namespace FaceDistill.Tests.Cli;

public sealed class Table14CommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_smoke_run_makes_every_row_and_every_file_and_a_second_one_keeps_them()
    {
        string recipe = Recipe(), output = _folder["table"];
        SmokeFaces.CopyTo(output, second: true);
        var (code, printed, said) = await Run("table14", "--recipe", recipe, "--output", output, "--smoke", "--json");
        Assert.True(code == CommandLine.Done, said);
        var result = JsonFile.Parse<Table14Result>(printed, "printed");
        Assert.Equal(["mobilenet-v1:0.5@96-start", "mobilenet-v1:0.5@96", "mobilenet-v1:0.5@64", "mobilenet-v1:0.25@64"], result.Lines.Select(l => l.Name));
        Assert.Empty(result.Missing);
        Assert.True(result.Synthetic);
        Assert.All(result.Lines, line =>
        {
            Assert.NotNull(line.Tar);
            Assert.NotNull(line.Measured.RetentionAt1e4);
            Assert.NotNull(line.Files.Int8Tar);
            Assert.True(line.Measured.ImpostorPairs >= 10_000);
            Assert.True(line.Files.Int8Bytes < line.Files.OnnxBytes);
            string run = Path.Combine(output, "rows", Table14RecipeRow.Short(line.Name));
            Assert.NotNull(line.Second!.Models[0].TarAtFar!["1e-4"]);
            Assert.All(new[] { "row.json", "log.csv", "recipe.json", "student.onnx", "student.onnx.MODEL_CARD.md", "student.int8.onnx",
                "student.int8.onnx.MODEL_CARD.md" }, f => Assert.True(File.Exists(Path.Combine(run, f)), f));
            Assert.Equal(line.Files.OnnxBytes, new FileInfo(Path.Combine(run, "student.onnx")).Length);
        });
        Assert.Equal("mobilenet-v1:0.5@64", result.Lines[0].Training.Init);
        Assert.True(result.Speed!.Holds(result.Lines));
        Assert.EndsWith("--smoke", result.Command, StringComparison.Ordinal);
        Assert.NotNull(result.Lines[3].Baseline!.Measured.TarAtFar);
        Assert.All(new[] { "table14.json", "table14.csv", "table14.md", "table14.svg", "report.html", "recipe.json", "speed.json" },
            f => Assert.True(File.Exists(Path.Combine(output, f)), f));

        var written = Directory.GetFiles(Path.Combine(output, "rows"), "*", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc);
        var (again, _, kept) = await Run("table14", "--recipe", recipe, "--output", output, "--smoke");
        Assert.True(again == CommandLine.Done, kept);
        Assert.Equal(4, kept.Split("finished before").Length - 1);
        Assert.All(written, file => Assert.Equal(file.Value, File.GetLastWriteTimeUtc(file.Key)));
    }

    [Fact]
    public async Task A_row_whose_training_was_done_is_measured_and_not_trained_again_and_the_others_wait()
    {
        string recipe = Recipe(), output = _folder["table"];
        SmokeFaces.CopyTo(output, second: true);
        var (code, _, said) = await Run("table14", "--recipe", recipe, "--output", output, "--smoke", "--rows", "mobilenet-v1:0.25@64");
        Assert.True(code == CommandLine.Done, said);
        string row = Path.Combine(output, "rows", "0.25@64");
        File.Delete(Path.Combine(row, "row.json"));
        var trained = File.GetLastWriteTimeUtc(Path.Combine(row, "checkpoint.safetensors"));
        var (again, printed, more) = await Run("table14", "--recipe", recipe, "--output", output, "--smoke", "--rows", "mobilenet-v1:0.25@64", "--json");
        Assert.True(again == CommandLine.Done, more);
        Assert.Contains("trained before", more, StringComparison.Ordinal);
        Assert.Equal(trained, File.GetLastWriteTimeUtc(Path.Combine(row, "checkpoint.safetensors")));
        Assert.Equal(3, JsonFile.Parse<Table14Result>(printed, "printed").Missing.Count);
    }

    [Fact]
    public async Task The_plan_counts_images_and_predicts_minutes_and_writes_nothing()
    {
        var recipe = JsonFile.Read<Table14Recipe>(Recipe());
        string faces = _folder["faces"];
        SmokeFaces.CopyTo(_folder["drawn"]);
        Directory.Move(Path.Combine(_folder["drawn"], "faces", "training"), faces);
        string file = _folder["plan.json"];
        JsonFile.Write(file,
            recipe with { Data = [faces], Test = faces, Exclude = null, SecondTest = null, Baseline = recipe.Baseline! with { Data = [faces] } });
        var (code, printed, said) = await Run("table14", "--recipe", file, "--output", _folder["none"], "--plan", "--json");
        Assert.True(code == CommandLine.Done, said);
        using var plan = JsonDocument.Parse(printed);
        Assert.Equal(96, plan.RootElement.GetProperty("faces").GetInt32());
        Assert.Equal(5, plan.RootElement.GetProperty("teacherPasses").GetInt32()); // aligned, and four views, of which some are mirrored
        Assert.Equal(96 * 5 / plan.RootElement.GetProperty("teacherFacesPerSecond").GetDouble() / 60, plan.RootElement.GetProperty("teacherMinutes")
            .GetDouble(), 9);
        var line = plan.RootElement.GetProperty("lines")[0];
        Assert.Equal(5 * 80, line.GetProperty("images").GetInt64()); // 96 less 2 held out: 5 whole batches of 16, in 5 epochs
        Assert.Equal(StudentCost.Of(new MobileNetV1Architecture(new StudentSpec(0.5, 64), HeadKind.Gdc, 16)).MultAdds, line.GetProperty("multAdds").GetInt64());
        double minutes = line.GetProperty("images").GetInt64() * line.GetProperty("multAdds").GetDouble() / line.GetProperty("multAddsPerSecond")
            .GetDouble() / 60;
        Assert.Equal(minutes, line.GetProperty("minutes").GetDouble(), 9);
        Assert.Equal(["0.5@64", "0.5@96-start", "0.25@64", "0.25@64 without teacher", "0.5@96"],
            plan.RootElement.GetProperty("lines").EnumerateArray().Select(l => l.GetProperty("student").GetString()!["mobilenet-v1:".Length..]));
        Assert.False(Directory.Exists(_folder["none"]));
    }

    [Fact]
    public async Task A_plan_of_drawn_faces_is_a_usage_error()
    {
        var (code, _, said) = await Run("table14", "--recipe", Recipe(), "--output", _folder["table"], "--smoke", "--plan");
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains("give one of them", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_that_the_recipe_lacks_is_one_line()
    {
        var (code, _, said) = await Run("table14", "--recipe", Recipe(), "--output", _folder["table"], "--smoke", "--rows", "mobilenet-v1:1.0@224");
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("no row 'mobilenet-v1:1.0@224'", said, StringComparison.Ordinal);
    }

    private string Recipe()
    {
        string card = TinyTeacher.Write(_folder["teacher"]), file = _folder["table14.json"];
        File.WriteAllText(file, $$"""
            {
              "teacher": {{JsonSerializer.Serialize(card)}}, "data": ["nowhere"], "test": "nowhere", "protocols": ["all-pairs"],
              "options": { "student": "mobilenet-v1:0.5@64", "epochs": 5, "batchSize": 16, "augment": {}, "views": 4, "precision": "fp32", "device": "cpu" },
              "rows": [
                { "student": "mobilenet-v1:0.5@64" },
                { "student": "mobilenet-v1:0.5@96", "init": "mobilenet-v1:0.5@64", "learningRate": 0.002 },
                { "student": "mobilenet-v1:0.25@64" },
                { "student": "mobilenet-v1:0.5@96" }
              ],
              "exclude": "nowhere.csv", "secondTest": { "data": "nowhere-else" },
              "baseline": { "students": ["mobilenet-v1:0.25@64"], "data": ["nowhere"], "epochs": 9 }
            }
            """);
        return file;
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
