using System.Security.Cryptography;
using System.Text;
using FaceDistill.Files;

namespace FaceDistill.Embeddings;

/// <summary>
/// The files that an ONNX model is of: its graph's, and those beside it in which the graph keeps weights (external data, as exporters write it of large
/// models). Field numbers are those of onnx.proto.
/// </summary>
internal static class OnnxModelFiles
{
    private const int ModelGraph = 7, EntryKey = 1, EntryValue = 2, TensorEntry = 13, TensorLocation = 14;
    private const int External = 1; // of TensorProto.DataLocation
    private const int Deepest = 100; // protocol buffers read no deeper
    private const int LongestText = 1 << 16; // longer than any path

    // Which messages can hold tensors, and under which fields.
    private static readonly Dictionary<(Part In, int Field), Part> Inside = new()
    {
        [(Part.Model, ModelGraph)] = Part.Graph, [(Part.Model, 25)] = Part.Function, [(Part.Function, 7)] = Part.Node,
        [(Part.Graph, 1)] = Part.Node, [(Part.Graph, 5)] = Part.Tensor, [(Part.Graph, 15)] = Part.Sparse, [(Part.Node, 5)] = Part.Attribute,
        [(Part.Attribute, 5)] = Part.Tensor, [(Part.Attribute, 6)] = Part.Graph, [(Part.Attribute, 10)] = Part.Tensor, [(Part.Attribute, 11)] = Part.Graph,
        [(Part.Attribute, 22)] = Part.Sparse, [(Part.Attribute, 23)] = Part.Sparse, [(Part.Sparse, 1)] = Part.Tensor, [(Part.Sparse, 2)] = Part.Tensor,
    };

    private enum Part
    {
        Model, Graph, Function, Node, Attribute, Sparse, Tensor,
    }

    /// <summary>The full paths of a model's files: the graph's first, then those beside it in the order of their names.</summary>
    /// <param name="path">An .onnx or .ort file; one that is no model is taken as a model of one file.</param>
    /// <exception cref="FaceDistillException">The file cannot be read, or one that it names is not there or not in its folder.</exception>
    public static IReadOnlyList<string> Of(string path)
    {
        string whole = Path.GetFullPath(path), folder = Path.GetDirectoryName(whole)!;
        var found = new SortedSet<string>(StringComparer.Ordinal);
        try
        {
            using var file = File.OpenRead(whole);
            Collect(file, file.Length, Part.Model, 0, found);
        }
        catch (InvalidDataException)
        {
            return [whole]; // no ONNX file: ONNX Runtime says so, or reads its own format
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }

        return [whole, .. found.Select(name => Beside(name, folder, path)).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>What the model is known by: the graph's SHA-256, or where there are files beside it, that of the SHA-256s of all.</summary>
    /// <exception cref="FaceDistillException">As <see cref="Of"/>.</exception>
    public static string Sha256(string path) => Of(path) is { Count: > 1 } files
        ? Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(files.Select(FileHash.Sha256)))))
        : FileHash.Sha256(path);

    private static string Beside(string name, string folder, string path)
    {
        bool inside = name.Length > 0 && !Path.IsPathRooted(name) && !name.Contains('\0', StringComparison.Ordinal)
            && !name.Split('/', '\\').Contains("..", StringComparer.Ordinal);
        string full = inside ? Path.GetFullPath(name, folder) : "";
        return !inside ? throw new FaceDistillException($"{path} keeps weights in '{name}', which is not in its folder; save the model as one file")
            : File.Exists(full) ? full
            : throw new FaceDistillException($"{path} keeps weights in {full}, which is not there; put it there, or save the model as one file");
    }

    private static void Collect(FileStream file, long end, Part part, int depth, SortedSet<string> found)
    {
        bool external = false;
        string? location = null;
        while (file.Position < end)
        {
            long tag = Varint(file), length = (tag & 7) switch { 0 => 0, 1 => 8, 2 => Varint(file), 5 => 4, _ => -1 };
            int field = (int)(tag >> 3);
            long value = (tag & 7) == 0 ? Varint(file) : 0;
            if (length < 0 || length > end - file.Position || depth > Deepest)
            {
                throw new InvalidDataException();
            }

            long after = file.Position + length;
            if ((tag & 7) == 2 && Inside.TryGetValue((part, field), out var inner))
            {
                Collect(file, after, inner, depth + 1, found);
            }
            else if (part == Part.Tensor && field == TensorLocation)
            {
                external = value == External;
            }
            else if (part == Part.Tensor && field == TensorEntry && (tag & 7) == 2 && Entry(file, after) is { Key: "location" } entry)
            {
                location = entry.Value;
            }

            file.Position = after;
        }

        if (external && location is not null)
        {
            found.Add(location);
        }
    }

    private static (string Key, string Value) Entry(FileStream file, long end)
    {
        string key = "", value = "";
        while (file.Position < end)
        {
            long tag = Varint(file), length = Varint(file); // texts alone
            if ((tag & 7) != 2 || length is < 0 or > LongestText || length > end - file.Position)
            {
                throw new InvalidDataException();
            }

            byte[] bytes = new byte[length];
            file.ReadExactly(bytes);
            string text = Encoding.UTF8.GetString(bytes);
            (key, value) = (tag >> 3) switch { EntryKey => (text, value), EntryValue => (key, text), _ => (key, value) };
        }

        return (key, value);
    }

    private static long Varint(FileStream file)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            int next = file.ReadByte();
            if (next < 0)
            {
                break;
            }

            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return (long)value;
            }
        }

        throw new InvalidDataException();
    }
}
