using FaceDistill.Formats;

namespace FaceDistill.Export;

/// <summary>fp32 ONNX, opset 17, batch norms folded.</summary>
public class OnnxFormat : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "onnx";

    /// <inheritdoc/>
    public override double MinCosine => 0.9999;

    /// <inheritdoc/>
    public override ExportWriter Prepare(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var graph = context.Ends.Attach(Graph(context), context.Checkpoint.Description);
        return (path, thresholds) =>
        {
            if (thresholds.Count > 0)
            {
                graph.Metadata[StudentThreshold.MetadataKey] = StudentThreshold.Text(thresholds);
            }

            OnnxWriter.Write(graph, path);
        };
    }

    /// <summary>The student's graph without its ends: one input float32 [batch, 3, r, r], one output float32 [batch, D].</summary>
    protected virtual OnnxGraph Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return StudentOnnx.Build(context.Checkpoint);
    }
}
