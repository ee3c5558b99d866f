using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static FaceDistill.Kernels.FusedBatchNormReluKernels;

namespace FaceDistill.Kernels;

/// <summary>
/// The loops of <see cref="FusedBatchNormRelu"/> that write, over float32 or bfloat16 rows of C channels: rows one after another, so that memory is
/// read in order.
/// </summary>
internal static unsafe class FusedBatchNormReluKernels
{
    internal const int Lanes = 8;

    /// <summary>Runs one loop on all threads.</summary>
    internal static void Run(delegate* unmanaged<nint, void> kernel, ref FusedBatchNormReluWork work)
    {
        work.Next = 0;
        OpenMp.Run(kernel, (nint)Unsafe.AsPointer(ref work), work.Parts);
    }

    /// <summary>max(floor, x * scale + shift).</summary>
    [UnmanagedCallersOnly]
    internal static void Normalise(nint data)
    {
        var work = (FusedBatchNormReluWork*)data;
        if (work->Half)
        {
            NormaliseRows<BFloat16>(work);
        }
        else
        {
            NormaliseRows<Float32>(work);
        }
    }

    private static void NormaliseRows<T>(FusedBatchNormReluWork* work)
        where T : struct, IEight
    {
        int channels = work->Channels;
        var floor = Vector256.Create(work->Floor);
        for (int part; (part = Interlocked.Increment(ref work->Next) - 1) < work->Parts;)
        {
            for (long row = work->Row(part), end = work->Row(part + 1); row < end; row++)
            {
                long at = row * channels;
                for (int c = 0; c < channels; c += Lanes)
                {
                    var value = Vector256.MultiplyAddEstimate(T.Load(work->Input, at + c), Vector256.Load(work->Scale + c), Vector256.Load(work->Shift + c));
                    T.Store(Vector256.Max(value, floor), work->Output, at + c);
                }
            }
        }
    }

    /// <summary>The input's gradient, in place of the output's.</summary>
    [UnmanagedCallersOnly]
    internal static void InputGradient(nint data)
    {
        var work = (FusedBatchNormReluWork*)data;
        if (work->Half)
        {
            InputGradientRows<BFloat16>(work);
        }
        else
        {
            InputGradientRows<Float32>(work);
        }
    }

    private static void InputGradientRows<T>(FusedBatchNormReluWork* work)
        where T : struct, IEight
    {
        int channels = work->Channels;
        var floor = Vector256.Create(work->Floor);
        for (int part; (part = Interlocked.Increment(ref work->Next) - 1) < work->Parts;)
        {
            for (long row = work->Row(part), end = work->Row(part + 1); row < end; row++)
            {
                long at = row * channels;
                for (int c = 0; c < channels; c += Lanes)
                {
                    var (scale, input) = (Vector256.Load(work->Scale + c), T.Load(work->Input, at + c));
                    var gradient = Behind(input, T.Load(work->Output, at + c), scale, Vector256.Load(work->Shift + c), floor);
                    var rest = Vector256.MultiplyAddEstimate(input, Vector256.Load(work->ByCentred + c), Vector256.Load(work->Constant + c));
                    T.Store(Vector256.MultiplyAddEstimate(gradient, scale, rest), work->Output, at + c);
                }
            }
        }
    }

    /// <summary>The gradient where the ReLU let the value through, 0 elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Behind(
        Vector256<float> x, Vector256<float> gradient, Vector256<float> scale, Vector256<float> shift, Vector256<float> floor) =>
        Vector256.GreaterThan(Vector256.MultiplyAddEstimate(x, scale, shift), floor) & gradient;
}

/// <summary>
/// The sums that <see cref="FusedBatchNormRelu"/> takes over float32 or bfloat16 rows of C channels: in float32 over a block of rows, in float64
/// over the blocks. A part's sums do not depend on which thread takes it.
/// </summary>
internal static unsafe class FusedBatchNormReluSums
{
    private const int Together = 4, Block = 256;

    /// <summary>Sums of (x - centre) and of its square.</summary>
    [UnmanagedCallersOnly]
    internal static void Moments(nint data)
    {
        var work = (FusedBatchNormReluWork*)data;
        if (work->Half)
        {
            Reduce<BFloat16>(work, gradient: false);
        }
        else
        {
            Reduce<Float32>(work, gradient: false);
        }
    }

    /// <summary>Sums of the gradient behind the ReLU, and of its product with (x - centre).</summary>
    [UnmanagedCallersOnly]
    internal static void GradientSums(nint data)
    {
        var work = (FusedBatchNormReluWork*)data;
        if (work->Half)
        {
            Reduce<BFloat16>(work, gradient: true);
        }
        else
        {
            Reduce<Float32>(work, gradient: true);
        }
    }

