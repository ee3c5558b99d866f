using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace FaceDistill.Formats;

/// <summary>
/// Stores a graph's weights in half precision: every float32 constant of two or more dimensions becomes float16 with a Cast back to
/// float32 behind it, which every runtime computes (most do so once, on loading). Vectors (biases) stay as they are: they take next
/// to no room. Inputs, outputs and all arithmetic stay float32.
/// </summary>
public static class OnnxHalfWeights
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
