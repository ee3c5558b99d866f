using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Teachers;

/// <summary>What an ONNX file of anyone's says of its input and its embedding.</summary>
/// <param name="Size">The picture's side in pixels; null where the file leaves it open.</param>
/// <param name="Layout">The order of the input's axes; null where three channels could stand on either side.</param>
/// <param name="Batch">The number of faces that it was made for; 0 for any.</param>
/// <param name="Type">The input's values: Single, Float16 or Byte.</param>
/// <param name="Output">The embedding's output where there are others; null for the only one.</param>
/// <param name="Opset">The version of the operator set; null where the file does not say.</param>
internal sealed record ModelFile(int? Size, TensorLayout? Layout, int Batch, string Type, string? Output, long? Opset)
{
    private const int ShortestEmbedding = 16; // AdaFace's norm has 1 value, a detector's boxes 4, points 10

    /// <summary>Reads a file.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="named">The output that the user says is the embedding; null to find it.</param>
    /// <exception cref="FaceDistillException">It is no model of one picture, or which output is the embedding cannot be seen.</exception>
    public static ModelFile Read(string path, string? named)
    {
        using var session = OnnxSessions.Open(path);
        if (session.InputMetadata.Count != 1 || session.InputMetadata.Values.Single() is not { IsTensor: true, Dimensions: { Length: 4 } shape } input)
        {
            throw new FaceDistillException($"{path} takes {string.Join(", ", session.InputMetadata.Select(i => $"{i.Key} {Shape(i.Value)}"))}; "
                + "a face model takes one picture, [batch, 3, size, size] or [batch, size, size, 3]");
        }

        TensorLayout? layout = shape[1] == 3 && shape[3] != 3 ? TensorLayout.Nchw
            : shape[3] == 3 && shape[1] != 3 ? TensorLayout.Nhwc
            : shape[1] <= 0 && shape[3] <= 0 ? null
            : throw new FaceDistillException(
                $"{path} takes pictures [{string.Join(", ", shape)}]; a face model takes three channels, as the second or last axis");
        var (rows, columns) = layout == TensorLayout.Nhwc ? (shape[1], shape[2]) : (shape[2], layout is null ? shape[2] : shape[3]);
        int side = Math.Max(rows, columns);
        if (rows > 0 && columns > 0 && rows != columns)
        {
            throw new FaceDistillException($"{path} takes pictures of {columns} x {rows} pixels; FaceDistill's faces are square");
        }

        return new ModelFile(side > 0 ? side : null, layout, Math.Max(0, shape[0]), input.ElementType.Name, EmbeddingOf(session, named, path), OpsetOf(path));
    }

    private static string? EmbeddingOf(InferenceSession session, string? named, string path)
    {
        if (named is not null && !session.OutputMetadata.ContainsKey(named))
        {
            throw new FaceDistillException($"{path} has no output '{named}', but {string.Join(", ", session.OutputNames)}"
                + Hints.DidYouMean(named, session.OutputNames));
        }

        if (named is not null || session.OutputMetadata.Count == 1)
        {
            return session.OutputMetadata.Count == 1 ? null : named;
        }

        string[] long2 = [.. session.OutputMetadata.Where(o => o.Value is { IsTensor: true, Dimensions: [_, var d, ..] } && (d <= 0 || d >= ShortestEmbedding))
            .Select(o => o.Key)];
        return long2.Length == 1 ? long2[0] : throw new FaceDistillException(
            $"{path} has the outputs {string.Join(", ", session.OutputMetadata.Select(o => $"{o.Key} {Shape(o.Value)}"))}; say which is the embedding with "
                + "--output-name NAME");
    }

    private static string Shape(NodeMetadata value) => value.IsTensor ? $"[{string.Join(", ", value.Dimensions)}]" : value.OnnxValueType.ToString();

    private static long? OpsetOf(string path)
    {
        try
        {
            return OnnxFile.OperatorSet(FileBytes.Read(path));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            return null; // a file of ONNX Runtime's own format says nothing of it
        }
    }
}
