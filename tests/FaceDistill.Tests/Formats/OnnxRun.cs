using FaceDistill.Embeddings;
using FaceDistill.Formats;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace FaceDistill.Tests.Formats;

/// <summary>Writes a graph to memory and runs it with ONNX Runtime.</summary>
internal static class OnnxRun
{
    public static byte[] Bytes(OnnxGraph graph)
    {
        using var stream = new MemoryStream();
        OnnxWriter.Write(graph, stream);
        return stream.ToArray();
    }

    public static InferenceSession Session(OnnxGraph graph)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, Bytes(graph));
            return OnnxSessions.Open(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The first output as float32, with its shape.</summary>
    public static (float[] Values, int[] Shape) First(InferenceSession session, params (string Name, float[] Values, int[] Shape)[] inputs)
    {
        var named = inputs.Select(i => NamedOnnxValue.CreateFromTensor(i.Name, new DenseTensor<float>(i.Values, i.Shape))).ToList();
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = session.Run(named);
        Tensor<float> tensor = results[0].AsTensor<float>();
        return ([.. tensor], tensor.Dimensions.ToArray());
    }

    public static (float[] Values, int[] Shape) First(OnnxGraph graph, params (string Name, float[] Values, int[] Shape)[] inputs)
    {
        using InferenceSession session = Session(graph);
        return First(session, inputs);
    }
}
