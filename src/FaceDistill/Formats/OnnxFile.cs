using FaceDistill.Files;
using Google.Protobuf;

namespace FaceDistill.Formats;

/// <summary>What an ONNX file says of itself that ONNX Runtime does not tell, and the mending of one fault. Field numbers are those of onnx.proto.</summary>
internal static class OnnxFile
{
    private const int Graph = 7, OpsetImport = 8; // of ModelProto
    private const int Node = 1, Initializer = 5; // of GraphProto
    private const int NodeInput = 1, NodeOp = 4; // of NodeProto
    private const int TensorDims = 1, TensorType = 2, TensorName = 8, TensorRaw = 9; // of TensorProto

    /// <summary>The version of the default operator set.</summary>
    /// <param name="model">The file's bytes.</param>
    /// <returns>The version; null where the file names none.</returns>
    /// <exception cref="InvalidProtocolBufferException">It is no ONNX file.</exception>
    public static long? OperatorSet(byte[] model)
    {
        foreach (var opset in Fields(model).Where(f => f.Number == OpsetImport))
        {
            var fields = Fields(opset.Bytes!).ToList();
            string domain = fields.Where(f => f.Number == 1).Select(f => f.Text).LastOrDefault("");
            if (domain is "" or "ai.onnx")
            {
                return fields.Where(f => f.Number == 2).Select(f => (long?)f.Value).LastOrDefault();
            }
        }

        return null;
    }

    /// <summary>
    /// Gives PReLU slopes of shape [C] the shape [C, 1, 1]: MXNet's exporter writes them as [C] for pictures [N, C, H, W], which ONNX reads as one slope a
    /// column
    /// (apache/mxnet pull request 13460, microsoft/onnxruntime issue 3205).
    /// </summary>
    /// <param name="model">The file's bytes.</param>
    /// <param name="changed">How many slopes were given another shape.</param>
    /// <returns>The file with these slopes, and all else as it was.</returns>
    /// <exception cref="InvalidProtocolBufferException">It is no ONNX file.</exception>
    /// <exception cref="InvalidDataException">Likewise.</exception>
    public static byte[] WithSlopesByChannel(byte[] model, out int changed)
    {
        int count = 0;
        byte[] mended = Rewritten(model, Graph, graph =>
        {
            var slopes = Fields(graph).Where(f => f.Number == Node).Select(f => Fields(f.Bytes ?? []).ToList())
                .Where(node => node.Any(f => f.Number == NodeOp && f.Text == "PRelu"))
                .Select(node => node.Where(f => f.Number == NodeInput).Skip(1).Select(f => f.Text).FirstOrDefault("")).ToHashSet(StringComparer.Ordinal);
            return Rewritten(graph, Initializer, tensor =>
            {
                var fields = Fields(tensor).ToList();
                bool slope = fields.Any(f => f.Number == TensorName && slopes.Contains(f.Text));
                if (!slope || Dims(fields) is not [> 1 and var channels])
                {
                    return tensor;
                }

                count++;
                using var stream = new MemoryStream();
                using (var output = new CodedOutputStream(stream, leaveOpen: true))
                {
                    output.Int(TensorDims, channels);
                    output.Int(TensorDims, 1);
                    output.Int(TensorDims, 1);
                    fields.Where(f => f.Number != TensorDims).ToList().ForEach(f => f.Write(output));
                }

                return stream.ToArray();
            });
        });
        changed = count;
        return mended;
    }

    /// <summary>The constants of a graph whose values stand as they lie in memory (raw_data), as <see cref="OnnxWriter"/> writes them.</summary>
    /// <param name="model">The file's bytes.</param>
    /// <returns>By name; of two of one name the first.</returns>
    /// <exception cref="InvalidProtocolBufferException">It is no ONNX file.</exception>
    public static Dictionary<string, OnnxInitializer> Initializers(byte[] model)
    {
        var found = new Dictionary<string, OnnxInitializer>(StringComparer.Ordinal);
        foreach (var tensor in Fields(model).Where(f => f.Number == Graph).SelectMany(g => Fields(g.Bytes!)).Where(f => f.Number == Initializer))
        {
            var fields = Fields(tensor.Bytes!).ToList();
            string name = fields.Where(f => f.Number == TensorName).Select(f => f.Text).LastOrDefault("");
            if (fields.LastOrDefault(f => f.Number == TensorRaw)?.Bytes is { } values)
            {
                var type = (OnnxElementType)fields.Where(f => f.Number == TensorType).Select(f => f.Value).LastOrDefault();
                found.TryAdd(name, new OnnxInitializer(name, type, Dims(fields), values));
            }
        }

        return found;
    }

    // Packed or one by one: both are written.
    private static long[] Dims(List<Field> fields) =>
    [
        .. fields.Where(f => f.Number == TensorDims).SelectMany(f =>
        {
            if (f.Bytes is null)
            {
                return [f.Value];
            }

            var numbers = new List<long>();
            var packed = new CodedInputStream(f.Bytes);
            while (!packed.IsAtEnd)
            {
                numbers.Add(packed.ReadInt64());
            }

            return numbers;
        }),
    ];

    private static byte[] Rewritten(byte[] message, int field, Func<byte[], byte[]> change)
    {
        using var stream = new MemoryStream(message.Length + 64);
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            foreach (var one in Fields(message))
            {
                (one.Number == field && one.Bytes is not null ? one with { Bytes = change(one.Bytes) } : one).Write(output);
            }
        }

        return stream.ToArray();
    }

    private static IEnumerable<Field> Fields(byte[] message)
    {
        var input = new CodedInputStream(message);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            yield return new Field(tag, WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => (long)input.ReadUInt64(),
                WireFormat.WireType.Fixed64 => (long)input.ReadFixed64(),
                WireFormat.WireType.Fixed32 => input.ReadFixed32(),
                _ => 0,
            }, WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.LengthDelimited => input.ReadBytes().ToByteArray(),
                WireFormat.WireType.Varint or WireFormat.WireType.Fixed64 or WireFormat.WireType.Fixed32 => null,
                var other => throw new InvalidDataException($"a field of wire type {other}, which ONNX has not"),
            });
        }
    }

    /// <summary>One field of a message: a number, or bytes.</summary>
    private sealed record Field(uint Tag, long Value, byte[]? Bytes)
    {
        public int Number => WireFormat.GetTagFieldNumber(Tag);

        public string Text => Bytes is null ? "" : System.Text.Encoding.UTF8.GetString(Bytes);

        public void Write(CodedOutputStream output)
        {
            output.WriteTag(Tag);
            switch (WireFormat.GetTagWireType(Tag))
            {
                case WireFormat.WireType.Varint:
                    output.WriteUInt64((ulong)Value);
                    break;
                case WireFormat.WireType.Fixed64:
                    output.WriteFixed64((ulong)Value);
                    break;
                case WireFormat.WireType.Fixed32:
                    output.WriteFixed32((uint)Value);
                    break;
                default:
                    output.WriteBytes(UnsafeByteOperations.UnsafeWrap(Bytes));
                    break;
            }
        }
    }
}
