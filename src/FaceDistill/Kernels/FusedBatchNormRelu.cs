using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FaceDistill.Kernels;

/// <summary>
/// Batch norm (Ioffe and Szegedy, 2015) with the batch's own moments and the ReLU behind it, in two passes over memory forwards and two
/// backwards; torch's own operators take five and five. The backward pass finds the ReLU's mask again instead of keeping it, and writes
/// the input's gradient over the output's, which nothing else reads in a chain of layers.
/// </summary>
internal sealed unsafe class FusedBatchNormRelu : autograd.SingleTensorFunction<FusedBatchNormRelu>
{
    /// <inheritdoc/>
    public override string Name => nameof(FusedBatchNormRelu);

    /// <summary>Whether the loops can take this: torch's own operators do the rest.</summary>
    /// <param name="input">[N, C, H, W].</param>
    public static bool Takes(Tensor input) =>
        OpenMp.Available && input.device_type == DeviceType.CPU
        && (input.dtype == ScalarType.Float32 || (input.dtype == ScalarType.BFloat16 && BFloat16.Supported))
        && input.dim() == 4 && input.shape[1] % 8 == 0 && input.numel() * sizeof(float) <= int.MaxValue;

    /// <summary>Normalises, and updates the norm's running moments.</summary>
    /// <param name="input">float32 or bfloat16 [N, C, H, W], channels innermost.</param>
    /// <param name="norm">The batch norm, in training mode.</param>
    /// <param name="relu">Whether the ReLU follows.</param>
    /// <returns>[N, C, H, W] of the same type, channels innermost.</returns>
    public static Tensor Apply(Tensor input, BatchNorm norm, bool relu) => apply(input, norm.Weight, norm.Bias, norm, relu);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (input, norm, relu) = ((Tensor)vars[0], (BatchNorm)vars[3], (bool)vars[4]);
        using var rows = Rows(input);
        var output = empty_like(rows);
        int channels = (int)input.shape[1];
        var state = empty(new long[] { 4, channels }, ScalarType.Float32); // mean, 1 / deviation, scale, shift
        float* s = Pointer<float>(state);
        var work = NewWork(rows, relu);
        var sums = new double[2 * channels * work.Parts];
        fixed (double* total = sums)
        {
            work.Sums = total;
            work.Output = Pointer<byte>(output);
            work.Centre = Pointer<float>(norm.RunningMean); // near the mean, so that the squares do not cancel
            FusedBatchNormReluKernels.Run(&FusedBatchNormReluSums.Moments, ref work);
        }

        Finish(sums, work, norm, s);
        work.Scale = s + (2 * channels);
        work.Shift = s + (3 * channels);
        FusedBatchNormReluKernels.Run(&FusedBatchNormReluKernels.Normalise, ref work);
        ctx.save_for_backward([rows.alias(), state, norm.Weight]);
        ctx.save_data("relu", relu);
        return output.permute(0, 3, 1, 2);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var (input, state) = (saved[0], saved[1]);
        using var gradient = Rows(grad_output);
        int channels = (int)input.shape[3];
        float* s = Pointer<float>(state);
        var work = NewWork(input, (bool)ctx.get_data("relu"));
        work.Output = Pointer<byte>(gradient);
        work.Centre = s;
        work.Scale = s + (2 * channels);
        work.Shift = s + (3 * channels);
        var sums = new double[2 * channels * work.Parts];
        var weight = empty(new long[] { channels }, ScalarType.Float32);
        var bias = empty(new long[] { channels }, ScalarType.Float32);
        var factors = new float[2 * channels];
        fixed (double* total = sums)
        fixed (float* f = factors)
        {
            work.Sums = total;
            FusedBatchNormReluKernels.Run(&FusedBatchNormReluSums.GradientSums, ref work);
            Total(sums, work.Parts);
            float* dWeight = Pointer<float>(weight), dBias = Pointer<float>(bias);
            for (int c = 0; c < channels; c++)
            {
                double invert = s[channels + c], scale = s[(2 * channels) + c];
                double byCentred = -scale * invert * invert * sums[channels + c] / work.Rows;
                dBias[c] = (float)sums[c];
                dWeight[c] = (float)(sums[channels + c] * invert);
                f[c] = (float)byCentred;
                f[channels + c] = (float)((-scale * sums[c] / work.Rows) - (byCentred * s[c]));
            }

            work.ByCentred = f;
            work.Constant = f + channels;
            FusedBatchNormReluKernels.Run(&FusedBatchNormReluKernels.InputGradient, ref work);
        }

