using System.Buffers;
using System.Numerics.Tensors;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Stores;
using MathNet.Numerics.LinearAlgebra;
using static TorchSharp.torch;

namespace FaceDistill.Training.Batches;

/// <summary>
/// A linear map from the teacher's space into a smaller one, for a student with a shorter embedding: the principal axes of the teacher's embeddings.
/// The axes are those of the uncentred second moment E[t t'], because scores are inner products of whole embeddings, their mean included:
/// of all rank-d maps it changes the matrix of inner products least (Eckart and Young, "The approximation of one matrix by another of lower rank", 1936).
/// </summary>
/// <param name="Matrix">float32 [To, From], row-major, orthonormal rows.</param>
/// <param name="From">The teacher's dimension.</param>
/// <param name="To">The student's dimension.</param>
/// <param name="Kept">The part of the embeddings' mean squared length that the map keeps, 0 to 1.</param>
internal sealed record Projector(float[] Matrix, int From, int To, double Kept)
{
    /// <summary>The file's name in a run folder: tensor "projection", float32 [To, From].</summary>
    public const string FileName = "projector.safetensors";

    private const int Rows = 8192; // at once, in float64

    /// <summary>Finds the axes.</summary>
    /// <param name="teacher">The teacher's embeddings.</param>
    /// <param name="faces">Of which faces.</param>
    /// <param name="dimension">The student's dimension, below the teacher's.</param>
    /// <exception cref="FaceDistillException">The dimension is not below the teacher's, or there are fewer faces than dimensions.</exception>
    public static Projector Fit(IEmbeddingRows teacher, IReadOnlyList<int> faces, int dimension)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(faces);
        int from = teacher.Dimension;
        if (dimension >= from)
        {
            throw new FaceDistillException($"a student's embedding is at most as long as its teacher's: --dimension {dimension}, {teacher.Name} has {from}");
        }

        if (faces.Count < dimension)
        {
            throw new FaceDistillException($"{faces.Count} faces cannot show {dimension} directions; add faces, or lower --dimension");
        }

        var evd = SecondMoment(teacher, faces).Evd(Symmetricity.Symmetric);
        var matrix = new float[dimension * from];
        for (int k = 0; k < dimension; k++)
        {
            var axis = evd.EigenVectors.Column(from - 1 - k); // eigenvalues come in rising order
            double sign = axis[axis.AbsoluteMaximumIndex()] < 0 ? -1 : 1; // an axis has no sign of its own
            for (int i = 0; i < from; i++)
            {
                matrix[(k * from) + i] = (float)(sign * axis[i]);
            }
        }

