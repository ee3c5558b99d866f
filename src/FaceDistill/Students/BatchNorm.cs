using FaceDistill.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaceDistill.Students;

/// <summary>
/// Batch norm (Ioffe and Szegedy, 2015) over the channels of [N, C, H, W], its values named as those of torch's BatchNorm2d and with the same defaults.
/// TorchSharp's own adds 1 to its counter through a native scalar that nothing keeps alive (<see cref="TensorMath"/>).
/// </summary>
internal sealed class BatchNorm : nn.Module
{
    /// <summary>What is added to variances; the default of torch's BatchNorm2d.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>Makes one that changes nothing but the moments: weight 1, bias 0, running mean 0 and variance 1.</summary>
    /// <param name="channels">C.</param>
    public BatchNorm(int channels)
        : base(nameof(BatchNorm))
    {
        register_parameter("weight", (Parameter)nn.Parameter(ones(channels)).DetachFromDisposeScope());
        register_parameter("bias", (Parameter)nn.Parameter(zeros(channels)).DetachFromDisposeScope());
        register_buffer("running_mean", zeros(channels).DetachFromDisposeScope());
        register_buffer("running_var", ones(channels).DetachFromDisposeScope());
        register_buffer("num_batches_tracked", zeros([], ScalarType.Int64).DetachFromDisposeScope());
    }

    // By name: a move to another device makes other tensors.

    /// <summary>float32 [C]; trained.</summary>
    public Tensor Weight => get_parameter("weight")!;

    /// <summary>float32 [C]; trained.</summary>
    public Tensor Bias => get_parameter("bias")!;

    /// <summary>float32 [C]: the mean with which evaluation normalises.</summary>
    public Tensor RunningMean => get_buffer("running_mean")!;

    /// <summary>float32 [C]: the variance with which evaluation normalises.</summary>
    public Tensor RunningVariance => get_buffer("running_var")!;

    /// <summary>int64 scalar: training batches seen.</summary>
    public Tensor Batches => get_buffer("num_batches_tracked")!;

    /// <summary>The part of a batch's moments in the running ones.</summary>
    public double Momentum { get; set; } = 0.1;

    /// <summary>Normalises: in training mode with the batch's moments, updating the running ones, else with those.</summary>
    /// <param name="input">[N, C, H, W].</param>
    /// <returns>[N, C, H, W].</returns>
    public Tensor Apply(Tensor input)
    {
        if (training)
        {
            Batches.Increment();
        }

        return nn.functional.batch_norm(input, RunningMean, RunningVariance, Weight, Bias, training, Momentum, Epsilon);
    }
}
