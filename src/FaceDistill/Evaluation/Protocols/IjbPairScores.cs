using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>Scores of a list's pairs of templates, computed a block at a time on all cores.</summary>
/// <param name="vectors">The templates.</param>
/// <param name="subjects">A number of each template's subject; null where they are not known, and for no intervals.</param>
/// <param name="job">Told how many pairs are done; stops it.</param>
internal sealed class IjbPairScores(ScoredVectors vectors, int[]? subjects, JobContext job)
{
    private const int AtOnce = 1 << 16;
    private readonly List<float> _genuine = [], _impostors = [];
    private readonly (int First, int Second, bool Same)[] _pairs = new (int, int, bool)[AtOnce];
    private readonly float[] _scores = new float[AtOnce];
    private readonly List<(int First, int Second)> _of = [], _ofImpostors = []; // subjects, where they are known
    private int _count;

    /// <summary>How many subjects there are; 0 where they are not known.</summary>
    public int People => subjects is null ? 0 : subjects.Max() + 1;

    /// <summary>Adds a pair.</summary>
    public void Add(int first, int second, bool same)
    {
        _pairs[_count++] = (first, second, same);
        if (_count == AtOnce)
        {
            Score();
        }
    }

    /// <summary>All scores, in the list's order.</summary>
    public (float[] Genuine, float[] Impostors) All()
    {
        Score();
        return ([.. _genuine], [.. _impostors]);
    }

    /// <summary>On resamples of the subjects; null where they are not known or too few.</summary>
    public TarUncertainty? Uncertainty(IReadOnlyList<double> fars, EvaluationOptions options, string key, CancellationToken cancel)
    {
        bool[] genuine = new bool[People];
        _of.ForEach(pair => genuine[pair.First] = true);
        if (subjects is null || genuine.Count(has => has) < AllPairsEvaluation.FewestPeople)
        {
            return null;
        }

        float[] fallen = [.. _impostors.Select(score => -score)];
        int[] order = [.. Enumerable.Range(0, fallen.Length)];
        Array.Sort(fallen, order);
        double[] permitted = [.. fars.Where(far => FarTargets.Permitted(far, fallen.Length) > 0)];
        var bootstrap = new TarBootstrap(([.. _genuine], [.. _of.Select(pair => pair.First)]),
            (Array.ConvertAll(fallen, score => -score), Array.ConvertAll(order, i => _ofImpostors[i].First),
                Array.ConvertAll(order, i => _ofImpostors[i].Second)));
        return permitted.Length == 0 ? null
            : new TarUncertainty(permitted, bootstrap.Run(permitted, new IdentityResamples(options.Seed, options.Resamples, genuine), cancel), key);
    }

    private void Score()
    {
        const int part = 1 << 10;
        job.Cancel.ThrowIfCancellationRequested();
        Parallel.For(0, (_count + part - 1) / part, block =>
        {
            for (int i = block * part; i < Math.Min(_count, (block + 1) * part); i++)
            {
                _scores[i] = vectors.Score(_pairs[i].First, _pairs[i].Second);
            }
        });
        for (int i = 0; i < _count; i++)
        {
            var (first, second, same) = _pairs[i];
            (same ? _genuine : _impostors).Add(_scores[i]);
            if (subjects is not null)
            {
                (same ? _of : _ofImpostors).Add((subjects[first], subjects[second]));
            }
        }

        _count = 0;
        job.Progress?.Report(new WorkProgress("scoring", _genuine.Count + _impostors.Count, _genuine.Count + _impostors.Count, "pairs"));
    }
}
