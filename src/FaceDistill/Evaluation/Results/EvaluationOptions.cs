using System.Security.Cryptography;
using System.Text;
using FaceDistill.Embeddings;
using FaceDistill.Files;

namespace FaceDistill.Evaluation.Results;

/// <summary>What to tell of a protocol that scores all pairs, besides the pair counts.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The most resamples that are accepted.</summary>
    public const int MaxResamples = 1_000_000;

    /// <summary>The most impostor scores that are held at once: 256 MB.</summary>
    internal const long UsualHeld = 1 << 26;

    /// <summary>The false accept rates; null for <see cref="FarTargets.Usual"/>.</summary>
    public IReadOnlyList<double>? Fars { get; init; }

    /// <summary>How two embeddings make a score.</summary>
    public ScoreKind Score { get; init; }

    /// <summary>Whether to take the metrics of <see cref="ScoreMetrics"/>, which need a second look at all scores.</summary>
    public bool Metrics { get; init; } = true;

    /// <summary>How often the identities are resampled for the 95% intervals; 0 for no intervals.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>The seed of the resampling, of the people taken out of a gallery and of own BLUFR trials; the same for every model.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>For <see cref="Evaluator.Pairs"/>: the list's file; null for pairs.csv in the data set's folder.</summary>
    public string? PairFile { get; init; }

    /// <summary>For <see cref="Evaluator.Identification"/>: a file with one gallery image a line; null for the first image of each person.</summary>
    public string? GalleryFile { get; init; }

    /// <summary>For <see cref="Evaluator.Identification"/>: the share of the gallery's people that the open-set search takes out
    /// of it, at least 0 and below 1; null for none where the gallery lacks people anyway, and otherwise a half.</summary>
    public double? UnknownShare { get; init; }

    /// <summary>For <see cref="Evaluator.Blufr"/>: the folder of the toolkit's lists; null to look in the data set's folder and in
    /// its sub-folder "blufr", and without any to draw own trials.</summary>
    public string? BlufrLists { get; init; }

    /// <summary>For IJB: whether each face of a template counts by its detector score.</summary>
    public bool DetectorScores { get; init; }

    /// <summary>How many of the highest-scoring impostor and of the lowest-scoring genuine pairs to name; 0 for none.</summary>
    public int WorstPairs { get; init; }

    /// <summary>Whether to keep the thresholds at the rates of <see cref="FarTargets.Curve"/> as well, for a file that tells the rate of any
    /// similarity.</summary>
    internal bool Curve { get; init; }

    /// <summary>The most impostor scores that are held at once; thresholds that would need more are found by looking at all pairs twice.</summary>
    internal long Held { get; init; } = UsualHeld;

    /// <summary>What a test is called on data of this name: with what was asked for beside the faces.</summary>
    /// <param name="data">The data's name.</param>
    /// <param name="draws">Whether the protocol draws whom it tests.</param>
    internal string TestName(string data, bool draws) => Asked(draws) is { Length: > 0 } asked ? $"{data} ({string.Join(", ", asked)})" : data;

    /// <summary>What a test is known by on these faces: another list, another share of unknown people or draw of them, or templates that are pooled otherwise
    /// make another test of them, whose figures do not compare.</summary>
    /// <param name="faces">What the faces are known by; null where that is not known.</param>
    /// <param name="draws">Whether the protocol draws whom it tests.</param>
    /// <exception cref="IOException">A list cannot be read.</exception>
    internal string? TestId(string? faces, bool draws)
    {
        string[] asked = Asked(draws);
        if (faces is null || asked.Length == 0)
        {
            return faces;
        }

        string[] lists = BlufrLists is { } folder
            ? [Path.Combine(folder, Datasets.BlufrLists.GalleryFile), Path.Combine(folder, Datasets.BlufrLists.ProbeFile)]
            : [.. new[] { PairFile, GalleryFile }.OfType<string>()];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{faces} {string.Join(' ', asked[(lists.Length > 0 ? 1 : 0)..])}")); // a list by what it holds
        Array.ForEach(lists, list => hash.AppendData(File.ReadAllBytes(list)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // The list first.
    private string[] Asked(bool draws) =>
    [
        .. new[] { PairFile, GalleryFile, BlufrLists }.OfType<string>().Select(list => Path.GetFileName(Path.TrimEndingDirectorySeparator(list))),
        .. UnknownShare is { } share ? [InvariantText.Of($"{100 * share:0.##}% unknown")] : Array.Empty<string>(),
        .. DetectorScores ? ["detector scores"] : Array.Empty<string>(),
        .. Seed != 1 && draws ? [InvariantText.Of($"seed {Seed}")] : Array.Empty<string>(),
    ];

    /// <summary>Refuses what cannot be done.</summary>
    /// <exception cref="FaceDistillException">A rate, the score, the number of resamples or the share of unknown people is out of range.</exception>
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

        if (UnknownShare is { } share && !(share >= 0 && share < 1))
        {
            throw new FaceDistillException(InvariantText.Of($"the share of unknown people must be at least 0 and below 1, not {share}"));
        }

        if (Resamples != 0 && Resamples is < 100 or > MaxResamples)
        {
            throw new FaceDistillException(InvariantText.Of($"{Resamples} resamples: a 95% interval needs 100 to {MaxResamples}, or 0 for no intervals"));
        }
    }
}

/// <summary>How two embeddings make a score; higher is more alike.</summary>
public enum ScoreKind
{
    /// <summary>The cosine of the angle between the embeddings; their lengths do not count.</summary>
    Cosine,

    /// <summary>
    /// Minus the Euclidean distance of the embeddings as the model gave them, not scaled to unit length; 0 for equal ones.
    /// (On embeddings of unit length it ranks pairs as the cosine does.)
    /// </summary>
    Euclidean,
}
