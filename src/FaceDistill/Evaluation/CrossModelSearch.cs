using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>
/// Measures the point of matching the teacher's own space: a gallery that the teacher embedded is searched with the student's
/// probes, without embedding the gallery again.
/// </summary>
public static class CrossModelSearch
{
    /// <summary>Scores teacher with teacher, student with student and teacher with student, exactly.</summary>
    /// <param name="teacher">The teacher's embeddings, each with its identity.</param>
    /// <param name="student">The student's, of the same images in any order; extensions do not count.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="progress">Told how many pairs of the present score matrix are done.</param>
    /// <param name="cancel">Stops the scoring.</param>
    /// <exception cref="FaceDistillException">Other images, another dimension, an unusable embedding, a missing identity, or
    /// no genuine or no impostor pair.</exception>
    public static CrossModelResult Run(
        EmbeddingSet teacher,
        EmbeddingSet student,
        IReadOnlyList<double>? fars = null,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        Agreement.CheckDimensions(teacher, student);
        fars ??= FarTargets.Default;
        var groups = IdentityGroups.Of(teacher);
        student = EmbeddingRows.Take(student, PathIndex.Match(teacher, student), row => ""); // row for row as the teacher's
        student = new EmbeddingSet(student.Name, student.Dimension, student.Values, student.Paths, teacher.Identities);
        return new CrossModelResult(
            teacher.Name,
            student.Name,
            PairScorer.Score(teacher, fars, progress, cancel),
            PairScorer.Score(student, fars, progress, cancel),
            Score(UnitEmbeddings.From(teacher, groups.Order), UnitEmbeddings.From(student, groups.Order), teacher.Dimension, groups, fars, progress, cancel));
    }

    /// <summary>Scores every row of one matrix with every other row of the other by their inner product as they are.</summary>
    /// <param name="teacher">float32 [N, D], row-major, in the order of the groups.</param>
    /// <param name="student">float32 [N, D], likewise.</param>
    /// <param name="dimension">D.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="progress">Told after each tile.</param>
    /// <param name="cancel">Stops between tiles.</param>
    internal static AllPairsResult Score(
        float[] teacher,
        float[] student,
        int dimension,
        IdentityGroups groups,
        IReadOnlyList<double> fars,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancel = default)
    {
        FarTargets.Check(fars);
        long impostors = 2 * groups.ImpostorPairs;
        if (2 * groups.GenuinePairs > Array.MaxLength)
        {
            throw new FaceDistillException($"{2 * groups.GenuinePairs} ordered genuine pairs are more than the {Array.MaxLength} that can be kept; "
                + "evaluate fewer images an identity");
        }

        float[] genuine = new float[2 * groups.GenuinePairs];
        var tail = ExactThreshold.TailFor(fars, impostors, Environment.ProcessorCount);
        using var tiles = new CrossTiles(teacher, student, dimension);
        var selection = new CrossModelSelection(groups, genuine, tail);
        long done = 0;
        foreach (var tile in tiles.All())
        {
            cancel.ThrowIfCancellationRequested();
            tiles.Multiply(tile);
            selection.Take(tile, tiles.Scores);
            done += (long)tile.Rows * (tiles.Columns - 1);
            progress?.Report(new WorkProgress("scoring teacher with student", done, genuine.Length + impostors, "pairs"));
        }

        return new AllPairsResult(
            groups.Order.Length, groups.Identities, genuine.Length, impostors, [.. fars],
            [.. fars.Select(far => ExactThreshold.Point(far, impostors, genuine, tail))]);
    }
}
