using FaceDistill.Cli;
using FaceDistill.Cli.Commands;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Synthetic;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Cli;

public sealed class DistillCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Options_override_the_recipe_and_the_run_keeps_what_became_of_it()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(3, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string card = TinyTeacher.Write(_folder["teacher"]);
        JsonFile.Write(_folder["r.json"], new Recipe
        {
            About = "a test",
            Teacher = card,
            Data = [_folder["faces"]],
            Options = new DistillOptions
            {
                Student = new StudentOptions { Name = "mobilenet-v1:0.25@64" },
                Run = new TrainingRunOptions { Epochs = 1, BatchSize = 8, Minutes = 60, Device = "cpu" },
                Optimizer = new OptimizerOptions { Ema = 0.5 },
            },
        });
        Assert.Equal("", await Run("--recipe", _folder["r.json"], "--output", _folder["run"], "--epochs", "2", "--optimizer", "sgd", "--validation", "0.2"));
        var kept = Recipe.Read(_folder[$"run/{Recipe.FileName}"]);
        Assert.Equal(("a test", card, _folder["faces"]), (kept.About, kept.Teacher, Assert.Single(kept.Data)));
        Assert.Equal((2, 8, 0.5, null, OptimizerKind.Sgd, 0.1, 1e-4, 0.2),
            (kept.Options.Run.Epochs, kept.Options.Run.BatchSize, kept.Options.Optimizer.Ema, kept.Options.Run.Minutes,
            kept.Options.Optimizer.Kind, kept.Options.Optimizer.LearningRate, kept.Options.Optimizer.WeightDecay, kept.Options.HeldOut.Part));
        Assert.True(kept.ExpectedMinutes > 0);
        var info = RunInfo.Read(_folder["run"]);
        Assert.Equal(64, info.FacesId!.Length);
        Assert.Contains("libtorch 2.", info.Environment.Libraries, StringComparison.Ordinal);

        // The kept recipe makes the same student again.
        Assert.Equal("", await Run("--recipe", _folder[$"run/{Recipe.FileName}"], "--output", _folder["again"]));
        var (a, b) = (SafetensorsFile.Read(_folder[$"run/{StudentCheckpoint.FileName}"]).Tensors,
            SafetensorsFile.Read(_folder[$"again/{StudentCheckpoint.FileName}"]).Tensors);
        Assert.All(a, tensor => Assert.Equal(tensor.Value.Data, b[tensor.Key].Data));

        // Another run's weights to begin with.
        Assert.Equal("", await Run("--recipe", _folder["r.json"], "--output", _folder["third"], "--epochs", "1", "--init", _folder["run"]));
    }

    [Fact]
    public async Task A_run_goes_on_by_what_it_keeps_and_where_there_is_none_nothing_is_trained()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(3, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string[] line = ["--student", "mobilenet-v1:0.25@64", "--teacher", TinyTeacher.Write(_folder["teacher"]), "--data", _folder["faces"], "--epochs", "1",
            "--batch-size", "8", "--validation", "0.2", "--device", "cpu", "--output", _folder["run"]];
        string[] resume = ["--output", _folder["run"], "--resume"];
        string none = $"facedistill: no run to resume in {_folder["run"]}; leave --resume out to begin one";
        Assert.Equal(none, (await Run([.. line, "--resume"], CommandLine.Failed)).TrimEnd());
        Assert.Equal(none, (await Run(resume, CommandLine.Failed)).TrimEnd());
        Assert.False(Directory.Exists(_folder["run"]));

        // Killed while its faces were embedded: its lock is all there is.
        Directory.CreateDirectory(_folder["run"]);
        File.WriteAllText(_folder["run/.lock"], "");
        Assert.Contains("name --student and --data", await Run(resume, CommandLine.Failed), StringComparison.Ordinal);
        Assert.Equal("", await Run([.. line, "--resume"], CommandLine.Done));

        // Killed before its first checkpoint.
        byte[] weights = await File.ReadAllBytesAsync(_folder["run/student.onnx"]);
        Array.ForEach(["checkpoint.safetensors", "student.best.safetensors", "student.onnx"], f => File.Delete(_folder[$"run/{f}"]));
        var (output, _) = await Both(resume);
        Assert.Equal(weights, await File.ReadAllBytesAsync(_folder["run/student.onnx"]));
        Assert.Contains("mobilenet-v1:0.25@64: 1 epoch in ", output, StringComparison.Ordinal);
        Assert.Contains("epoch 1 of 1 exported: loss ", output, StringComparison.Ordinal);
        Assert.EndsWith($"report: {_folder["run/report.html"]}", output.TrimEnd(), StringComparison.Ordinal);

        Assert.Contains($"{_folder["run"]} is finished already: nothing is left to train", (await Both(resume)).Error, StringComparison.Ordinal);
        string other = await Run([.. resume, "--epochs", "2"], CommandLine.Failed);
        Assert.Contains("belongs to a run with other options (epochs: 1 there, 2 here); ", other, StringComparison.Ordinal);
        Assert.Contains($"--init {_folder["run"]} --output NEW", other, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_had_not_begun_is_begun_again_and_another_resumed()
    {
        string[] args = ["distill", "--recipe", "r.json", "--output", _folder["run"]];
        Assert.Equal($"facedistill distill --recipe r.json --output {_folder["run"]}", DistillCommand.GoOn(CommandLine.Root().Parse(args), args));
        JsonFile.Write(_folder["run/run.json"], 1);
        Assert.EndsWith($" --output {_folder["run"]} --resume", DistillCommand.GoOn(CommandLine.Root().Parse(args), args), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--data x", "--student")]
    [InlineData("--student mobilenet-v1:0.25@64", "--data")]
    public async Task Without_a_recipe_student_and_data_are_needed(string line, string names) =>
        Assert.Contains(names, await Run([.. line.Split(' '), "--output", _folder["run"]], CommandLine.Usage), StringComparison.Ordinal);

    [Fact]
    public async Task A_recipe_without_data_is_one_line()
    {
        File.WriteAllText(_folder["r.json"], """{"options": {"student": "mobilenet-v1:0.25@64"}}""");
        Assert.Contains("--data", await Run(["--recipe", _folder["r.json"], "--output", _folder["run"]], CommandLine.Failed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recipe_whose_data_are_not_here_is_named_with_where_its_paths_begin()
    {
        File.WriteAllText(_folder["r.json"], """{"data": ["faces of nobody"], "options": {"student": "mobilenet-v1:0.25@64"}}""");
        string[] recipe = ["--recipe", _folder["r.json"], "--output", _folder["run"]];
        string names = $"; {_folder["r.json"]} names it, and its paths are from the folder where the command runs";
        string said = (await Run(recipe, CommandLine.Failed)).TrimEnd();
        Assert.StartsWith("facedistill: no folder faces of nobody, ", said, StringComparison.Ordinal);
        Assert.EndsWith(names, said, StringComparison.Ordinal);
        said = await Run([.. recipe, "--data", "nor these"], CommandLine.Failed);
        Assert.Contains("no folder nor these, ", said, StringComparison.Ordinal);
        Assert.DoesNotContain(names, said, StringComparison.Ordinal);
        File.WriteAllText(_folder["r.json"], """{"data": ["utkface"], "exclude": "no list.csv", "options": {"student": "mobilenet-v1:0.25@64"}}""");
        said = (await Run(recipe, CommandLine.Failed)).TrimEnd();
        Assert.Contains("no list.csv", said, StringComparison.Ordinal);
        Assert.EndsWith(names, said, StringComparison.Ordinal);
    }

    private static async Task<(string Output, string Error)> Both(string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.True(await CommandLine.RunAsync(["distill", .. arguments], output, error) == CommandLine.Done, error.ToString());
        return (output.ToString(), error.ToString());
    }

    private static Task<string> Run(params string[] arguments) => Run(arguments, CommandLine.Done);

    // Returns what went wrong: standard error where the exit code is not 0, "" where it is.
    private static async Task<string> Run(string[] arguments, int expected)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.RunAsync(["distill", .. arguments], output, error);
        Assert.True(expected == code, error.ToString());
        return code == CommandLine.Done ? "" : error.ToString();
    }
}
