namespace FaceDistill.Views;

/// <summary>Everything that makes one view of a face out of its aligned picture; the same for every size it is drawn at.</summary>
/// <param name="Mirror">Whether left and right are exchanged.</param>
/// <param name="ShiftX">How far the cut lies right of the template's square, as a fraction of its side.</param>
/// <param name="ShiftY">How far it lies below.</param>
/// <param name="Scale">How much larger the face is shown.</param>
/// <param name="Rotation">By which angle it is turned, degrees.</param>
internal readonly record struct ViewParameters(bool Mirror, double ShiftX, double ShiftY, double Scale, double Rotation)
{
    /// <summary>
    /// Grows when the same keys give other views, or <see cref="ViewRenderer"/> draws them otherwise: what was embedded before is not taken for them then.
    /// </summary>
    public const int Version = 3;

    /// <summary>Added to each value, as a fraction of white.</summary>
    public double Brightness { get; init; }

    /// <summary>What differences from middle grey are multiplied by, less 1.</summary>
    public double Contrast { get; init; }

    /// <summary>Logarithm of the exponent of each value.</summary>
    public double Gamma { get; init; }

    /// <summary>The hue's turn, degrees.</summary>
    public double Hue { get; init; }

    /// <summary>The saturation's factor, less 1.</summary>
    public double Saturation { get; init; }

    /// <summary>Standard deviation of the blur as a fraction of the side; 0 for none.</summary>
    public double Blur { get; init; }

    /// <summary>JPEG quality, 1 to 100; 0 for none.</summary>
    public int JpegQuality { get; init; }

    /// <summary>What the picture is shrunk by before it is enlarged again, less 1.</summary>
    public double Downscale { get; init; }

    /// <summary>The grey rectangle: left, top, width, height as fractions of the side; without area for none.</summary>
    public (double X, double Y, double Width, double Height) Erased { get; init; }

    /// <summary>Its grey, 0 to 255.</summary>
    public int ErasedGrey { get; init; }

    /// <summary>Whether the cut is the template's square, mirrored or not.</summary>
    public bool IsUnmoved => ShiftX == 0 && ShiftY == 0 && Scale == 1 && Rotation == 0;

    /// <summary>Draws a view; the same keys give the same one.</summary>
    /// <param name="options">How much may change.</param>
    /// <param name="mirror">Whether half of the views are mirrored.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="view">The view's number: that of the cached view, or of the epoch.</param>
    /// <param name="face">The face's <see cref="FaceDistill.Datasets.FaceImage.Key"/>.</param>
    public static ViewParameters Draw(AugmentOptions options, bool mirror, long seed, long view, long face)
    {
        ArgumentNullException.ThrowIfNull(options);
        double Uniform(long purpose) => (SeededChoice.Bits(seed, view, face, purpose) >> 11) * (1.0 / (1UL << 53)); // 0 to 1
        double Around(double most, long purpose) => most * ((2 * Uniform(purpose)) - 1);
        bool Chance(double probability, long purpose) => Uniform(purpose) < probability;
        bool colour = Chance(options.Colour, 20), erase = Chance(options.Erase, 24);
        double area = 0.02 + (0.08 * Uniform(25)), aspect = Math.Exp(Around(Math.Log(2), 26));
        var (width, height) = erase ? (Math.Sqrt(area * aspect), Math.Sqrt(area / aspect)) : (0, 0);
        return new ViewParameters(
            mirror && Chance(0.5, 10), Around(options.Shift, 11), Around(options.Shift, 12), 1 + Around(options.Scale, 13), Around(options.Rotation, 14))
        {
            Brightness = Around(options.Brightness, 15),
            Contrast = Around(options.Contrast, 16),
            Gamma = Around(options.Gamma, 17),
            Hue = colour ? Around(15, 18) : 0,
            Saturation = colour ? Around(0.3, 19) : 0,
            Blur = Chance(options.Blur, 21) ? 0.01 * Uniform(27) : 0,
            JpegQuality = Chance(options.Jpeg, 22) ? 20 + (int)(71 * Uniform(28)) : 0,
            Downscale = Chance(options.Downscale, 23) ? 3 * Uniform(29) : 0,
            Erased = (Uniform(30) * (1 - width), Uniform(31) * (1 - height), width, height),
            ErasedGrey = (int)(256 * Uniform(32)),
        };
    }
}

/// <summary>
/// Random choices that depend on nothing but their keys (seed, epoch, index, purpose), so that neither threads nor an interruption
/// change them: the mixing function of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
/// </summary>
internal static class SeededChoice
{
    /// <summary>64 random bits of four keys.</summary>
    public static ulong Bits(long seed, long epoch, long index, long purpose = 0) =>
        Mix(Mix(Mix(Mix((ulong)seed) + (ulong)epoch) + (ulong)index) + (ulong)purpose);

    /// <summary>The numbers 0 to count - 1 in the random order of an epoch.</summary>
    public static int[] Permutation(int count, long seed, long epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        var keys = Array.ConvertAll(order, i => Bits(seed, epoch, i));
        Array.Sort(keys, order);
        return order;
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
