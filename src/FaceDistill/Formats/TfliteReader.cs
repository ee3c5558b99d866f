using System.Text;
using FaceDistill.Files;
using Google.FlatBuffers;

namespace FaceDistill.Formats;

/// <summary>Reads what <see cref="TfliteGraph"/> writes: the first subgraph of a .tflite file, and what the file says of itself.</summary>
internal sealed class TfliteReader
{
    // The bytes of each field of the options that convolutions and reductions have, by their number in BuiltinOptions.
    private static readonly Dictionary<byte, int[]> OptionFields = new()
    {
        [1] = [1, 4, 4, 1, 4, 4], [2] = [1, 4, 4, 4, 1, 4, 4], [17] = [], [21] = [], [27] = [1], [28] = [], [37] = [1],
    };
    private readonly byte[] _file;
    private readonly ByteBuffer _buffer;
    private readonly Table _model;

    private TfliteReader(byte[] file)
    {
        (_file, _buffer) = (file, new ByteBuffer(file));
        _model = new Table(_buffer.GetInt(0), _buffer);
    }

    /// <summary>What a file says of itself.</summary>
    /// <exception cref="FaceDistillException">It cannot be read, or is no such file.</exception>
    public static IReadOnlyDictionary<string, string> Metadata(string path) => Read(path, r => r.Metadata());

    /// <summary>A file's graph.</summary>
    /// <exception cref="FaceDistillException">It cannot be read, is no such file, or has an operator that students have not.</exception>
    public static TfliteGraph Graph(string path) => Read(path, r => r.Graph());

    private static T Read<T>(string path, Func<TfliteReader, T> read)
    {
        try
        {
            byte[] file = FileBytes.Read(path);
            return file.Length >= 8 && file.AsSpan(4, 4).SequenceEqual(Encoding.ASCII.GetBytes(TfliteGraph.Identifier)) ? read(new TfliteReader(file))
                : throw new FaceDistillException($"{path} is no TensorFlow Lite file: {TfliteGraph.Identifier} is missing in its head");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or OverflowException or InvalidDataException)
        {
            string why = e is InvalidDataException ? e.Message : "a table or a list of it ends elsewhere"; // the others are the library's
            throw new FaceDistillException($"{path} is a damaged TensorFlow Lite file, or none of a student: {why}", e);
        }
    }

    private Dictionary<string, string> Metadata()
    {
        var buffers = Tables(_model, 4).ToList();
        return Tables(_model, 6).ToDictionary(
            entry => Text(entry, 0), entry => Encoding.UTF8.GetString(Bytes(buffers[(int)Uint(entry, 1)], 0)), StringComparer.Ordinal);
    }

    private TfliteGraph Graph()
    {
        var buffers = Tables(_model, 4).ToList();
        var codes = Tables(_model, 1).Select(c => (TfliteOperator)Math.Max(Int(c, 3, 4), Int(c, 0, 1))).ToList();
        if (codes.FirstOrDefault(c => !Enum.IsDefined(c), TfliteOperator.Conv2D) is var other && !Enum.IsDefined(other))
        {
            throw new InvalidDataException($"it has the operator {(int)other}");
        }

        var main = Tables(_model, 2).Take(1).ToList() is [var first] ? first : throw new InvalidDataException("it holds no graph");
        var graph = new TfliteGraph { Description = Text(_model, 3) };
        foreach (var tensor in Tables(main, 0))
        {
            int buffer = (int)Uint(tensor, 2);
            int[] shape = Ints(tensor, 7) is { Length: > 0 } signature ? signature : Ints(tensor, 0);
            var type = (TfliteType)Int(tensor, 1, 1);
            byte[]? data = buffer == 0 ? null : Bytes(buffers[buffer], 0).ToArray();
            long values = shape.Aggregate(1L, (a, b) => checked(a * Math.Max(1, b)));
            if (!Enum.IsDefined(type) || (data is not null && data.Length != values * (type is TfliteType.Int8 or TfliteType.UInt8 ? 1 : 4)))
            {
                throw new InvalidDataException($"the tensor {Text(tensor, 3)} has another number of bytes than its shape");
            }

            graph.Tensor(new TfliteTensor(Text(tensor, 3), type, shape, data, Steps(tensor)));
        }

        foreach (var node in Tables(main, 3))
        {
            byte kind = (byte)Int(node, 3, 1);
            graph.Node(codes[(int)Uint(node, 0)], Numbers(node, 1, graph), Numbers(node, 2, graph), kind == 0 ? null
                : OptionFields.TryGetValue(kind, out int[]? fields) && Field(node, 4) is > 0 and var at
                    ? Options(kind, fields, new Table(node.__indirect(at), _buffer))
                : throw new InvalidDataException($"an operator has options of the kind {kind}"));
        }

        Array.ForEach(Numbers(main, 1, graph), graph.Inputs.Add);
        Array.ForEach(Numbers(main, 2, graph), graph.Outputs.Add);
        foreach (var (name, text) in Metadata())
        {
            graph.Metadata[name] = text;
        }

        return graph.Metadata.GetValueOrDefault(TfliteGraph.ChecksumKey) == graph.Checksum() ? graph
            : throw new InvalidDataException("its checksum is another, or missing");
    }

