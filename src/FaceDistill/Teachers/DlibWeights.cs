using System.Buffers.Binary;
using FaceDistill.Formats;

namespace FaceDistill.Teachers;

/// <summary>
/// dlib's face recognition weights as face-api publishes them: a TensorFlow.js weights manifest (JSON) and one binary file
/// with the tensors in the manifest's order, each float32 (little-endian) or uint8 with value = stored * scale + min.
/// </summary>
public sealed class DlibWeights
{
    private readonly Dictionary<string, DlibTensor> _tensors;

    private DlibWeights(string source, Dictionary<string, DlibTensor> tensors) => (Source, _tensors) = (source, tensors);

    /// <summary>The manifest's path, for messages.</summary>
    public string Source { get; }

    /// <summary>The names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Reads manifest and weights; the tensors must cover the binary file exactly.</summary>
    /// <exception cref="FaceDistillException">
    /// A file cannot be read, the manifest uses a storage other than the two above, or the sizes do not fit; the message names the file.
    /// </exception>
    public static DlibWeights Read(string manifestPath, string binPath)
    {
        IReadOnlyList<DlibManifestGroup> groups = JsonFile.Read<IReadOnlyList<DlibManifestGroup>>(manifestPath);
        if (groups is not [{ Paths.Count: 1 } group])
        {
            throw new FaceDistillException($"{manifestPath}: expected one group of weights in one file");
        }

        byte[] bytes = ReadBytes(binPath);
        CheckLength(manifestPath, binPath, group.Weights, bytes.LongLength);
        var tensors = new Dictionary<string, DlibTensor>(StringComparer.Ordinal);
        int offset = 0;
        foreach (DlibManifestEntry entry in group.Weights)
        {
            int length = (int)ByteCount(manifestPath, entry);
            if (!tensors.TryAdd(entry.Name, Decode(entry, bytes.AsSpan(offset, length))))
            {
                throw new FaceDistillException($"{manifestPath} lists {entry.Name} twice");
            }

            offset += length;
        }

        return new DlibWeights(manifestPath, tensors);
    }

    /// <summary>One tensor, which must have the given shape.</summary>
    /// <exception cref="FaceDistillException">There is no such tensor, or its shape is another; the message names the manifest.</exception>
    public DlibTensor Get(string name, params int[] shape)
    {
        if (!_tensors.TryGetValue(name, out DlibTensor? tensor))
        {
            throw new FaceDistillException($"{Source} has no tensor {name}: is it the face recognition model's manifest?");
        }

        return tensor.Shape.AsSpan().SequenceEqual(shape)
            ? tensor
            : throw new FaceDistillException($"{Source}: {name} has shape {Text(tensor.Shape)}, dlib's network needs {Text(shape)}");
    }

    private static void CheckLength(string manifestPath, string binPath, IReadOnlyList<DlibManifestEntry> entries, long length)
    {
        long end = 0;
        foreach (DlibManifestEntry entry in entries)
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

    private static long ByteCount(string manifestPath, DlibManifestEntry entry)
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
            _ => throw new FaceDistillException(
                $"{manifestPath}: {entry.Name} is stored as {entry.Quantization?.Dtype ?? entry.Dtype}, known are float32 and uint8-quantised float32"),
        };
    }

    private static DlibTensor Decode(DlibManifestEntry entry, ReadOnlySpan<byte> bytes)
    {
        float[] values = new float[bytes.Length / (entry.Quantization is null ? sizeof(float) : 1)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = entry.Quantization is { } q
                ? (float)(bytes[i] * q.Scale + q.Min)
                : BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        }

        return new DlibTensor(entry.Name, entry.Shape, values);
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
