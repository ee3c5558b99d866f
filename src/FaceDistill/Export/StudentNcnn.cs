using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Export;

/// <summary>
/// A folded student as an ncnn network: blob "input" float32 [3, r, r] (scaled as the contract in X.ncnn.json says), or "image" where it preprocesses, whose
/// values 0..255 ncnn::Mat::from_pixels gives; blob "embedding" float32 [D] in the teacher's space, or of unit length. One face at a time.
/// </summary>
/// <remarks>Parameters by ncnn's operation-param-weight-table; a ReLU is its convolution's activation 1. Filters lie as in ONNX.</remarks>
internal static class StudentNcnn
{
    /// <summary>Builds the network.</summary>
    /// <param name="student">The student.</param>
    /// <param name="ends">What the files do besides.</param>
    public static NcnnNetwork Build(FoldedStudent student, GraphPrePostprocessing ends)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(ends);
        var architecture = student.Description.Architecture();
        var network = new NcnnNetwork();
        StudentMetadata.Write(network.Metadata, student.Description, ends, TensorLayout.Nchw);
        string x = ends.Preprocess ? GraphPrePostprocessing.ImageInput : "input";
        void Add(string type, string name, string output, (int, int)[] parameters, params float[][] weights)
        {
            network.Layers.Add(new NcnnLayer(type, name, type == "Input" ? null : x, output) { Parameters = Texts(parameters), Weights = weights });
            x = output;
        }

        int size = architecture.Spec.Resolution;
        Add("Input", x, x, [(0, size), (1, size), (2, 3)]);
        if (ends.Preprocess)
        {
            var contract = student.Description.Contract;
            float[] scale = [.. contract.Std.Select(s => 1 / s)];
            Add("Scale", "scaling", "input", [(0, 3), (1, 1)], scale, [.. contract.Mean.Zip(scale, (m, s) => -m * s)]);
        }

        foreach (var (layer, weights, bias) in student.Layers)
        {
            var step = new[] { (0, layer.Out), (1, layer.Kernel), (3, layer.Stride), (4, layer.Padding), (5, 1), (6, weights.Length), (9, layer.Relu ? 1 : 0) };
            Add(layer.Groups > 1 ? "ConvolutionDepthWise" : "Convolution", layer.Name, layer.Name, layer.Groups > 1 ? [.. step, (7, layer.Groups)] : step,
                weights, bias);
        }

        if (architecture.Head == HeadKind.Gap)
        {
            Add("Pooling", "pooled", "pooled", [(0, 1), (4, 1)]); // the mean of the whole map
        }

        Add("InnerProduct", "embedding", ends.Normalize ? "embedding.raw" : "embedding",
            [(0, architecture.Dimension), (1, 1), (2, student.EmbeddingWeights.Length)], student.EmbeddingWeights, student.EmbeddingBias);
        if (ends.Normalize)
        {
            Add("Normalize", "unit", "embedding", [(0, 1), (1, 1), (3, 1), (4, 1), (9, 1)], [1f]); // by max(length, 2)
            network.Layers[^1].Parameters[2] = "1.000000e-12";
        }

        return network;
    }

    /// <summary>What a network computes, as an ONNX graph of any number of faces: by the layers' documented meaning, from what was read.</summary>
    /// <param name="network">The network.</param>
    /// <exception cref="InvalidDataException">A layer has values of another number than its shape, or is not where students have it.</exception>
    public static OnnxGraph ToOnnx(NcnnNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var graph = new OnnxGraph("ncnn");
        foreach (var layer in network.Layers)
        {
            Add(graph, layer);
        }

        int dimension = network.Layers.Last(l => l.Type == "InnerProduct").Whole(0);
        graph.Output(network.Layers[^1].Output, OnnxElementType.Float32, "batch", dimension);
        return graph;
    }

    private static void Add(OnnxGraph graph, NcnnLayer layer)
    {
        string Constant(string name, float[] values, params long[] dims) => graph.Initializer<float>($"{layer.Name}.{name}", values, dims);
        string x = layer.Input ?? "", y = layer.Output;
        var w = layer.Weights;
        switch (layer.Type)
        {
            case "Input":
                graph.Input(y, OnnxElementType.Float32, "batch", layer.Whole(2), layer.Whole(1), layer.Whole(0));
                break;
            case "Scale":
                string scaled = graph.Mul($"{y}.scaled", x, Constant("scale", w[0], 1, w[0].Length, 1, 1));
                graph.Add(y, scaled, w.Count > 1 ? Constant("bias", w[1], 1, w[1].Length, 1, 1) : Constant("bias", [0]));
                break;
            case "Convolution" or "ConvolutionDepthWise":
                int outputs = layer.Whole(0), kernel = layer.Whole(1), groups = layer.Whole(7, 1);
                string filters = Constant("weight", w[0], outputs, w[0].Length / outputs / kernel / kernel, kernel, kernel);
                string map = graph.Conv(layer.Whole(9) == 1 ? $"{y}.map" : y, x, filters, w.Count > 1 ? Constant("bias", w[1], outputs) : null,
                    new ConvStep(layer.Whole(3, 1), layer.Whole(4), groups));
                _ = map == y ? y : graph.Relu(y, map);
                break;
            case "Pooling" when layer.Whole(0) == 1 && layer.Whole(4) == 1:
                graph.GlobalAveragePool(y, x);
                break;
            case "InnerProduct":
                int rows = layer.Whole(0);
                graph.Gemm(y, graph.Flatten($"{y}.features", x), Constant("weight", w[0], rows, w[0].Length / rows),
                    w.Count > 1 ? Constant("bias", w[1], rows) : null, transposed: true);
                break;
            case "Normalize" when layer.Whole(9) == 1:
                string length = graph.Node("ReduceL2", $"{y}.length", [x], OnnxAttribute.Ints("axes", 1), OnnxAttribute.Int("keepdims", 1));
                graph.Mul(y, graph.Node("Div", $"{y}.unit", [x, length]), Constant("scale", w[0], w[0].Length));
                break;
            default:
                throw new InvalidDataException($"the layer {layer.Name} is a {layer.Type} of a kind which students have not");
        }
    }

    private static SortedDictionary<int, string> Texts((int Key, int Value)[] parameters) =>
        new(parameters.Where(p => p.Value != 0).ToDictionary(p => p.Key, p => InvariantText.Of($"{p.Value}")));
}
