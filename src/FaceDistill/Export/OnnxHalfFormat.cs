using FaceDistill.Formats;

namespace FaceDistill.Export;

/// <summary>ONNX with float16 weights, half the file: see <see cref="OnnxHalfWeights"/>.</summary>
public sealed class OnnxHalfFormat : OnnxFormat
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
    protected override (OnnxGraph Graph, Int8Report? Int8) Graph(ExportContext context) => (OnnxHalfWeights.Of(base.Graph(context).Graph), null);
}
