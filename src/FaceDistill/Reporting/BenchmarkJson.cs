using System.Text.Json.Serialization;
using FaceDistill.Evaluation;
using FaceDistill.Export;

namespace FaceDistill.Reporting;

/// <summary>The document of <c>bench --json</c>. Times are only comparable within one document: the models took turns.</summary>
/// <param name="Reference">The name of the model that the speed-ups refer to.</param>
/// <param name="Cores">How many threads the throughput used.</param>
/// <param name="System">The operating system.</param>
/// <param name="Models">One for each model.</param>
public sealed record BenchmarkJson(string Reference, int Cores, string System, IReadOnlyList<BenchmarkModelJson> Models)
{
    /// <summary>The protocol of the accuracies; left out where none is known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Protocol { get; init; }
}

/// <summary>A model in <see cref="BenchmarkJson"/>.</summary>
/// <param name="Name">The model's name, as in evaluations.</param>
/// <param name="Model">The argument as given.</param>
/// <param name="FileBytes">The size of the model's file; of a run folder, that of its fp32 export.</param>
/// <param name="MultAdds">Multiply-accumulates of one picture.</param>
/// <param name="Parameters">Trained values of a FaceDistill student; of other models, the values of the file's constants; null where neither is known.</param>
/// <param name="LatencyMs">Batch 1, one thread.</param>
/// <param name="ImagesPerSecond">All cores, batch 1 each.</param>
/// <param name="Speedup">The reference's median latency by this model's.</param>
public sealed record BenchmarkModelJson(
    string Name, string Model, long FileBytes, long MultAdds, long? Parameters, Latency LatencyMs, double ImagesPerSecond, double Speedup)
{
    /// <summary>True accept rate at FAR 1e-4; left out where it is not known.</summary>
    [JsonPropertyName("tarAt1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Tar { get; init; }

    /// <summary>Its 95% interval, [low, high].</summary>
    [JsonPropertyName("tarInterval95At1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? TarInterval95 { get; init; }

    /// <summary>On how many impostor pairs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ImpostorPairs { get; init; }

    /// <summary>With the accuracy at 1e-4 that an evaluation found.</summary>
    public BenchmarkModelJson With(ModelJson? evaluated) => evaluated?.TarAtFar?.GetValueOrDefault(ReportFormat.DecidingFar) is not { } tar ? this : this with
    {
        Tar = tar,
        TarInterval95 = evaluated.TarInterval95AtFar?.GetValueOrDefault(ReportFormat.DecidingFar),
        ImpostorPairs = evaluated.ImpostorPairs,
    };
}
