using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Agreement;

/// <summary>Tells how a student agrees with its teacher: image by image, and as probes in the teacher's gallery.</summary>
internal static class AgreementMeasure
{
    private const int Bins = 100;
    private const int WorstImages = 20;

    /// <summary>Compares them.</summary>
    /// <param name="teacher">The teacher's embeddings.</param>
    /// <param name="student">The student's, of the same images in any order; extensions do not count.</param>
    /// <param name="fars">The false accept rates of the search; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="job">Told how many pairs are scored.</param>
    /// <param name="known">What the teacher's and the student's own pairs were found to give a moment ago, each null where it is not known: they are not scored
    /// again for the search.</param>
    /// <returns>Without a search where an image has no identity.</returns>
    /// <exception cref="FaceDistillException">Other images, another dimension, an unusable embedding, or no genuine or no
    /// impostor pair among images with identities.</exception>
    public static AgreementResult Run(
        EmbeddingSet teacher, EmbeddingSet student, IReadOnlyList<double>? fars = null, JobContext? job = null,
        (RatesAtFar? Teacher, RatesAtFar? Student) known = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        CheckDimensions(teacher, student);
        if (teacher.Count == 0)
        {
            throw new FaceDistillException($"{teacher.Name} has no embedding to compare");
        }

        int[] rows = PathIndex.Match(teacher, student);
        ScoredVectors t = ScoredVectors.Of(teacher), s = ScoredVectors.Of(student, rows);
        double[] cosines = new double[teacher.Count];
        Parallel.For(0, cosines.Length, row => cosines[row] = Cosine(t, s, row));
        double[] rising = [.. cosines.Order()];
        return new AgreementResult(
            teacher.Name, student.Name, cosines.Length,
            new CosineSpread(cosines.Mean(), SortedArrayStatistics.Median(rising), NearestRank.Of(rising, 0.05), rising[0], OtherImages(t, s, cosines)),
            HistogramOf(cosines),
            [.. cosines.Select((cosine, row) => new ImageAgreement(teacher.Paths[row], cosine))
                .OrderBy(image => image.Cosine).ThenBy(image => image.Path, StringComparer.Ordinal).Take(WorstImages)])
        {
            Search = Array.Exists(teacher.Identities, string.IsNullOrWhiteSpace) ? null : CrossModelSearch.Run(teacher, student, rows, fars, job, known),
        };
    }

    /// <summary>Refuses sets whose embeddings cannot be of one space.</summary>
    /// <exception cref="FaceDistillException">They differ in dimension.</exception>
    internal static void CheckDimensions(EmbeddingSet teacher, EmbeddingSet student)
    {
        if (teacher.Dimension != student.Dimension)
        {
            throw new FaceDistillException($"{teacher.Name} gives {teacher.Dimension} values an image and {student.Name} gives {student.Dimension}; "
                + "only a student distilled from this teacher shares its space");
        }
    }

    private static double Cosine(ScoredVectors teacher, ScoredVectors student, int row)
    {
        float[] a = new float[teacher.Dimension], b = new float[teacher.Dimension];
        teacher.UnitRow(row, a);
        student.UnitRow(row, b);
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return Math.Clamp(sum, -1, 1); // rounding to unit length may pass it by a little
    }

    /// <summary>The inner product of both sums holds every ordered pair of images; without those of one image it is the others'.</summary>
    private static double? OtherImages(ScoredVectors teacher, ScoredVectors student, double[] cosines)
    {
        double all = Sum(teacher).Zip(Sum(student), (a, b) => a * b).Sum();
        return cosines.Length > 1 ? (all - cosines.Sum()) / ((double)cosines.Length * (cosines.Length - 1)) : null;
    }

    private static double[] Sum(ScoredVectors vectors)
    {
        double[] sum = new double[vectors.Dimension];
        float[] unit = new float[vectors.Dimension];
        for (int row = 0; row < vectors.Count; row++)
        {
            vectors.UnitRow(row, unit);
            for (int d = 0; d < sum.Length; d++)
            {
                sum[d] += unit[d];
            }
        }

        return sum;
    }

    private static AgreementBin[] HistogramOf(double[] cosines)
    {
        int[] counts = new int[Bins];
        foreach (double cosine in cosines)
        {
            counts[Math.Min(Bins - 1, (int)((cosine + 1) * Bins / 2))]++;
        }

        var bins = counts.Select((count, bin) => new AgreementBin(Bound(bin), Bound(bin + 1), count)).SkipWhile(bin => bin.Count == 0);
        return [.. bins.Reverse().SkipWhile(bin => bin.Count == 0).Reverse()];
    }