        var values = evd.EigenValues.Select(v => Math.Max(0, v.Real)).ToArray();
        return new Projector(matrix, from, dimension, values.TakeLast(dimension).Sum() / values.Sum());
    }

    /// <summary>Maps one embedding, which gives the same to the last bit wherever it lies and whatever is mapped beside it.</summary>
    /// <param name="embedding">float32 [From].</param>
    /// <param name="projected">Receives float32 [To].</param>
    public void Apply(ReadOnlySpan<float> embedding, Span<float> projected)
    {
        for (int k = 0; k < To; k++)
        {
            projected[k] = TensorPrimitives.Dot(Matrix.AsSpan(k * From, From), embedding[..From]);
        }
    }

    /// <summary>Numbers along another projector's axes as numbers along these, M M_other' x: the same of what lies in the space of both.</summary>
    /// <param name="other">The other one, from the same teacher's space.</param>
    /// <param name="columns">[other.To, n], row-major: n vectors.</param>
    /// <returns>[To, n].</returns>
    public float[] Turned(Projector other, float[] columns)
    {
        static Matrix<double> Dense(float[] values, int rows) =>
            Matrix<double>.Build.DenseOfRowMajor(rows, values.Length / rows, values.Select(v => (double)v));
        var turned = Dense(Matrix, To).TransposeAndMultiply(Dense(other.Matrix, other.To)) * Dense(columns, other.To);
        return [.. turned.ToRowMajorArray().Select(v => (float)v)];
    }

    /// <summary>Writes it into a run folder.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="teacher">The teacher's name.</param>
    /// <param name="hash">The teacher's SHA-256.</param>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public void Write(string folder, string teacher, string hash) => SafetensorsFile.Write(
        Path.Combine(folder, FileName),
        new Dictionary<string, SafeTensor> { ["projection"] = SafeTensor.Of(Matrix, To, From) },
        new Dictionary<string, string> { ["teacher"] = teacher, ["teacher_sha256"] = hash, ["kept"] = InvariantText.Of($"{Kept:0.000000}") });

    /// <summary>Reads that of a run folder.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="from">The teacher's dimension.</param>
    /// <param name="to">The student's dimension.</param>
    /// <exception cref="FaceDistillException">The file is missing, damaged, or between other dimensions.</exception>
    public static Projector Read(string folder, int from, int to) => Find(folder, from, to) ?? throw new FaceDistillException(
        $"{Path.Combine(folder, FileName)} holds no projection from {from} to {to} dimensions; put the run's own back, or choose another --output");

    /// <summary>That of a run folder; null where the file holds none between these dimensions, or is not there.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="from">The teacher's dimension.</param>
    /// <param name="to">The student's dimension.</param>
    /// <exception cref="FaceDistillException">The file is damaged.</exception>
    public static Projector? Find(string folder, int from, int to)
    {
        string path = Path.Combine(folder, FileName);
        var (tensors, metadata) = File.Exists(path) ? SafetensorsFile.Read(path) : ([], []);
        return tensors.GetValueOrDefault("projection") is { Type: "F32" } projection && projection.Shape.SequenceEqual([to, (long)from])
            && InvariantNumber.Real(metadata.GetValueOrDefault("kept"), out double kept) ? new Projector(projection.Floats(), from, to, kept) : null;
    }

    private static Matrix<double> SecondMoment(IEmbeddingRows teacher, IReadOnlyList<int> faces)
    {
        TorchNative.EnsureLoaded();
        int d = teacher.Dimension;
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var sum = zeros(d, d, ScalarType.Float64);
        for (int at = 0; at < faces.Count; at += Rows)
        {
            var values = new float[Math.Min(Rows, faces.Count - at) * d];
            for (int i = 0; i < values.Length / d; i++)
            {
                teacher.Read(faces[at + i], values.AsSpan(i * d, d));
            }

            using var round = NewDisposeScope();
            var part = tensor(values, [values.Length / d, d]).to(ScalarType.Float64);
            sum.Add(part.t().matmul(part));
        }

        return Matrix<double>.Build.Dense(d, d, sum.data<double>().ToArray()) / faces.Count;
    }
}

/// <summary>A teacher's embeddings seen through a projector, each when it is read.</summary>
/// <param name="teacher">The teacher's.</param>
/// <param name="projector">The map from its space.</param>
internal sealed class ProjectedRows(IEmbeddingRows teacher, Projector projector) : IEmbeddingRows
{
    /// <inheritdoc/>
    public string Name => teacher.Name;

    /// <inheritdoc/>
    public int Dimension => projector.To;

    /// <inheritdoc/>
    public int Count => teacher.Count;

    /// <inheritdoc/>
    public bool IsNone => teacher.IsNone;

    /// <inheritdoc/>
    public bool AreOf(IReadOnlyList<FaceImage> faces) => teacher.AreOf(faces);

    /// <inheritdoc/>
    public void Read(int index, Span<float> row)
    {
        float[] whole = ArrayPool<float>.Shared.Rent(projector.From);
        teacher.Read(index, whole.AsSpan(0, projector.From));
        projector.Apply(whole, row);
        ArrayPool<float>.Shared.Return(whole);
    }
}

/// <summary>A teacher seen through a projector: what a student with a shorter embedding learns from while it trains.</summary>
/// <param name="teacher">The teacher; not disposed here.</param>
/// <param name="projector">The map from its space.</param>
internal sealed class ProjectedTeacher(IEmbedder teacher, Projector projector) : IEmbedder
{
    /// <inheritdoc/>
    public string Name => teacher.Name;

    /// <inheritdoc/>
    public string Hash => teacher.Hash;

    /// <inheritdoc/>
    public ModelInputSpec Contract => teacher.Contract;

    /// <inheritdoc/>
    public int Dimension => projector.To;

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        var whole = new float[count * teacher.Dimension];
        teacher.Embed(faces, count, whole);
        for (int i = 0; i < count; i++)
        {
            projector.Apply(whole.AsSpan(i * teacher.Dimension, teacher.Dimension), embeddings.Slice(i * Dimension, Dimension));
        }
    }

    /// <summary>Nothing of its own to free.</summary>
    public void Dispose()
    {
    }
}