        saved.ForEach(t => t.Dispose());
        return [gradient.permute(0, 3, 1, 2), weight, bias, null!, null!]; // the last two arguments are no tensors
    }

    private static FusedBatchNormReluWork NewWork(Tensor rows, bool relu) => new()
    {
        Input = Pointer<byte>(rows),
        Rows = rows.numel() / rows.shape[3],
        Channels = (int)rows.shape[3],
        Parts = get_num_threads(),
        Half = rows.dtype == ScalarType.BFloat16,
        Floor = relu ? 0 : float.NegativeInfinity,
    };

    private static void Finish(double[] sums, in FusedBatchNormReluWork work, BatchNorm norm, float* state)
    {
        Total(sums, work.Parts);
        int channels = work.Channels;
        float* weight = Pointer<float>(norm.Weight), bias = Pointer<float>(norm.Bias);
        float* mean = Pointer<float>(norm.RunningMean), variance = Pointer<float>(norm.RunningVariance);
        double momentum = norm.Momentum, rows = work.Rows;
        for (int c = 0; c < channels; c++)
        {
            double offset = sums[c] / rows, spread = Math.Max(0, (sums[channels + c] / rows) - (offset * offset));
            double centre = mean[c] + offset, invert = 1 / Math.Sqrt(spread + BatchNorm.Epsilon);
            state[c] = (float)centre;
            state[channels + c] = (float)invert;
            state[(2 * channels) + c] = (float)(weight[c] * invert);
            state[(3 * channels) + c] = (float)(bias[c] - (centre * weight[c] * invert));
            mean[c] += (float)(momentum * offset);
            variance[c] += (float)(momentum * ((spread * rows / Math.Max(1, rows - 1)) - variance[c]));
        }

        norm.Batches.Increment();
    }

    private static void Total(double[] sums, int parts)
    {
        int length = sums.Length / parts;
        for (int i = length; i < sums.Length; i++)
        {
            sums[i % length] += sums[i];
        }
    }

    // [N, H, W, C], which is how the values lie in memory already, unless another layout came in.
    private static Tensor Rows(Tensor tensor) => tensor.permute(0, 2, 3, 1).contiguous();

    private static T* Pointer<T>(Tensor tensor)
        where T : unmanaged => (T*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));
}

/// <summary>What all threads of one of <see cref="FusedBatchNormRelu"/>'s loops share; each takes one part of the rows after another.</summary>
internal unsafe struct FusedBatchNormReluWork
{
    /// <summary>The convolution's output.</summary>
    public void* Input;

    /// <summary>The normalised output, or the output's gradient, which becomes the input's.</summary>
    public void* Output;

    /// <summary>C factors and C summands that make the normalised output; C centres that are taken off the input.</summary>
    public float* Scale, Shift, Centre;

    /// <summary>C factors each: the input's gradient is Scale * gradient + ByCentred * (input - Centre) + Constant.</summary>
    public float* ByCentred, Constant;

    /// <summary>2 C sums a part.</summary>
    public double* Sums;

    /// <summary>N H W.</summary>
    public long Rows;

    /// <summary>C, the parts that the rows are cut into, and the next part to take.</summary>
    public int Channels, Parts, Next;

    /// <summary>0 with a ReLU, else minus infinity.</summary>
    public float Floor;

    /// <summary>Whether input and output are bfloat16.</summary>
    public bool Half;

    /// <summary>The first row of a part.</summary>
    public readonly long Row(int part) => Rows * part / Parts;
}

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
