using System.Numerics.Tensors;
using FaceDistill.Faces;
using FaceDistill.Files;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace FaceDistill.Embeddings;

/// <summary>
/// Runs any FaceNet-style ONNX model: one picture input (floats of 32 or 16 bits, or bytes where the model scales them itself), one output
/// that is the embedding (the contract names it where there are others), fixed or dynamic batch. On the CPU each call computes on the calling thread, so that
/// callers use as many cores as they have threads; any other provider computes one call at a time.
/// </summary>
public sealed class OnnxEmbedder : IEmbedder, IFedByOne
{
    // Of an embedding's length. Kernels that add in another order differ by 1e-6, those of float16 and of 8 bits by 1e-3; a batch norm in training mode by a
    // tenth and more.
    private const double BatchTolerance = 5e-3;

    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly string _path;
    private readonly OnnxPictureInput _input;
    private readonly string _output;
    private readonly bool _sees;
    private readonly int _batch; // what a call takes at once; 0 for any number of faces
    private readonly Lock? _oneAtATime; // not on the CPU: DirectML bears no two calls at once, and no device is faster by them

    /// <summary>
    /// Loads a model, and checks on two made pictures that it fits its contract, comes to an end, and gives a face the same embedding alone and in a batch. One
    /// that takes any number of faces by its word, but runs with one only, is run with one at a time.
    /// </summary>
    /// <param name="name">The name shown in tables.</param>
    /// <param name="path">The .onnx file.</param>
    /// <param name="contract">What the model wants to see.</param>
    /// <param name="dimension">The expected embedding length; null to take the model's own.</param>
    /// <param name="provider">Where it is computed, as in <see cref="FaceEmbedder.Load"/>.</param>
    /// <param name="say">Told where the CPU takes the place of CUDA; null for nobody.</param>
    /// <exception cref="FaceDistillException">The file is missing, no ONNX model, its shapes do not fit the contract, it takes minutes for a face, a face's
    /// embedding depends on the others of its batch, or the provider is not installed or does not open.</exception>
    public OnnxEmbedder(
        string name, string path, ModelInputSpec contract, int? dimension = null, string provider = OnnxProviders.Auto, Action<string>? say = null)
        : this(name, path, contract, dimension, OnnxTrial.Limit, provider, say)
    {
    }

