using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Agreement;

/// <summary>Compares two models' embeddings of the same images.</summary>
public static class AgreementMeasure
{
    private const int Bins = 100;
    private const int WorstImages = 20;

    /// <summary>Compares them.</summary>
    /// <param name="teacher">The teacher's embeddings.</param>
    /// <param name="student">The student's, of the same images in any order; extensions do not count.</param>
    /// <exception cref="FaceDistillException">Other images, another dimension, or an unusable embedding.</exception>
    public static AgreementResult Run(EmbeddingSet teacher, EmbeddingSet student)
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
            cosines.Mean(), SortedArrayStatistics.Median(rising), SortedArrayStatistics.Percentile(rising, 5), rising[0],
            OtherImages(t, s, teacher.Dimension, cosines),
            HistogramOf(cosines),
            [.. cosines.Select((cosine, row) => new ImageAgreement(teacher.Paths[row], cosine))
                .OrderBy(image => image.Cosine).ThenBy(image => image.Path, StringComparer.Ordinal).Take(WorstImages)]);
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
    private static double OtherImages(float[] t, float[] s, int dimension, double[] cosines)
    {
        double[] teacherSum = new double[dimension], studentSum = new double[dimension];
        for (int i = 0; i < t.Length; i++)
        {
            teacherSum[i % dimension] += t[i];
            studentSum[i % dimension] += s[i];
        }

        double all = teacherSum.Zip(studentSum, (a, b) => a * b).Sum();
        return cosines.Length > 1 ? (all - cosines.Sum()) / ((double)cosines.Length * (cosines.Length - 1)) : double.NaN;
    }

    private static AgreementBin[] HistogramOf(double[] cosines)
    {
        int[] counts = new int[Bins];
        foreach (double cosine in cosines)
        {
            counts[Math.Min(Bins - 1, (int)((cosine + 1) * Bins / 2))]++;
        }

        return [.. counts.Select((count, bin) => new AgreementBin(Bound(bin), Bound(bin + 1), count))];
    }

    private static double Bound(int bin) => ((2 * bin) - Bins) / (double)Bins;
}
