using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static FaceDistill.Students.NormReluKernels;

namespace FaceDistill.Students;

/// <summary>
/// The sums that <see cref="NormRelu"/> takes over float32 or bfloat16 rows of C channels: in float32 over a block of rows, in float64
/// over the blocks. A part's sums do not depend on which thread takes it.
/// </summary>
internal static unsafe class NormReluSums
{
    private const int Together = 4, Block = 256;

    /// <summary>Sums of (x - centre) and of its square.</summary>
    [UnmanagedCallersOnly]
    internal static void Moments(nint data)
    {
        var work = (NormReluWork*)data;
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
        var work = (NormReluWork*)data;
        if (work->Half)
        {
            Reduce<BFloat16>(work, gradient: true);
        }
        else
        {
            Reduce<Float32>(work, gradient: true);
        }
    }

    private static void Reduce<T>(NormReluWork* work, bool gradient)
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

    private static void ReduceBlock<T>(NormReluWork* work, long row, long end, float* block, bool gradient)
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
    private static void AddMoments<T>(NormReluWork* work, long row, int rows, float* block)
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
    private static void AddGradients<T>(NormReluWork* work, long row, int rows, float* block)
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