    /// <summary>The same with another limit of the trial's time.</summary>
    internal OnnxEmbedder(
        string name, string path, ModelInputSpec contract, int? dimension, TimeSpan limit, string provider = OnnxProviders.Cpu, Action<string>? say = null)
    {
        ArgumentNullException.ThrowIfNull(contract);
        (Name, _path, Contract) = (name, path, contract.Validated(path));
        Hash = OnnxModelFiles.Sha256(path);
        (_session, Provider) = OnnxSessions.Open(path, provider, say);
        _oneAtATime = Provider == OnnxProviders.Cpu ? null : new Lock();
        try
        {
            _input = OnnxPictureInput.Of(_session, Contract, path);
            _output = OutputOf(_session, Contract.Output, path);
            // a device compiles first
            (Dimension, _batch, _sees) = OnnxTrial.Run(path, Provider == OnnxProviders.Cpu ? limit : 5 * limit, run => Try(dimension, run));
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

    /// <summary>Where it is computed: cpu, cuda, directml, openvino or coreml.</summary>
    public string Provider { get; }

    int IFedByOne.FacesAtOnce => _batch == 1 ? 0 : OnnxProviders.FacesAtOnce(Provider);

    /// <summary>Refuses a model that gave two different pictures the very same embedding.</summary>
    /// <returns>The model itself.</returns>
    /// <exception cref="FaceDistillException">It did; it is disposed then.</exception>
    internal OnnxEmbedder Seeing()
    {
        if (_sees)
        {
            return this;
        }

        Dispose();
        throw new FaceDistillException($"{_path} gives two different pictures the very same embedding: it is dead, or its output does not depend on its input");
    }

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        EmbedRaw(faces, count, embeddings);
        Finish(embeddings[..(count * Dimension)], Dimension, Contract.NormalizeOutput, _path);
    }

    /// <summary>The same as the model gives them, whatever the contract says of their length.</summary>
    internal void EmbedRaw(float[] faces, int count, Span<float> embeddings)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentOutOfRangeException.ThrowIfLessThan(faces.Length, count * Contract.Values);
        int batch = _batch > 0 ? _batch : count;
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

        using var output = RunOnce(memory, batch, _run);
        var result = OnnxPictureInput.Floats(output);
        if (result.Length != batch * Dimension)
        {
            throw new FaceDistillException($"{_path} gave {result.Length} values for {batch} faces where {Dimension} a face are expected");
        }

        var rows = embeddings.Slice(start * Dimension, count * Dimension);
        result[..rows.Length].CopyTo(rows);
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

    private OrtValue RunOnce(Memory<float> faces, int batch, RunOptions run)
    {
        _oneAtATime?.Enter();
        try
        {
            using var input = _input.Value(faces, batch);
            return _session.Run(run, [_input.Name], [input], [_output])[0];
        }
        catch (OnnxRuntimeException e) when (!run.Terminate && e.Message.Contains("PRelu", StringComparison.Ordinal))
        {
            throw new FaceDistillException($"{_path} has PReLU slopes that do not fit its pictures, [C] where ONNX wants [C, 1, 1], as exports of MXNet do; "
                + $"'{Hints.Command} teachers add' writes it mended, with its card", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaceDistillException($"{_path} does not run: {e.Message.Split('\n')[0]}", e);
        }
        finally
        {
            _oneAtATime?.Exit();
        }
    }

    private static string OutputOf(InferenceSession session, string? named, string path)
    {
        string names = string.Join(", ", session.OutputNames);
        string output = named is null && session.OutputMetadata.Count != 1
            ? throw new FaceDistillException($"{path} has the outputs {names}; name the embedding's in the card's contract, as in \"output\": "
                + $"\"{session.OutputNames[0]}\", for FaceDistill will not guess")
            : named ?? session.OutputNames[0];
        return !session.OutputMetadata.TryGetValue(output, out var metadata)
            ? throw new FaceDistillException($"{path} has no output '{output}', which its contract names, but {names}")
            : metadata.IsTensor ? output
            : throw new FaceDistillException($"{path} gives {metadata.OnnxValueType}; an embedding is a tensor");
    }

    // Two made pictures through the model, each alone and both at once: the sure way to learn what it gives, and that a face's embedding is its own.
    private (int Dimension, int Batch, bool Sees) Try(int? expected, RunOptions run)
    {
        int values = Contract.Values, fewest = Math.Max(1, _input.FixedBatch), many = Math.Max(2, _input.FixedBatch);
        float[] face = MadePicture.Of(Contract, 0), other = MadePicture.Of(Contract, 1);
        float[] Alone(float[] picture) => [.. picture, .. new float[(fewest - 1) * values]]; // zeros, as where a fixed batch is not full
        float[] Among()
        {
            var faces = new float[many * values];
            for (int i = 0; i < many; i++)
            {
                (i < many - 1 ? other : face).CopyTo(faces, i * values);
            }

            return faces;
        }

        int dimension;
        float[] own;
        using (var output = RunOnce(Alone(face), fewest, run))
        {
            dimension = DimensionOf(output, fewest, expected);
            own = OnnxPictureInput.Floats(output)[..dimension].ToArray();
        }

        var both = _input.FixedBatch == 1 ? null : Batch(Among(), many, dimension, run);
        if (both is null)
        {
            Finish([.. own], dimension, Contract.NormalizeOutput, _path);
            return (dimension, 1, Batch(Alone(other), fewest, dimension, run) is not { } second || !second.AsSpan(0, dimension).SequenceEqual(own));
        }

        float[] among = both[^dimension..];
        double length = Math.Max(TensorPrimitives.Norm<float>(own), TensorPrimitives.Norm<float>(among));
        double difference = length == 0 ? 0 : TensorPrimitives.Distance<float>(own, among) / length;
        if (!(difference <= BatchTolerance) && (double.IsFinite(TensorPrimitives.Sum<float>(own)) || double.IsFinite(TensorPrimitives.Sum<float>(among))))
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{_path} gives a face another embedding among others than alone (they differ by {difference:0.0%} of its length): it was exported in "
                    + $"training mode, or mixes the faces of a batch; export it for inference (in PyTorch: model.eval())"));
        }

        Finish(own, dimension, Contract.NormalizeOutput, _path);
        return (dimension, _input.FixedBatch, !both.AsSpan(0, dimension).SequenceEqual(among));
    }

    // The faces' embeddings; null where a model that takes any batch by its word runs with one face only.
    private float[]? Batch(float[] faces, int count, int dimension, RunOptions run)
    {
        try
        {
            using var output = RunOnce(faces, count, run);
            var result = OnnxPictureInput.Floats(output);
            return result.Length == count * dimension && output.GetTensorTypeAndShape().Shape[0] == count ? result.ToArray() : null;
        }
        catch (FaceDistillException) when (_input.FixedBatch == 0 && !run.Terminate)
        {
            return null;
        }
    }

    private int DimensionOf(OrtValue output, int batch, int? expected)
    {
        var kind = output.GetTensorTypeAndShape();
        if (kind.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16))
        {
            throw new FaceDistillException($"{_path} gives {kind.ElementDataType} values; an embedding is Float or Float16");
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
