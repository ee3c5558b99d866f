using System.Numerics.Tensors;
using FaceDistill.Faces;
using FaceDistill.Files;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Embeddings;

/// <summary>
/// Runs any FaceNet-style ONNX model: one picture input (floats, or bytes where the model scales them itself), one embedding output, fixed or
/// dynamic batch. Each call computes on the
/// calling thread, so that callers use as many cores as they have threads.
/// </summary>
public sealed class OnnxEmbedder : IEmbedder
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly string _path;
    private readonly OnnxPictureInput _input;
    private readonly string _output;

    /// <summary>Loads a model and checks that it fits its contract.</summary>
    /// <param name="name">The name shown in tables.</param>
    /// <param name="path">The .onnx file.</param>
    /// <param name="contract">What the model wants to see.</param>
    /// <param name="dimension">The expected embedding length; null to take the model's own.</param>
    /// <exception cref="FaceDistillException">The file is missing, no ONNX model, or its shapes do not fit the contract.</exception>
    public OnnxEmbedder(string name, string path, ModelInputSpec contract, int? dimension = null)
    {
        ArgumentNullException.ThrowIfNull(contract);
        (Name, _path, Contract) = (name, path, contract.Validated(path));
        Hash = FileHash.Sha256(path);
        _session = OnnxSessions.Open(path);
        try
        {
            _input = OnnxPictureInput.Of(_session, Contract, path);
            _output = _session.OutputNames.Count == 1 ? _session.OutputNames[0] : throw new FaceDistillException(
                $"{path} has the outputs {string.Join(", ", _session.OutputNames)}; export it with the embedding alone, for FaceDistill will not guess");
            Dimension = Probe(dimension);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public ModelInputSpec Contract { get; }

    /// <inheritdoc/>
    public int Dimension { get; }

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentOutOfRangeException.ThrowIfLessThan(faces.Length, count * Contract.Values);
        int batch = _input.FixedBatch > 0 ? _input.FixedBatch : count;
        for (int start = 0; start < count; start += batch)
        {
            EmbedBatch(faces, start, Math.Min(batch, count - start), batch, embeddings);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }

    private void EmbedBatch(float[] faces, int start, int count, int batch, Span<float> embeddings)
    {
        int values = Contract.Values;
        var memory = new Memory<float>(faces, start * values, count * values);
        if (count < batch)
        {
            var padded = new float[batch * values];
            memory.CopyTo(padded);
            memory = padded;
        }

        using var output = RunOnce(memory, batch);
        var result = output.GetTensorDataAsSpan<float>();
        if (result.Length != batch * Dimension)
        {
            throw new FaceDistillException($"{_path} gave {result.Length} values for {batch} faces where {Dimension} a face are expected");
        }

        var rows = embeddings.Slice(start * Dimension, count * Dimension);
        result[..rows.Length].CopyTo(rows);
        Finish(rows, Dimension, Contract.NormalizeOutput, _path);
    }

    /// <summary>Refuses what is not finite and brings rows to unit length where asked.</summary>
    /// <param name="rows">float32 [n, dimension], changed in place.</param>
    /// <param name="dimension">The length of a row.</param>
    /// <param name="normalize">Whether to divide each row by its Euclidean length.</param>
    /// <param name="model">The model's file, for the message.</param>
    /// <exception cref="FaceDistillException">A value is NaN or infinite, or a row to normalise is zero.</exception>
    internal static void Finish(Span<float> rows, int dimension, bool normalize, string model)
    {
        for (int start = 0; start < rows.Length; start += dimension)
        {
            var row = rows.Slice(start, dimension);
            float norm = TensorPrimitives.Norm<float>(row);
            if (!float.IsFinite(norm) || (normalize && norm == 0))
            {
                throw new FaceDistillException($"{model} gave an embedding of {(norm == 0 ? "zeros" : "NaN or infinity")}; the model or its contract is wrong");
            }

            if (normalize)
            {
                TensorPrimitives.Divide(row, norm, row);
            }
        }
    }

    private OrtValue RunOnce(Memory<float> faces, int batch)
    {
        try
        {
            using var input = _input.Value(faces, batch);
            return _session.Run(_run, [_input.Name], [input], [_output])[0];
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaceDistillException($"{_path} does not run: {e.Message.Split('\n')[0]}", e);
        }
    }

    // A grey picture through the model: the sure way to learn what it gives.
    private int Probe(int? expected)
    {
        int batch = Math.Max(1, _input.FixedBatch);
        using var output = RunOnce(new float[batch * Contract.Values], batch);
        var kind = output.GetTensorTypeAndShape();
        if (kind.ElementDataType != Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float)
        {
            throw new FaceDistillException($"{_path} gives {kind.ElementDataType} values; an embedding is Float, 32 bits");
        }

        long[] shape = kind.Shape;
        long dimension = shape.Aggregate(1L, (a, b) => a * b) / batch;
        if (shape.Length < 2 || shape[0] != batch || dimension is < 2 or > 65536)
        {
            throw new FaceDistillException($"{_path} gives [{string.Join(", ", shape)}] for {batch} faces; an embedding is [{batch}, D]");
        }

        return expected is null || expected == dimension ? (int)dimension
            : throw new FaceDistillException($"{_path} gives embeddings of {dimension} values where its card says {expected}");
    }
}

/// <summary>The one input of a face model: its name, whether its batch is fixed, and whether it takes floats or the picture's bytes.</summary>
internal sealed class OnnxPictureInput
{
    private readonly ModelInputSpec _contract;
    private readonly bool _bytes;

    private OnnxPictureInput(string name, int fixedBatch, bool bytes, ModelInputSpec contract) =>
        (Name, FixedBatch, _bytes, _contract) = (name, fixedBatch, bytes, contract);

    /// <summary>The input's name.</summary>
    public string Name { get; }

    /// <summary>The batch that the model was made for; 0 where it takes any.</summary>
    public int FixedBatch { get; }

    /// <summary>Finds a model's input and checks that it fits the contract.</summary>
    /// <exception cref="FaceDistillException">There is not one input, or it has another type or shape; the message names both.</exception>
    public static OnnxPictureInput Of(InferenceSession session, ModelInputSpec contract, string path)
    {
        if (session.InputMetadata.Count != 1)
        {
            throw new FaceDistillException($"{path} has {session.InputMetadata.Count} inputs; a face model has one, a picture");
        }

        var (name, metadata) = session.InputMetadata.Single();
        int[] shape = metadata.Dimensions;
        int size = contract.Size;
        int[] wanted = contract.Layout == TensorLayout.Nchw ? [-1, 3, size, size] : [-1, size, size, 3];
        bool bytes = metadata.ElementType == typeof(byte);
        bool fits = (bytes || metadata.ElementType == typeof(float)) && shape.Length == 4
            && Enumerable.Range(1, 3).All(i => shape[i] <= 0 || shape[i] == wanted[i]);
        if (!fits)
        {
            throw new FaceDistillException(
                $"{path} takes {metadata.ElementType.Name} [{string.Join(", ", shape)}] but its contract says Single [{string.Join(", ", wanted)}] "
                    + $"({contract.Layout}); correct size or layout in the card");
        }

        // Scaled values are no bytes any more: cutting them off would pass unnoticed.
        bool unscaled = !contract.PerImageStandardisation && contract.Mean.All(m => m == 0) && contract.Std.All(s => s == 1);
        return !bytes || unscaled ? new OnnxPictureInput(name, Math.Max(0, shape[0]), bytes, contract)
            : throw new FaceDistillException($"{path} takes Byte values, 0 to 255, but its contract scales them; give mean 0 and std 1 in the card");
    }

    /// <summary>The tensor that the model takes.</summary>
    /// <param name="faces">float32 [batch, Contract.Values], filled by <see cref="FaceTensor.Fill"/>; must stay alive and unchanged while the value is
    /// used.</param>
    /// <param name="batch">The number of faces.</param>
    public OrtValue Value(Memory<float> faces, int batch)
    {
        int size = _contract.Size;
        long[] shape = _contract.Layout == TensorLayout.Nchw ? [batch, 3, size, size] : [batch, size, size, 3];
        return _bytes ? OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, Bytes(faces.Span), shape)
            : OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, faces, shape);
    }

    private static Memory<byte> Bytes(ReadOnlySpan<float> values)
    {
        var bytes = new byte[values.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)values[i];
        }

        return bytes;
    }
}
