using FaceDistill.Cli;
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
