using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Training.Starts;

/// <summary>The layers of a network outside training, one by one, with its batch norms folded: what a start is measured and fitted by.</summary>
internal static class StartLayers
{
    /// <summary>A convolution.</summary>
    /// <param name="layer">Its shape.</param>
    /// <param name="x">float32 [n, in, H, W].</param>
    /// <param name="filters">float32 [out, in / groups, kernel, kernel].</param>
    public static Tensor Convolve(ConvLayer layer, Tensor x, Tensor filters) =>
        StudentConvolution.Apply(x, filters, layer.Stride, layer.Padding, layer.Groups);

    /// <summary>What follows it.</summary>
    /// <param name="layer">Its shape.</param>
    /// <param name="x">float32 [n, out, H, W].</param>
    /// <param name="bias">float32 [out].</param>
    public static Tensor Finish(ConvLayer layer, Tensor x, float[] bias)
    {
        using var shift = tensor(bias, [1, bias.Length, 1, 1]);
        var sum = x.Plus(shift);
        return layer.Relu ? sum.relu_() : sum;
    }

    /// <summary>A network's layer with its norm folded in.</summary>
    /// <param name="weights">The network's state.</param>
    /// <param name="layer">The layer.</param>
    /// <returns>Filters float32 [out, in / groups, kernel, kernel] and bias [out].</returns>
    public static (Tensor Filters, float[] Bias) Folded(Dictionary<string, Tensor> weights, ConvLayer layer)
    {
        float[] weight = Values(weights[$"{layer.Name}_bn.weight"]), bias = Values(weights[$"{layer.Name}_bn.bias"]);
        float[] mean = Values(weights[$"{layer.Name}_bn.running_mean"]), variance = Values(weights[$"{layer.Name}_bn.running_var"]);
        float[] factor = [.. weight.Zip(variance, (w, v) => (float)(w / Math.Sqrt(v + BatchNorm.Epsilon)))];
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var filters = weights[$"{layer.Name}.weight"].detach() * tensor(factor, [layer.Out, 1, 1, 1]);
        return (filters.MoveToOuterDisposeScope(), [.. bias.Select((b, o) => b - (mean[o] * factor[o]))]);
    }

    /// <summary>
    /// Sets a layer's norm so that after it every channel is its convolution's output times a factor plus a shift: running mean and variance as
    /// measured, weight sqrt(variance + eps) times the factor, bias mean times the factor plus the shift.
    /// </summary>
    /// <param name="weights">The network's state.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="moments">Those of the convolution's output.</param>
    /// <param name="factor">[out].</param>
    /// <param name="shift">[out].</param>
    public static void PutNorm(Dictionary<string, Tensor> weights, ConvLayer layer, (double[] Mean, double[] Variance) moments, double[] factor, double[] shift)
    {
        PutMoments(weights, layer, moments);
        Put(weights[$"{layer.Name}_bn.weight"], moments.Variance.Select((v, o) => (float)(Math.Sqrt((float)v + BatchNorm.Epsilon) * factor[o])));
        Put(weights[$"{layer.Name}_bn.bias"], moments.Mean.Select((m, o) => (float)((m * factor[o]) + shift[o])));
    }

    /// <summary>Sets a layer's running moments alone.</summary>
    /// <param name="weights">The network's state.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="moments">Those of the convolution's output.</param>
    public static void PutMoments(Dictionary<string, Tensor> weights, ConvLayer layer, (double[] Mean, double[] Variance) moments)
    {
        Put(weights[$"{layer.Name}_bn.running_mean"], moments.Mean.Select(m => (float)m));
        Put(weights[$"{layer.Name}_bn.running_var"], moments.Variance.Select(v => (float)v));
    }

