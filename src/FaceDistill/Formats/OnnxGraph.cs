using System.Runtime.InteropServices;

namespace FaceDistill.Formats;

/// <summary>
/// An ONNX graph in the making: add inputs, constants, nodes in the order of computation and outputs, then hand it to
/// <see cref="OnnxWriter"/>. Values are known by name; the common operators are in <see cref="OnnxOperators"/>.
/// </summary>
internal sealed class OnnxGraph
{
    private readonly List<OnnxValue> _inputs = [];
    private readonly List<OnnxValue> _outputs = [];
    private readonly List<OnnxInitializer> _initializers = [];
    private readonly List<OnnxNode> _nodes = [];

    /// <summary>Starts an empty graph.</summary>
    /// <param name="name">The graph's name, which viewers show.</param>
    public OnnxGraph(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
    }

    /// <summary>The graph's name.</summary>
    public string Name { get; }

    /// <summary>A text for people about the model; empty for none.</summary>
    public string DocString { get; set; } = "";

    /// <summary>The program that made the model.</summary>
    public string ProducerName { get; set; } = "FaceDistill";

    /// <summary>The version of that program.</summary>
    public string ProducerVersion { get; set; } = typeof(OnnxGraph).Assembly.GetName().Version!.ToString(3);

    /// <summary>The model's metadata_props, written in the order of their keys so that equal graphs give equal files.</summary>
    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    internal IReadOnlyList<OnnxValue> Inputs => _inputs;

    internal IReadOnlyList<OnnxValue> Outputs => _outputs;

    internal IReadOnlyList<OnnxInitializer> Initializers => _initializers;

    internal IReadOnlyList<OnnxNode> Nodes => _nodes;

    /// <summary>Adds a graph input; a dimension is a length or a name such as "batch".</summary>
    /// <returns>The input's name.</returns>
    public string Input(string name, OnnxElementType type, params OnnxDim[] dims)
    {
        _inputs.Add(Value(name, type, dims));
        return name;
    }

    /// <summary>Declares a value as a graph output; a dimension is a length or a name such as "batch".</summary>
    /// <returns>The output's name.</returns>
    public string Output(string name, OnnxElementType type, params OnnxDim[] dims)
    {
        _outputs.Add(Value(name, type, dims));
        return name;
    }

    /// <summary>Adds a constant tensor; the element type follows from <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">float, byte, sbyte, int, long or Half.</typeparam>
    /// <param name="name">The constant's name.</param>
    /// <param name="values">The elements, row-major; copied.</param>
    /// <param name="dims">The shape; none for a scalar.</param>
    /// <returns>The constant's name.</returns>
    /// <exception cref="ArgumentException">The shape does not hold that many values, or T has no ONNX type here.</exception>
    public string Initializer<T>(string name, ReadOnlySpan<T> values, params long[] dims)
        where T : unmanaged
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(dims);
        long product = 1;
        foreach (long dim in dims)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(dim, 1, nameof(dims));
            product = checked(product * dim);
        }

        if (product != values.Length)
        {
            throw new ArgumentException($"ONNX initializer '{name}' has shape [{string.Join(", ", dims)}] but {values.Length} values");
        }

        // raw_data is little-endian by the specification, and so is every platform that ONNX Runtime's package supports.
        _initializers.Add(new(name, ElementType(typeof(T)), [.. dims], MemoryMarshal.AsBytes(values).ToArray()));
        return name;
    }

    /// <summary>Adds a node with one output.</summary>
    /// <param name="op">The operator of opset 17, such as "Relu".</param>
    /// <param name="output">The output's name, which also names the node.</param>
    /// <param name="inputs">Names of values added before; empty for an optional input left out.</param>
    /// <param name="attributes">The attributes that differ from the operator's defaults.</param>
    /// <returns>The output's name.</returns>
    public string Node(string op, string output, string[] inputs, params OnnxAttribute[] attributes)
    {
        Node(op, [output], inputs, attributes);
        return output;
    }

    /// <summary>Adds a node with any number of outputs; the first one also names the node.</summary>
    public void Node(string op, string[] outputs, string[] inputs, params OnnxAttribute[] attributes)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(op);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(attributes);
        ArgumentOutOfRangeException.ThrowIfZero(outputs.Length);
        _nodes.Add(new(op, [.. inputs], [.. outputs], [.. attributes]));
    }

    /// <summary>A copy, metadata included, in which the given parts take the place of its own.</summary>
    internal OnnxGraph With(
        IEnumerable<OnnxValue>? inputs = null, IEnumerable<OnnxInitializer>? initializers = null, IEnumerable<OnnxNode>? nodes = null,
            IEnumerable<OnnxValue>? outputs = null)
    {
        var copy = new OnnxGraph(Name) { DocString = DocString, ProducerName = ProducerName, ProducerVersion = ProducerVersion };
        foreach (var (key, value) in Metadata)
        {
            copy.Metadata[key] = value;
        }

        copy._inputs.AddRange(inputs ?? _inputs);
        copy._initializers.AddRange(initializers ?? _initializers);
        copy._nodes.AddRange(nodes ?? _nodes);
        copy._outputs.AddRange(outputs ?? _outputs);
        return copy;
    }

    private static OnnxValue Value(string name, OnnxElementType type, OnnxDim[] dims)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(dims);
        return dims.Any(d => d == default)
            ? throw new ArgumentException($"ONNX value '{name}' has a dimension with neither length nor name")
            : new(name, type, [.. dims]);
    }

    private static OnnxElementType ElementType(Type type) =>
        type == typeof(float) ? OnnxElementType.Float32
        : type == typeof(byte) ? OnnxElementType.UInt8
        : type == typeof(sbyte) ? OnnxElementType.Int8
        : type == typeof(int) ? OnnxElementType.Int32
        : type == typeof(long) ? OnnxElementType.Int64
        : type == typeof(Half) ? OnnxElementType.Float16
        : throw new ArgumentException($"{type.Name} has no ONNX element type here");
}

