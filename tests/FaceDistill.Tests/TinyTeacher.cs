using FaceDistill.Formats;

namespace FaceDistill.Tests;

/// <summary>
/// A teacher that can be computed by hand: the grey values of a 4 x 4 pooled picture, scaled to 0..1. Written as ONNX with a card, so that
/// it goes through the same door as a real one.
/// </summary>
internal static class TinyTeacher
{
    public const int Dimension = 16;
    public const int Size = 64;

    /// <summary>Writes model and card into a folder.</summary>
    /// <returns>The card's path.</returns>
    public static string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var graph = new OnnxGraph("tiny");
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, Size, Size);
        x = graph.Conv("grey", x, graph.Initializer<float>("thirds", [1 / 3f, 1 / 3f, 1 / 3f], 1, 3, 1, 1), null);
        x = graph.AveragePool("pooled", x, Size / 4, Size / 4);
        graph.Flatten("embedding", x);
        graph.Output("embedding", OnnxElementType.Float32, "batch", Dimension);
        OnnxWriter.Write(graph, Path.Combine(folder, "tiny.onnx"));
        string card = Path.Combine(folder, "tiny.json");
        File.WriteAllText(card, """
            {
              "name": "tiny", "description": "pooled grey values", "licence": "MIT", "source": "made by the test",
              "assets": [{ "file": "tiny.onnx", "source": { "path": "tiny.onnx" } }],
              "model": "tiny.onnx", "dimension": 16,
              "contract": { "size": 64, "template": "dlib", "colorOrder": "rgb", "layout": "nchw", "mean": [0, 0, 0], "std": [255, 255, 255] }
            }
            """);
        return card;
    }
}
