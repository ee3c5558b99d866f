using System.Runtime.InteropServices;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Export;

/// <summary>
/// A folded student as a TensorFlow Lite graph: "input" float32 [N, r, r, 3] (scaled as the contract in the metadata says), or "image" uint8 [N, r, r, 3]
/// where it preprocesses; "embedding" float32 [N, D] in the teacher's space, or of unit length. Filters lie as TensorFlow Lite wants them, channels last.
/// </summary>
/// <remarks>
/// A convolution of stride 2 pads one zero on each side, as the student was trained; TensorFlow's SAME would pad on the right and below only. It is an
/// operator of its own before a VALID one.
/// In 8 bits (<see cref="Int8Plan"/>) activations are int8, 128 below ONNX's uint8, filters int8 with a step for each output channel, biases int32; a ReLU is
/// the lowest level's clipping. Pooling and embedding layer are float32.
/// </remarks>
internal sealed class StudentTflite
{
    private const int Same = 0, Valid = 1, Relu = 1;
    private const byte Conv = 1, Depthwise = 2, Reshape = 17, Mul = 21, Reducer = 27, Sub = 28, Cast = 37;
    private readonly TfliteGraph _graph;
    private readonly FoldedStudent _student;
    private readonly Int8Plan? _plan;
    private int? _pads;

    private StudentTflite(FoldedStudent student, Int8Plan? plan)
    {
        (_student, _plan) = (student, plan);
        _graph = new TfliteGraph { Description = $"{student.Description.Student} distilled from {student.Description.Teacher} by FaceDistill" };
    }

