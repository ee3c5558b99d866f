namespace FaceDistill.Formats;

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
