using FaceDistill.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaceDistill.Students;

/// <summary>The student network in TorchSharp: float32 [N, 3, r, r] in, embedding float32 [N, D] out; channels-last inside.</summary>
public sealed class MobileNetV1 : nn.Module<Tensor, Tensor>
{
    private readonly List<(Conv2d Conv, BatchNorm2d Norm, bool Relu)> _layers = [];
    private readonly Linear _embedding;

    /// <summary>
    /// Makes a network with random weights: convolutions by He et al. (2015), fan-out, as MobileNet implementations do;
    /// the linear layer by libtorch's default. Seed torch first to make it repeatable.
    /// </summary>
    public MobileNetV1(MobileNetV1Architecture architecture)
        : base(Loaded(architecture).Spec.ToString())
    {
        Architecture = architecture;
        foreach (var layer in architecture.Convolutions)
        {
            var conv = nn.Conv2d(layer.In, layer.Out, layer.Kernel, layer.Stride, layer.Padding, groups: layer.Groups, bias: false);
            nn.init.kaiming_normal_(conv.weight!, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
            ToChannelsLast(conv.weight!);
            var norm = nn.BatchNorm2d(layer.Out);
            register_module(layer.Name, conv);
            register_module(layer.Name + "_bn", norm);
            _layers.Add((conv, norm, layer.Relu));
        }

        _embedding = nn.Linear(architecture.Features, architecture.Dimension);
        register_module("embedding", _embedding);
    }

    /// <summary>The layers.</summary>
    public MobileNetV1Architecture Architecture { get; }

    /// <summary>The weight, float32 [D, features], and bias, float32 [D], of the last layer.</summary>
    public (Tensor Weight, Tensor Bias) EmbeddingLayer => (_embedding.weight!, _embedding.bias!);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input;
        foreach (var (conv, norm, relu) in _layers)
        {
            x = norm.forward(conv.forward(x));
            x = relu ? x.relu_() : x;
        }

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

    private static MobileNetV1Architecture Loaded(MobileNetV1Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        TorchNative.EnsureLoaded();
        return architecture;
    }
}
