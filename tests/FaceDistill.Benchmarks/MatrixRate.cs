using System.Diagnostics;
using static TorchSharp.torch;

namespace FaceDistill.Benchmarks;

/// <summary>What the machine reaches in a square matrix product of libtorch: the roof that a step is compared with.</summary>
internal static class MatrixRate
{
    private const int Side = 2048;

    /// <summary>Floating-point operations a second, best of several rounds.</summary>
    public static double Measure(ScalarType type, int rounds = 8)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var a = randn([Side, Side], dtype: ScalarType.Float32).to(type);
        var b = randn([Side, Side], dtype: ScalarType.Float32).to(type);
        double best = double.PositiveInfinity;
        for (int i = 0; i < rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            mm(a, b).Dispose();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * Side * Side * Side / best;
    }
}
