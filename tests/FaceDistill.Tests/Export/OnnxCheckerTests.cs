using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Tests.Export;

/// <summary>ONNX's own checker (Debian: python3-onnx) on every kind of ONNX file that is exported.</summary>
public sealed class OnnxCheckerTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [PythonFact("onnx")]
    public void Every_kind_of_graph_passes_the_full_check()
    {
        using var folder = new TempFolder();
        var checkpoint = RandomStudent.Write(folder["checkpoint"], "mobilenet-v1:0.25@64", HeadKind.Gdc);
        var paths = new List<string>();
        var quick = new Int8Options { Method = CalibrationMethod.MinMax, Equalize = false, CorrectBias = false, CalibrationFaces = 16, SelectionFaces = 16 };
        foreach (var format in ExportFormat.All.Where(f => f.Ending == ".onnx"))
        {
            foreach (var ends in new GraphPrePostprocessing[] { new(), new(true, false), new(false, true), new(true, true) })
            {
                paths.Add(folder[$"{format.Name}-{ends.Preprocess}-{ends.Normalize}.onnx"]);
                format.Prepare(new ExportContext(checkpoint, ends, tiny.Faces) { Int8 = quick }).Write(paths[^1], [new(1e-3, 0.9f, "all-pairs", 5000)]);
            }
        }

        // With shape inference, every inferred type and shape must agree with the declared ones.
        const string Check = """
            import onnx, sys
            for path in sys.argv[1:]:
                model = onnx.load(path)
                onnx.checker.check_model(model, full_check=True)
                onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
                print(model.opset_import[0].version)
            """;
        string[] opsets = PythonFactAttribute.Run(["-c", Check, .. paths]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Repeat($"{OnnxWriter.OperatorSet}", paths.Count), opsets);
    }
}
