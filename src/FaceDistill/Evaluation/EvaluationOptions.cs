using System.Globalization;

namespace FaceDistill.Evaluation;

/// <summary>What to tell of a protocol that scores all pairs, besides the pair counts.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The most resamples that are accepted.</summary>
    public const int MaxResamples = 1_000_000;

    /// <summary>The false accept rates; null for <see cref="FarTargets.Affordable"/>.</summary>
    public IReadOnlyList<double>? Fars { get; init; }

    /// <summary>How two embeddings make a score.</summary>
    public ScoreKind Score { get; init; }

    /// <summary>Whether to take the metrics of <see cref="ScoreMetrics"/>, which need a second look at all scores.</summary>
    public bool Metrics { get; init; } = true;

    /// <summary>How often the identities are resampled for the 95% intervals; 0 for no intervals.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>The seed of the resampling; the same seed resamples every model alike.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many of the highest-scoring impostor and of the lowest-scoring genuine pairs to name; 0 for none.</summary>
    public int WorstPairs { get; init; }

    /// <summary>Refuses what cannot be done.</summary>
    /// <exception cref="FaceDistillException">A rate, the score or the number of resamples is out of range.</exception>
    public void Check()
    {
        if (Fars is not null)
        {
            FarTargets.Check(Fars);
        }

        if (!Enum.IsDefined(Score))
        {
            throw new FaceDistillException($"no score {Score}; there are {string.Join(", ", Enum.GetNames<ScoreKind>()).ToLowerInvariant()}");
        }

        if (Resamples != 0 && Resamples is < 100 or > MaxResamples)
        {
            throw new FaceDistillException(string.Create(CultureInfo.InvariantCulture,
                $"{Resamples} resamples: a 95% interval needs 100 to {MaxResamples}, or 0 for no intervals"));
        }
    }
}
