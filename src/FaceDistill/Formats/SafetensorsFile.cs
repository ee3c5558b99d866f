using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FaceDistill.Files;

namespace FaceDistill.Formats;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Type">The format's name of the element type: F32, I64, ...</param>
/// <param name="Shape">The shape; empty for a scalar.</param>
/// <param name="Data">The elements, little-endian, row-major.</param>
internal sealed record SafeTensor(string Type, long[] Shape, byte[] Data)
{
    /// <summary>Bytes of one element of each type that FaceDistill reads.</summary>
    internal static readonly IReadOnlyDictionary<string, int> ElementSizes = new Dictionary<string, int>
    {
        ["F64"] = 8, ["F32"] = 4, ["F16"] = 2, ["BF16"] = 2, ["I64"] = 8, ["I32"] = 4, ["I16"] = 2, ["I8"] = 1, ["U8"] = 1, ["BOOL"] = 1,
    };

    /// <summary>Makes a float32 tensor.</summary>
    public static SafeTensor Of(ReadOnlySpan<float> values, params long[] shape) =>
        new("F32", shape, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>The elements of a float32 tensor.</summary>
    /// <exception cref="FaceDistillException">The tensor is not float32.</exception>
    public float[] Floats() => Type == "F32"
        ? System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Data).ToArray()
        : throw new FaceDistillException($"a tensor is {Type} where F32 is expected");
}

/// <summary>
/// Reads and writes safetensors files: eight bytes of header length, a JSON header, the tensors' bytes without a gap
/// (the format's specification, Hugging Face safetensors). Reading trusts nothing: what FaceDistill writes carries a checksum over everything in it.
/// </summary>
internal static class SafetensorsFile
{
    private const int MaxHeader = 100_000_000; // the format's own limit
    private const string MetadataKey = "__metadata__";

    /// <summary>
    /// The metadata key of the checksum: SHA-256 over all other metadata and over name, type, shape and bytes of all tensors. Files of earlier versions, and
    /// of others, have none.
    /// </summary>
    public const string ChecksumKey = "facedistill.sha256";

