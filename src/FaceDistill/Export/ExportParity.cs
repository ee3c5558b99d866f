using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Export;

/// <summary>Compares an exported file's embeddings with TorchSharp's on real faces, and refuses a file that is too far off.</summary>
internal static class ExportParity
{
    /// <summary>How many faces are compared, spread evenly over the data set; all where it has fewer.</summary>
    public const int Faces = 128;

    private const int Batch = 32;

    /// <summary>Measures.</summary>
    /// <param name="context">The student, the file's ends and the faces.</param>
    /// <param name="exported">The file as anyone opens it: by what its metadata say.</param>
    /// <param name="device">Where TorchSharp computes: auto, cpu or cuda.</param>
    /// <returns>An outcome that names no files yet.</returns>
    public static ExportOutcome Measure(ExportContext context, IEmbedder exported, string device)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(exported);
        float[] own = Embedded(context.Checkpoint, context.Faces, device), other = Embedded(context.Faces, exported);
        int dimension = context.Checkpoint.Description.Dimension, count = own.Length / dimension;
        float[] mean = context.Checkpoint.Scaling.Mean;
        var expected = context.Processing.Normalize ? Units(own, dimension) : own;
        // The mean belongs to the raw embeddings, so those of unit length get TorchSharp's lengths back first.
        float Length(Range row) => context.Processing.Normalize ? TensorPrimitives.Norm<float>(own.AsSpan(row)) : 1;
        var cosine = CosineSpread.Of(Rows(count, dimension, row => Cosine(expected.AsSpan(row), other.AsSpan(row))));
        // Float32 itself is relative: a student without a teacher may have embeddings of any length.
        double unit = Math.Max(1, expected.Max(v => Math.Abs((double)v)));
        return new ExportOutcome([], expected.Zip(other, (a, b) => Math.Abs((double)a - b)).Max() / unit, cosine.Min, count)
        {
            Spread = EmbeddingSpread.Of(own, context.Checkpoint),
            FileSpread = EmbeddingSpread.Of(other, dimension, EmbeddingSpread.VarianceOf(expected, dimension), "that of the student in TorchSharp"),
            Cosine = cosine,
            CentredCosine = CosineSpread.Of(
                Rows(count, dimension, row => Cosine(Centred(own.AsSpan(row), 1, mean), Centred(other.AsSpan(row), Length(row), mean)))),
        };
    }

    /// <summary>How far a student's embeddings lie from one another beside its teacher's, on as many faces as a file is compared on.</summary>
    /// <param name="checkpoint">The student.</param>
    /// <param name="faces">Aligned faces, of any people.</param>
    /// <param name="device">Where TorchSharp computes: auto, cpu or cuda.</param>
    /// <returns>Null for fewer than two faces.</returns>
    public static EmbeddingSpread? Spread(StudentCheckpoint checkpoint, AlignedFaces faces, string device) =>
        EmbeddingSpread.Of(Embedded(checkpoint, faces, device), checkpoint);

    /// <summary>Refuses a file that is too far off, and one of a student that gives every face nearly the same embedding, which agrees with anything.</summary>
    /// <param name="outcome">What was measured.</param>
    /// <param name="format">Its format, which says what is allowed.</param>
    /// <param name="minCosine">The smallest cosine that the user allows; null for the format's own.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">A value differs by more, or a cosine is smaller, than is allowed, or the student or the file is dead
    /// (<see cref="EmbeddingSpread"/>).</exception>
    public static void Check(ExportOutcome outcome, ExportFormat format, double? minCosine, string path)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(format);
        outcome.Spread?.Require($"{path} was not written: the student", "train it for more epochs or on more faces, or lower --learning-rate");
        outcome.FileSpread?.Require($"{path} was not written: it", "export the student in another format");
        double least = minCosine ?? format.MinCosine;
        if (format.MaxAbsDifference is { } most && !(outcome.MaxAbsDifference <= most))
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{path} was not written: its embeddings differ from TorchSharp's by {outcome.MaxAbsDifference:0.0e+0} where {most:0.0e+0} is allowed"));
        }

        if (!(outcome.MinCosine >= least))
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{path} was not written: the smallest cosine of its embeddings to TorchSharp's is {outcome.MinCosine:0.000000} of {outcome.Faces} faces, "
                    + $"where {least} is asked for (--min-cosine)"));
        }

        // Who asks for less than the format does takes a student whose embeddings are rounded away in part.
        if (format.MinCentredCosine is { } usual && Math.Min(usual, least) is var centred && !(outcome.CentredCosine?.Mean >= centred))
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{path} was not written: less the mean that all embeddings share, the cosine of its embeddings to TorchSharp's is "
                    + $"{outcome.CentredCosine?.Mean:0.000} on average of {outcome.Faces} faces, where {centred} is asked for: rounding covers what tells "
                    + $"faces apart, as in a student that has learnt little; train it longer, export it in float32, or ask for less (--min-cosine)"));
        }
    }

    private static float[] Embedded(StudentCheckpoint checkpoint, AlignedFaces faces, string device)
    {
        using var torch = new StudentEmbedder(checkpoint, "student", device);
        return Embedded(faces, torch);
    }

    private static float[] Embedded(AlignedFaces faces, IEmbedder model)
    {
        int images = faces.Dataset.Images.Count, count = Math.Min(Faces, images), values = model.Contract.Values;
        var embeddings = new float[count * model.Dimension];
        for (int start = 0; start < count; start += Batch)
        {
            int size = Math.Min(Batch, count - start);
            var input = new float[size * values];
            for (int i = 0; i < size; i++)
            {
                using var face = faces.ReadView((int)((long)(start + i) * images / count), model.Contract.Size);
                FaceTensor.Fill(face, model.Contract, input.AsSpan(i * values, values));
            }

            model.Embed(input, size, embeddings.AsSpan(start * model.Dimension, size * model.Dimension));
        }

        return embeddings;
    }

    private static IEnumerable<double> Rows(int count, int dimension, Func<Range, double> row) =>
        Enumerable.Range(0, count).Select(i => row((i * dimension)..((i + 1) * dimension)));

    // A vector of no length has no direction: it agrees with none. (An untrained student in 8 bits may give all faces the mean.)
    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b) =>
        TensorPrimitives.CosineSimilarity(a, b) is var cosine && double.IsFinite(cosine)
        ? cosine
        : 0;

    private static float[] Units(float[] rows, int dimension)
    {
        float[] units = [.. rows];
        OnnxEmbedder.Finish(units, dimension, normalize: true, "the student");
        return units;
    }

    private static float[] Centred(ReadOnlySpan<float> row, float length, ReadOnlySpan<float> mean)
    {
        var centred = new float[row.Length];
        TensorPrimitives.Multiply(row, length, centred);
        TensorPrimitives.Subtract(centred, mean, centred);
        return centred;
    }
}

