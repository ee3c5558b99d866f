using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Native;

namespace FaceDistill.Students;

/// <summary>
/// The loops of <see cref="NormRelu"/> that write, over float32 or bfloat16 rows of C channels: rows one after another, so that memory is
/// read in order.
/// </summary>
internal static unsafe class NormReluKernels
{
    internal const int Lanes = 8;

    /// <summary>Runs one loop on all threads.</summary>
    internal static void Run(delegate* unmanaged<nint, void> kernel, ref NormReluWork work)
    {
        work.Next = 0;
        OpenMp.Run(kernel, (nint)Unsafe.AsPointer(ref work), work.Parts);
    }

    /// <summary>max(floor, x * scale + shift).</summary>
    [UnmanagedCallersOnly]
    internal static void Normalise(nint data)
    {
        var work = (NormReluWork*)data;
        if (work->Half)
        {
            NormaliseRows<BFloat16>(work);
        }
        else
        {
            NormaliseRows<Float32>(work);
        }
    }

    private static void NormaliseRows<T>(NormReluWork* work)
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
        var work = (NormReluWork*)data;
        if (work->Half)
        {
            InputGradientRows<BFloat16>(work);
        }
        else
        {
            InputGradientRows<Float32>(work);
        }
    }

    private static void InputGradientRows<T>(NormReluWork* work)
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
    internal static Vector256<float> Behind(Vector256<float> x, Vector256<float> gradient, Vector256<float> scale, Vector256<float> shift, Vector256<float> floor) =>
        Vector256.GreaterThan(Vector256.MultiplyAddEstimate(x, scale, shift), floor) & gradient;
}
