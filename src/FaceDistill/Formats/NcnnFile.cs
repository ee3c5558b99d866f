using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Files;

namespace FaceDistill.Formats;

/// <summary>A layer of an ncnn network, with at most one input.</summary>
/// <param name="Type">Its type, by ncnn's name.</param>
/// <param name="Name">Its name.</param>
/// <param name="Input">The blob that it takes; null for a layer of type Input.</param>
/// <param name="Output">The blob that it gives.</param>
internal sealed record NcnnLayer(string Type, string Name, string? Input, string Output)
{
    /// <summary>Its parameters by the numbers of ncnn's operation-param-weight-table; those that are not there have their default.</summary>
    public SortedDictionary<int, string> Parameters { get; init; } = [];

    /// <summary>Its values in the order in which ncnn loads them.</summary>
    public IReadOnlyList<float[]> Weights { get; init; } = [];

    /// <summary>A whole-numbered parameter; ncnn's own default of those that students have is 0.</summary>
    public int Whole(int key, int otherwise = 0) => !Parameters.TryGetValue(key, out string? text) ? otherwise
        : InvariantNumber.Whole(text, out int value) ? value
        : throw new InvalidDataException($"the layer {Name} has the parameter {key}={text}, which is no whole number");

    /// <summary>How many values each of its arrays has, and whether four bytes before it say how they are stored (0: float32).</summary>
    public IReadOnlyList<(int Count, bool Tagged)> Arrays() => Type switch
    {
        "Convolution" or "ConvolutionDepthWise" => Whole(5) == 0 ? [(Whole(6), true)] : [(Whole(6), true), (Whole(0), false)],
        "InnerProduct" => Whole(1) == 0 ? [(Whole(2), true)] : [(Whole(2), true), (Whole(0), false)],
        "Scale" => Whole(1) == 0 ? [(Whole(0), false)] : [(Whole(0), false), (Whole(0), false)],
        "Normalize" => [(Whole(3), false)],
        "Input" or "Pooling" => [],
        _ => throw new InvalidDataException($"the layer {Name} is a {Type}, which students have not"),
    };
}

/// <summary>
/// A network of Tencent's ncnn and its files: the layers as text (X.ncnn.param) and their values (X.ncnn.bin), as ncnn's param-and-model-file-structure
/// and operation-param-weight-table say. ncnn has no place for what a file says of itself: that stands in X.ncnn.json, one text a name, with a checksum
/// of all three.
/// </summary>
internal sealed class NcnnNetwork
{
    /// <summary>How the names of the files with the layers end.</summary>
    public const string Ending = ".ncnn.param";

    /// <summary>The name of the checksum in X.ncnn.json.</summary>
    public const string ChecksumKey = "facedistill.checksum";

    private const int Magic = 7767517;

    /// <summary>The layers, in the order of computation.</summary>
    public IList<NcnnLayer> Layers { get; } = [];

    /// <summary>What the files say of themselves.</summary>
    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>SHA-256 of both files and of what they say of themselves, 64 hexadecimal digits.</summary>
    public string Checksum => Metadata[ChecksumKey];

    /// <summary>The files that belong to X.ncnn.param: X.ncnn.bin and X.ncnn.json.</summary>
    public static (string Bin, string Json) Companions(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return (Path.ChangeExtension(path, ".bin"), Path.ChangeExtension(path, ".json"));
    }

    /// <summary>Writes the three files, each whole or not at all, X.ncnn.param last.</summary>
    /// <exception cref="FaceDistillException">One cannot be written.</exception>
    public void Write(string path)
    {
        byte[] text = Encoding.UTF8.GetBytes(Text()), values = Values();
        Metadata[ChecksumKey] = ChecksumOf(text, values, Metadata);
        var (bin, json) = Companions(path);
        AtomicFile.Write(bin, values);
        JsonFile.Write(json, Metadata);
        AtomicFile.Write(path, text);
    }

    /// <summary>What X.ncnn.json says.</summary>
    /// <exception cref="FaceDistillException">It is missing or damaged.</exception>
    public static IReadOnlyDictionary<string, string> MetadataOf(string path)
    {
        string file = Whole(path).Json;
        var metadata = JsonFile.Read<SortedDictionary<string, string>>(file); // whose values the reader lets be null
        return metadata.FirstOrDefault(m => m.Value is null).Key is { } empty
            ? throw new FaceDistillException($"{file}: '{empty}' is null where a text is to stand; export the student again") : metadata;
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="FaceDistillException">A file is missing, was changed, belongs to another export or holds what students have not.</exception>
    public static NcnnNetwork Read(string path)
    {
        var (bin, json) = Whole(path);
        var network = new NcnnNetwork();
        foreach (var (name, text) in MetadataOf(path))
        {
            network.Metadata[name] = text;
        }

        try
        {
            byte[] text = FileBytes.Read(path), values = FileBytes.Read(bin);
            if (network.Metadata.GetValueOrDefault(ChecksumKey) != ChecksumOf(text, values, network.Metadata))
            {
                throw new InvalidDataException($"it, {Path.GetFileName(bin)} and {Path.GetFileName(json)} are not as one export wrote them (one was changed, "
                    + "or is of another export); export the student again");
            }

            network.Parse(Encoding.UTF8.GetString(text), values);
            return network;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path} and {bin}: {e.Message}", e);
        }
        catch (InvalidDataException e)
        {
            throw new FaceDistillException($"{path}: {e.Message}", e);
        }
    }

