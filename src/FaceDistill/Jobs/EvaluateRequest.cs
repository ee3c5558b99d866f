using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;

namespace FaceDistill.Jobs;

/// <summary>What to evaluate.</summary>
/// <param name="Protocol">One of <see cref="Evaluator.Protocols"/>.</param>
/// <param name="Models">Model arguments: run folders, exported .onnx files, teacher:CARD; they need <paramref name="Data"/>.</param>
/// <param name="Data">The test faces; also where LFW's protocol files are.</param>
/// <param name="Aligned">The template that the user says the pictures are aligned to; null to go by alignment.json.</param>
/// <param name="Device">Where a run folder's student computes.</param>
public sealed record EvaluateRequest(string Protocol, IReadOnlyList<string> Models, DataFolder? Data, string? Aligned, string Device)
{
    /// <summary>Instead of models, or besides: stores, or .npy files float32 [N, D].</summary>
    public IReadOnlyList<string> Embeddings { get; init; } = [];

    /// <summary>For .npy files: a text file with one identity a line.</summary>
    public string? Labels { get; init; }

    /// <summary>What to tell besides the pair counts.</summary>
    public EvaluationOptions Options { get; init; } = new();

    /// <summary>Which model is the others' teacher: one of the arguments as given, or else a model's name; null for the first teacher:CARD.</summary>
    public string? Reference { get; init; }

    /// <summary>Whether to measure each model's agreement with the teacher, which scores twice as many pairs.</summary>
    public bool Agreement { get; init; } = true;

    /// <summary>Whether each model's embedding is the sum of those of the face and of its mirror image; no run folder notes that.</summary>
    public bool Flip { get; init; }

    /// <summary>Where ONNX Runtime computes teachers and exported files, as in <see cref="FaceEmbedder.Load"/>.</summary>
    public string Provider { get; init; } = OnnxProviders.Auto;

    /// <summary>Whether to note the outcome in the run folders among the models.</summary>
    public bool Note { get; init; } = true;

    /// <summary>The report to write; null for none.</summary>
    public ReportRequest? Report { get; init; }
}

/// <summary>A report to write.</summary>
/// <param name="Folder">Where.</param>
/// <param name="Faces">Whether to put small pictures of the worst pairs' faces into it.</param>
/// <param name="CommandLine">What was typed, for the report.</param>
public sealed record ReportRequest(string Folder, bool Faces, string CommandLine);
