using System.Text.Json.Serialization;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Options;

namespace FaceDistill.Reports;

/// <summary>What an exported file takes.</summary>
/// <param name="Tensor">The input's name, type and shape.</param>
/// <param name="ColorOrder">The order of the channels.</param>
/// <param name="Scaling">What is done to a channel value of 0..255 before the file gets it.</param>
/// <param name="Template">The alignment template's name.</param>
/// <param name="Points">
/// Where the five points lie in the input picture, pixels [x, y]: eye at the image's left, eye at its right, nose tip, mouth corner at the left, mouth
/// corner at the right.
/// </param>
internal sealed record ModelCardInput(string Tensor, string ColorOrder, string Scaling, string Template, IReadOnlyList<IReadOnlyList<double>> Points);

/// <summary>One measured accuracy in a <see cref="ModelCard"/>.</summary>
/// <param name="Model">What was measured: "this file", "the student in TorchSharp", or the teacher's name.</param>
/// <param name="Data">The test data's name.</param>
/// <param name="Protocol">The protocol.</param>
/// <param name="Result">What <c>evaluate --json</c> says of it.</param>
/// <param name="Seen">Whether the training faces hold people of the test, or may hold some, so that the figure says little of strangers.</param>
/// <param name="FacesId">What the test's faces are known by; null where an earlier version measured it.</param>
internal sealed record ModelCardAccuracy(
    string Model, string Data, string Protocol, FaceDistill.Evaluation.Results.ModelResult Result, bool Seen, string? FacesId)
{
    /// <summary>The model's name where the exported file was measured.</summary>
    public const string ThisFile = "this file";

    /// <summary>The same for the run's student.</summary>
    public const string Torch = "the student in TorchSharp";

    /// <summary>Whether the test's faces are drawn, not photographed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Drawn { get; init; }

    /// <summary>The test in words.</summary>
    [JsonIgnore]
    public string Test => $"{Protocol} on {Data}{(Drawn ? " (drawn faces)" : "")}";
}

/// <summary>A file that belongs to an exported model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sha256">Its SHA-256.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record ModelCardFile(string Name, string Sha256, long Bytes);

/// <summary>Everything that a model card says (FILE.card.json; FILE.MODEL_CARD.md says the same for people).</summary>
internal sealed record ModelCard
{
    /// <summary>The model's file.</summary>
    public required string File { get; init; }

    /// <summary>The format's name.</summary>
    public required string Format { get; init; }

    /// <summary>The ONNX operator set; null where the format has none.</summary>
    public int? OperatorSet { get; init; }

    /// <summary>The file's SHA-256.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The file's length.</summary>
    public required long Bytes { get; init; }

    /// <summary>The files that lie beside it and belong to it.</summary>
    public IReadOnlyList<ModelCardFile> Companions { get; init; } = [];

    /// <summary>The student, for example mobilenet-v1:0.5@96.</summary>
    public required string Student { get; init; }

    /// <summary>The embedding's length.</summary>
    public required int Dimension { get; init; }

    /// <summary>Multiply-accumulates of one face.</summary>
    public required long MultAdds { get; init; }

    /// <summary>Trained values.</summary>
    public required long Parameters { get; init; }

    /// <summary>The teacher.</summary>
    public required ModelCardSource Teacher { get; init; }

    /// <summary>The teacher's SHA-256.</summary>
    public required string TeacherSha256 { get; init; }

    /// <summary>What the student started from, the nearest first; empty for random weights.</summary>
    public IReadOnlyList<StudentOrigin> Origins { get; init; } = [];

    /// <summary>The training data.</summary>
    public required IReadOnlyList<ModelCardSource> Data { get; init; }

    /// <summary>The number of training and validation faces.</summary>
    public required int TrainingFaces { get; init; }

    /// <summary>Whether these are drawn, not photographed.</summary>
    public required bool Synthetic { get; init; }

    /// <summary>Epochs trained up to this student.</summary>
    public required int Epochs { get; init; }

    /// <summary>How far the training was where it had not ended, such as "epoch 5 of 40"; null for a finished one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Unfinished { get; init; }

    /// <summary>How it was trained.</summary>
    public required DistillOptions Recipe { get; init; }

    /// <summary>What the file takes.</summary>
    public required ModelCardInput Input { get; init; }

    /// <summary>What the file gives.</summary>
    public required string Output { get; init; }

    /// <summary>How its embeddings agree with the student's in TorchSharp.</summary>
    public required ExportOutcome Verification { get; init; }

    /// <summary>What was measured; empty where nothing was.</summary>
    public required IReadOnlyList<ModelCardAccuracy> Accuracy { get; init; }

    /// <summary>Thresholds on the cosine of two embeddings; empty where none was measured.</summary>
    public required IReadOnlyList<StudentThreshold> Thresholds { get; init; }

    /// <summary>Which thresholds are not there, and why; null where all are.</summary>
    public string? MissingThresholds { get; init; }

    /// <summary>FaceDistill's version.</summary>
    public required string Version { get; init; }

    /// <summary>When the file was made, UTC.</summary>
    public required DateTime Made { get; init; }

    /// <summary>Writes both files beside the model.</summary>
    /// <param name="model">The model's file; their names begin with its whole name, so that two formats in one folder keep a card each.</param>
    /// <exception cref="FaceDistillException">They cannot be written.</exception>
    public void Write(string model)
    {
        JsonFile.Write(model + ExportedModel.CardEnding, this);
        AtomicFile.WriteText(model + ".MODEL_CARD.md", ModelCardMarkdown.Of(this));
    }
}
