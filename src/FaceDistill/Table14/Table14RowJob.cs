using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Teachers;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;

namespace FaceDistill.Table14;

/// <summary>One row of a table: trains, measures and exports its student. A training that an earlier call finished is kept, an interrupted one goes
/// on.</summary>
/// <param name="request">The table.</param>
/// <param name="finder">Finds models and data.</param>
internal sealed class Table14RowJob(Table14Request request, AssetFinder finder)
{
    private const string BaselineFolder = "baseline";
    private readonly Table14Recipe _recipe = request.Recipe;
    private readonly Table14RowKey _keys = new(request.Recipe, finder);

    /// <summary>The run folder of a row.</summary>
    public string FolderOf(string name) => Path.Combine(request.Output, "rows", Table14RecipeRow.Short(name));

    private string FolderOf(Table14RecipeRow row) => FolderOf(row.Name);

    /// <summary>Whether the row's student is also trained without the teacher.</summary>
    public bool HasBaseline(Table14RecipeRow row) => _keys.HasBaseline(row);

    /// <summary>The row as an earlier call left it; null where it is not finished, was made by another recipe, or its files were exported again
    /// since.</summary>
    /// <exception cref="FaceDistillException">Its file is damaged.</exception>
    public Table14Line? Finished(Table14RecipeRow row)
    {
        string folder = FolderOf(row), file = Path.Combine(folder, Table14Line.FileName);
        if (!File.Exists(file) || Read(file) is not { } line || line.Key != _keys.Of(row))
        {
            return null;
        }

        bool Another(ExportFormat format, string sha256) =>
            Path.Combine(folder, format.DefaultFile) is var path && File.Exists(path) && FileHash.Sha256(path) != sha256;
        return Another(new OnnxFormat(), line.Files.OnnxSha256) || Another(new OnnxInt8Format(), line.Files.Int8Sha256) ? null : line;
    }

    /// <summary>Makes the row.</summary>
    /// <exception cref="FaceDistillException">A step fails, or the row that it starts from is not finished; the message says what.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the next call goes on.</exception>
    public Table14Line Run(Table14RecipeRow row, JobContext job)
    {
        if (_recipe.StartOf(row) is { } start)
        {
            RequireStart(row, start);
        }

        string run = FolderOf(row), file = Path.Combine(run, Table14Line.FileName);
        RequireNamed(row, run);
        var options = _recipe.OptionsOf(row, FolderOf);
        var predicted = new Table14Prediction.File(run);
        bool trained = IsTrained(run, _recipe.Data, options);
        if (!trained && row.ExpectedMinutes is null)
        {
            predicted.Keep(options, Pictures(), Dimension, before: true, job);
        }

        var report = trained ? Taken(run, job) : Train(run, _recipe.Data, options, job);
        File.Delete(file); // what it says may no longer be so; a training that is refused, as of another recipe, leaves it
        if (row.ExpectedMinutes is null)
        {
            predicted.Keep(options, report.Run.Images, Dimension, before: false, job);
        }

        RequireLiving(run, job);
        var evaluations = _recipe.Protocols.Select(p => Evaluated(run, _recipe.Test, p, teacher: true, job)).ToList();
        var second = _recipe.SecondTest is { } test ? Evaluated(run, test.Data, test.Protocol, teacher: true, job) : null;
        var files = Exported(run, job);
        var line = new Table14Line(
            row.Student, _keys.Of(row), $"{request.Command} --rows {row.Name}", report.Cost, TrainingOf(report, row, predicted.Read()), evaluations, files)
        {
            Row = row.Name,
            Second = second,
            Baseline = _keys.HasBaseline(row) ? BaselineOf(row, job) : null,
        };
        JsonFile.Write(file, line);
        return line;
    }

