using FaceDistill.Faces;
using FaceDistill.Teachers;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace FaceDistill.Export;

/// <summary>A model file ready to be run over and over on one picture of noise, for its time alone. May be run from several threads at once.</summary>
public sealed class BenchSession : IDisposable
{
    private const int Seed = 1;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtValue _input;
    private readonly string _name;
    private readonly string _path;

    /// <summary>Loads a model; each run computes on the calling thread.</summary>
    /// <param name="path">Any model file with one input that ONNX Runtime loads.</param>
    /// <param name="contract">Gives the picture's size where the model leaves it open; null where it is not known.</param>
    /// <exception cref="FaceDistillException">The file is no model, has several inputs, or an input of open size or another type than float32, float16 or uint8.</exception>
    public BenchSession(string path, FaceContract? contract)
        : this(path, contract, null)
    {
    }

    /// <summary>Loads a model with other options than those of a measurement.</summary>
    internal BenchSession(string path, FaceContract? contract, SessionOptions? options)
    {
        _path = path;
        _session = options is null ? OnnxTeacher.Open(path) : new InferenceSession(path, options);
        try
        {
            var (name, metadata) = _session.InputMetadata.Count == 1 ? _session.InputMetadata.Single()
                : throw new FaceDistillException($"{path} has {_session.InputMetadata.Count} inputs; one that is to be measured has one, a picture");
            _name = name;
            _input = Noise(metadata.ElementDataType, Shape(metadata.Dimensions, contract));
        }
        catch
        {
            _session.Dispose();
            _run.Dispose();
            throw;
        }
    }

    /// <summary>Runs the model once: batch 1.</summary>
    /// <exception cref="FaceDistillException">It does not run.</exception>
    public void Run()
    {
        try
        {
            using var outputs = _session.Run(_run, [_name], [_input], _session.OutputNames);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaceDistillException($"{_path} does not run: {e.Message.Split('\n')[0]}", e);
        }
    }

    /// <summary>Ends the profile that the options asked for.</summary>
    /// <returns>The profile's file.</returns>
    internal string EndProfiling() => _session.EndProfiling();

    /// <inheritdoc/>
    public void Dispose()
    {
        _input.Dispose();
        _run.Dispose();
        _session.Dispose();
    }

    private long[] Shape(int[] shape, FaceContract? contract)
    {
        int size = contract?.Size ?? 0;
        int[] known = contract?.Layout == TensorLayout.Nhwc ? [1, size, size, 3] : [1, 3, size, size];
        long[] whole = [.. shape.Select((side, axis) => side > 0 ? side : axis == 0 ? 1L : contract is not null && shape.Length == 4 ? known[axis] : 0)];
        return !whole.Contains(0) ? whole : throw new FaceDistillException(
            $"{_path} leaves the size of its input open, [{string.Join(", ", shape)}]; write a card for it and give teacher:CARD.json");
    }

    private OrtValue Noise(TensorElementType type, long[] shape)
    {
        var random = new Random(Seed);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (2 * random.NextSingle()) - 1;
        }

        return type switch
        {
            TensorElementType.Float => OrtValue.CreateTensorValueFromMemory(values, shape),
            TensorElementType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (Float16)v), shape),
            TensorElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (byte)(127.5f + (127 * v))), shape),
            _ => throw new FaceDistillException($"{_path} takes {type} values; float32, float16 or uint8 pictures can be measured"),
        };
    }
}
