using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Files;
using FaceDistill.Formats;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Export;

/// <summary>fp32 ONNX, opset 17, batch norms folded.</summary>
internal class OnnxFormat : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "onnx";

    /// <inheritdoc/>
    public override double MinCosine => 0.9999;

    /// <inheritdoc/>
    internal override PreparedExport Prepare(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (inside, int8) = Graph(context);
        var graph = context.Processing.Attach(inside, context.Checkpoint.Description);
        return new PreparedExport((path, thresholds) =>
        {
            if (thresholds.Count > 0)
            {
                graph.Metadata[StudentThreshold.MetadataKey] = StudentThreshold.Text(thresholds);
            }

            OnnxWriter.Write(graph, path);
        }, int8);
    }

    /// <summary>The student's graph without its ends: one input float32 [batch, 3, r, r], one output float32 [batch, D]; and what was chosen, where it has 8
    /// bits.</summary>
    protected virtual (OnnxGraph Graph, Int8Report? Int8) Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return (StudentOnnx.Build(context.Checkpoint), null);
    }
}

/// <summary>ONNX with float16 weights, half the file: see <see cref="OnnxHalfWeights"/>.</summary>
internal sealed class OnnxHalfFormat : OnnxFormat
{
    /// <inheritdoc/>
    public override string Name => "onnx-fp16";

    /// <inheritdoc/>
    public override string DefaultFile => "student.fp16.onnx";

    /// <inheritdoc/>
    public override double? MaxAbsDifference => null;

    /// <inheritdoc/>
    public override double MinCosine => 0.999;

    /// <inheritdoc/>
    internal override double? MinCentredCosine => 0.99;

    /// <inheritdoc/>
    public override bool KeepsThresholds => false;

    /// <inheritdoc/>
    protected override (OnnxGraph Graph, Int8Report? Int8) Graph(ExportContext context) => (OnnxHalfWeights.Of(base.Graph(context).Graph), null);
}

/// <summary>8-bit ONNX in QDQ form, calibrated on aligned faces of the training data: see <see cref="StudentInt8"/>.</summary>
internal sealed class OnnxInt8Format : OnnxFormat
{
    /// <inheritdoc/>
    public override string Name => "onnx-int8";

    /// <inheritdoc/>
    public override string DefaultFile => "student.int8.onnx";

    /// <inheritdoc/>
    public override double? MaxAbsDifference => null;

    /// <inheritdoc/>
    public override double MinCosine => 0.98;

    /// <inheritdoc/>
    internal override double? MinCentredCosine => 0.9;

    /// <inheritdoc/>
    public override bool KeepsThresholds => false;

    /// <inheritdoc/>
    public override bool IsCalibrated => true;

    /// <inheritdoc/>
    protected override (OnnxGraph Graph, Int8Report? Int8) Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var quantiser = new StudentInt8(context.Checkpoint, context.Calibration?.Invoke() ?? context.Faces, context.Int8);
        return quantiser.Build(context.Cancel);
    }
}

/// <summary>
/// ONNX Runtime's own format (.ort), which its reduced builds for phones load: the fp32 graph, optimised and written by ONNX Runtime.
/// Optimisations for this machine's processor are left out (level "extended"), so that the file runs elsewhere.
/// </summary>
internal sealed class OrtFormat : OnnxFormat
{
    /// <inheritdoc/>
    public override string Name => "ort";

    /// <inheritdoc/>
    public override string Ending => ".ort";

    /// <inheritdoc/>
    internal override PreparedExport Prepare(ExportContext context)
    {
        var onnx = base.Prepare(context);
        return onnx with { Write = (path, thresholds) => AtomicFile.WriteBeside(path, temporary =>
        {
            string source = temporary + ".onnx";
            try
            {
                onnx.Write(source, thresholds);
                Convert(source, temporary);
                OrtFile.Settle(temporary);
            }
            finally
            {
                File.Delete(source);
            }
        }) };
    }

    private static void Convert(string onnx, string target)
    {
        using var options = OnnxSessions.Options();
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED;
        options.OptimizedModelFilePath = target;
        options.AddSessionConfigEntry("session.save_model_format", "ORT"); // the path's ending does not say it
        try
        {
            using var session = OnnxSessions.Open(onnx, options);
        }
        catch (FaceDistillException e) when (e.InnerException is OnnxRuntimeException cause)
        {
            throw new FaceDistillException(
                $"ONNX Runtime did not write {target}, which it does where the disk has room: {cause.Message.Split('\n')[0]}", cause);
        }
    }
}
