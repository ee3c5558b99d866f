using MathNet.Numerics.Statistics;

namespace FaceDistill.Tests.Evaluation;

/// <summary>The metrics as their definitions read, from a full matrix of scores.</summary>
internal sealed class NaiveMetrics
{
    private readonly Func<int, int, float> _score;
    private readonly string[] _identities;

    public NaiveMetrics(string[] identities, Func<int, int, float> score)
    {
        (_identities, _score) = (identities, score);
        for (int i = 0; i < identities.Length; i++)
        {
            for (int j = i + 1; j < identities.Length; j++)
            {
                (identities[i] == identities[j] ? Genuine : Impostors).Add(score(i, j));
            }
        }
    }

    public List<float> Genuine { get; } = [];

    public List<float> Impostors { get; } = [];

    public double Auc()
    {
        double sum = 0;
        foreach (float genuine in Genuine)
        {
            foreach (float impostor in Impostors)
            {
                sum += genuine > impostor ? 1 : genuine == impostor ? 0.5 : 0;
            }
        }

        return sum / ((double)Genuine.Count * Impostors.Count);
    }

    /// <summary>Every distinct score as a threshold, from the highest: the first step over which the false accept rate
    /// overtakes the false reject rate, met by a straight line.</summary>
    public double Eer()
    {
        var (far, frr) = (0.0, 1.0);
        foreach (var (nextFar, nextFrr) in Steps())
        {
            if (nextFar >= nextFrr)
            {
                double t = (frr - far) / (frr - far + nextFar - nextFrr);
                return far + (t * (nextFar - far));
            }

            (far, frr) = (nextFar, nextFrr);
        }

        throw new InvalidOperationException();
    }

    public double MinDcf() => Steps().Select(step => (0.01 * step.Frr) + (0.99 * step.Far)).Append(0.01).Min() / 0.01;

    /// <summary>Null where neither kind of score varies; one score alone does not.</summary>
    public double? DPrime()
    {
        double genuine = Genuine.Count < 2 ? 0 : Genuine.Select(s => (double)s).Variance(), both = genuine + Impostors.Select(s => (double)s).Variance();
        return both > 0 ? (Genuine.Mean() - Impostors.Mean()) / Math.Sqrt(both / 2) : null;
    }

    public double Rank1()
    {
        int asked = 0, right = 0;
        for (int i = 0; i < _identities.Length; i++)
        {
            int[] others = [.. Enumerable.Range(0, _identities.Length).Where(j => j != i)];
            if (others.Any(j => _identities[j] == _identities[i]))
            {
                asked++;
                float best = others.Max(j => Both(i, j));
                right += others.Where(j => Both(i, j) == best).All(j => _identities[j] == _identities[i]) ? 1 : 0;
            }
        }

        return (double)right / asked;
    }

    public double TarAt(long permitted)
    {
        float rejected = permitted >= Impostors.Count ? float.NegativeInfinity : Impostors.OrderDescending().ElementAt((int)permitted);
        return Genuine.Count(score => score > rejected) / (double)Genuine.Count;
    }

    private float Both(int i, int j) => _score(Math.Min(i, j), Math.Max(i, j));

    private IEnumerable<(double Far, double Frr)> Steps() =>
        Genuine.Concat(Impostors).Distinct().OrderDescending().Select(threshold => (
            Impostors.Count(score => score >= threshold) / (double)Impostors.Count,
            1 - (Genuine.Count(score => score >= threshold) / (double)Genuine.Count)));
}