    private static void Reduce<T>(FusedBatchNormReluWork* work, bool gradient)
        where T : struct, IEight
    {
        int channels = work->Channels;
        float* block = stackalloc float[2 * channels];
        for (int part; (part = Interlocked.Increment(ref work->Next) - 1) < work->Parts;)
        {
            double* sums = work->Sums + (2L * channels * part);
            new Span<double>(sums, 2 * channels).Clear();
            for (long row = work->Row(part), end = work->Row(part + 1); row < end; row += Block)
            {
                new Span<float>(block, 2 * channels).Clear();
                ReduceBlock<T>(work, row, Math.Min(end, row + Block), block, gradient);
                for (int i = 0; i < 2 * channels; i++)
                {
                    sums[i] += block[i];
                }
            }
        }
    }

    private static void ReduceBlock<T>(FusedBatchNormReluWork* work, long row, long end, float* block, bool gradient)
        where T : struct, IEight
    {
        for (; row + Together <= end; row += Together)
        {
            if (gradient)
            {
                AddGradients<T>(work, row, Together, block);
            }
            else
            {
                AddMoments<T>(work, row, Together, block);
            }
        }

        for (; row < end; row++)
        {
            if (gradient)
            {
                AddGradients<T>(work, row, 1, block);
            }
            else
            {
                AddMoments<T>(work, row, 1, block);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddMoments<T>(FusedBatchNormReluWork* work, long row, int rows, float* block)
        where T : struct, IEight
    {
        int channels = work->Channels;
        long at = row * channels;
        for (int c = 0; c < channels; c += Lanes)
        {
            var centre = Vector256.Load(work->Centre + c);
            var (sum, squares) = (Vector256.Load(block + c), Vector256.Load(block + channels + c));
            for (int r = 0; r < rows; r++)
            {
                var value = T.Load(work->Input, at + ((long)r * channels) + c) - centre;
                sum += value;
                squares = Vector256.MultiplyAddEstimate(value, value, squares);
            }

            sum.Store(block + c);
            squares.Store(block + channels + c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddGradients<T>(FusedBatchNormReluWork* work, long row, int rows, float* block)
        where T : struct, IEight
    {
        int channels = work->Channels;
        long at = row * channels;
        var floor = Vector256.Create(work->Floor);
        for (int c = 0; c < channels; c += Lanes)
        {
            var (scale, shift, centre) = (Vector256.Load(work->Scale + c), Vector256.Load(work->Shift + c), Vector256.Load(work->Centre + c));
            var (sum, products) = (Vector256.Load(block + c), Vector256.Load(block + channels + c));
            for (int r = 0; r < rows; r++)
            {
                var input = T.Load(work->Input, at + ((long)r * channels) + c);
                var value = Behind(input, T.Load(work->Output, at + ((long)r * channels) + c), scale, shift, floor);
                sum += value;
                products = Vector256.MultiplyAddEstimate(value, input - centre, products);
            }

            sum.Store(block + c);
            products.Store(block + channels + c);
        }
    }
}

/// <summary>How eight values of a tensor become float32 and back.</summary>
internal unsafe interface IEight
{
    /// <summary>The values from an index on.</summary>
    static abstract Vector256<float> Load(void* values, long index);

    /// <summary>Writes the values from an index on.</summary>
    static abstract void Store(Vector256<float> eight, void* values, long index);
}

/// <summary>float32.</summary>
internal readonly unsafe struct Float32 : IEight
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(void* values, long index) => Vector256.Load((float*)values + index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> eight, void* values, long index) => eight.Store((float*)values + index);
}

/// <summary>bfloat16: the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16 : IEight
{
    /// <summary>Whether the processor has the instructions.</summary>
    public static bool Supported => Avx2.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(void* values, long index) =>
        Vector256.ShiftLeft(Avx2.ConvertToVector256Int32((ushort*)values + index), 16).AsSingle();

    /// <summary>Rounds to the nearest, ties to even, as torch does; what is no number stays none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> eight, void* values, long index)
    {
        var bits = eight.AsUInt32();
        var rounded = (bits + Vector256.Create(0x7fffu) + ((bits >>> 16) & Vector256<uint>.One)) >>> 16;
        Sse41.PackUnsignedSaturate(rounded.GetLower().AsInt32(), rounded.GetUpper().AsInt32()).Store((ushort*)values + index);
    }
}