    /// <summary>
    /// Gives each channel's filter the length that weights of variance 2 / fan-out have (He et al., 2015; of a depthwise filter, its own nine), and its running
    /// moments with
    /// it, so that the network computes what it did: a norm undoes its filter's scale, but a step of the optimizer is large or small beside it. Channels of no
    /// weight stay.
    /// </summary>
    /// <param name="weights">The network's state.</param>
    /// <param name="layer">A layer with a norm.</param>
    public static void ToUsualScale(Dictionary<string, Tensor> weights, ConvLayer layer)
    {
        var (name, norm) = ($"{layer.Name}.weight", $"{layer.Name}_bn");
        float[] filters = Values(weights[name]), mean = Values(weights[$"{norm}.running_mean"]), variance = Values(weights[$"{norm}.running_var"]);
        int each = filters.Length / layer.Out;
        double usual = Math.Sqrt(each * 2.0 * layer.Groups / (layer.Out * layer.Kernel * layer.Kernel));
        for (int o = 0; o < layer.Out; o++)
        {
            var filter = filters.AsSpan(o * each, each);
            double length = Math.Sqrt(filter.ToArray().Sum(w => (double)w * w)), factor = length > 0 ? usual / length : 1;
            // The norm's epsilon does not grow with the variance: where it would begin to count, the filter stays.
            factor = variance[o] * factor * factor > 100 * BatchNorm.Epsilon ? factor : 1;
            for (int i = 0; i < each; i++)
            {
                filter[i] *= (float)factor;
            }

            (mean[o], variance[o]) = ((float)(mean[o] * factor), (float)(variance[o] * factor * factor));
        }

        Put(weights[name], filters);
        Put(weights[$"{norm}.running_mean"], mean);
        Put(weights[$"{norm}.running_var"], variance);
    }

    /// <summary>Copies values, row-major, into a tensor of any layout and device.</summary>
    public static void Put(Tensor target, IEnumerable<float> values)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        target.copy_(tensor(values.ToArray(), target.shape));
    }

    /// <summary>A tensor's values, row-major.</summary>
    public static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().cpu().contiguous().data<float>().ToArray();
    }

    /// <summary>What follows a network's convolution: its norm and ReLU.</summary>
    /// <param name="weights">The network's state.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="x">float32 [n, out, H, W], the convolution's output.</param>
    public static Tensor Normalize(Dictionary<string, Tensor> weights, ConvLayer layer, Tensor x)
    {
        Tensor Of(string part) => weights[$"{layer.Name}_bn.{part}"];
        var norm = nn.functional.batch_norm(x, Of("running_mean"), Of("running_var"), Of("weight"), Of("bias"), training: false, eps: BatchNorm.Epsilon);
        return layer.Relu ? norm.relu_() : norm;
    }

    /// <summary>A network's last maps of the faces; the caller disposes them.</summary>
    /// <param name="model">The network.</param>
    /// <param name="faces">The faces.</param>
    public static Activations Maps(MobileNetV1 model, StartFaces faces)
    {
        var weights = model.state_dict();
        var values = faces.Inputs();
        foreach (var layer in model.Architecture.Backbone)
        {
            values.Replace(x => Normalize(weights, layer, Convolve(layer, x, weights[$"{layer.Name}.weight"])));
        }

        return values;
    }

    /// <summary>What the embedding layer takes: the network's layers and its pooling.</summary>
    /// <param name="model">The network.</param>
    /// <param name="input">float32 [n, 3, r, r].</param>
    /// <returns>float32 [n, features].</returns>
    public static Tensor Features(MobileNetV1 model, Tensor input)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var weights = model.state_dict();
        var x = input;
        foreach (var layer in model.Architecture.Convolutions)
        {
            using var step = NewDisposeScope();
            x = Normalize(weights, layer, Convolve(layer, x, weights[$"{layer.Name}.weight"])).MoveToOuterDisposeScope();
        }

        return (model.Architecture.Head == HeadKind.Gap ? x.mean([2, 3]) : x.flatten(1)).MoveToOuterDisposeScope();
    }
}