    /// <summary>Refuses a row whose start is not there.</summary>
    /// <param name="row">The row.</param>
    /// <param name="start">The row that it starts from.</param>
    /// <exception cref="FaceDistillException">It is not finished, or its checkpoint is gone.</exception>
    public void RequireStart(Table14RecipeRow row, Table14RecipeRow start)
    {
        string? wrong = Finished(start) is null ? "which is not finished; run that row first (leave --rows out, or name both)"
            : File.Exists(Path.Combine(FolderOf(start), StudentCheckpoint.FileName)) ? null
            : $"of which {FolderOf(start)} holds the figures, and no {StudentCheckpoint.FileName}: put it back, or delete the folder's "
                + $"{Table14Line.FileName}, and the same command trains that row again";
        if (wrong is not null)
        {
            throw new FaceDistillException($"{row.Name} starts from {start.Name}, {wrong}");
        }
    }

    // Earlier versions gave a student one row, whatever it started from.
    private void RequireNamed(Table14RecipeRow row, string run)
    {
        string before = FolderOf(row.Student);
        if (row.Init is not null && row.Seed is null && !Directory.Exists(run) && RunInfo.In(before) && RunInfo.Read(before).Options.Student.Init is not null)
        {
            throw new FaceDistillException(
                $"{before} holds a student that did not begin with random weights, under the name of one that did: rename it to {run}");
        }
    }

    private static Table14Line Read(string file)
    {
        try
        {
            return JsonFile.Read<Table14Line>(file);
        }
        catch (FaceDistillException e)
        {
            throw new FaceDistillException(
                $"{e.Message} It is damaged or of another version: delete it, and the row is measured again without being trained", e);
        }
    }

    private int Pictures() => _recipe.Data.Sum(d => Table14Plan.Pictures(DataFolder.Resolve(d, finder) with { Exclude = _recipe.Exclude }));

    private int Dimension()
    {
        using var teacher = TeacherCard.Open(_recipe.Teacher, finder);
        return teacher.Dimension;
    }

    // Also where 'distill' made it, or another build, and it was moved here: it is what its options, its faces and its teacher make of it.
    private bool IsTrained(string run, IReadOnlyList<string> data, DistillOptions options)
    {
        if (!File.Exists(Path.Combine(run, StudentCheckpoint.FileName)) || !RunInfo.In(run))
        {
            return false;
        }

        DistillStart.RequireSame(
            run, options.Student.Init, "bring that start back, or move the folder away, and the row is trained");
        return RunReport.Write(run) is { Finished: true } done && IsOf(done, data, options);
    }

    private static RunReportData Taken(string run, JobContext job)
    {
        FolderLock.Sweep(run);
        job.Say?.Invoke($"{run}: trained before");
        return RunReport.Write(run);
    }

    private RunReportData Train(string run, IReadOnlyList<string> data, DistillOptions options, JobContext job)
    {
        job.Say?.Invoke($"{run}: training");
        return new DistillJob(finder).Run(new DistillRequest(_recipe.Teacher, Folders(data), null, options, run, Resume: true) { DataNames = data }, job);
    }

    private DataFolder[] Folders(IReadOnlyList<string> data) => [.. data.Select(d => DataFolder.Resolve(d, finder) with { Exclude = _recipe.Exclude })];

    // A training that an earlier call, or an earlier version, finished has passed no gate in this one.
    private void RequireLiving(string run, JobContext job)
    {
        var student = RunStudent.Open(run);
        var faces = new FaceSource(finder).Open(DataFolder.Resolve(_recipe.Test, finder), student.Description.Contract.Template, null, job);
        ExportParity.Spread(student, faces, _recipe.Options.Run.Device)?.Require(
            $"{run}: the student", "delete the folder and train the row for more epochs, on more faces or with a lower learning rate");
    }

