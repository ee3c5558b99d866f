using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FaceDistill.Attack;

/// <summary>A protobuf message in the making, so that ONNX files can be written which no library would write.</summary>
internal sealed class Proto
{
    private readonly List<byte> _bytes = [];

    /// <summary>The message.</summary>
    public byte[] Bytes => [.. _bytes];

    /// <summary>Adds a varint.</summary>
    public Proto Number(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)value);
        return this;
    }

    /// <summary>Adds a message, text or bytes.</summary>
    public Proto Add(int field, byte[] bytes)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)bytes.Length);
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>Adds a text.</summary>
    public Proto Add(int field, string text) => Add(field, Encoding.UTF8.GetBytes(text));

    /// <summary>Adds messages.</summary>
    public Proto Add(int field, params ReadOnlySpan<Proto> messages)
    {
        foreach (var message in messages)
        {
            Add(field, message.Bytes);
        }

        return this;
    }

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Add((byte)(value | 0x80));
        }

        _bytes.Add((byte)value);
    }
}

/// <summary>Tiny ONNX files, sound and broken.</summary>
internal static class Onnx
{
    /// <summary>Element types of onnx.proto.</summary>
    public const int Float = 1, Uint8 = 2, I64 = 7, Str = 8, F16 = 10, F64 = 11;

    /// <summary>The key of a file's contract in its metadata.</summary>
    public const string ContractKey = "facedistill.contract";

    private static readonly Proto Thirds = Tensor("thirds", [1, 3, 1, 1], Floats(1 / 3f, 1 / 3f, 1 / 3f));

    /// <summary>A graph's input or output of a type; a dimension is a number or a name.</summary>
    public static Proto Value(string name, int type, params object[] dims) => new Proto().Add(1, name).Add(2, new Proto().Add(1, TensorType(type, dims)));

    /// <summary>A sequence of float tensors.</summary>
    public static Proto Sequence(string name) => new Proto().Add(1, name)
        .Add(2, new Proto().Add(4, new Proto().Add(1, new Proto().Add(1, TensorType(Float, "n")))));

    /// <summary>A node.</summary>
    public static Proto Node(string op, string[] inputs, string[] outputs, params Proto[] attributes)
    {
        var node = new Proto();
        foreach (string input in inputs)
        {
            node.Add(1, input);
        }

        foreach (string output in outputs)
        {
            node.Add(2, output);
        }

        return node.Add(3, outputs[0]).Add(4, op).Add(5, attributes);
    }

    /// <summary>An attribute of whole numbers.</summary>
    public static Proto Ints(string name, params long[] values)
    {
        var attribute = new Proto().Add(1, name);
        foreach (long value in values)
        {
            attribute.Number(8, value);
        }

        return attribute.Number(20, 7);
    }

    /// <summary>An attribute of one whole number.</summary>
    public static Proto Int(string name, long value) => new Proto().Add(1, name).Number(3, value).Number(20, 2);

    /// <summary>An attribute that is a graph.</summary>
    public static Proto GraphAttribute(string name, Proto graph) => new Proto().Add(1, name).Add(6, graph).Number(20, 5);

    /// <summary>A constant; <paramref name="external"/> names a file, offset and length instead of holding bytes.</summary>
    public static Proto Tensor(string name, long[] dims, byte[] raw, int type = Float, (string Location, long Offset, long Length)? external = null)
    {
        var tensor = new Proto();
        foreach (long dim in dims)
        {
            tensor.Number(1, dim);
        }

        tensor.Number(2, type).Add(8, name);
        return external is not { } file ? tensor.Add(9, raw)
            : tensor.Add(13, Entry("location", file.Location), Entry("offset", $"{file.Offset}"), Entry("length", $"{file.Length}")).Number(14, 1);
    }

    /// <summary>A graph.</summary>
    public static Proto Graph(Proto[] nodes, Proto[] inputs, Proto[] outputs, params Proto[] constants) =>
        new Proto().Add(1, nodes).Add(2, "g").Add(5, constants).Add(11, inputs).Add(12, outputs);

    /// <summary>A model.</summary>
    public static byte[] Model(Proto graph, int opset = 17, int ir = 8, params (string Key, string Value)[] metadata) =>
        new Proto().Number(1, ir).Add(2, "attack").Add(7, graph).Add(8, new Proto().Number(2, opset))
            .Add(14, [.. metadata.Select(m => Entry(m.Key, m.Value))]).Bytes;

    /// <summary>The nodes from an input [n, 3, 64, 64] to 16 pooled grey values [n, 16].</summary>
    public static Proto[] Grey(string from = "input", string to = "embedding") =>
    [
        Node("Conv", [from, "thirds"], ["grey"]),
        Node("AveragePool", ["grey"], ["pooled"], Ints("kernel_shape", 16, 16), Ints("strides", 16, 16)),
        Node("Flatten", ["pooled"], [to]),
    ];

    /// <summary>The model of <see cref="Grey"/>, with further nodes, another input or output.</summary>
    public static byte[] Tiny(Proto[]? then = null, Proto? output = null, Proto? input = null, int opset = 17, int ir = 8,
        Proto[]? constants = null, params (string Key, string Value)[] metadata) => Model(
            Graph([.. Grey(), .. then ?? []], [input ?? Value("input", Float, "batch", 3, 64, 64)], [output ?? Value("embedding", Float, "batch", 16)],
                [Thirds, .. constants ?? []]),
            opset, ir, metadata);

    /// <summary>The contract of <see cref="Tiny"/>.</summary>
    public static JsonObject Contract() => new()
    {
        ["size"] = 64, ["template"] = "dlib", ["colorOrder"] = "rgb", ["layout"] = "nchw", ["mean"] = new JsonArray(0, 0, 0),
            ["std"] = new JsonArray(255, 255, 255),
    };

    /// <summary>Writes model and card into a folder.</summary>
    /// <returns>The card's path.</returns>
    public static string WriteCard(string folder, byte[]? model, string name, string? file = null, int? dimension = null, string layout = "nchw")
    {
        file ??= name + ".onnx";
        Directory.CreateDirectory(folder);
        if (model is not null)
        {
            File.WriteAllBytes(Path.Combine(folder, file), model);
        }

        var contract = Contract();
        contract["layout"] = layout;
        var card = new JsonObject
        {
            ["name"] = name, ["description"] = "pooled grey values", ["licence"] = "MIT", ["source"] = "made by the attack",
            ["assets"] = new JsonArray(new JsonObject { ["file"] = file, ["source"] = new JsonObject { ["path"] = file } }),
            ["model"] = file, ["dimension"] = dimension, ["contract"] = contract,
        };
        string path = Path.Combine(folder, name + ".json");
        File.WriteAllText(path, card.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return path;
    }

    /// <summary>Float values as little-endian bytes.</summary>
    public static byte[] Floats(params float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    private static Proto Entry(string key, string value) => new Proto().Add(1, key).Add(2, value);

    private static Proto TensorType(int type, params object[] dims)
    {
        var shape = new Proto();
        foreach (object dim in dims)
        {
            shape.Add(1, dim is string name ? new Proto().Add(2, name) : new Proto().Number(1, Convert.ToInt64(dim, null)));
        }

        return new Proto().Number(1, type).Add(2, shape);
    }
}