    private static double Bound(int bin) => ((2 * bin) - Bins) / (double)Bins;
}

/// <summary>
/// Measures the point of matching the teacher's own space: a gallery that the teacher embedded is searched with the student's
/// probes, without embedding the gallery again.
/// </summary>
internal static class CrossModelSearch
{
    /// <summary>Scores teacher with teacher, student with student and teacher with student, exactly; not again what is known.</summary>
    /// <param name="teacher">The teacher's embeddings, each with its identity.</param>
    /// <param name="student">The student's, of the same images in any order; extensions do not count.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="job">Told how many pairs of the present score matrix are done.</param>
    /// <exception cref="FaceDistillException">Other images, another dimension, an unusable embedding, a missing identity, or
    /// no genuine or no impostor pair.</exception>
    /// <returns>Teacher-teacher, student-student and teacher-student: all ordered pairs, twice as many as in the others.</returns>
    public static IReadOnlyList<CrossSearchResult> Run(
        EmbeddingSet teacher, EmbeddingSet student, IReadOnlyList<double>? fars = null, JobContext? job = null)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        AgreementMeasure.CheckDimensions(teacher, student);
        return Run(teacher, student, PathIndex.Match(teacher, student), fars, job, default);
    }

    /// <summary>The same.</summary>
    /// <param name="teacher">The teacher's embeddings.</param>
    /// <param name="student">The student's.</param>
    /// <param name="rows">The student's row of each of the teacher's images.</param>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="job">Told how many pairs are done.</param>
    /// <param name="known">What was found at these rates, and perhaps others.</param>
    internal static IReadOnlyList<CrossSearchResult> Run(
        EmbeddingSet teacher, EmbeddingSet student, int[] rows, IReadOnlyList<double>? fars, JobContext? job, (RatesAtFar? Teacher, RatesAtFar? Student) known)
    {
        fars ??= FarTargets.Default;
        var groups = IdentityGroups.Of(teacher);
        ScoredVectors gallery = ScoredVectors.Of(teacher, groups.Order), probes = ScoredVectors.Of(student, [.. groups.Order.Select(row => rows[row])]);
        bool samePeople = Array.TrueForAll(groups.Order, row => student.Identities[rows[row]] == teacher.Identities[row]); // whom the teacher's set says
        CrossSearchResult Result(string of, string by, RatesAtFar rates) =>
            new(of, by, rates.GenuinePairs, rates.ImpostorPairs, rates.Tar, rates.Threshold);
        return
        [
            Result(teacher.Name, teacher.Name, known.Teacher?.Only(fars) ?? ThresholdPass.Score(gallery, groups, fars, job)),
            Result(student.Name, student.Name, (samePeople ? known.Student?.Only(fars) : null) ?? ThresholdPass.Score(probes, groups, fars, job)),
            Result(teacher.Name, student.Name, Score(gallery, probes, groups, fars, job)),
        ];
    }

    /// <summary>How long the search takes after both models' own pairs were scored: seconds.</summary>
    /// <param name="groups">Who is who.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="pair">What a pair takes.</param>
    public static double Seconds(IdentityGroups groups, IReadOnlyList<double>? fars, PairSeconds pair)
    {
        long impostors = 2 * groups.ImpostorPairs;
        bool twice = ThresholdPass.AllRanks(fars ?? FarTargets.Default, impostors).Any(rank => ThresholdPass.IsDeep(rank));
        return ((2 * groups.GenuinePairs) + impostors) * pair.Fast * (twice ? 2 : 1);
    }

    /// <summary>Scores every vector of one set with every other of the other.</summary>
    /// <param name="teacher">N vectors, in the order of the groups.</param>
    /// <param name="student">N vectors, likewise.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="job">Told after each tile.</param>
    internal static RatesAtFar Score(
        ScoredVectors teacher, ScoredVectors student, IdentityGroups groups, IReadOnlyList<double> fars, JobContext? job = null)
    {
        // One set as both would be the pairs of one, each once.
        var probes = ReferenceEquals(teacher, student) ? student.Of([.. Enumerable.Range(0, student.Count)]) : student;
        return ThresholdPass.Score(new ScoredPairs(teacher, probes, groups), fars, job, "scoring teacher with student");
    }
}
