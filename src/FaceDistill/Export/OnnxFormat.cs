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
    public override PreparedExport Prepare(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (inside, int8) = Graph(context);
        var graph = context.Ends.Attach(inside, context.Checkpoint.Description);
        return new PreparedExport((path, thresholds) =>
        {
            if (thresholds.Count > 0)
            {
                graph.Metadata[StudentThreshold.MetadataKey] = StudentThreshold.Text(thresholds);
            }

            OnnxWriter.Write(graph, path);
        }, int8);
    }

    /// <summary>The student's graph without its ends: one input float32 [batch, 3, r, r], one output float32 [batch, D]; and what was chosen, where it has 8 bits.</summary>
    protected virtual (OnnxGraph Graph, Int8Report? Int8) Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return (StudentOnnx.Build(context.Checkpoint), null);
    }
}
