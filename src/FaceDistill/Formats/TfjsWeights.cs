using System.Buffers.Binary;
using System.Text.Json;
using FaceDistill.Files;

namespace FaceDistill.Formats;

/// <summary>
/// Weights in TensorFlow.js's format: a manifest (a JSON file of its own, or a part of a graph model's model.json) and one binary file
/// with the tensors in the manifest's order, each float32 (little-endian) or uint8 with value = stored * scale + min. Whole numbers
/// (int32), the constants of a graph, are read over.
/// </summary>
internal sealed class TfjsWeights
{
    private readonly Dictionary<string, TfjsTensor> _tensors;

    private TfjsWeights(string source, string network, Dictionary<string, TfjsTensor> tensors) => (Source, Network, _tensors) = (source, network, tensors);

    /// <summary>The manifest's path, for messages.</summary>
    public string Source { get; }

    /// <summary>The network that they are to be those of, for messages.</summary>
    public string Network { get; }

    /// <summary>The names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Reads manifest and weights; the tensors must cover the binary file exactly.</summary>
    /// <param name="manifestPath">The manifest, or a graph model's model.json.</param>
    /// <param name="binPath">The binary file.</param>
    /// <param name="network">The network that they are to be those of, for messages, for example "dlib's network".</param>
    /// <exception cref="FaceDistillException">
    /// A file cannot be read, the manifest uses a storage other than the two above, or the sizes do not fit; the message names the file.
    /// </exception>
    public static TfjsWeights Read(string manifestPath, string binPath, string network)
    {
        IReadOnlyList<TfjsManifestGroup> groups = Groups(manifestPath);
        if (groups is not [{ Paths.Count: 1 } group])
        {
            throw new FaceDistillException($"{manifestPath}: expected one group of weights in one file");
        }

        byte[] bytes = ReadBytes(binPath);
        CheckLength(manifestPath, binPath, group.Weights, bytes.LongLength);
        var tensors = new Dictionary<string, TfjsTensor>(StringComparer.Ordinal);
        int offset = 0;
        foreach (TfjsManifestEntry entry in group.Weights)
        {
            int length = (int)ByteCount(manifestPath, entry);
            if (!IsWhole(entry) && !tensors.TryAdd(entry.Name, Decode(entry, bytes.AsSpan(offset, length))))
            {
                throw new FaceDistillException($"{manifestPath} lists {entry.Name} twice");
            }

            offset += length;
        }

        return new TfjsWeights(manifestPath, network, tensors);
    }

    /// <summary>One tensor, which must have the given shape.</summary>
    /// <exception cref="FaceDistillException">There is no such tensor, or its shape is another; the message names the manifest.</exception>
    public TfjsTensor Get(string name, params int[] shape)
    {
        if (!_tensors.TryGetValue(name, out TfjsTensor? tensor))
        {
            throw new FaceDistillException($"{Source} has no tensor {name}, which {Network} needs: it describes another model");
        }

        return tensor.Shape.AsSpan().SequenceEqual(shape)
            ? tensor
            : throw new FaceDistillException($"{Source}: {name} has shape {Text(tensor.Shape)}, {Network} needs {Text(shape)}");
    }

    private static IReadOnlyList<TfjsManifestGroup> Groups(string path)
    {
        var json = JsonFile.Read<JsonElement>(path);
        if (json.ValueKind != JsonValueKind.Object)
        {
            return JsonFile.Read<IReadOnlyList<TfjsManifestGroup>>(path);
        }

        return json.TryGetProperty("weightsManifest", out var manifest)
            ? JsonFile.Parse<IReadOnlyList<TfjsManifestGroup>>(manifest.GetRawText(), $"{path}, weightsManifest,")
            : throw new FaceDistillException($"{path} has no weightsManifest: it is no model of TensorFlow.js");
    }

    private static bool IsWhole(TfjsManifestEntry entry) => entry is { Dtype: "int32", Quantization: null };

    private static void CheckLength(string manifestPath, string binPath, IReadOnlyList<TfjsManifestEntry> entries, long length)
    {
        long end = 0;
        foreach (TfjsManifestEntry entry in entries)
        {
            end = checked(end + ByteCount(manifestPath, entry));
            if (end > length)
            {
                throw new FaceDistillException(
                    $"{binPath} holds {length} bytes and ends within {entry.Name}, which ends at byte {end}: download it again");
            }
        }

        if (end < length)
        {
            throw new FaceDistillException($"{binPath} holds {length} bytes, {length - end} more than {manifestPath} describes: download both again");
        }
    }

    private static long ByteCount(string manifestPath, TfjsManifestEntry entry)
    {
        long count = 1;
        foreach (int dim in entry.Shape)
        {
            // A product beyond any file's size ends here, before it can overflow.
            if (dim < 1 || (count *= dim) > int.MaxValue)
            {
                throw new FaceDistillException($"{manifestPath}: {entry.Name} has the impossible shape {Text(entry.Shape)}");
            }
        }

        return (entry.Dtype, entry.Quantization?.Dtype) switch
        {
            ("float32", null) => count * sizeof(float),
            ("float32", "uint8") => count,
            ("int32", null) => count * sizeof(int),
            _ => throw new FaceDistillException(
                $"{manifestPath}: {entry.Name} is stored as {entry.Quantization?.Dtype ?? entry.Dtype}, known are float32, uint8-quantised float32 and int32"),
        };
    }

    private static TfjsTensor Decode(TfjsManifestEntry entry, ReadOnlySpan<byte> bytes)
    {
        float[] values = new float[bytes.Length / (entry.Quantization is null ? sizeof(float) : 1)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = entry.Quantization is { } q
                ? (float)(bytes[i] * q.Scale + q.Min)
                : BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        }

        return new TfjsTensor(entry.Name, entry.Shape, values);
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }
    }

    private static string Text(int[] shape) => $"[{string.Join(", ", shape)}]";
}

/// <summary>A group of tensors in a TensorFlow.js weights manifest, stored one after the other in the given files.</summary>
internal sealed record TfjsManifestGroup(IReadOnlyList<TfjsManifestEntry> Weights, IReadOnlyList<string> Paths);

/// <summary>One tensor: its name, shape, and how it is stored.</summary>
internal sealed record TfjsManifestEntry(string Name, int[] Shape, string Dtype, TfjsQuantization? Quantization = null);

/// <summary>Linear quantisation: value = stored * scale + min.</summary>
internal sealed record TfjsQuantization(string Dtype, double Scale, double Min);

/// <summary>One tensor as the weight file has it, dequantised.</summary>
/// <param name="Name">Its path in the network, such as "conv32_1/conv1/conv/filters".</param>
/// <param name="Shape">Its shape; convolution filters are [height, width, in, out], depthwise ones [height, width, channels, 1].</param>
/// <param name="Values">float32, row-major.</param>
internal sealed record TfjsTensor(string Name, int[] Shape, float[] Values);
