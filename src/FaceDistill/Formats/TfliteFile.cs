using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Files;
using Google.FlatBuffers;

namespace FaceDistill.Formats;

/// <summary>
/// A network of TensorFlow Lite (LiteRT), and its file: a flatbuffer of tensorflow/lite/schema/schema.fbs, version 3, whose tables and slots stand here as
/// numbers. One subgraph; tensors are NHWC. What a file says of itself stands in its metadata, one buffer of UTF-8 text a name.
/// </summary>
internal sealed class TfliteGraph
{
    private const int SchemaVersion = 3;
    private const int MetadataSlot = 6, BuffersSlot = 4;

    /// <summary>What stands in a file's bytes 4 to 8.</summary>
    internal const string Identifier = "TFL3";
    private readonly List<TfliteTensor> _tensors = [];
    private readonly List<(TfliteOperator Operator, int[] Inputs, int[] Outputs, TfliteOptions? Options)> _nodes = [];

    /// <summary>What the file says of itself.</summary>
    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>The tensors that the caller gives.</summary>
    public IList<int> Inputs { get; } = [];

    /// <summary>The tensors that the caller gets.</summary>
    public IList<int> Outputs { get; } = [];

    /// <summary>One sentence for the file's description.</summary>
    public required string Description { get; init; }

    /// <summary>The tensors by their numbers.</summary>
    public IReadOnlyList<TfliteTensor> Tensors => _tensors;

    /// <summary>Adds a tensor.</summary>
    /// <returns>Its number.</returns>
    public int Tensor(TfliteTensor tensor)
    {
        _tensors.Add(tensor);
        return _tensors.Count - 1;
    }

    /// <summary>Adds an operator that gives a tensor.</summary>
    /// <returns>The tensor's number.</returns>
    public int Node(TfliteOperator kind, int[] inputs, TfliteTensor output, TfliteOptions? options = null)
    {
        int number = Tensor(output);
        _nodes.Add((kind, inputs, [number], options));
        return number;
    }

    /// <summary>Adds an operator that gives tensors which are there.</summary>
    public void Node(TfliteOperator kind, int[] inputs, int[] outputs, TfliteOptions? options) => _nodes.Add((kind, inputs, outputs, options));

    /// <summary>The metadata key of <see cref="Checksum"/>.</summary>
    internal const string ChecksumKey = "facedistill.checksum";

    /// <summary>SHA-256 of everything in the graph but itself, 64 hexadecimal digits: readers of the format may crash on a byte that is another.</summary>
    public string Checksum()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        static string Numbers<T>(IEnumerable<T> values)
            where T : IFormattable => string.Join(' ', values.Select(v => v.ToString(null, CultureInfo.InvariantCulture))); // a minus is another elsewhere
        foreach (var t in _tensors)
        {
            string steps = t.Steps is null ? "" : InvariantText.Of($"{Numbers(t.Steps.Scales.Select(BitConverter.SingleToInt32Bits))} {t.Steps.Axis}");
            Add(InvariantText.Of($"{t.Name}|{t.Type}|{Numbers(t.Shape)}|{steps}|{Numbers(t.Steps?.Zeros ?? [])}|{t.Data?.Length ?? -1}"));
            hash.AppendData(t.Data ?? []);
        }

        foreach (var (kind, inputs, outputs, options) in _nodes)
        {
            var fields = options?.Fields.Where(f => f.Value != 0).OrderBy(f => f.Slot).Select(f => InvariantText.Of($"{f.Slot}={f.Value}")) ?? [];
            Add(InvariantText.Of($"{kind}|{Numbers(inputs)}|{Numbers(outputs)}|{options?.Kind ?? 0}|{string.Join(' ', fields)}"));
        }

