using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
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
    /// <returns>Without a search where an image has no identity.</returns>
    /// <exception cref="FaceDistillException">Other images, another dimension, an unusable embedding, or no genuine or no
    /// impostor pair among images with identities.</exception>
    public static AgreementResult Run(EmbeddingSet teacher, EmbeddingSet student, IReadOnlyList<double>? fars = null, JobContext? job = null)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        CheckDimensions(teacher, student);
        if (teacher.Count == 0)
        {
            throw new FaceDistillException($"{teacher.Name} has no embedding to compare");
        }

        float[] t = UnitEmbeddings.From(teacher);
        float[] s = UnitEmbeddings.From(student, PathIndex.Match(teacher, student));
        double[] cosines = new double[teacher.Count];
        Parallel.For(0, cosines.Length, row => cosines[row] = Dot(t, s, row * teacher.Dimension, teacher.Dimension));
        double[] rising = [.. cosines.Order()];
        return new AgreementResult(
            teacher.Name, student.Name, cosines.Length,
            new CosineSpread(cosines.Mean(), SortedArrayStatistics.Median(rising), NearestRank.Of(rising, 0.05), rising[0],
                OtherImages(t, s, teacher.Dimension, cosines)),
            HistogramOf(cosines),
            [.. cosines.Select((cosine, row) => new ImageAgreement(teacher.Paths[row], cosine))
                .OrderBy(image => image.Cosine).ThenBy(image => image.Path, StringComparer.Ordinal).Take(WorstImages)])
        {
            Search = Array.Exists(teacher.Identities, string.IsNullOrWhiteSpace) ? null : CrossModelSearch.Run(teacher, student, fars, job),
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

    private static double Dot(float[] a, float[] b, int start, int length)
    {
        double sum = 0;
        for (int i = start; i < start + length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return Math.Clamp(sum, -1, 1); // rounding to unit length may pass it by a little
    }

    /// <summary>The inner product of both sums holds every ordered pair of images; without those of one image it is the others'.</summary>
    private static double? OtherImages(float[] t, float[] s, int dimension, double[] cosines)
    {
        double[] teacherSum = new double[dimension], studentSum = new double[dimension];
        for (int i = 0; i < t.Length; i++)
        {
            teacherSum[i % dimension] += t[i];
            studentSum[i % dimension] += s[i];
        }

        double all = teacherSum.Zip(studentSum, (a, b) => a * b).Sum();
        return cosines.Length > 1 ? (all - cosines.Sum()) / ((double)cosines.Length * (cosines.Length - 1)) : null;
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
    /// <summary>Scores teacher with teacher, student with student and teacher with student, exactly.</summary>
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
        job ??= JobContext.None;
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        AgreementMeasure.CheckDimensions(teacher, student);
        fars ??= FarTargets.Default;
        var groups = IdentityGroups.Of(teacher);
        student = EmbeddingRows.Take(student, PathIndex.Match(teacher, student), row => ""); // row for row as the teacher's
        student = new EmbeddingSet(student.Name, student.Dimension, student.Values, student.Paths, teacher.Identities);
        ScoredVectors gallery = ScoredVectors.Of(teacher, groups.Order), probes = ScoredVectors.Of(student, groups.Order);
        CrossSearchResult Result(string of, string by, RatesAtFar rates) =>
            new(of, by, rates.GenuinePairs, rates.ImpostorPairs, rates.Tar, rates.Threshold);
        return
        [
            Result(teacher.Name, teacher.Name, ThresholdPass.Score(teacher, fars, job: job)),
            Result(student.Name, student.Name, ThresholdPass.Score(student, fars, job: job)),
            Result(teacher.Name, student.Name, Score(gallery, probes, groups, fars, job)),
        ];
    }

    /// <summary>Scores every vector of one set with every other of the other. A rate needs as many pairs of faces as within one model: that each is scored
    /// twice, once as gallery and probe and once as probe and gallery, makes no more of them.</summary>
    /// <param name="teacher">N vectors, in the order of the groups.</param>
    /// <param name="student">N vectors, likewise.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="job">Told after each tile.</param>
    internal static RatesAtFar Score(
        ScoredVectors teacher, ScoredVectors student, IdentityGroups groups, IReadOnlyList<double> fars, JobContext? job = null)
    {
        job ??= JobContext.None;
        FarTargets.Check(fars);
        long impostors = 2 * groups.ImpostorPairs;
        if (2 * groups.GenuinePairs > Array.MaxLength)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{2 * groups.GenuinePairs:N0} ordered genuine pairs are more than the {Array.MaxLength:N0} that can be kept; evaluate fewer images an "
                    + $"identity"));
        }

        float[] genuine = new float[2 * groups.GenuinePairs];
        var tail = ExactThreshold.TailFor(fars, impostors, Environment.ProcessorCount);
        using var tiles = new CrossTiles(teacher, student);
        var selection = new CrossModelSelection(groups, genuine, tail);
        long done = 0;
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            tiles.Multiply(tile);
            selection.Take(tile, tiles.Scores);
            done += (long)tile.Rows * (tiles.Columns - 1);
            job.Progress?.Report(new WorkProgress("scoring teacher with student", done, genuine.Length + impostors, "pairs"));
        }

        return new RatesAtFar(
            groups.Order.Length, groups.Identities, genuine.Length, impostors, [.. fars],
            [.. fars.Select(far => FarTargets.Permitted(far, groups.ImpostorPairs) < 1 ? null : ExactThreshold.Point(far, impostors, genuine, tail))]);
    }
}

