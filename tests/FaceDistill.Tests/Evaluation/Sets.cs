using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation;

/// <summary>Embedding sets for tests.</summary>
internal static class Sets
{
    /// <summary>Faces "identity/row" with the given values.</summary>
    public static EmbeddingSet Of(int dimension, float[] values, params string[] identities) => new(
        "model", dimension, values, [.. identities.Select((identity, row) => $"{identity}/{row}.png")], identities);

    /// <summary>
    /// Vectors of small integers by 16, none of them zero: their products and lengths are exact in whatever order they are added.
    /// </summary>
    public static float[] Exact(Random random, int rows, int dimension, int largest)
    {
        float[] values = new float[rows * dimension];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.Next(-largest, largest + 1) / 16f;
            values[i] = i % dimension == dimension - 1 && !values.AsSpan(i - dimension + 1, dimension).ContainsAnyExcept(0f) ? 1 / 16f : values[i];
        }

        return values;
    }

    /// <summary>A folder's worth of random faces with the given paths; the folder is the identity.</summary>
    public static EmbeddingSet Random(string name, int seed, int dimension, string[] paths)
    {
        var random = new Random(seed);
        float[] values = new float[paths.Length * dimension];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        return new EmbeddingSet(name, dimension, values, paths, [.. paths.Select(path => path.Split('/')[0])]);
    }
}
