using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Export.Graphs;

/// <summary>One convolution with its batch norm folded in.</summary>
/// <param name="Layer">Its shape.</param>
/// <param name="Weights">float32 [out, in / groups, kernel, kernel], row-major.</param>
/// <param name="Bias">float32 [out].</param>
internal sealed record FoldedLayer(ConvLayer Layer, float[] Weights, float[] Bias)
{
    /// <summary>The weights of one output channel.</summary>
    public Span<float> Filter(int channel) => Weights.AsSpan(channel * (Weights.Length / Layer.Out), Weights.Length / Layer.Out);

    /// <summary>Adds the layer, with its ReLU, to a float32 graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="input">The name of what it takes, [N, in, H, W].</param>
    /// <returns>The name of what it gives.</returns>
    public string AddTo(OnnxGraph graph, string input)
    {
        ArgumentNullException.ThrowIfNull(graph);
        string w = graph.Initializer<float>($"{Layer.Name}.weight", Weights, Layer.Out, Layer.In / Layer.Groups, Layer.Kernel, Layer.Kernel);
        string b = graph.Initializer<float>($"{Layer.Name}.bias", Bias, Layer.Out);
        string output = graph.Conv(Layer.Name, input, w, b, new ConvStep(Layer.Stride, Layer.Padding, Layer.Groups));
        return Layer.Relu ? graph.Relu($"{Layer.Name}.relu", output) : output;
    }
}

/// <summary>A student for inference: batch norms folded into the convolutions, the target scaling into the embedding layer.</summary>
/// <param name="Description">The student.</param>
/// <param name="Layers">The convolutions, in order.</param>
/// <param name="EmbeddingWeights">float32 [D, features], row-major.</param>
/// <param name="EmbeddingBias">float32 [D].</param>
internal sealed record FoldedStudent(StudentDescription Description, IReadOnlyList<FoldedLayer> Layers, float[] EmbeddingWeights, float[] EmbeddingBias)
{
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

    /// <summary>The float32 graph with every layer's output, after its ReLU, as an output of its own, in the layers' order: to calibrate by.</summary>
    public OnnxGraph Tapped()
    {
        var architecture = Description.Architecture();
        int size = architecture.Spec.Resolution;
        var graph = new OnnxGraph("calibration");
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, size, size);
        foreach (var layer in Layers)
        {
            x = layer.AddTo(graph, x);
            graph.Output(x, OnnxElementType.Float32, "batch", layer.Layer.Out, layer.Layer.OutSize, layer.Layer.OutSize);
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
            double factor = gamma[o] / Math.Sqrt(variance[o] + BatchNorm.Epsilon);
            folded.Bias[o] = (float)(beta[o] - (mean[o] * factor));
            foreach (ref float w in folded.Filter(o))
            {
                w = (float)(w * factor);
            }
        }

        return folded;
    }
}