/// <summary>A graph input or output with its type.</summary>
internal sealed record OnnxValue(string Name, OnnxElementType Type, OnnxDim[] Dims);

/// <summary>A constant tensor; the bytes are row-major and little-endian.</summary>
internal sealed record OnnxInitializer(string Name, OnnxElementType Type, long[] Dims, byte[] Data);

/// <summary>An operator's use; an empty input name stands for an optional input that is left out.</summary>
internal sealed record OnnxNode(string Op, string[] Inputs, string[] Outputs, OnnxAttribute[] Attributes);

/// <summary>Refuses a graph that no runtime could load, naming what is wrong.</summary>
internal static class OnnxValidation
{
    /// <summary>Checks names, the order of nodes and the outputs.</summary>
    /// <exception cref="InvalidOperationException">A name is used twice, a value has no producer before its use, or there is no output.</exception>
    public static void Check(OnnxGraph graph)
    {
        var produced = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in graph.Inputs.Select(v => v.Name).Concat(graph.Initializers.Select(i => i.Name)))
        {
            AddOnce(graph, produced, name);
        }

        foreach (OnnxNode node in graph.Nodes)
        {
            CheckNode(graph, node, produced);
        }

        CheckOutputs(graph, produced);
    }

    private static void CheckNode(OnnxGraph graph, OnnxNode node, HashSet<string> produced)
    {
        foreach (string input in node.Inputs.Where(i => i.Length > 0 && !produced.Contains(i)))
        {
            bool later = graph.Nodes.Any(n => n.Outputs.Contains(input));
            string reason = later ? "is produced only by this or a later node" : "has no producer";
            throw Malformed(graph, $"input '{input}' of {node.Op} '{node.Outputs[0]}' {reason}");
        }

        if (node.Attributes.GroupBy(a => a.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw Malformed(graph, $"{node.Op} '{node.Outputs[0]}' has the attribute '{twice.Key}' twice");
        }

        foreach (string output in node.Outputs)
        {
            AddOnce(graph, produced, output);
        }
    }

    private static void CheckOutputs(OnnxGraph graph, HashSet<string> produced)
    {
        if (graph.Outputs.Count == 0)
        {
            throw Malformed(graph, "it has no output");
        }

        var outputs = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in graph.Outputs.Select(v => v.Name))
        {
            AddOnce(graph, outputs, name);
            if (!produced.Contains(name))
            {
                throw Malformed(graph, $"output '{name}' has no producer");
            }
        }
    }

    private static void AddOnce(OnnxGraph graph, HashSet<string> names, string name)
    {
        if (string.IsNullOrWhiteSpace(name) || !names.Add(name))
        {
            throw Malformed(graph, string.IsNullOrWhiteSpace(name) ? "a value has no name" : $"the name '{name}' is given twice");
        }
    }

    private static InvalidOperationException Malformed(OnnxGraph graph, string what) => new($"ONNX graph '{graph.Name}': {what}");
}
