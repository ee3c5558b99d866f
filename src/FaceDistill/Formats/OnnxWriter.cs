using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using FaceDistill.Files;
using Google.Protobuf;

namespace FaceDistill.Formats;

/// <summary>
/// Writes an <see cref="OnnxGraph"/> as an ONNX file: IR version 8, operator set 17, constants as raw_data. Field numbers
/// are those of onnx.proto in the ONNX specification. The whole model must stay under protocol buffers' 2 GB.
/// </summary>
internal static class OnnxWriter
{
    /// <summary>The IR version written: 8, the one that operator set 17 came with (ONNX 1.12).</summary>
    public const int IrVersion = 8;

    /// <summary>The version of the default operator set: 17.</summary>
    public const int OperatorSet = 17;

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The graph is malformed; the message says where.</exception>
    public static void Write(OnnxGraph graph, string path) => AtomicFile.Write(path, stream => Write(graph, stream));

    /// <summary>Writes the model to a stream, which stays open.</summary>
    /// <exception cref="InvalidOperationException">The graph is malformed; the message says where.</exception>
    public static void Write(OnnxGraph graph, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(graph);
        OnnxValidation.Check(graph);
        using var model = new CodedOutputStream(stream, leaveOpen: true);
        model.Int(1, IrVersion);
        model.Text(2, graph.ProducerName);
        model.Text(3, graph.ProducerVersion);
        model.Text(6, graph.DocString);
        model.Message(7, message => WriteGraph(message, graph));
        model.Message(8, message =>
        {
            message.Text(1, ""); // the default domain
            message.Int(2, OperatorSet);
        });
        foreach ((string key, string value) in graph.Metadata)
        {
            model.Message(14, message =>
            {
                message.Text(1, key);
                message.Text(2, value);
            });
        }
    }

    private static void WriteGraph(CodedOutputStream output, OnnxGraph graph)
    {
        foreach (OnnxNode node in graph.Nodes)
        {
            output.Message(1, message => WriteNode(message, node));
        }

        output.Text(2, graph.Name);
        foreach (OnnxInitializer initializer in graph.Initializers)
        {
            output.Message(5, message => WriteInitializer(message, initializer));
        }

        foreach (OnnxValue value in graph.Inputs)
        {
            output.Message(11, message => WriteValue(message, value));
        }

        foreach (OnnxValue value in graph.Outputs)
        {
            output.Message(12, message => WriteValue(message, value));
        }
    }

    private static void WriteNode(CodedOutputStream output, OnnxNode node)
    {
        Array.ForEach(node.Inputs, name => output.Text(1, name));
        Array.ForEach(node.Outputs, name => output.Text(2, name));
        output.Text(3, node.Outputs[0]);
        output.Text(4, node.Op);
        foreach (OnnxAttribute attribute in node.Attributes)
        {
            output.Message(5, message => WriteAttribute(message, attribute));
        }
    }

    private static void WriteAttribute(CodedOutputStream output, OnnxAttribute attribute)
    {
        const int TypeField = 20; // AttributeProto.type; its values FLOAT 1, INT 2, STRING 3, FLOATS 6, INTS 7
        output.Text(1, attribute.Name);
        switch (attribute.Value)
        {
            case float value:
                output.Float(2, value);
                output.Int(TypeField, 1);
                break;
            case long value:
                output.Int(3, value);
                output.Int(TypeField, 2);
                break;
            case string value:
                output.Text(4, value);
                output.Int(TypeField, 3);
                break;
            case float[] values:
                Array.ForEach(values, value => output.Float(7, value));
                output.Int(TypeField, 6);
                break;
            case long[] values:
                Array.ForEach(values, value => output.Int(8, value));
                output.Int(TypeField, 7);
                break;
        }
    }

    private static void WriteInitializer(CodedOutputStream output, OnnxInitializer initializer)
    {
        Array.ForEach(initializer.Dims, dim => output.Int(1, dim));
        output.Int(2, (long)initializer.Type);
        output.Text(8, initializer.Name);
        output.Bytes(9, initializer.Data);
    }

    // ValueInfoProto holds a TypeProto, which holds its tensor_type: the element type and the shape.
    private static void WriteValue(CodedOutputStream output, OnnxValue value)
    {
        output.Text(1, value.Name);
        output.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Int(1, (long)value.Type);
            tensor.Message(2, shape => Array.ForEach(value.Dims, dim => shape.Message(1, message => WriteDim(message, dim))));
        }));
    }

    private static void WriteDim(CodedOutputStream output, OnnxDim dim)
    {
        if (dim.Name is null)
        {
            output.Int(1, dim.Length);
        }
        else
        {
            output.Text(2, dim.Name);
        }
    }
}

/// <summary>Protocol-buffer fields, each with its tag, on Google's wire encoder.</summary>
internal static class OnnxWire
{
    /// <summary>A varint field (int32, int64, enum).</summary>
    public static void Int(this CodedOutputStream output, int field, long value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }

    /// <summary>A single-precision field.</summary>
    public static void Float(this CodedOutputStream output, int field, float value)
    {
        output.WriteTag(field, WireFormat.WireType.Fixed32);
        output.WriteFloat(value);
    }

    /// <summary>A UTF-8 string field, also when it is empty: an empty node input has a meaning.</summary>
    public static void Text(this CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }

    /// <summary>A bytes field; the bytes are not copied on the way.</summary>
    public static void Bytes(this CodedOutputStream output, int field, ReadOnlyMemory<byte> value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(value));
    }

    /// <summary>A message field: its length stands before it, so the message is written aside first.</summary>
    public static void Message(this CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var message = new CodedOutputStream(buffer, leaveOpen: true))
        {
            write(message);
        }

        output.Bytes(field, buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }
}

/// <summary>
/// Stores a graph's weights in half precision: every float32 constant of two or more dimensions becomes float16 with a Cast back to
/// float32 behind it, which every runtime computes (most do so once, on loading). Vectors (biases) stay as they are: they take next
/// to no room. Inputs, outputs and all arithmetic stay float32.
/// </summary>
internal static class OnnxHalfWeights
{
    /// <summary>Makes the graph with half-precision weights; the given one is not changed.</summary>
    /// <exception cref="FaceDistillException">A weight is beyond float16's range, ±65504.</exception>
    public static OnnxGraph Of(OnnxGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var constants = new List<OnnxInitializer>();
        var casts = new List<OnnxNode>();
        foreach (var constant in graph.Initializers)
        {
            if (constant.Type != OnnxElementType.Float32 || constant.Dims.Length < 2)
            {
                constants.Add(constant);
                continue;
            }

            var half = Halved(constant);
            constants.Add(half);
            casts.Add(new OnnxNode("Cast", [half.Name], [constant.Name], [OnnxAttribute.Int("to", (long)OnnxElementType.Float32)]));
        }

        return graph.With(initializers: constants, nodes: [.. casts, .. graph.Nodes]);
    }

    private static OnnxInitializer Halved(OnnxInitializer constant)
    {
        var values = MemoryMarshal.Cast<byte, float>(constant.Data);
        var halves = new Half[values.Length];
        TensorPrimitives.ConvertToHalf(values, halves);
        return halves.All(Half.IsFinite)
            ? new OnnxInitializer(constant.Name + ".fp16", OnnxElementType.Float16, constant.Dims, MemoryMarshal.AsBytes<Half>(halves).ToArray())
            : throw new FaceDistillException($"{constant.Name} holds a weight beyond float16's range (65504); export the student as fp32");
    }
}
