using System.Security.Cryptography;
using System.Text;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Evaluation;
using FaceDistill.Export;
using FaceDistill.Formats;
using FaceDistill.Reporting;

namespace FaceDistill.Pipeline;

/// <summary>One row of a table: trains, measures and exports its student. A training that an earlier call finished is kept, an interrupted one goes on.</summary>
/// <param name="recipe">The table's recipe.</param>
/// <param name="output">The table's folder.</param>
/// <param name="recipeFile">The recipe's file, for the row's command.</param>
/// <param name="finder">Finds models and data.</param>
/// <param name="say">Told in one line of each step.</param>
internal sealed class Table14RowJob(Table14Recipe recipe, string output, string recipeFile, AssetFinder finder, Action<string>? say)
{
    private const string BaselineFolder = "baseline";

    /// <summary>The run folder of a student.</summary>
    public string FolderOf(string student) => Path.Combine(output, "rows", student[(student.IndexOf(':', StringComparison.Ordinal) + 1)..]);

    /// <summary>The row as an earlier call left it; null where it is not finished, or was made by another recipe.</summary>
    /// <exception cref="FaceDistillException">Its file is damaged.</exception>
    public Table14Line? Finished(Table14RecipeRow row)
    {
        string file = Path.Combine(FolderOf(row.Student), Table14Line.FileName);
        return File.Exists(file) && JsonFile.Read<Table14Line>(file) is var line && line.Key == KeyOf(row) ? line : null;
    }

    /// <summary>Makes the row.</summary>
    /// <exception cref="FaceDistillException">A step fails; the message says what.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the next call goes on.</exception>
    public Table14Line Run(Table14RecipeRow row, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        string run = FolderOf(row.Student);
        var report = Trained(run, recipe.Data, recipe.OptionsOf(row, FolderOf), progress, cancel);
        var evaluations = recipe.Protocols.Select(p => Evaluated(run, p, teacher: true, progress, cancel)).ToList();
        var files = Exported(run, progress, cancel);
        var line = new Table14Line(row.Student, KeyOf(row), $"facedistill table14 --recipe {recipeFile} --output {output} --rows {row.Student}", report.Cost, TrainingOf(report, row), evaluations, files)
        {
            Baseline = recipe.Baseline?.Students.Contains(row.Student) == true ? BaselineOf(row, progress, cancel) : null,
        };
        JsonFile.Write(Path.Combine(run, Table14Line.FileName), line);
        return line;
    }

    private RunReportData Trained(string run, IReadOnlyList<string> data, DistillOptions options, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        if (File.Exists(Path.Combine(run, StudentCheckpoint.FileName)) && RunInfo.In(run) && RunReport.Write(run) is { Finished: true } done && IsOf(done, run, data, options))
        {
            say?.Invoke($"{run}: trained before");
            return done;
        }

        say?.Invoke($"{run}: training");
        return new DistillJob(finder, say).Run(
            new DistillRequest(recipe.Teacher, [.. data.Select(d => DataFolder.Resolve(d, finder))], null, options, run, Resume: true) { DataNames = data }, progress, cancel);
    }

    private bool IsOf(RunReportData report, string run, IReadOnlyList<string> data, DistillOptions options) =>
        Recipe.Read(Path.Combine(run, Recipe.FileName)) is var made && made.Teacher == recipe.Teacher && made.Data.SequenceEqual(data) && ResumeRules.Same(report.Run.Options, options);

    private EvaluationJson Evaluated(string run, string protocol, bool teacher, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        say?.Invoke($"{run}: {protocol}");
        string[] models = teacher ? [run, $"teacher:{recipe.Teacher}"] : [run];
        return new EvaluateJob(finder, say).Run(
            new EvaluateRequest(protocol, models, [], null, DataFolder.Resolve(recipe.Test, finder), null, recipe.Options.Device), progress, cancel).ToJson();
    }

    private Table14Files Exported(string run, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        say?.Invoke($"{run}: export");
        var exporter = new ExportJob(finder, say);
        var single = new ExportRequest(run, new OnnxFormat(), null) { Device = recipe.Options.Device };
        exporter.Run(single, progress, cancel); // again, now that its card can tell the accuracy
        var eight = new ExportRequest(run, new OnnxInt8Format(), null) { Data = recipe.Test, Protocol = recipe.Protocols[0], Device = recipe.Options.Device };
        var accuracy = exporter.Run(eight, progress, cancel).Accuracy!;
        long Length(string file) => new FileInfo(file).Length;
        return new Table14Files(Length(single.Path), FileHash.Sha256(single.Path), Length(eight.Path), FileHash.Sha256(eight.Path), accuracy.TarAfter, accuracy.IntervalAfter);
    }

    private Table14Baseline BaselineOf(Table14RecipeRow row, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var baseline = recipe.Baseline!;
        string run = Path.Combine(FolderOf(row.Student), BaselineFolder);
        var report = Trained(run, baseline.Data, baseline.OptionsOf(recipe.OptionsOf(row, FolderOf)), progress, cancel);
        return new Table14Baseline(report.Run.Images, report.Epochs.Count, report.TrainingSeconds / 60, Evaluated(run, recipe.Protocols[0], teacher: false, progress, cancel).Models[0]);
    }

    private static Table14Training TrainingOf(RunReportData report, Table14RecipeRow row)
    {
        var options = report.Run.Options;
        return new Table14Training(report.Run.Images, TrainingCost.ImagesOf(report.Run.Images, options), report.Epochs.Count, report.TrainingSeconds / 60, report.Run.Environment.Cores, report.Epochs) { Init = row.Init };
    }

    // Where files lie and how long files are timed does not make another student.
    private string KeyOf(Table14RecipeRow row)
    {
        bool baseline = recipe.Baseline?.Students.Contains(row.Student) == true;
        string text = JsonFile.Serialize(new
        {
            recipe.Teacher, recipe.Data, recipe.Test, recipe.Protocols,
            Options = recipe.OptionsOf(row, name => name) with { Device = "" },
            Baseline = baseline ? recipe.Baseline! with { Students = [] } : null,
        });
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
