using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>
/// Starts a student with the weights of another one, of the same width or a wider one. Of a wider one the channels whose filters have the
/// largest L1 norm are kept, in their order (Li et al., "Pruning filters for efficient ConvNets", 2017); the layers behind lose the inputs
/// that went. A head of another resolution's map is fitted by <see cref="PooledKernel"/>. The embedding layer is taken over, folded into the new
/// target scaling, where head, teacher and dimension are the same.
/// </summary>
public static class WeightTransfer
{
    /// <summary>Copies what fits.</summary>
    /// <param name="source">The other student; its averaged weights are taken where it has them.</param>
    /// <param name="description">The student to start.</param>
    /// <param name="scaling">The student's target scaling.</param>
    /// <param name="target">Its network.</param>
    /// <returns>One line about what was taken.</returns>
    /// <exception cref="FaceDistillException">The source is narrower, or damaged.</exception>
    public static string Apply(StudentCheckpoint source, StudentDescription description, TargetScaling scaling, MobileNetV1 target)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(scaling);
        ArgumentNullException.ThrowIfNull(target);
        var (from, to) = (source.Description.Architecture(), target.Architecture);
        if (from.Spec.Width < to.Spec.Width)
        {
            throw new FaceDistillException($"{source.Path} is {source.Description.Student}, narrower than {description.Student}; --init takes a student of the same or a greater width");
        }

        using var frozen = no_grad();
        var weights = target.state_dict();
        int[] kept = [0, 1, 2]; // the picture's colours
        foreach (var (wide, narrow) in from.Backbone.Zip(to.Backbone))
        {
            kept = Layer(source, wide, narrow, kept, weights);
        }

        bool head = from.Head == to.Head;
        if (head && from.HeadConvolution is { } convolution)
        {
            Layer(source, convolution, to.HeadConvolution!, kept, weights);
        }

        bool embedding = head && from.Dimension == to.Dimension && source.Description.TeacherHash == description.TeacherHash;
        if (embedding)
        {
            Embedding(source, from, kept, scaling, weights);
        }

        string rest = embedding ? "with its embedding layer" : head ? "without its embedding layer, which belongs to another teacher" : "without its head, which is another";
        return $"weights of {source.Description.Student} from {source.Path}, {rest}";
    }

    // Returns the kept output channels of the source's layer.
    private static int[] Layer(StudentCheckpoint source, ConvLayer wide, ConvLayer narrow, int[] inputs, Dictionary<string, Tensor> weights)
    {
        int perInput = narrow.Kernel * narrow.Kernel, perOutput = perInput * (wide.In / wide.Groups);
        float[] filters = source.Weight($"{wide.Name}.weight", wide.Out, wide.In / wide.Groups, wide.Kernel, wide.Kernel);
        filters = wide.Kernel == narrow.Kernel ? filters : PooledKernel.Resize(filters, wide.Kernel, narrow.Kernel);
        bool depthwise = wide.Groups > 1;
        int[] outputs = depthwise ? inputs : Strongest(filters, wide.Out, narrow.Out);
        Put(weights[$"{narrow.Name}.weight"], outputs.SelectMany(o => (depthwise ? [0] : inputs)
            .SelectMany(i => filters.Skip((o * perOutput) + (i * perInput)).Take(perInput))));
        foreach (string part in new[] { "weight", "bias", "running_mean", "running_var" })
        {
            float[] values = source.Weight($"{wide.Name}_bn.{part}", wide.Out);
            Put(weights[$"{narrow.Name}_bn.{part}"], outputs.Select(o => values[o]));
        }

        return outputs;
    }

    private static int[] Strongest(float[] filters, int outputs, int keep)
    {
        int each = filters.Length / outputs;
        return [.. Enumerable.Range(0, outputs)
            .OrderByDescending(o => filters.AsSpan(o * each, each).ToArray().Sum(w => Math.Abs((double)w)))
            .Take(keep).Order()];
    }

    // In the teacher's space: (W x + b) s + m of the source must be what the target's scaling makes of the target's layer.
    private static void Embedding(StudentCheckpoint source, MobileNetV1Architecture from, int[] kept, TargetScaling scaling, Dictionary<string, Tensor> weights)
    {
        float[] matrix = source.Weight("embedding.weight", from.Dimension, from.Features), bias = source.Weight("embedding.bias", from.Dimension);
        var old = source.Scaling;
        double ratio = (double)old.Scale / scaling.Scale;
        Put(weights["embedding.weight"], Enumerable.Range(0, from.Dimension)
            .SelectMany(d => kept.Select(i => (float)(matrix[(d * from.Features) + i] * ratio))));
        Put(weights["embedding.bias"], bias.Select((b, d) => (float)((b * ratio) + (((double)old.Mean[d] - scaling.Mean[d]) / scaling.Scale))));
    }

    private static void Put(Tensor target, IEnumerable<float> values)
    {
        using var scope = NewDisposeScope();
        target.copy_(tensor(values.ToArray(), target.shape));
    }
}
