using FaceDistill.Evaluation;
using FaceDistill.Export;

namespace FaceDistill.Pipeline;

/// <summary>What to export.</summary>
/// <param name="Run">The run folder.</param>
/// <param name="Format">The file format.</param>
/// <param name="Output">The file; null for the format's own name in the run folder.</param>
public sealed record ExportRequest(string Run, ExportFormat Format, string? Output)
{
    /// <summary>What the file does besides the student.</summary>
    public StudentEnds Ends { get; init; } = new();

    /// <summary>How an 8-bit file is made.</summary>
    public Int8Options Int8 { get; init; } = new();

    /// <summary>The smallest cosine to TorchSharp's embedding that is allowed of any face; null for the format's own.</summary>
    public double? MinCosine { get; init; }

    /// <summary>Faces to verify on, and to evaluate on: a folder or a data set's name; null for those the student was trained on.</summary>
    public string? Data { get; init; }

    /// <summary>Training faces that int8 measures its ranges on: a folder or a data set's name; null for those the student was trained on.</summary>
    public string? Calibration { get; init; }

    /// <summary>The template that the user says these are aligned to; null to go by alignment.json.</summary>
    public string? Aligned { get; init; }

    /// <summary>The protocol by which accuracy is measured before and after; null to measure none.</summary>
    public string? Protocol { get; init; }

    /// <summary>The most TAR at 1e-4 that may be lost, percentage points; null for no limit.</summary>
    public double? MaxLoss { get; init; }

    /// <summary>Where TorchSharp computes: auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The path of the file.</summary>
    public string Path => Output ?? System.IO.Path.Combine(Run, Format.DefaultFile);

    /// <summary>Refuses what cannot be done, before any work.</summary>
    /// <exception cref="FaceDistillException">A value is out of range, or two do not go together.</exception>
    public ExportRequest Validated()
    {
        Int8.Validated();
        string? wrong = !Format.Fits(Path) ? $"{Path}: files of format {Format.Name} end in {Format.Ending}"
            : !Format.HasEnds && Ends != new StudentEnds() ? $"format {Format.Name} holds weights only; --preprocess and --normalize belong to the ONNX formats"
            : MinCosine is { } cosine && !(cosine is > 0 and <= 1) ? FormattableString.Invariant($"--min-cosine is above 0 and at most 1, not {cosine}")
            : MaxLoss is { } points && !(points is >= 0 and <= 100) ? FormattableString.Invariant($"--max-loss is 0 to 100 percentage points, not {points}")
            : MaxLoss is not null && Protocol is null ? "--max-loss needs --evaluate"
            : Calibration is not null && Format is not OnnxInt8Format ? $"--calibration belongs to the int8 format, not to {Format.Name}"
            : Protocol is not null && Data is null ? "--evaluate needs test faces: name them with --data"
            : Protocol is not null && !Protocols.Contains(Protocol) ? $"accuracy before and after is measured by {string.Join(" or ", Protocols)}, not by '{Protocol}'"
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }

    /// <summary>The protocols that give a TAR at 1e-4 and thresholds from a data set alone.</summary>
    public static IReadOnlyList<string> Protocols { get; } = [Evaluator.AllPairs, Evaluator.LfwView1Test];
}