    private TfliteOptions Options(byte kind, int[] fields, Table table) =>
        new(kind, [.. fields.Select((bytes, slot) => (slot, bytes, Int(table, slot, bytes)))]);

    private TfliteSteps? Steps(Table tensor)
    {
        if (Field(tensor, 4) is not (> 0 and var at))
        {
            return null;
        }

        var steps = new Table(tensor.__indirect(at), _buffer);
        int scales = steps.__offset(8), zeros = steps.__offset(10);
        if (scales == 0 || Length(steps, scales) is not (> 0 and var count))
        {
            return null;
        }

        return zeros != 0 && Length(steps, zeros) == count ? new TfliteSteps(
            [.. Enumerable.Range(0, count).Select(i => _buffer.GetFloat(steps.__vector(scales) + (4 * i)))],
            [.. Enumerable.Range(0, count).Select(i => _buffer.GetLong(steps.__vector(zeros) + (8 * i)))], Int(steps, 6, 4))
            : throw new InvalidDataException("a tensor has not as many zero points as scales");
    }

    private int[] Numbers(Table table, int slot, TfliteGraph graph) => Ints(table, slot) is var numbers && numbers.All(n => n >= 0 && n < graph.Tensors.Count)
        ? numbers : throw new InvalidDataException("an operator has a tensor that is not there");

    // Where a field's value stands; 0 for a field at its default.
    private static int Field(Table table, int slot) => table.__offset(4 + (2 * slot)) is var offset and not 0 ? table.bb_pos + offset : 0;

    private int Int(Table table, int slot, int bytes) => Field(table, slot) is not (> 0 and var at) ? 0 : bytes == 1 ? _buffer.Get(at) : _buffer.GetInt(at);

    private uint Uint(Table table, int slot) => Field(table, slot) is > 0 and var at ? _buffer.GetUint(at) : 0;

    private static string Text(Table table, int slot) => Field(table, slot) is > 0 and var at ? table.__string(at) : "";

    private ReadOnlySpan<byte> Bytes(Table table, int slot) => table.__offset(4 + (2 * slot)) is var offset and not 0
        ? _file.AsSpan(table.__vector(offset), table.__vector_len(offset)) : [];

    private int[] Ints(Table table, int slot) => table.__offset(4 + (2 * slot)) is var offset and not 0
        ? [.. Enumerable.Range(0, Length(table, offset)).Select(i => _buffer.GetInt(table.__vector(offset) + (4 * i)))] : [];

    private IEnumerable<Table> Tables(Table table, int slot) => table.__offset(4 + (2 * slot)) is var offset and not 0
        ? Enumerable.Range(0, Length(table, offset)).Select(i => new Table(table.__indirect(table.__vector(offset) + (4 * i)), _buffer)) : [];

    private int Length(Table table, int offset) => table.__vector_len(offset) is var length && length >= 0 && length <= _file.Length / 4
        ? length : throw new InvalidDataException("a list is longer than the file");
}
