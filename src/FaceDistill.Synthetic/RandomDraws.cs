using System.Numerics;

namespace FaceDistill.Synthetic;

/// <summary>
/// The generator behind the synthetic faces: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014). Own code because the algorithm of <see cref="Random"/> is not promised across versions.
/// </summary>
/// <remarks>A class, not a struct: it is handed from method to method, and a copy would repeat its numbers.</remarks>
internal sealed class SyntheticRandom
{
    // The odd integer nearest 2^64 / golden ratio, and the mixer's constants, as in the paper.
    private const ulong Gamma = 0x9E3779B97F4A7C15;
    private const ulong MixA = 0xBF58476D1CE4E5B9;
    private const ulong MixB = 0x94D049BB133111EB;

    private ulong state;

    public SyntheticRandom(params ReadOnlySpan<ulong> keys)
    {
        foreach (ulong key in keys)
        {
            // Mixing between keys keeps (1, 2) and (2, 1), and neighbours in one key, unrelated.
            state = Mix(state ^ key) + Gamma;
        }
    }

    public ulong Next() => Mix(state += Gamma);

    /// <summary>Uniform in [0, 1), 24 bits.</summary>
    public float Uniform() => (Next() >> 40) * (1f / (1 << 24));

    public float Between(float low, float high) => low + ((high - low) * Uniform());

    public int Below(int count) => (int)(Uniform() * count);

    public bool Chance(float probability) => Uniform() < probability;

    /// <summary>
    /// Bell-shaped: the sum of four uniforms (Irwin-Hall), scaled to the deviation asked for. Bounded at 3.46
    /// deviations, so no face falls apart, and free of transcendental functions.
    /// </summary>
    public float Bell(float mean, float deviation)
    {
        ulong bits = Next();
        float sum = (ushort)bits + (ushort)(bits >> 16) + (ushort)(bits >> 32) + (float)(bits >> 48);
        return mean + (deviation * ((sum / 65535f) - 2f) * 1.7320508f);
    }

    /// <summary>A colour (RGB, 0 to 255) between the neighbours of a palette at a place in [0, 1].</summary>
    public static Vector3 Pick(ReadOnlySpan<Vector3> palette, float place)
    {
        float at = Math.Clamp(place, 0f, 1f) * (palette.Length - 1);
        int low = Math.Min((int)at, palette.Length - 2);
        return Vector3.Lerp(palette[low], palette[low + 1], at - low);
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * MixA;
        z = (z ^ (z >> 27)) * MixB;
        return z ^ (z >> 31);
    }
}