    /// <summary>Writes tensors, in ordinal order of their names, and text metadata with their checksum; the file appears whole or not at all.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyDictionary<string, SafeTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var ordered = tensors.OrderBy(t => t.Key, StringComparer.Ordinal).ToList();
        byte[] header = Header(ordered, new Dictionary<string, string>(metadata) { [ChecksumKey] = Checksum(ordered, metadata) });
        AtomicFile.Write(path, stream =>
        {
            var length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in ordered)
            {
                stream.Write(tensor.Data);
            }
        });
    }

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="FaceDistillException">The file is missing, truncated, too long, its header does not describe it exactly, or it carries a checksum of
    /// something else.</exception>
    public static (Dictionary<string, SafeTensor> Tensors, Dictionary<string, string> Metadata) Read(string path) => Read(path, _ => { });

    /// <summary>As <see cref="Read(string)"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sha256">What it is known by, of the very bytes that were read: another process may put a new file in its place at any time.</param>
    /// <exception cref="FaceDistillException">As <see cref="Read(string)"/>.</exception>
    public static (Dictionary<string, SafeTensor> Tensors, Dictionary<string, string> Metadata) Read(string path, out string sha256)
    {
        string hash = "";
        var read = Read(path, file =>
        {
            file.Position = 0;
            hash = Convert.ToHexStringLower(SHA256.HashData(file));
        });
        sha256 = hash;
        return read;
    }

    private static (Dictionary<string, SafeTensor> Tensors, Dictionary<string, string> Metadata) Read(string path, Action<FileStream> parsed)
    {
        try
        {
            using var file = File.OpenRead(path);
            var (tensors, metadata) = Parse(file);
            parsed(file);
            return !metadata.TryGetValue(ChecksumKey, out string? sum) || sum == Checksum([.. tensors], metadata) ? (tensors, metadata)
                : throw new FaceDistillException(
                    $"{path} was changed or damaged after it was written: its checksum is of something else; bring back a copy, or make it again");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException
            or InvalidOperationException or KeyNotFoundException or InvalidDataException)
        {
            string why = e is IOException or UnauthorizedAccessException or InvalidDataException ? e.Message : "its header is no JSON that lists tensors";
            throw new FaceDistillException($"{path} is not a whole safetensors file: {why}", e);
        }
    }

    // In ordinal order, each part with its length before it, so that no two contents make one text.
    private static string Checksum(IEnumerable<KeyValuePair<string, SafeTensor>> tensors, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = new byte[8];
        void Add(ReadOnlySpan<byte> part)
        {
            BinaryPrimitives.WriteInt64LittleEndian(length, part.Length);
            hash.AppendData(length);
            hash.AppendData(part);
        }

        foreach (var (key, value) in metadata.Where(m => m.Key != ChecksumKey).OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            Add(Encoding.UTF8.GetBytes(key));
            Add(Encoding.UTF8.GetBytes(value));
        }

        foreach (var (name, tensor) in tensors.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            Add(Encoding.UTF8.GetBytes(name));
            Add(Encoding.UTF8.GetBytes(InvariantText.Of($"{tensor.Type} [{string.Join(", ", tensor.Shape)}]")));
            Add(tensor.Data);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Header(List<KeyValuePair<string, SafeTensor>> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WritePropertyName(MetadataKey);
            JsonSerializer.Serialize(json, metadata.OrderBy(m => m.Key, StringComparer.Ordinal).ToDictionary());
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                json.WritePropertyName(name);
                long end = offset + tensor.Data.Length;
                JsonSerializer.Serialize(json, new { dtype = tensor.Type, shape = tensor.Shape, data_offsets = new[] { offset, end } });
                offset = end;
            }

            json.WriteEndObject();
        }

        int padded = ((int)buffer.Length + 7) / 8 * 8; // the data starts at a multiple of eight
        byte[] header = [.. buffer.ToArray(), .. Enumerable.Repeat((byte)' ', padded - (int)buffer.Length)];
        return header;
    }

    // Tensor by tensor: a checkpoint may be longer than an array can be.
    private static (Dictionary<string, SafeTensor>, Dictionary<string, string>) Parse(Stream file)
    {
        var prefix = new byte[8];
        long length = file.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8 ? -1 : BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length < 2 || length > MaxHeader || length > file.Length - 8)
        {
            throw new InvalidDataException($"a header of {length} bytes in a file of {file.Length}");
        }

        var text = new byte[length];
        file.ReadExactly(text);
        using var header = JsonDocument.Parse(text);
        long dataLength = file.Length - 8 - length;
        var metadata = new Dictionary<string, string>();
        var described = new Dictionary<string, (string Type, long[] Shape, long Start, long End)>();
        foreach (var entry in header.RootElement.EnumerateObject())
        {
            if (entry.Name == MetadataKey)
            {
                metadata = entry.Value.Deserialize<Dictionary<string, string>>() ?? [];
                if (metadata.FirstOrDefault(m => m.Value is null).Key is { } empty)
                {
                    throw new InvalidDataException($"its metadata's '{empty}' is null where a text is to stand");
                }
            }
            else if (!described.TryAdd(entry.Name, Describe(entry, dataLength)))
            {
                throw new InvalidDataException($"two tensors named {entry.Name}");
            }
        }

        RequireWithoutGaps([.. described.Values.Select(t => (t.Start, t.End))], dataLength);
        var tensors = new Dictionary<string, SafeTensor>();
        foreach (var (name, (type, shape, start, end)) in described.OrderBy(t => (t.Value.Start, t.Value.End))) // as they stand in the file
        {
            var data = new byte[end - start];
            file.ReadExactly(data);
            tensors.Add(name, new SafeTensor(type, shape, data));
        }

        return (tensors, metadata);
    }

    private static (string Type, long[] Shape, long Start, long End) Describe(JsonProperty entry, long dataLength)
    {
        string type = entry.Value.GetProperty("dtype").GetString() ?? "";
        long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(v => v.GetInt64())];
        long[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(v => v.GetInt64())];
        if (!SafeTensor.ElementSizes.TryGetValue(type, out int size))
        {
            throw new InvalidDataException($"{entry.Name} has the unknown type {type}");
        }

        bool fits = offsets.Length == 2 && offsets[0] >= 0 && offsets[1] >= offsets[0] && offsets[1] <= dataLength && shape.All(d => d >= 0);
        // In double, which is exact below 2^53, more than a disk holds, and does not overflow.
        if (!fits || shape.Aggregate((double)size, (a, b) => a * b) != offsets[1] - offsets[0])
        {
            throw new InvalidDataException(
                $"{entry.Name} of shape [{string.Join(", ", shape)}] does not fit its bytes {string.Join("..", offsets)} of {dataLength}");
        }

        return offsets[1] - offsets[0] <= Array.MaxLength ? (type, shape, offsets[0], offsets[1])
            : throw new InvalidDataException($"{entry.Name} has {offsets[1] - offsets[0]} bytes, more than the {Array.MaxLength} of one tensor that are read");
    }

    private static void RequireWithoutGaps(List<(long Start, long End)> ranges, long length)
    {
        long at = 0;
        foreach (var (start, end) in ranges.Order())
        {
            at = start == at ? end : throw new InvalidDataException($"the tensors' bytes have a gap or overlap at {at}");
        }

        if (at != length)
        {
            throw new InvalidDataException($"{length - at} bytes belong to no tensor");
        }
    }
}
