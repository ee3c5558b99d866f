using FaceDistill.Faces;
using FaceDistill.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;
using BatchNorm = FaceDistill.Kernels.BatchNorm;

namespace FaceDistill.Students;

/// <summary>The student network in TorchSharp: float32 [N, 3, r, r] in, embedding float32 [N, D] out; channels-last inside.</summary>
internal sealed class MobileNetV1 : nn.Module<Tensor, Tensor>
{
    private readonly List<(Conv2d Conv, BatchNorm Norm, bool Relu)> _layers = [];
    private readonly Linear _embedding;

    /// <summary>
    /// Makes a network with random weights: convolutions normal with variance 2 / fan-out (He et al., "Delving deep into rectifiers",
    /// 2015), as MobileNet implementations do, which count all channels in a depthwise filter's fan-out; the linear layer uniform within 1 / sqrt(fan-in), its
    /// bias zero.
    /// </summary>
    /// <param name="architecture">The layers.</param>
    /// <param name="seed">Decides the weights, whatever else uses torch's random numbers.</param>
    public MobileNetV1(MobileNetV1Architecture architecture, long seed = 0)
        : base(Loaded(architecture).Spec.ToString())
    {
        Architecture = architecture;
        using var generator = new Generator((ulong)seed);
        using var frozen = no_grad();
        foreach (var layer in architecture.Convolutions)
        {
            var conv = nn.Conv2d(layer.In, layer.Out, layer.Kernel, layer.Stride, layer.Padding, groups: layer.Groups, bias: false);
            conv.weight!.normal_(0, Math.Sqrt(2.0 / (layer.Out * layer.Kernel * layer.Kernel)), generator);
            ToChannelsLast(conv.weight!);
            var norm = new BatchNorm(layer.Out);
            register_module(layer.Name, conv);
            register_module(layer.Name + "_bn", norm);
            _layers.Add((conv, norm, layer.Relu));
        }

        _embedding = nn.Linear(architecture.Features, architecture.Dimension);
        double bound = 1 / Math.Sqrt(architecture.Features);
        _embedding.weight!.uniform_(-bound, bound, generator);
        _embedding.bias!.zero_();
        register_module("embedding", _embedding);
    }

    /// <summary>The layers.</summary>
    public MobileNetV1Architecture Architecture { get; }

    /// <summary>The weight, float32 [D, features], and bias, float32 [D], of the last layer.</summary>
    public (Tensor Weight, Tensor Bias) EmbeddingLayer => (_embedding.weight!, _embedding.bias!);

    /// <summary>
    /// Float32, or BFloat16 to compute the convolutions of training steps in it: weights, moments, pooling and the last layer stay float32.
    /// Outside training everything is float32.
    /// </summary>
    public ScalarType TrainingType { get; set; } = ScalarType.Float32;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        bool half = training && TrainingType == ScalarType.BFloat16;
        var x = half ? input.to(ScalarType.BFloat16) : input;
        foreach (var (conv, norm, relu) in _layers)
        {
            x = half ? Half(conv, x) : Convolve(conv, conv.weight!, x);
            if (training && is_grad_enabled() && FusedBatchNormRelu.Takes(x))
            {
                x = FusedBatchNormRelu.Apply(x, norm, relu);
                continue;
            }

            x = norm.Apply(x);
            x = relu ? x.relu_() : x;
        }

        x = x.to(ScalarType.Float32);
        x = Architecture.Head == HeadKind.Gap ? x.mean([2, 3]) : x.flatten(1);
        return _embedding.forward(x).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Lays a 4-d tensor out with the channels innermost, in place: TorchSharp has no contiguous(memory_format), but a permuted
    /// contiguous tensor is the same thing.
    /// </summary>
    /// <param name="tensor">[N, C, H, W].</param>
    public static void ToChannelsLast(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        tensor.set_(tensor.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2));
    }

    /// <summary>Takes over the weights and running statistics of another network of the same architecture, on any device.</summary>
    internal void CopyFrom(MobileNetV1 other)
    {
        using var frozen = no_grad();
        var now = other.state_dict();
        foreach (var (name, tensor) in state_dict())
        {
            tensor.copy_(now[name]);
        }
    }

    private static Tensor Half(Conv2d conv, Tensor x)
    {
        // oneDNN 3.7 has no fast bfloat16 gradient of a strided depthwise convolution: four such layers took three quarters of a step.
        if (conv.groups > 1 && conv.stride[0] > 1)
        {
            return Convolve(conv, conv.weight!, x.to(ScalarType.Float32)).to(ScalarType.BFloat16);
        }

        return Convolve(conv, conv.weight!.to(ScalarType.BFloat16), x);
    }

    private static Tensor Convolve(Conv2d conv, Tensor weight, Tensor x) => StudentConvolution.Apply(x, weight, conv.stride[0], conv.padding![0], conv.groups);

    private static MobileNetV1Architecture Loaded(MobileNetV1Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        TorchNative.EnsureLoaded();
        return architecture;
    }
}

/// <summary>Turns pictures into a student's input.</summary>
internal static class StudentInput
{
    /// <summary>Scales a batch for a student, on the batch's device.</summary>
    /// <param name="pixels">uint8 [N, size, size, 3], RGB.</param>
    /// <param name="contract">The student's contract: RGB, one mean and one std for all channels.</param>
    /// <returns>float32 [N, 3, size, size] with the channels innermost in memory.</returns>
    public static Tensor Normalize(Tensor pixels, ModelInputSpec contract)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(contract);
        using var scope = NewDisposeScope();
        return pixels.permute(0, 3, 1, 2).to(ScalarType.Float32).Subtract(contract.Mean[0]).Multiply(1 / contract.Std[0]).MoveToOuterDisposeScope();
    }
}
