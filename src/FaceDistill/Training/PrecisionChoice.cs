using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>
/// Which precision makes a student's training steps faster on this machine. On an x86 processor its instructions decide, not a clock:
/// two runs of one recipe are the same run, whatever else the machine does meanwhile.
/// </summary>
internal static class PrecisionChoice
{
    private const int WarmUp = 2, Rounds = 5, HopelessFactor = 4;

    /// <summary>
    /// Auto becomes the faster mode; the others stay. With AVX512_BF16, bfloat16 steps were 1.25 (0.25@96) to 1.65 times
    /// (0.75@128) as fast as float32's; without, they take twenty times as long. On other devices and processors a few steps are
    /// measured, and bfloat16 must win by a tenth.
    /// </summary>
    /// <param name="mode">What is asked for.</param>
    /// <param name="architecture">The student.</param>
    /// <param name="batchSize">Faces a step.</param>
    /// <param name="device">Where it trains.</param>
    public static PrecisionMode Resolve(PrecisionMode mode, MobileNetV1Architecture architecture, int batchSize, Device device)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        if (mode != PrecisionMode.Auto)
        {
            return mode;
        }

        if (device.type == DeviceType.CPU && X86Base.IsSupported)
        {
            return MultipliesBFloat16() ? PrecisionMode.Bf16 : PrecisionMode.Fp32;
        }

        using var scope = NewDisposeScope();
        using var model = new MobileNetV1(architecture);
        model.to(device);
        model.train();
        int size = architecture.Spec.Resolution;
        var input = zeros(new long[] { batchSize, size, size, 3 }, device: device).permute(0, 3, 1, 2);
        double single = Seconds(model, input, ScalarType.Float32, double.PositiveInfinity),
            half = Seconds(model, input, ScalarType.BFloat16, HopelessFactor * single);
        return half * 1.1 < single ? PrecisionMode.Bf16 : PrecisionMode.Fp32;
    }

    /// <summary>The type of a resolved mode.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Auto, which <see cref="Resolve"/> decides.</exception>
    public static ScalarType TypeOf(PrecisionMode mode) => mode switch
    {
        PrecisionMode.Fp32 => ScalarType.Float32,
        PrecisionMode.Bf16 => ScalarType.BFloat16,
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "not decided yet"),
    };

    // Intel's manual 325462, CPUID: leaf 7, subleaf 1, EAX bit 5 is AVX512_BF16 (every processor with AMX has it too); leaf 7's subleaf 0 gives the last
    // subleaf in EAX, leaf 0 the last leaf. Avx512F asks the system too, which may have AVX-512 switched off.
    internal static bool MultipliesBFloat16() =>
        Avx512F.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;

    // The best of several: any other process slows a step. None follows the second where that is beyond the limit: without instructions for bfloat16 a step
    // takes twenty times as long.
    private static double Seconds(MobileNetV1 model, Tensor input, ScalarType type, double limit)
    {
        model.TrainingType = type;
        double best = double.PositiveInfinity;
        for (int i = 0; i < WarmUp + Rounds; i++)
        {
            using var scope = NewDisposeScope();
            long start = Stopwatch.GetTimestamp();
            var loss = model.forward(input).Squared().mean();
            loss.backward();
            loss.item<float>(); // waits for the device
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (i > 0 && seconds > limit)
            {
                return seconds;
            }

            best = i < WarmUp ? best : Math.Min(best, seconds);
        }

        return best;
    }
}
