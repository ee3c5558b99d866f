using FaceDistill.Distillation;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Export;

/// <summary>One convolution with its batch norm folded in.</summary>
/// <param name="Layer">Its shape.</param>
/// <param name="Weights">float32 [out, in / groups, kernel, kernel], row-major.</param>
/// <param name="Bias">float32 [out].</param>
public sealed record FoldedLayer(ConvLayer Layer, float[] Weights, float[] Bias)
{
    /// <summary>The weights of one output channel.</summary>
    public Span<float> Filter(int channel) => Weights.AsSpan(channel * (Weights.Length / Layer.Out), Weights.Length / Layer.Out);
}

/// <summary>A student for inference: batch norms folded into the convolutions, the target scaling into the embedding layer.</summary>
/// <param name="Description">The student.</param>
/// <param name="Layers">The convolutions, in order.</param>
/// <param name="EmbeddingWeights">float32 [D, features], row-major.</param>
/// <param name="EmbeddingBias">float32 [D].</param>
public sealed record FoldedStudent(StudentDescription Description, IReadOnlyList<FoldedLayer> Layers, float[] EmbeddingWeights, float[] EmbeddingBias)
{
    // libtorch's BatchNorm2d default, with which the students train.
    private const double BatchNormEpsilon = 1e-5;

    /// <summary>Folds a checkpoint's student.</summary>
    /// <exception cref="FaceDistillException">The checkpoint lacks a tensor, or one has another shape.</exception>
    public static FoldedStudent Of(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        var architecture = checkpoint.Description.Architecture();
        float scale = checkpoint.Scaling.Scale;
        return new FoldedStudent(
            checkpoint.Description,
            [.. architecture.Convolutions.Select(layer => Fold(layer, checkpoint))],
            [.. checkpoint.Weight("embedding.weight", architecture.Dimension, architecture.Features).Select(w => w * scale)],
            [.. checkpoint.Weight("embedding.bias", architecture.Dimension).Zip(checkpoint.Scaling.Mean, (b, mean) => (b * scale) + mean)]);
    }

    /// <summary>A copy whose arrays can be changed.</summary>
    public FoldedStudent Copy() => this with
    {
        Layers = [.. Layers.Select(l => l with { Weights = [.. l.Weights], Bias = [.. l.Bias] })],
        EmbeddingWeights = [.. EmbeddingWeights],
        EmbeddingBias = [.. EmbeddingBias],
    };

    /// <summary>The float32 graph with every layer's output, after its ReLU, as an output of its own, named as the layer: to calibrate by.</summary>
    public OnnxGraph Tapped()
    {
        var architecture = Description.Architecture();
        int size = architecture.Spec.Resolution;
        var graph = new OnnxGraph("calibration");
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, size, size);
        foreach (var (layer, weights, bias) in Layers)
        {
            string w = graph.Initializer<float>($"{layer.Name}.weight", weights, layer.Out, layer.In / layer.Groups, layer.Kernel, layer.Kernel);
            string b = graph.Initializer<float>($"{layer.Name}.bias", bias, layer.Out);
            x = graph.Conv(layer.Relu ? $"{layer.Name}.conv" : layer.Name, x, w, b, layer.Stride, layer.Padding, layer.Groups);
            x = layer.Relu ? graph.Relu(layer.Name, x) : x;
            graph.Output(x, OnnxElementType.Float32, "batch", layer.Out, layer.OutSize, layer.OutSize);
        }

        return graph;
    }

    private static FoldedLayer Fold(ConvLayer layer, StudentCheckpoint checkpoint)
    {
        float[] weights = checkpoint.Weight($"{layer.Name}.weight", layer.Out, layer.In / layer.Groups, layer.Kernel, layer.Kernel);
        string norm = layer.Name + "_bn";
        float[] gamma = checkpoint.Weight($"{norm}.weight", layer.Out), beta = checkpoint.Weight($"{norm}.bias", layer.Out);
        float[] mean = checkpoint.Weight($"{norm}.running_mean", layer.Out), variance = checkpoint.Weight($"{norm}.running_var", layer.Out);
        var folded = new FoldedLayer(layer, weights, new float[layer.Out]);
        for (int o = 0; o < layer.Out; o++)
        {
            double factor = gamma[o] / Math.Sqrt(variance[o] + BatchNormEpsilon);
            folded.Bias[o] = (float)(beta[o] - (mean[o] * factor));
            foreach (ref float w in folded.Filter(o))
            {
                w = (float)(w * factor);
            }
        }

        return folded;
    }
}
