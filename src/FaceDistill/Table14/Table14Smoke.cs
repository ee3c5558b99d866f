using FaceDistill.Assets;
using FaceDistill.Benchmark;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;

namespace FaceDistill.Table14;

/// <summary>
/// A table's recipe shrunk to a smoke run: the same teacher and students on drawn faces, three epochs each, so that every step of every row
/// runs once. Its figures describe drawings and say nothing about faces.
/// </summary>
internal static class Table14Smoke
{
    private const int TrainingPeople = 12, TestPeople = 20, Images = 8, Batch = 16, Epochs = 3;
    private const ulong TrainingSeed = 1, TestSeed = 2, SecondSeed = 3; // other seeds draw other people

    /// <summary>Draws the faces and shrinks the recipe.</summary>
    /// <param name="recipe">The recipe of the real table.</param>
    /// <param name="output">The table's folder; the faces go into it.</param>
    /// <param name="job">Told of the faces that are drawn.</param>
    /// <exception cref="FaceDistillException">The folder cannot be written, is being written, or holds something else.</exception>
    public static Table14Recipe Of(Table14Recipe recipe, string output, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        TorchDevice.Resolve(recipe.Options.Run.Device); // before anything is drawn
        string training = Path.Combine(output, "faces", "training"), test = Path.Combine(output, "faces", "test"),
            second = Path.Combine(output, "faces", "strangers");
        var smoke = recipe with
        {
            About = $"smoke run on drawn faces of: {recipe.About}",
            Data = [training],
            Exclude = null,
            Test = test,
            SecondTest = recipe.SecondTest is null ? null : new Table14RecipeTest { Data = second },
            Protocols = [Evaluator.AllPairs],
            Options = recipe.Options with
            {
                Run = recipe.Options.Run with { Epochs = Epochs, BatchSize = Batch },
                Targets = recipe.Options.Targets with { Views = Math.Min(recipe.Options.Targets.Views, 1) },
            },
            Rows = [.. recipe.Rows.Select(r => r with { Epochs = Epochs })],
            Baseline = recipe.Baseline is { } baseline ? baseline with { Data = [training], Epochs = Epochs } : null,
            BenchRounds = 1,
            Int8MinCosine = 0.05, // a student of eighteen steps has little to lose
        };
        var template = AlignmentTemplate.Named(TeacherCard.Load(recipe.Teacher).Card.Contract.Template);
        var frame = AlignedFrame.Default;
        using var held = FolderLock.Take(output);
        Table14Job.RequireFolder(output, smoke);
        SyntheticDataset.Write(training, new DrawnPeople(TrainingPeople, Images, TrainingSeed), template, frame, job);
        SyntheticDataset.Write(test, new DrawnPeople(TestPeople, Images, TestSeed), template, frame, job);
        if (smoke.SecondTest is not null)
        {
            SyntheticDataset.Write(second, new DrawnPeople(TestPeople, Images, SecondSeed), template, frame, job);
        }

        return smoke;
    }
}

/// <summary>Times all files of a table and the teacher's in turns in one run, so that their ratios hold; what was timed before is kept.</summary>
/// <param name="recipe">The table's recipe.</param>
/// <param name="output">The table's folder.</param>
/// <param name="finder">Finds the teacher's file.</param>
internal sealed class Table14Timing(Table14Recipe recipe, string output, AssetFinder finder)
{
    private readonly string _file = Path.Combine(output, Table14Speed.FileName);

    /// <summary>
    /// The speed of the finished rows' files; null where none is here and none was timed. Where all that are here were timed before, that is
    /// kept; else all that are here are timed anew, so that one table's figures are of one run.
    /// </summary>
    /// <param name="lines">The finished rows.</param>
    /// <param name="folderOf">The run folder of a row.</param>
    /// <param name="job">Told of every round.</param>
    /// <exception cref="FaceDistillException">The teacher's file is gone, or speed.json is damaged.</exception>
    public Table14Speed? Of(IReadOnlyList<Table14Line> lines, Func<string, string> folderOf, JobContext job)
    {
        var known = File.Exists(_file) ? JsonFile.Read<Table14Speed>(_file) : null;
        string[] Files(Table14Line line) =>
            [.. new ExportFormat[] { new OnnxFormat(), new OnnxInt8Format() }.Select(f => Path.Combine(folderOf(line.Name), f.DefaultFile))];
        var here = lines.Where(l => Files(l).All(File.Exists)).ToList();
        if (here.Count == 0 || known?.Holds(here) == true)
        {
            return here.Count > 0 || known?.Holds(lines) == true ? known : null;
        }

        job.Say?.Invoke("timing all files; other work on this machine disturbs it");
        string[] models = [.. here.SelectMany(Files), $"teacher:{recipe.Teacher}"];
        var bench = new BenchmarkJob(finder)
            .Run(new BenchmarkRequest(models, [], null, null, null, recipe.Options.Run.Device, recipe.BenchRounds, null)
            {
                Provider = OnnxProviders.Cpu, // the table tells the speed of one core
            }, job).Models;
        var teacher = bench[^1];
        var speed = new Table14Speed(new Table14TeacherFile(teacher.Name, teacher.FileBytes, teacher.MultAdds, teacher.Parameters, teacher.LatencyMs.P50),
            [.. here.Select((l, i) => StudentOf(l, bench[2 * i], bench[(2 * i) + 1]))]);
        JsonFile.Write(_file, speed);
        return speed;
    }

    private static Table14StudentSpeed StudentOf(Table14Line line, BenchmarkModelJson own, BenchmarkModelJson int8) =>
        new(line.Name, line.Files.OnnxSha256, line.Files.Int8Sha256, own.LatencyMs.P50, int8.LatencyMs.P50, own.Speedup, int8.Speedup);
}
