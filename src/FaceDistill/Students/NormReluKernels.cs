using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Native;

namespace FaceDistill.Students;

/// <summary>
/// The loops of <see cref="NormRelu"/> over float32 or bfloat16 rows of C channels: rows one after another, so that memory is read in order. Sums are
/// taken in float32 over a block of rows and in float64 over the blocks.
/// </summary>
internal static unsafe class NormReluKernels
{
    private const int Lanes = 8, Together = 4, Block = 256;

    /// <summary>What all threads share; each takes one part of the rows after another.</summary>
    internal struct Work
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

        public long Rows;
        public int Channels, Parts, Next;
        public float Floor;
        public bool Half;

        public readonly long Row(int part) => Rows * part / Parts;
    }

    internal static void Run(delegate* unmanaged<nint, void> kernel, ref Work work)
    {
        work.Next = 0;
        OpenMp.Run(kernel, (nint)Unsafe.AsPointer(ref work), work.Parts);
    }

    /// <summary>Sums of (x - centre) and of its square.</summary>
    [UnmanagedCallersOnly]
    internal static void Moments(nint data)
    {
        var work = (Work*)data;
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
        var work = (Work*)data;
        if (work->Half)
        {
            Reduce<BFloat16>(work, gradient: true);
        }
        else
        {
            Reduce<Float32>(work, gradient: true);
        }
    }

    /// <summary>max(floor, x * scale + shift).</summary>
    [UnmanagedCallersOnly]
    internal static void Normalise(nint data)
    {
        var work = (Work*)data;
        if (work->Half)
        {
            NormaliseRows<BFloat16>(work);
        }
        else
        {
            NormaliseRows<Float32>(work);
        }
    }

    private static void NormaliseRows<T>(Work* work)
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
        var work = (Work*)data;
        if (work->Half)
        {
            InputGradientRows<BFloat16>(work);
        }
        else
        {
            InputGradientRows<Float32>(work);
        }
    }

    private static void InputGradientRows<T>(Work* work)
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Behind(Vector256<float> x, Vector256<float> gradient, Vector256<float> scale, Vector256<float> shift, Vector256<float> floor) =>
        Vector256.GreaterThan(Vector256.MultiplyAddEstimate(x, scale, shift), floor) & gradient;

    private static void Reduce<T>(Work* work, bool gradient)
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

    private static void ReduceBlock<T>(Work* work, long row, long end, float* block, bool gradient)
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
    private static void AddMoments<T>(Work* work, long row, int rows, float* block)
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
    private static void AddGradients<T>(Work* work, long row, int rows, float* block)
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
