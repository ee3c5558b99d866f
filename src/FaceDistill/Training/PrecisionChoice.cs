using System.Diagnostics;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>Finds by measurement which precision makes a student's training steps faster on this machine.</summary>
internal static class PrecisionChoice
{
    private const int WarmUp = 2, Rounds = 5, HopelessFactor = 4;

    /// <summary>
    /// Auto becomes the faster mode; the others stay. bfloat16 must win by a tenth, since it costs accuracy of the gradients. The
    /// measurement takes 14 steps' time or less.
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
