using FaceDistill.Formats;

namespace FaceDistill.Export;

/// <summary>8-bit ONNX in QDQ form, calibrated on aligned faces of the training data: see <see cref="StudentInt8"/>.</summary>
public sealed class OnnxInt8Format : OnnxFormat
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
    public override bool KeepsThresholds => false;

    /// <inheritdoc/>
    protected override (OnnxGraph Graph, Int8Report? Int8) Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var quantiser = new StudentInt8(context.Checkpoint, context.Calibration?.Invoke() ?? context.Faces, context.Int8);
        return quantiser.Build(context.Cancel);
    }
}
