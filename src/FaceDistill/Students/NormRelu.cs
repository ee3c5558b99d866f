using System.Runtime.InteropServices;
using FaceDistill.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Students;

/// <summary>
/// Batch norm (Ioffe and Szegedy, 2015) with the batch's own moments and the ReLU behind it, in two passes over memory forwards and two
/// backwards; torch's own operators take five and five. The backward pass finds the ReLU's mask again instead of keeping it, and writes
/// the input's gradient over the output's, which nothing else reads in a chain of layers.
/// </summary>
internal sealed unsafe class NormRelu : autograd.SingleTensorFunction<NormRelu>
{
    /// <inheritdoc/>
    public override string Name => nameof(NormRelu);

    /// <summary>Whether the loops can take this: torch's own operators do the rest.</summary>
    /// <param name="input">[N, C, H, W].</param>
    public static bool Takes(Tensor input) => OpenMp.Available && input.device_type == DeviceType.CPU && (input.dtype == ScalarType.Float32 || (input.dtype == ScalarType.BFloat16 && BFloat16.Supported))
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
            NormReluKernels.Run(&NormReluSums.Moments, ref work);
        }

        Finish(sums, work, norm, s);
        work.Scale = s + (2 * channels);
        work.Shift = s + (3 * channels);
        NormReluKernels.Run(&NormReluKernels.Normalise, ref work);
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
            NormReluKernels.Run(&NormReluSums.GradientSums, ref work);
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
            NormReluKernels.Run(&NormReluKernels.InputGradient, ref work);
        }

        saved.ForEach(t => t.Dispose());
        return [gradient.permute(0, 3, 1, 2), weight, bias, null!, null!]; // the last two arguments are no tensors
    }

    private static NormReluWork NewWork(Tensor rows, bool relu) => new()
    {
        Input = Pointer<byte>(rows),
        Rows = rows.numel() / rows.shape[3],
        Channels = (int)rows.shape[3],
        Parts = get_num_threads(),
        Half = rows.dtype == ScalarType.BFloat16,
        Floor = relu ? 0 : float.NegativeInfinity,
    };

    private static void Finish(double[] sums, in NormReluWork work, BatchNorm norm, float* state)
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
