using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Teachers;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
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
    private readonly Dictionary<string, string> _contents = new(StringComparer.Ordinal);

    /// <summary>The run folder of a student.</summary>
    public string FolderOf(string student) => Path.Combine(request.Output, "rows", student[(student.IndexOf(':', StringComparison.Ordinal) + 1)..]);

    /// <summary>The row as an earlier call left it; null where it is not finished, was made by another recipe, or its files were exported again
    /// since.</summary>
    /// <exception cref="FaceDistillException">Its file is damaged.</exception>
    public Table14Line? Finished(Table14RecipeRow row)
    {
        string folder = FolderOf(row.Student), file = Path.Combine(folder, Table14Line.FileName);
        if (!File.Exists(file) || Read(file) is not { } line || line.Key != KeyOf(row))
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
        if (row.Init is { } start && !BackboneCard.Is(start) && Finished(_recipe.Rows.First(r => r.Student == start)) is null)
        {
            throw new FaceDistillException($"{row.Student} starts from {start}, which is not finished; run that row first (leave --rows out, or name both)");
        }

        string run = FolderOf(row.Student), file = Path.Combine(run, Table14Line.FileName);
        if (File.Exists(file))
        {
            File.Delete(file); // what it says may no longer be so
        }

        var report = Trained(run, _recipe.Data, _recipe.OptionsOf(row, FolderOf), job);
        RequireLiving(run, job);
        var evaluations = _recipe.Protocols.Select(p => Evaluated(run, p, teacher: true, job)).ToList();
        var files = Exported(run, job);
        var line = new Table14Line(row.Student, KeyOf(row), $"{request.Command} --rows {row.Student}", report.Cost, TrainingOf(report, row), evaluations, files)
        {
            Baseline = HasBaseline(row) ? BaselineOf(row, job) : null,
        };
        JsonFile.Write(file, line);
        return line;
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

    private RunReportData Trained(string run, IReadOnlyList<string> data, DistillOptions options, JobContext job)
    {
        if (File.Exists(Path.Combine(run, StudentCheckpoint.FileName)) && RunInfo.In(run) && RunReport.Write(run) is { Finished: true } done
            && IsOf(done, run, data, options))
        {
            FolderLock.Sweep(run);
            job.Say?.Invoke($"{run}: trained before");
            return done;
        }

        job.Say?.Invoke($"{run}: training");
        DataFolder[] folders = [.. data.Select(d => DataFolder.Resolve(d, finder) with { Exclude = _recipe.Exclude })];
        return new DistillJob(finder).Run(
            new DistillRequest(_recipe.Teacher, folders, null, options, run, Resume: true) { DataNames = data }, job);
    }

    // A training that an earlier call, or an earlier version, finished has passed no gate in this one.
    private void RequireLiving(string run, JobContext job)
    {
        var student = RunStudent.Open(run);
        var faces = new FaceSource(finder).Open(DataFolder.Resolve(_recipe.Test, finder), student.Description.Contract.Template, null, job);
        ExportParity.Spread(student, faces, _recipe.Options.Run.Device)?.Require(
            $"{run}: the student", "delete the folder and train the row for more epochs, on more faces or with a lower learning rate");
    }

    private bool IsOf(RunReportData report, string run, IReadOnlyList<string> data, DistillOptions options)
    {
        var made = Recipe.Read(Path.Combine(run, Recipe.FileName));
        using var teacher = TeacherCard.Open(_recipe.Teacher, finder);
        return made.Data.SequenceEqual(data) && report.Run.ExclusionHash == ExclusionHash() && ResumeRules.Same(report.Run.Options, options)
            && Path.GetFileName(report.Run.Options.Student.Init) == Path.GetFileName(options.Student.Init) // a start may have been moved, not changed
            && report.Run.TeacherHash == (options.Loss.IsDistilled ? teacher.Hash : "")
            && report.Run.FacesId == FacesId(data, teacher.Contract.Template);
    }

    // Of other faces it is not this row's: the training that follows refuses the folder, in a line that says so.
    private string FacesId(IReadOnlyList<string> data, string template)
    {
        DataFolder[] folders = [.. data.Select(d => DataFolder.Resolve(d, finder) with { Exclude = _recipe.Exclude })];
        return new FaceSource(finder).Open(folders, template, null, JobContext.None).Id;
    }

    private EvaluationResult Evaluated(string run, string protocol, bool teacher, JobContext job)
    {
        job.Say?.Invoke($"{run}: {protocol}");
        string[] models = teacher ? [run, $"teacher:{_recipe.Teacher}"] : [run];
        return new EvaluateJob(finder).Run(
            new EvaluateRequest(protocol, models, DataFolder.Resolve(_recipe.Test, finder), null, _recipe.Options.Run.Device), job);
    }

    private Table14Files Exported(string run, JobContext job)
    {
        job.Say?.Invoke($"{run}: export");
        var exporter = new ExportJob(finder);
        var single = new ExportRequest(run, new OnnxFormat(), null) { Device = _recipe.Options.Run.Device };
        exporter.Run(single, job); // again, now that its card can tell the accuracy
        var eight = new ExportRequest(run, new OnnxInt8Format(), null)
        {
            Data = _recipe.Test,
            Protocol = _recipe.Protocols[0],
            Device = _recipe.Options.Run.Device,
            MinCosine = _recipe.Int8MinCosine,
        };
        var accuracy = exporter.Run(eight, job).Accuracy!;
        long Length(string file) => new FileInfo(file).Length;
        return new Table14Files(
            Length(single.Path), FileHash.Sha256(single.Path), Length(eight.Path), FileHash.Sha256(eight.Path), accuracy.TarAfter, accuracy.IntervalAfter);
    }

    private Table14Baseline BaselineOf(Table14RecipeRow row, JobContext job)
    {
        var baseline = _recipe.Baseline!;
        string run = Path.Combine(FolderOf(row.Student), BaselineFolder);
        var report = Trained(run, baseline.Data, baseline.OptionsOf(_recipe.OptionsOf(row, FolderOf)), job);
        RequireLiving(run, job);
        return new Table14Baseline(
            report.Run.Images, report.Epochs.Count, report.TrainingSeconds / 60, Evaluated(run, _recipe.Protocols[0], teacher: false, job));
    }

    private static Table14Training TrainingOf(RunReportData report, Table14RecipeRow row)
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
            Init = row.Init,
            Origins = report.Run.Origins,
        };
    }

    // A start by what it is, not by where it lies.
    private DistillOptions OptionsOf(Table14RecipeRow row)
    {
        var options = _recipe.OptionsOf(row, name => KeyOf(_recipe.Rows.First(r => r.Student == name)));
        return options.Student.Init is { } card && BackboneCard.Is(card)
            ? options with
            {
                Student = options.Student with { Init = string.Join(' ', BackboneCard.Load(card).Files.Assets.Select(a => a.Sha256)) },
            } : options;
    }

    private bool HasBaseline(Table14RecipeRow row) => _recipe.Baseline?.Students.Contains(row.Student) == true;

    // A data set by what is in it: a picture that was changed, added or removed makes another row.
    private string ContentOf(string data)
    {
        if (_contents.TryGetValue(data, out string? known))
        {
            return known;
        }

        var folder = DataFolder.Resolve(data, finder);
        string people = folder.People is null ? "" : FileHash.Sha256(folder.People);
        return _contents[data] = FaceDataset.List(folder.Images).ContentId(JobContext.None) + people;
    }

    private string TeacherKey()
    {
        var (card, files) = TeacherCard.Load(_recipe.Teacher);
        return EmbeddingCache.ModelHash(string.Join(' ', files.Assets.Select(a => a.Sha256)), card.Contract);
    }

    private string? ExclusionHash() => _recipe.Exclude is { } list ? FileHash.Sha256(list) : null;

    // Where files lie, how long they are timed and when checkpoints are written does not make another student; another start does.
    private string KeyOf(Table14RecipeRow row)
    {
        var options = OptionsOf(row);
        string text = JsonFile.Serialize(new
        {
            Teacher = TeacherKey(), Data = _recipe.Data.Select(ContentOf), Test = ContentOf(_recipe.Test), _recipe.Protocols,
            Options = KeyOf(options with { Run = options.Run with { Device = "" } }),
            Baseline = HasBaseline(row) ? (_recipe.Baseline! with { Students = [], Data = [.. _recipe.Baseline.Data.Select(ContentOf)] }) : null,
        }) + ExclusionHash();
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    // Options that came later stand in a key only where they ask for something new, so that rows of before keep theirs; the time between checkpoints never
    // does.
    private static JsonObject KeyOf(DistillOptions options)
    {
        var text = JsonSerializer.SerializeToNode(
            options with { HeldOut = options.HeldOut with { People = options.HeldOut.People ?? -1 } }, JsonFile.Options)!.AsObject();
        var before = JsonSerializer.SerializeToNode(
            options with
            {
                Student = options.Student with { InitChannels = ChannelRule.L1, InitRefit = false },
                Optimizer = options.Optimizer with { Schedule = ScheduleKind.Cosine },
                HeldOut = options.HeldOut with { People = 0 },
            },
            JsonFile.Options)!.AsObject();
        text.Remove("checkpointMinutes");
        text.Remove("pictureMemory");
        foreach (string name in new[] { "schedule", "validationPeople", "initChannels", "initRefit" })
        {
            if (JsonNode.DeepEquals(text[name], before[name]))
            {
                text.Remove(name);
            }
        }

        return text;
    }
}