    /// <summary>Builds the graph.</summary>
    /// <param name="student">The student.</param>
    /// <param name="ends">What the file does besides.</param>
    /// <param name="plan">How it is rounded to 8 bits; null for float32.</param>
    public static TfliteGraph Build(FoldedStudent student, GraphPrePostprocessing ends, Int8Plan? plan = null)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(ends);
        return new StudentTflite(student, plan).Build(ends);
    }

    private TfliteGraph Build(GraphPrePostprocessing ends)
    {
        var architecture = _student.Description.Architecture();
        StudentMetadata.Write(_graph.Metadata, _student.Description, ends, TensorLayout.Nhwc);
        int x = Input(ends, architecture.Spec.Resolution);
        string source = "input";
        if (_plan is not null)
        {
            x = ToLevels(x, source);
        }

        foreach (var layer in _student.Layers)
        {
            x = _plan is null ? InFloat(layer, x)
                : !_plan.Float32Layers.Contains(layer.Layer.Name) ? InLevels(layer, x, source)
                : ToLevels(InFloat(layer, ToFloat(x)), layer.Layer.Name);
            source = layer.Layer.Name;
        }

        x = _plan is null ? x : ToFloat(x);
        if (architecture.Head == HeadKind.Gap)
        {
            var kept = new TfliteOptions(Reducer, (0, 1, 1));
            x = _graph.Node(TfliteOperator.Mean, [x, Ints("pooled.axes", 1, 2)], Of("pooled", 1, 1, architecture.Features), kept);
        }

        // A linear layer as a 1x1 convolution: OpenCV's reader leaves a FULLY_CONNECTED's bias out.
        var linear = new ConvLayer("embedding", architecture.Features, architecture.Dimension, 1, 1) { Relu = false };
        x = InFloat(new FoldedLayer(linear, _student.EmbeddingWeights, _student.EmbeddingBias), x, "embedding.map");
        x = _graph.Node(TfliteOperator.Reshape, [x, Ints("embedding.shape", -1, architecture.Dimension)],
            Of(ends.Normalize ? "embedding.raw" : "embedding", architecture.Dimension), new TfliteOptions(Reshape));
        _graph.Outputs.Add(ends.Normalize ? Normalized(x, architecture.Dimension) : x);
        return _graph;
    }

    // Step by step: OpenCV's reader has no L2_NORMALIZATION.
    private int Normalized(int x, int dimension)
    {
        int square = _graph.Node(TfliteOperator.Mul, [x, x], Of("embedding.square", dimension), new TfliteOptions(Mul));
        int sum = _graph.Node(TfliteOperator.Sum, [square, Ints("embedding.axis", 1)], Of("embedding.sum", 1), new TfliteOptions(Reducer, (0, 1, 1)));
        int factor = _graph.Node(TfliteOperator.Rsqrt, [sum], Of("embedding.factor", 1));
        return _graph.Node(TfliteOperator.Mul, [x, factor], Of("embedding", dimension), new TfliteOptions(Mul));
    }

    private int Input(GraphPrePostprocessing ends, int size)
    {
        var contract = _student.Description.Contract;
        int input = _graph.Tensor(ends.Preprocess ? new TfliteTensor(GraphPrePostprocessing.ImageInput, TfliteType.UInt8, [-1, size, size, 3])
            : Of("input", size, size, 3));
        _graph.Inputs.Add(input);
        if (!ends.Preprocess)
        {
            return input;
        }

        input = _graph.Node(TfliteOperator.Cast, [input], Of("image.float", size, size, 3), new TfliteOptions(Cast, (0, 1, (int)TfliteType.UInt8)));
        input = _graph.Node(TfliteOperator.Sub, [input, Floats("image.mean", contract.Mean, 3)], Of("image.centred", size, size, 3), new TfliteOptions(Sub));
        return _graph.Node(TfliteOperator.Mul, [input, Floats("image.scale", [.. contract.Std.Select(s => 1 / s)], 3)], Of("input", size, size, 3),
            new TfliteOptions(Mul));
    }

    private int InFloat(FoldedLayer layer, int input, string? name = null)
    {
        var shape = layer.Layer;
        int filters = Floats($"{shape.Name}.weight", ChannelsLast<float>(layer.Weights, shape), FilterShape(shape));
        return Convolution(shape, Padded(shape, input), filters, Floats($"{shape.Name}.bias", layer.Bias, shape.Out),
            Of(name ?? shape.Name, shape.OutSize, shape.OutSize, shape.Out));
    }

    private int InLevels(FoldedLayer layer, int input, string source)
    {
        var shape = layer.Layer;
        var (weights, bias, steps) = ChannelWeights.WithBias(layer, _plan!.Biases[shape.Name], _plan.Ranges[source].Scale);
        int filters = _graph.Tensor(new TfliteTensor($"{shape.Name}.weight", TfliteType.Int8, FilterShape(shape),
            MemoryMarshal.AsBytes<sbyte>(ChannelsLast<sbyte>(weights.Levels, shape)).ToArray(),
            new TfliteSteps(weights.Scales, new long[shape.Out], shape.Groups > 1 ? 3 : 0)));
        int biases = _graph.Tensor(new TfliteTensor($"{shape.Name}.bias", TfliteType.Int32, [shape.Out], MemoryMarshal.AsBytes<int>(bias).ToArray(),
            new TfliteSteps(steps, new long[shape.Out])));
        return Convolution(shape, Padded(shape, input), filters, biases, Levels(shape.Name, shape.OutSize, shape.OutSize, shape.Out));
    }

    private int Convolution(ConvLayer shape, int input, int filters, int bias, TfliteTensor output)
    {
        bool depthwise = shape.Groups > 1;
        int padding = shape.Padding > 0 && shape.Stride == 1 ? Same : Valid, activation = shape.Relu && output.Steps is null ? Relu : 0;
        return _graph.Node(depthwise ? TfliteOperator.DepthwiseConv2D : TfliteOperator.Conv2D, [input, filters, bias], output, depthwise
            ? new TfliteOptions(Depthwise, (0, 1, padding), (1, 4, shape.Stride), (2, 4, shape.Stride), (3, 4, 1), (4, 1, activation), (5, 4, 1), (6, 4, 1))
            : new TfliteOptions(Conv, (0, 1, padding), (1, 4, shape.Stride), (2, 4, shape.Stride), (3, 1, activation), (4, 4, 1), (5, 4, 1)));
    }

    private int Padded(ConvLayer shape, int input)
    {
        if (shape.Padding == 0 || shape.Stride == 1)
        {
            return input;
        }

        _pads ??= _graph.Tensor(new TfliteTensor("pads", TfliteType.Int32, [4, 2], MemoryMarshal.AsBytes<int>([0, 0, 1, 1, 1, 1, 0, 0]).ToArray()));
        int size = shape.InSize + (2 * shape.Padding);
        return _graph.Node(TfliteOperator.Pad, [input, _pads.Value],
            _graph.Tensors[input] with { Name = $"{shape.Name}.padded", Shape = [-1, size, size, shape.In] });
    }

    private int ToLevels(int x, string name) =>
        _graph.Node(TfliteOperator.Quantize, [x], Levels(name, [.. _graph.Tensors[x].Shape.Skip(1)]) with { Name = $"{name}.levels" });

    private int ToFloat(int x) => _graph.Node(TfliteOperator.Dequantize, [x],
        Of($"{_graph.Tensors[x].Name}.float", [.. _graph.Tensors[x].Shape.Skip(1)]));

    private TfliteTensor Levels(string name, params int[] shape) => Of(name, shape) with
    {
        Type = TfliteType.Int8,
        Steps = new TfliteSteps([_plan!.Ranges[name].Scale], [_plan.Ranges[name].Zero - 128]),
    };

    private static TfliteTensor Of(string name, params int[] shape) => new(name, TfliteType.Float32, [-1, .. shape]);

    private int Floats(string name, float[] values, params int[] shape) =>
        _graph.Tensor(new TfliteTensor(name, TfliteType.Float32, shape, MemoryMarshal.AsBytes<float>(values).ToArray()));

    private int Ints(string name, params int[] values) =>
        _graph.Tensor(new TfliteTensor(name, TfliteType.Int32, [values.Length], MemoryMarshal.AsBytes<int>(values).ToArray()));

    private static int[] FilterShape(ConvLayer shape) =>
        shape.Groups > 1 ? [1, shape.Kernel, shape.Kernel, shape.Out] : [shape.Out, shape.Kernel, shape.Kernel, shape.In];

    // [out, in / groups, place] to [out, place, in], and of a depthwise layer to [place, out].
    private static T[] ChannelsLast<T>(T[] filters, ConvLayer shape)
    {
        int places = shape.Kernel * shape.Kernel, inputs = shape.In / shape.Groups;
        var turned = new T[filters.Length];
        for (int o = 0; o < shape.Out; o++)
        {
            for (int i = 0; i < inputs; i++)
            {
                for (int p = 0; p < places; p++)
                {
                    int to = shape.Groups > 1 ? (p * shape.Out) + o : (((o * places) + p) * inputs) + i;
                    turned[to] = filters[(((o * inputs) + i) * places) + p];
                }
            }
        }

        return turned;
    }
}