        Add($"{Numbers(Inputs)}|{Numbers(Outputs)}");
        foreach (var (name, text) in Metadata.Where(m => m.Key != ChecksumKey))
        {
            Add($"{name}|{text}");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The file's bytes, with its checksum among the metadata: the same for the same graph.</summary>
    public byte[] ToBytes()
    {
        Metadata[ChecksumKey] = Checksum();
        var builder = new FlatBufferBuilder(1 << 20);
        // Buffer 0 is empty, for tensors that are computed; then one for each that has values, then the metadata's.
        var filled = _tensors.Where(t => t.Data is not null).ToList();
        byte[][] contents = [[], .. filled.Select(t => t.Data!), .. Metadata.Values.Select(Encoding.UTF8.GetBytes)];
        int[] buffers = [.. contents.Select(content => Buffer(builder, content))];
        int[] metadata = [.. Metadata.Keys.Select((name, i) => Metadatum(builder, name, 1 + filled.Count + i))];
        var operators = _nodes.Select(n => n.Operator).Distinct().Order().ToList();
        int[] codes = [.. operators.Select(o => Code(builder, o))];
        int[] tensors = [.. _tensors.Select(t => Tensor(builder, t, t.Data is null ? 0 : 1 + filled.IndexOf(t)))];
        int[] nodes = [.. _nodes.Select(n => Node(builder, n, operators.IndexOf(n.Operator)))];
        int name = builder.CreateString("main").Value, outputs = Ints(builder, Outputs), inputs = Ints(builder, Inputs);
        int nodeList = Offsets(builder, nodes), tensorList = Offsets(builder, tensors);
        int graph = Table(builder, 5, (0, tensorList), (1, inputs), (2, outputs), (3, nodeList), (4, name));
        int graphs = Offsets(builder, [graph]), description = builder.CreateString(Description).Value;
        int bufferList = Offsets(builder, buffers), metadataList = Offsets(builder, metadata), codeList = Offsets(builder, codes);
        builder.StartTable(MetadataSlot + 1);
        builder.AddUint(0, SchemaVersion, 0);
        builder.AddOffset(1, codeList, 0);
        builder.AddOffset(2, graphs, 0);
        builder.AddOffset(3, description, 0);
        builder.AddOffset(BuffersSlot, bufferList, 0);
        builder.AddOffset(MetadataSlot, metadataList, 0);
        builder.Finish(builder.EndTable(), Identifier);
        return builder.SizedByteArray();
    }

    /// <summary>The operators in their order: kind, the tensors' numbers, options.</summary>
    public IReadOnlyList<(TfliteOperator Operator, int[] Inputs, int[] Outputs, TfliteOptions? Options)> Nodes => _nodes;

    // A field's place in a table's description.
    private static int Field(int slot) => 4 + (2 * slot);

    private static int Buffer(FlatBufferBuilder builder, byte[] content)
    {
        int data = 0;
        if (content.Length > 0)
        {
            builder.StartVector(1, content.Length, 16); // force_align of Buffer.data
            builder.Put(content);
            data = builder.EndVector().Value;
        }

        return Table(builder, 1, (0, data));
    }

    private static int Metadatum(FlatBufferBuilder builder, string name, int buffer)
    {
        int text = builder.CreateString(name).Value;
        builder.StartTable(2);
        builder.AddOffset(0, text, 0);
        builder.AddUint(1, (uint)buffer, 0);
        return builder.EndTable();
    }

    // All operators here have numbers below 127, which old readers know by the first field.
    private static int Code(FlatBufferBuilder builder, TfliteOperator kind)
    {
        builder.StartTable(4);
        builder.AddSbyte(0, (sbyte)kind, 0);
        builder.AddInt(2, VersionOf(kind), 1);
        builder.AddInt(3, (int)kind, 0);
        return builder.EndTable();
    }

    // The first versions that know int8 with a step for each channel.
    private static int VersionOf(TfliteOperator kind) => kind switch
    {
        TfliteOperator.Conv2D or TfliteOperator.DepthwiseConv2D => 3,
        TfliteOperator.Dequantize or TfliteOperator.Pad or TfliteOperator.Quantize => 2,
        _ => 1,
    };

    private static int Tensor(FlatBufferBuilder builder, TfliteTensor tensor, int buffer)
    {
        int steps = tensor.Steps is null ? 0 : Steps(builder, tensor.Steps);
        int name = builder.CreateString(tensor.Name).Value, shape = Ints(builder, [.. tensor.Shape.Select(s => Math.Max(1, s))]);
        int signature = tensor.Shape.Contains(-1) ? Ints(builder, tensor.Shape) : 0;
        builder.StartTable(8);
        builder.AddOffset(0, shape, 0);
        builder.AddByte(1, (byte)tensor.Type, 0);
        builder.AddUint(2, (uint)buffer, 0);
        builder.AddOffset(3, name, 0);
        builder.AddOffset(4, steps, 0);
        builder.AddOffset(7, signature, 0);
        return builder.EndTable();
    }

    private static int Steps(FlatBufferBuilder builder, TfliteSteps steps)
    {
        builder.StartVector(4, steps.Scales.Length, 4);
        builder.Put(steps.Scales);
        int scales = builder.EndVector().Value;
        builder.StartVector(8, steps.Zeros.Length, 8);
        builder.Put(steps.Zeros);
        int zeros = builder.EndVector().Value;
        builder.StartTable(7);
        builder.AddOffset(2, scales, 0);
        builder.AddOffset(3, zeros, 0);
        builder.AddInt(6, steps.Axis, 0);
        return builder.EndTable();
    }

    private static int Node(FlatBufferBuilder builder, (TfliteOperator Operator, int[] Inputs, int[] Outputs, TfliteOptions? Options) node, int code)
    {
        int options = 0;
        if (node.Options is { } given)
        {
            builder.StartTable(given.Slots);
            foreach (var (slot, bytes, value) in given.Fields)
            {
                if (bytes == 1)
                {
                    builder.AddByte(slot, (byte)value, 0);
                }
                else
                {
                    builder.AddInt(slot, value, 0);
                }
            }

            options = builder.EndTable();
        }

        int inputs = Ints(builder, node.Inputs), outputs = Ints(builder, node.Outputs);
        builder.StartTable(5);
        builder.AddUint(0, (uint)code, 0);
        builder.AddOffset(1, inputs, 0);
        builder.AddOffset(2, outputs, 0);
        builder.AddByte(3, node.Options?.Kind ?? 0, 0);
        builder.AddOffset(4, options, 0);
        return builder.EndTable();
    }

    private static int Table(FlatBufferBuilder builder, int slots, params (int Slot, int Offset)[] fields)
    {
        builder.StartTable(slots);
        Array.ForEach(fields, f => builder.AddOffset(f.Slot, f.Offset, 0));
        return builder.EndTable();
    }

    private static int Ints(FlatBufferBuilder builder, IList<int> values)
    {
        builder.StartVector(4, values.Count, 4);
        builder.Put(values.ToArray());
        return builder.EndVector().Value;
    }

    private static int Offsets(FlatBufferBuilder builder, int[] offsets)
    {
        builder.StartVector(4, offsets.Length, 4);
        foreach (int offset in Enumerable.Reverse(offsets))
        {
            builder.AddOffset(offset);
        }

        return builder.EndVector().Value;
    }
}