/// <summary>How the cosines between two models' embeddings of the same faces are spread.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Percentile5">The 5th percentile (<see cref="NearestRank"/>): one face in twenty is at or below it.</param>
/// <param name="Min">The smallest.</param>
public sealed record CosineSpread(double Mean, double Percentile5, double Min)
{
    /// <summary>The spread of some cosines, at least one; rounding above 1 counts as 1.</summary>
    public static CosineSpread Of(IEnumerable<double> cosines)
    {
        double[] sorted = [.. cosines.Select(c => Math.Min(1, c)).Order()];
        return new CosineSpread(sorted.Average(), NearestRank.Of(sorted, 0.05), sorted[0]);
    }
}

/// <summary>What an export came to: the files, and how far their embeddings are from TorchSharp's on real faces.</summary>
/// <param name="Files">The written files, the model first.</param>
/// <param name="MaxAbsDifference">The largest difference of any embedding value; a part of the largest value where that is above 1.</param>
/// <param name="MinCosine">The smallest cosine between the two embeddings of a face.</param>
/// <param name="Faces">The number of faces compared.</param>
public sealed record ExportOutcome(IReadOnlyList<string> Files, double MaxAbsDifference, double MinCosine, int Faces)
{
    /// <summary>The format's name; null where an earlier version noted the export.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Format { get; init; }

    /// <summary>How the cosines are spread.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CosineSpread? Cosine { get; init; }

    /// <summary>
    /// The same less the training targets' mean, which all embeddings share and which hides differences between faces.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CosineSpread? CentredCosine { get; init; }

    /// <summary>How far the student's embeddings lie from one another beside its teacher's; null for fewer than two faces.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EmbeddingSpread? Spread { get; init; }

    /// <summary>How far the file's lie from one another beside the student's in TorchSharp.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EmbeddingSpread? FileSpread { get; init; }

    /// <summary>How an 8-bit file was made; null for others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Int8Report? Int8 { get; init; }

    /// <summary>Accuracy before and after; null where it was not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ExportAccuracy? Accuracy { get; init; }
}

/// <summary>Accuracy of the run's student and of the exported file by one protocol. Rates are fractions.</summary>
/// <param name="Protocol">The protocol.</param>
/// <param name="Data">The test data's name.</param>
/// <param name="ImpostorPairs">The number of impostor pairs.</param>
/// <param name="TarBefore">TAR at FAR 1e-4 of the student in TorchSharp; null where the impostor pairs are too few.</param>
/// <param name="IntervalBefore">Its 95% interval, [low, high]; null where there is none.</param>
/// <param name="TarAfter">TAR at FAR 1e-4 of the file.</param>
/// <param name="IntervalAfter">Its 95% interval.</param>
public sealed record ExportAccuracy(
    string Protocol,
    string Data,
    long ImpostorPairs,
    [property: JsonPropertyName("tarBeforeAt1e-4")] double? TarBefore,
    [property: JsonPropertyName("tarBeforeInterval95At1e-4")] IReadOnlyList<double>? IntervalBefore,
    [property: JsonPropertyName("tarAfterAt1e-4")] double? TarAfter,
    [property: JsonPropertyName("tarAfterInterval95At1e-4")] IReadOnlyList<double>? IntervalAfter)
{
    /// <summary>How much of the TAR is lost, in percentage points; negative where it rose.</summary>
    [JsonIgnore]
    public double? LossPoints => 100 * (TarBefore - TarAfter);

    /// <summary>Refuses a loss above a limit.</summary>
    /// <param name="points">The limit, percentage points; null for none.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">The loss is greater, or was not to be measured.</exception>
    public void Check(double? points, string path)
    {
        if (points is null)
        {
            return;
        }

        if (LossPoints is not { } loss)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{path} was not written: {Protocol} on {Data} has {ImpostorPairs:N0} impostor pairs, too few to measure a loss at FAR 1e-4; take more test "
                    + $"faces or leave out --max-loss"));
        }

        if (loss > points)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{path} was not written: TAR at 1e-4 falls from {100 * TarBefore:0.00}% to {100 * TarAfter:0.00}% by {Protocol} on {Data}, {loss:0.00} "
                    + $"points where --max-loss allows {points:0.##}"));
        }
    }
}