    // Names of data and of the exclusion list say nothing: the faces that are left are known by their contents. Of others it is not this row's, and the
    // training that follows refuses the folder in a line that says so.
    private bool IsOf(RunReportData report, IReadOnlyList<string> data, DistillOptions options)
    {
        using var teacher = TeacherCard.Open(_recipe.Teacher, finder);
        return ResumeRules.Same(report.Run.Options, options)
            && report.Run.TeacherHash == (options.Loss.IsDistilled ? teacher.Hash : "") && !report.Run.HasOtherTeacher(BegunRun.TeacherId(teacher, options))
            && report.Run.FacesId == new FaceSource(finder).Open(Folders(data), teacher.Contract.Template, null, JobContext.None).Id;
    }

    private EvaluationResult Evaluated(string run, string test, string protocol, bool teacher, JobContext job)
    {
        job.Say?.Invoke($"{run}: {protocol} on {test}");
        string[] models = teacher ? [run, $"teacher:{_recipe.Teacher}"] : [run];
        return new EvaluateJob(finder).Run(
            new EvaluateRequest(protocol, models, DataFolder.Resolve(test, finder), null, _recipe.Options.Run.Device), job);
    }

    private Table14Files Exported(string run, JobContext job)
    {
        job.Say?.Invoke($"{run}: export");
        var exporter = new ExportJob(finder);
        ExportRequest Measured(ExportFormat format) => new(run, format, null)
        {
            Data = _recipe.Test,
            Protocol = _recipe.Protocols[0],
            Device = _recipe.Options.Run.Device,
        };
        var single = Measured(new OnnxFormat());
        exporter.Run(single, job); // again, with its accuracy and the rate of each threshold
        var eight = Measured(new OnnxInt8Format()) with { MinCosine = _recipe.Int8MinCosine };
        var accuracy = Eight(exporter, eight, job).Accuracy!;
        long Length(string file) => new FileInfo(file).Length;
        return new Table14Files(
            Length(single.Path), FileHash.Sha256(single.Path), Length(eight.Path), FileHash.Sha256(eight.Path), accuracy.TarAfter, accuracy.IntervalAfter);
    }

    private static ExportOutcome Eight(ExportJob exporter, ExportRequest request, JobContext job)
    {
        try
        {
            return exporter.Run(request, job);
        }
        catch (FaceDistillException e)
        {
            throw new FaceDistillException($"{e.Message}; in a table: give the row more epochs or faces, take it out of the recipe, or let the recipe say "
                + "\"int8MinCosine\"", e);
        }
    }

    private Table14Baseline BaselineOf(Table14RecipeRow row, JobContext job)
    {
        var baseline = _recipe.Baseline!;
        string run = Path.Combine(FolderOf(row), BaselineFolder);
        var options = baseline.OptionsOf(_recipe.OptionsOf(row, FolderOf));
        var report = IsTrained(run, baseline.Data, options) ? Taken(run, job) : Train(run, baseline.Data, options, job);
        RequireLiving(run, job);
        return new Table14Baseline(report.Run.Images, report.Epochs.Count, report.TrainingSeconds / 60,
            Evaluated(run, _recipe.Test, _recipe.Protocols[0], teacher: false, job));
    }

    private Table14Training TrainingOf(RunReportData report, Table14RecipeRow row, Table14Prediction? predicted)
    {
        var options = report.Run.Options;
        int kept = options.HeldOut.Keep == KeepKind.Best && report.Best is { } best ? best.Epoch : report.Epochs.Count;
        long images = TrainingCost.ImagesOf(report.Run.Images - (report.Run.HeldOut?.Faces ?? 0), options with
        {
            Run = options.Run with { Epochs = report.Epochs.Count },
        });
        return new Table14Training(
            report.Run.Images, images, report.Epochs.Count, kept, options.Optimizer.LearningRate, report.TrainingSeconds / 60,
            report.Run.Environment.Cores, report.Epochs)
        {
            Init = _recipe.StartOf(row)?.Name ?? row.Init,
            Origins = report.Run.Origins,
            Seed = options.Run.Seed,
            Predicted = row.ExpectedMinutes is { } expected ? new Table14Prediction(expected, images / expected / 60, true) : predicted,
        };
    }
}
