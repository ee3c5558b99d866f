using System.Text.Json.Serialization;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Starts;

namespace FaceDistill.Table14;

/// <summary>One student of a table: what it costs, how it was trained, what was measured, and what the paper printed. Rates are fractions.</summary>
/// <param name="Student">The student.</param>
/// <param name="Key">Names everything that decides the line, so that it is made again when that changes.</param>
/// <param name="Command">The command that makes the line.</param>
/// <param name="Cost">Mult-adds and parameters, counted.</param>
/// <param name="Training">How it was trained.</param>
/// <param name="Evaluations">What was measured, by protocol; of each the student is the first model and the teacher the second.</param>
/// <param name="Files">The exported files.</param>
internal sealed record Table14Line(
    string Student,
    string Key,
    string Command,
    StudentCost Cost,
    Table14Training Training,
    IReadOnlyList<EvaluationResult> Evaluations,
    Table14Files Files)
{
    /// <summary>The name of the file that holds a line, in its row's folder.</summary>
    public const string FileName = "row.json";

    /// <summary>The row's name in the recipe, which is its run folder's; absent in lines of versions that gave a student one row.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Row { get; init; }

    /// <summary>What was measured on the second test, student and teacher; absent where the recipe has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EvaluationResult? Second { get; init; }

    /// <summary>The same student trained by identities alone; absent where that was not run.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Table14Baseline? Baseline { get; init; }

    /// <summary>The paper's row; null beyond the paper.</summary>
    [JsonIgnore]
    public PaperTableRow? Paper => PaperTable.Of(StudentSpec.Parse(Student));

    /// <summary>The row's name.</summary>
    [JsonIgnore]
    public string Name => Row ?? Student;

    /// <summary>The student's name without what all share.</summary>
    [JsonIgnore]
    public string ShortName => Table14RecipeRow.Short(Student);

    /// <summary>The name in tables that show each training: with what it began, and its seed where the row has one of its own.</summary>
    [JsonIgnore]
    public string Label => ShortName + (Training.IsWarm ? " from a start" : "")
        + (Name.Contains("-seed", StringComparison.Ordinal) ? InvariantText.Of($", seed {Training.Seed}") : "");

    /// <summary>The student by the table's protocol.</summary>
    [JsonIgnore]
    public ModelResult Measured => Evaluations[0].Models[0];

    /// <summary>The teacher by the same protocol, on the same pairs.</summary>
    [JsonIgnore]
    public ModelResult Teacher => Evaluations[0].Models[1];

    /// <summary>True accept rate at 1e-4; null where the impostor pairs are too few.</summary>
    [JsonIgnore]
    public double? Tar => Measured.TarAtFar?.GetValueOrDefault(ReportFormat.DecidingFar);

    /// <summary>Its 95% interval.</summary>
    [JsonIgnore]
    public IReadOnlyList<double>? TarInterval => Measured.TarInterval95AtFar?.GetValueOrDefault(ReportFormat.DecidingFar);

    /// <summary>LFW's ten folds, where that protocol was measured: student and teacher.</summary>
    [JsonIgnore]
    public EvaluationResult? Folds => Evaluations.FirstOrDefault(e => e.Models[0].TenFoldAccuracy is not null);
}

/// <summary>How a line's student was trained.</summary>
/// <param name="Faces">Training and held-out faces.</param>
/// <param name="Images">Faces shown in all its epochs.</param>
/// <param name="Epochs">Passes over the faces.</param>
/// <param name="KeptEpoch">The epoch, from 1, whose student was kept.</param>
/// <param name="LearningRate">The highest learning rate.</param>
/// <param name="Minutes">Time of the epochs.</param>
/// <param name="Cores">Processor cores that the training used.</param>
/// <param name="Log">The loss curve.</param>
internal sealed record Table14Training(
    int Faces, long Images, int Epochs, int KeptEpoch, double LearningRate, double Minutes, int Cores, IReadOnlyList<EpochLog> Log)
{
    /// <summary>The epoch whose student was kept.</summary>
    [JsonIgnore]
    public EpochLog Kept => Log[KeptEpoch - 1];

    /// <summary>The earlier row, the backbone or the exported file that it started from; absent where it started from random weights.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Init { get; init; }

    /// <summary>What its weights started from, the nearest first; absent in lines of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<StudentOrigin>? Origins { get; init; }

    /// <summary>The seed; absent in lines of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Seed { get; init; }

    /// <summary>What it was predicted to take; absent where nobody predicted it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Table14Prediction? Predicted { get; init; }

    /// <summary>The epoch after which half the images were seen; null where that is in the middle of one.</summary>
    [JsonIgnore]
    public EpochLog? Half => Epochs % 2 == 0 ? Log[(Epochs / 2) - 1] : null;

    /// <summary>Hours of one core.</summary>
    [JsonIgnore]
    public double CoreHours => Minutes * Cores / 60;

    /// <summary>Whether it started from anything but random weights.</summary>
    [JsonIgnore]
    public bool IsWarm => Init is not null || Origins is { Count: > 0 };

    /// <summary>What it started from, and what that started from, in a few words.</summary>
    [JsonIgnore]
    public string StartedFrom => (IsFromFile ? "an exported file of " : "")
        + (Origins is { Count: > 0 } origins ? StudentOrigin.Short(origins) : Init ?? StudentOrigin.Random);

    /// <summary>Whether that is an exported file.</summary>
    [JsonIgnore]
    public bool IsFromFile => Init is not null && ExportedStudent.Is(Init);
}

/// <summary>A line's exported files. The 8-bit accuracy is measured on the file itself.</summary>
/// <param name="OnnxBytes">Size of the fp32 file.</param>
/// <param name="OnnxSha256">Its SHA-256.</param>
/// <param name="Int8Bytes">Size of the 8-bit file.</param>
/// <param name="Int8Sha256">Its SHA-256.</param>
/// <param name="Int8Tar">TAR at 1e-4 of the 8-bit file; null where the impostor pairs are too few.</param>
/// <param name="Int8TarInterval95">Its 95% interval.</param>
internal sealed record Table14Files(
    long OnnxBytes, string OnnxSha256, long Int8Bytes, string Int8Sha256, double? Int8Tar, IReadOnlyList<double>? Int8TarInterval95);

/// <summary>A student trained without the teacher.</summary>
/// <param name="Faces">Training faces, of people with names.</param>
/// <param name="Epochs">Passes over them.</param>
/// <param name="Minutes">Time of these.</param>
/// <param name="Evaluation">What was measured by the table's protocol.</param>
internal sealed record Table14Baseline(int Faces, int Epochs, double Minutes, EvaluationResult Evaluation)
{
    /// <summary>The student's figures.</summary>
    [JsonIgnore]
    public ModelResult Measured => Evaluation.Models[0];
}