/// <summary>Takes the genuine and the impostor scores out of rows of a teacher-by-student score matrix, on all cores.</summary>
internal sealed class CrossModelSelection
{
    private readonly IdentityGroups _groups;
    private readonly float[] _genuine;
    private readonly TopImpostorScores _tail;
    private readonly int[] _start;         // of each row's group
    private readonly long[] _firstGenuine; // where each row's genuine scores begin: each has its place, whoever writes it

    /// <param name="groups">Who is who, in the order of both matrices.</param>
    /// <param name="genuine">Takes all genuine scores: float32 [2 * groups.GenuinePairs].</param>
    /// <param name="tail">Takes the impostor scores; must have been made for as many workers as there are processors.</param>
    public CrossModelSelection(IdentityGroups groups, float[] genuine, TopImpostorScores tail)
    {
        (_groups, _genuine, _tail) = (groups, genuine, tail);
        _start = new int[groups.End.Length];
        _firstGenuine = new long[groups.End.Length];
        for (int row = 1; row < _start.Length; row++)
        {
            _start[row] = groups.End[row - 1] == row ? row : _start[row - 1];
            _firstGenuine[row] = _firstGenuine[row - 1] + groups.End[row - 1] - _start[row - 1] - 1;
        }
    }

    /// <summary>Takes the tile's pairs (i, j), j other than i.</summary>
    /// <param name="tile">Its rows.</param>
    /// <param name="scores">float32 [tile.Rows, N], row-major.</param>
    public void Take(PairTile tile, float[] scores)
    {
        int columns = _start.Length;
        TileRows.ForEach(tile.Rows, (worker, i) => TakeRow(worker, tile.Row + i, scores.AsSpan(i * columns, columns)));
        _tail.Trim();
    }

    private void TakeRow(int worker, int row, ReadOnlySpan<float> scores)
    {
        int start = _start[row], end = _groups.End[row];
        var place = _genuine.AsSpan((int)_firstGenuine[row], end - start - 1);
        scores[start..row].CopyTo(place);
        scores[(row + 1)..end].CopyTo(place[(row - start)..]);
        _tail.Add(worker, scores[..start]);
        _tail.Add(worker, scores[end..]);
    }
}
