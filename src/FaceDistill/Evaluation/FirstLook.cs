namespace FaceDistill.Evaluation;

/// <summary>What one look at all scores leaves: the genuine ones, and the highest of the impostors'.</summary>
internal sealed class FirstLook
{
    private const long SmallTail = 1 << 20; // 4 MB

    private FirstLook(IdentityGroups groups, float[] genuine, ImpostorTail tail) => (Groups, Genuine, Tail) = (groups, genuine, tail);

    /// <summary>Who is who.</summary>
    public IdentityGroups Groups { get; }

    /// <summary>All genuine scores: for each row in the order of the groups, those with the later rows of its group.</summary>
    public float[] Genuine { get; }

    /// <summary>The highest impostor scores.</summary>
    public ImpostorTail Tail { get; }

    /// <summary>Scores all pairs.</summary>
    /// <param name="vectors">In the order of the groups.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="ranks">The lowest rank (from 1) of an impostor score that will be asked for.</param>
    /// <param name="progress">Told after each tile.</param>
    /// <param name="cancel">Stops between tiles.</param>
    public static FirstLook At(
        ScoredVectors vectors, IdentityGroups groups, long ranks, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var tail = new ImpostorTail(ranks, TileRows.Workers, SmallTail);
        float[] genuine = new float[groups.GenuinePairs];
        using var tiles = new PairTiles(vectors);
        var selection = new TileSelection(groups, genuine, tail);
        long done = 0;
        foreach (var tile in tiles.All())
        {
            cancel.ThrowIfCancellationRequested();
            tiles.Multiply(tile);
            done += selection.Take(tile, tiles.Scores);
            progress?.Report(new WorkProgress("scoring", done, genuine.Length + groups.ImpostorPairs, "pairs"));
        }

        return new FirstLook(groups, genuine, tail);
    }

    /// <summary>The lowest rank that the thresholds at these rates need.</summary>
    public static long Ranks(IReadOnlyList<double> fars, long impostorPairs) =>
        fars.Max(far => FarTargets.Permitted(far, impostorPairs)) + 1;

    /// <summary>The thresholds at these rates, and what they accept.</summary>
    public AllPairsResult Result(IReadOnlyList<double> fars) => new(
        Groups.Order.Length, Groups.Identities, Genuine.Length, Groups.ImpostorPairs, [.. fars], [.. fars.Select(far => ExactThreshold.Point(far, Groups.ImpostorPairs, Genuine, Tail))]);
}
