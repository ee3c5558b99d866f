using FaceDistill.Formats;

namespace FaceDistill.Export;

/// <summary>ONNX in 8 bits, a quarter of the file: see <see cref="StudentInt8"/>.</summary>
public sealed class Int8Format : OnnxFormat
{
    /// <summary>The metadata key under which <see cref="Int8Report"/> stands as JSON.</summary>
    public const string ReportKey = "facedistill.int8";

    /// <summary>How the student is quantised.</summary>
    public Int8Options Options { get; init; } = new();

    /// <inheritdoc/>
    public override string Name => "onnx-int8";

    /// <inheritdoc/>
    public override string DefaultFile => "student.int8.onnx";

    /// <inheritdoc/>
    public override double? MaxAbsDifference => null;

    /// <inheritdoc/>
    public override double MinCosine => 0.98;

    /// <inheritdoc/>
    public override bool KeepsThresholds => false;

    /// <inheritdoc/>
    protected override OnnxGraph Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var quantiser = new StudentInt8(context.Checkpoint, context.Calibration?.Invoke() ?? context.Faces, Options);
        var (graph, report) = quantiser.Build(context.Cancel);
        graph.Metadata[ReportKey] = JsonFile.Serialize(report);
        string kept = report.Float32Layers.Count == 0 ? "no layer" : string.Join(", ", report.Float32Layers);
        context.Say?.Invoke(FormattableString.Invariant(
            $"int8: ranges by {report.Method}, equalised {report.Equalized}, biases corrected {report.BiasCorrected}, {kept} in float32; error {100 * report.Error:0.00}% of the embeddings' variance"));
        return graph;
    }
}
