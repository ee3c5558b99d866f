using System.Text.Json.Serialization;
using FaceDistill.Datasets;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using OpenCvSharp;

namespace FaceDistill.Training;

/// <summary>
/// How far a model's embeddings lie from one another beside how far they should: what tells a student that works from a dead one, which gives every
/// face the same embedding and yet agrees with its own exported file to every digit.
/// </summary>
/// <param name="Variance">The embeddings' total variance: the mean squared distance from their mean.</param>
/// <param name="Reference">That of the embeddings that they are measured by.</param>
/// <param name="By">Whose these are, for messages.</param>
/// <param name="Faces">The number of faces.</param>
public sealed record EmbeddingSpread(double Variance, double Reference, string By, int Faces)
{
    /// <summary>
    /// The part of the reference's variance at which, and below which, a model is dead. A student that explains a part of its teacher's variance has at
    /// least that part itself: the weakest ones trained here have 0.3, while dead ones have 1e-4 and less.
    /// </summary>
    public const double Least = 0.01;

    /// <summary>
    /// The variance of the unit embeddings of dlib-resnet, of the teachers at hand the one whose strangers are most alike (a mean cosine of 0.88; the
    /// variance of unit vectors is 1 less their mean cosine). Embeddings without a teacher are measured by it.
    /// </summary>
    public const double CrowdedUnits = 0.12;

    /// <summary>Whether every face gets nearly the same embedding; also where the variance is not a number.</summary>
    [JsonIgnore]
    public bool IsDead => !(Variance > Least * Reference);

    /// <summary>
    /// A student's spread beside that of the teacher's embeddings of its training faces, or without a teacher beside <see cref="CrowdedUnits"/>.
    /// </summary>
    /// <param name="embeddings">float32 [n, D], row-major, in the teacher's space, of any faces.</param>
    /// <param name="student">The student; its scaling keeps the teacher's variance.</param>
    /// <returns>Null for fewer than two faces, which cannot tell.</returns>
    internal static EmbeddingSpread? Of(ReadOnlySpan<float> embeddings, StudentCheckpoint student)
    {
        ArgumentNullException.ThrowIfNull(student);
        int dimension = student.Description.Dimension;
        return student.Description.Teacher == StudentDescription.NoTeacher ? OfUnits(embeddings, dimension)
            : Of(embeddings, dimension, (double)student.Scaling.Scale * student.Scaling.Scale * dimension, "the teacher's on the training faces");
    }

    /// <summary>A model's spread beside another's.</summary>
    /// <param name="embeddings">float32 [n, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <param name="reference">The other's variance.</param>
    /// <param name="by">Whose it is, for messages.</param>
    /// <returns>Null for fewer than two faces.</returns>
    public static EmbeddingSpread? Of(ReadOnlySpan<float> embeddings, int dimension, double reference, string by) =>
        embeddings.Length / dimension is var faces && faces < 2 ? null : new EmbeddingSpread(VarianceOf(embeddings, dimension), reference, by, faces);

    /// <summary>The spread of a model of which no teacher is known: of its embeddings at unit length, beside <see cref="CrowdedUnits"/>.</summary>
    /// <param name="embeddings">float32 [n, D], row-major; not changed. A row of zeros stays one.</param>
    /// <param name="dimension">D.</param>
    /// <returns>Null for fewer than two faces.</returns>
    public static EmbeddingSpread? OfUnits(ReadOnlySpan<float> embeddings, int dimension) => embeddings.Length / dimension is var faces && faces < 2 ? null
        : new EmbeddingSpread(VarianceOf(embeddings, dimension, units: true), CrowdedUnits, "at unit length that of a crowded but working model", faces);

    /// <summary>The total variance: the mean squared distance of the rows from their mean.</summary>
    /// <param name="embeddings">float32 [n, D], row-major, n at least 1.</param>
    /// <param name="dimension">D.</param>
    public static double VarianceOf(ReadOnlySpan<float> embeddings, int dimension) => VarianceOf(embeddings, dimension, units: false);

    // A row at a time: all rows at unit length would be a second million of faces in memory.
    private static double VarianceOf(ReadOnlySpan<float> embeddings, int dimension, bool units)
    {
        int count = embeddings.Length / dimension;
        double[] mean = new double[dimension];
        float[] row = new float[dimension];
        for (int i = 0; i < count; i++)
        {
            Read(embeddings.Slice(i * dimension, dimension), row, units);
            for (int d = 0; d < dimension; d++)
            {
                mean[d] += (double)row[d] / count;
            }
        }

        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            Read(embeddings.Slice(i * dimension, dimension), row, units);
            for (int d = 0; d < dimension; d++)
            {
                double deviation = row[d] - mean[d];
                sum += deviation * deviation;
            }
        }

        return sum / count;
    }

    private static void Read(ReadOnlySpan<float> from, Span<float> row, bool unit)
    {
        double squares = 0;
        foreach (float value in from)
        {
            squares += (double)value * value;
        }

        double length = unit && squares > 0 ? Math.Sqrt(squares) : 1;
        for (int d = 0; d < row.Length; d++)
        {
            row[d] = (float)(from[d] / length);
        }
    }

    /// <summary>Refuses faces by which nothing is verified: a single one, or one picture again and again, agree with a file that gives a constant.</summary>
    /// <param name="faces">Aligned faces.</param>
    /// <param name="option">The option that names others.</param>
    /// <exception cref="FaceDistillException">There are not two different ones, or one cannot be read.</exception>
    internal static void RequireDifferent(AlignedFaces faces, string option)
    {
        ArgumentNullException.ThrowIfNull(faces);
        int count = faces.Dataset.Images.Count;
        using var first = faces.ReadFrame(0);
        bool Differs(int index)
        {
            using var other = faces.ReadFrame(index);
            return Cv2.Norm(first, other, NormTypes.INF) > 0;
        }

        if (!Enumerable.Range(1, count - 1).Any(Differs))
        {
            throw new FaceDistillException($"{faces.Dataset.Root} has {(count == 1 ? "one face" : $"{count} faces that are one picture")}, by which no export "
                + $"is verified; name others with {option}");
        }
    }

    /// <summary>Refuses a dead model.</summary>
    /// <param name="model">What it is, and what becomes of it; the message begins with it.</param>
    /// <param name="remedy">What to do; the message ends with it.</param>
    /// <exception cref="FaceDistillException">It is dead.</exception>
    public void Require(string model, string remedy)
    {
        if (IsDead)
        {
            throw new FaceDistillException($"{model} {Words}; {remedy}");
        }
    }

    /// <summary>"gives 128 faces nearly the same embedding: ...", with both figures.</summary>
    [JsonIgnore]
    public string Words => InvariantText.Of(
        $"gives {Faces} faces nearly the same embedding: their variance is {Variance:0.0e+0}, and {By} is {Reference:0.0e+0}, of which more than a "
            + $"hundredth is asked for");
}
