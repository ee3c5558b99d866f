namespace FaceDistill.Distillation;

/// <summary>
/// Fits a head's kernel, a weighted mean over the whole last map, to a map of another side: the weights are interpolated linearly between
/// the cells' centres and scaled so that their sum stays, since the same face now covers more cells or fewer.
/// </summary>
public static class PooledKernel
{
    /// <summary>Resizes square planes.</summary>
    /// <param name="planes">float32 [N, from, from].</param>
    /// <param name="from">Their side.</param>
    /// <param name="to">The side wanted.</param>
    /// <returns>float32 [N, to, to].</returns>
    public static float[] Resize(ReadOnlySpan<float> planes, int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, 1);
        int count = planes.Length / (from * from);
        var result = new float[count * to * to];
        for (int n = 0; n < count; n++)
        {
            Plane(planes.Slice(n * from * from, from * from), from, result.AsSpan(n * to * to, to * to), to);
        }

        return result;
    }

    private static void Plane(ReadOnlySpan<float> source, int from, Span<float> target, int to)
    {
        double before = 0, after = 0;
        for (int y = 0; y < to; y++)
        {
            var (top, down) = Between(y, from, to);
            for (int x = 0; x < to; x++)
            {
                var (left, right) = Between(x, from, to);
                double above = Mixed(source, (top * from) + left, right), below = Mixed(source, (Math.Min(top + 1, from - 1) * from) + left, right);
                target[(y * to) + x] = (float)(above + ((below - above) * down));
                after += target[(y * to) + x];
            }
        }

        foreach (float weight in source)
        {
            before += weight;
        }

        // A sum near 0 says nothing about scale: then the cells' areas do.
        double area = (double)(from * from) / (to * to);
        double scale = after != 0 && before / after is > 0 and var ratio ? Math.Clamp(ratio, area / 2, area * 2) : area;
        foreach (ref float weight in target)
        {
            weight = (float)(weight * scale);
        }
    }

    // A new cell's centre lies between the centres of two old ones, or outside of them all.
    private static (int First, double Part) Between(int cell, int from, int to)
    {
        double at = Math.Clamp(((cell + 0.5) * from / to) - 0.5, 0, from - 1);
        return ((int)at, at - (int)at);
    }

    private static double Mixed(ReadOnlySpan<float> source, int at, double part) =>
        part == 0 ? source[at] : source[at] + ((source[at + 1] - (double)source[at]) * part);
}
