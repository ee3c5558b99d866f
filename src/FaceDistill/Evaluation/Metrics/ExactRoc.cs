using FaceDistill.Evaluation.Results;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>
/// The ROC curve through every threshold: its corners are the counts of false and true accepts, joined by straight lines.
/// </summary>
/// <remarks>
/// Between two genuine scores the true accepts stay and the false ones grow; upon a genuine score both grow, and a straight
/// line joins the two ends, as is usual for ties (the area is then the Mann-Whitney statistic with ties counted half).
/// </remarks>
internal sealed class ExactRoc
{
    // NIST 2016 Speaker Recognition Evaluation Plan, section 3: C_miss = C_fa = 1, and P_target = 0.01 for the first of its two points.
    private const double TargetPrior = 0.01, MissCost = 1, FalseAcceptCost = 1;
    private readonly long _genuine;
    private readonly long _impostors;
    private readonly long[] _places;
    private readonly int[] _counts;

    /// <param name="counts">How often each of K distinct genuine scores comes, by rising score.</param>
    /// <param name="places">Impostors, as <see cref="RocCounter.Places"/>.</param>
    public ExactRoc(int[] counts, long[] places)
    {
        (_counts, _places) = (counts, places);
        _genuine = counts.Sum(count => (long)count);
        _impostors = places.Sum();
    }

    /// <summary>
    /// The area under the curve: the share of all (genuine, impostor) couples of scores in which the genuine one is higher, ties
    /// counted half. Counted in whole numbers, divided once.
    /// </summary>
    public double Auc()
    {
        Int128 halves = 0;
        long above = 0; // genuine scores above the place
        for (int k = _counts.Length - 1; k >= 0; k--)
        {
            halves += (Int128)2 * above * _places[(2 * k) + 2];
            halves += (Int128)_places[(2 * k) + 1] * ((2 * above) + _counts[k]);
            above += _counts[k];
        }

        halves += (Int128)2 * above * _places[0];
        return (double)halves / ((double)_genuine * _impostors * 2);
    }

    /// <summary>The equal error rate: where the curve crosses false accept rate = false reject rate.</summary>
    public double Eer()
    {
        double far = 0, gap = -1; // gap: false accept rate less false reject rate, from -1 to 1 along the curve
        foreach (var (falseAccepts, trueAccepts) in Corners())
        {
            double nextFar = (double)falseAccepts / _impostors;
            double next = nextFar - (1 - ((double)trueAccepts / _genuine));
            if (next >= 0)
            {
                return far + ((nextFar - far) * (-gap / (next - gap)));
            }

            (far, gap) = (nextFar, next);
        }

        throw new InvalidOperationException("the curve does not end at 1");
    }

    /// <summary>
    /// The least detection cost over all thresholds, P_target C_miss P_miss + (1 - P_target) C_fa P_fa, divided by that of
    /// the better of accepting and rejecting everybody: 0 is perfect, 1 is useless.
    /// </summary>
    public double MinDcf()
    {
        double Cost(long falseAccepts, long trueAccepts) =>
            (TargetPrior * MissCost * (1 - ((double)trueAccepts / _genuine))) + ((1 - TargetPrior) * FalseAcceptCost * falseAccepts / _impostors);
        double useless = Math.Min(TargetPrior * MissCost, (1 - TargetPrior) * FalseAcceptCost);
        return Math.Min(useless, Corners().Min(corner => Cost(corner.FalseAccepts, corner.TrueAccepts))) / useless;
    }

    /// <summary>Points of the curve at rates spaced evenly in logarithm from one impostor pair to all of them.</summary>
    /// <param name="perDecade">Points for each factor of ten.</param>
    /// <returns>By rising false accept rate; the true accept rate is what the smallest threshold that holds the rate reaches.</returns>
    public RocPoint[] Sample(int perDecade)
    {
        int points = Math.Max(2, (int)Math.Ceiling(Math.Log10(_impostors) * perDecade) + 1);
        long[] permitted = [.. Enumerable.Range(0, points)
            .Select(i => (long)Math.Floor(Math.Pow(_impostors, (double)i / (points - 1)))).Append(_impostors).Distinct()];
        var result = new RocPoint[permitted.Length];
        int at = 0;
        long reached = 0;
        foreach (var (falseAccepts, trueAccepts) in Corners())
        {
            for (; at < permitted.Length && permitted[at] < falseAccepts; at++)
            {
                result[at] = new RocPoint((double)permitted[at] / _impostors, (double)reached / _genuine);
            }

            reached = trueAccepts;
        }

        for (; at < permitted.Length; at++)
        {
            result[at] = new RocPoint((double)permitted[at] / _impostors, (double)reached / _genuine);
        }

        return result;
    }

    /// <summary>The corners after (0, 0), by falling threshold.</summary>
    private IEnumerable<(long FalseAccepts, long TrueAccepts)> Corners()
    {
        long falseAccepts = 0, trueAccepts = 0;
        for (int k = _counts.Length - 1; k >= 0; k--)
        {
            yield return (falseAccepts += _places[(2 * k) + 2], trueAccepts);
            falseAccepts += _places[(2 * k) + 1];
            yield return (falseAccepts, trueAccepts += _counts[k]);
        }

        yield return (falseAccepts + _places[0], trueAccepts);
    }
}