    private static (string Bin, string Json) Whole(string path)
    {
        var (bin, json) = Companions(path);
        string? missing = new[] { path, bin, json }.FirstOrDefault(f => !File.Exists(f));
        return missing is null ? (bin, json) : throw new FaceDistillException($"{path} belongs to {Path.GetFileName(bin)} and {Path.GetFileName(json)}, which "
            + $"'{Hints.Command} export' writes beside it, but there is no file {missing}; put the three into one folder");
    }

    /// <summary>The checksum of both files' bytes and what they say of themselves, its own entry left out.</summary>
    internal static string ChecksumOf(byte[] text, byte[] values, SortedDictionary<string, string> metadata)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(SHA256.HashData(text));
        hash.AppendData(SHA256.HashData(values));
        foreach (var (name, said) in metadata.Where(m => m.Key != ChecksumKey))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}|{said}\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private string Text()
    {
        var text = new StringBuilder(InvariantText.Of($"{Magic}\n{Layers.Count} {Layers.Count}\n")); // each layer gives one blob
        foreach (var layer in Layers)
        {
            string blobs = layer.Input is null ? $"0 1 {layer.Output}" : $"1 1 {layer.Input} {layer.Output}";
            text.Append($"{layer.Type,-20} {layer.Name,-13} {blobs}");
            text.AppendJoin("", layer.Parameters.Select(p => InvariantText.Of($" {p.Key}={p.Value}"))).Append('\n');
        }

        return text.ToString();
    }

    private byte[] Values()
    {
        using var values = new MemoryStream();
        foreach (var layer in Layers)
        {
            foreach (var ((count, tagged), array) in layer.Arrays().Zip(layer.Weights, (a, w) => (a, w)))
            {
                ArgumentOutOfRangeException.ThrowIfNotEqual(array.Length, count);
                values.Write(tagged ? [0, 0, 0, 0] : []);
                values.Write(MemoryMarshal.AsBytes<float>(array));
            }
        }

        return values.ToArray();
    }

    private void Parse(string text, byte[] values)
    {
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string count = InvariantText.Of($"{lines.Length - 2} {lines.Length - 2}");
        if (lines.Length < 3 || lines[0].Trim() != Magic.ToString(CultureInfo.InvariantCulture) || lines[1].Trim() != count)
        {
            throw new InvalidDataException($"it does not begin with ncnn's {Magic} and the number of its layers");
        }

        int at = 0;
        foreach (string line in lines.Skip(2))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            int blobs = words.Length > 4 && words[2] is "0" or "1" && words[3] == "1" ? words[2][0] - '0' : words.Length;
            if (words.Length < 5 + blobs)
            {
                throw new InvalidDataException($"'{ShownText.Of(line)}' is no layer of one input and one output");
            }

            var layer = new NcnnLayer(words[0], words[1], blobs == 0 ? null : words[4], words[4 + blobs]);
            foreach (string[] pair in words.Skip(5 + blobs).Select(w => w.Split('=', 2)))
            {
                if (pair.Length != 2 || !InvariantNumber.Count(pair[0], out int key)
                    || !layer.Parameters.TryAdd(key, pair[1]))
                {
                    throw new InvalidDataException($"'{ShownText.Of(line)}' has a parameter that is none, or one twice");
                }
            }

            Layers.Add(layer with { Weights = [.. layer.Arrays().Select(a => Array(values, ref at, a.Count, a.Tagged, layer.Name))] });
        }

        if (at != values.Length)
        {
            throw new InvalidDataException($"its .bin has {values.Length} bytes where its layers take {at}");
        }
    }

    private static float[] Array(byte[] values, ref int at, int count, bool tagged, string layer)
    {
        long bytes = (4L * count) + (tagged ? 4 : 0);
        if (count < 1 || bytes > values.Length - at)
        {
            throw new InvalidDataException($"its .bin ends within the values of the layer {layer}");
        }

        var span = values.AsSpan(at, (int)bytes);
        at += (int)bytes;
        return tagged && BinaryPrimitives.ReadUInt32LittleEndian(span) != 0
            ? throw new InvalidDataException($"the values of the layer {layer} are not float32")
            : MemoryMarshal.Cast<byte, float>(span[(tagged ? 4 : 0)..]).ToArray();
    }
}
