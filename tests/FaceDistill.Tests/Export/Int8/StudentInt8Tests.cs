using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Synthetic;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Export.Int8;

public sealed class StudentInt8Tests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Theory]
    [InlineData(HeadKind.Gap)]
    [InlineData(HeadKind.Gdc)]
    public void An_equalised_student_computes_the_same_and_its_channels_are_more_alike(HeadKind head)
    {
        using var folder = new TempFolder();
        var student = FoldedStudent.Of(RandomStudent.Write(folder["checkpoint"], "mobilenet-v1:0.25@64", head));
        var equal = student.Copy();
        ChannelEqualization.Apply(equal);
        var (a, b) = (Taps(student, folder["a.onnx"]), Taps(equal, folder["b.onnx"]));
        // The last layer with a ReLU leaves to the head: with gap nothing follows it in the chain, with gdc the depthwise head takes its factors back.
        var last = student.Layers[^1].Layer;
        Assert.Equal(head == HeadKind.Gdc, last.Name == "gdc");
        Assert.All(a[last.Name].Zip(b[last.Name]), v => Assert.Equal(v.First, v.Second, 1e-3 * Math.Max(1, Math.Abs(v.First))));
        double Spread(FoldedStudent s) => s.Layers.Where(l => l.Layer.Groups > 1).Average(l => Range(l).Max() / Range(l).Average());
        Assert.True(Spread(equal) < Spread(student), $"{Spread(student)} to {Spread(equal)}");
    }

    [Fact]
    public void Every_layer_becomes_an_integer_convolution_and_the_file_a_quarter()
    {
        using var folder = new TempFolder();
        var checkpoint = RandomStudent.Write(folder["checkpoint"], "mobilenet-v1:0.5@64", HeadKind.Gap);
        using var quantiser =
            new StudentInt8(checkpoint, tiny.Faces, new Int8Options { Method = CalibrationMethod.MinMax, Equalize = false, CorrectBias = false });
        var (graph, report) = quantiser.Build(default);
        OnnxWriter.Write(graph, folder["int8.onnx"]);
        OnnxWriter.Write(StudentOnnx.Build(checkpoint), folder["fp32.onnx"]);
        Assert.InRange((double)new FileInfo(folder["fp32.onnx"]).Length / new FileInfo(folder["int8.onnx"]).Length, 3.5, 4);
        using var options = OnnxSessions.Options();
        options.OptimizedModelFilePath = folder["optimised.onnx"];
        using (OnnxSessions.Open(folder["int8.onnx"], options))
        {
        }

        string text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(folder["optimised.onnx"]));
        Assert.Equal(27, text.Split("QLinearConv").Length - 1);
        Assert.Single(report.Tried);
    }

    [Fact]
    public void Left_alone_it_takes_the_way_with_the_smallest_error()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 25 } });
        trainer.Run(JobContext.None);
        using var quantiser = new StudentInt8(StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]), tiny.Faces, new Int8Options());
        var report = quantiser.Build(default).Report;
        Assert.Equal(12, report.Tried.Distinct().Count());
        Assert.Equal(report.Tried.Min(t => t.Error), report.Error);
        Assert.Contains(new Int8Trial(report.Method, report.Equalized, report.BiasCorrected, report.Error), report.Tried);
        Assert.InRange(report.Error, 1e-9, 0.05);
        Assert.Equal(120, report.CalibrationFaces + report.SelectionFaces);
    }

    [Fact]
    public void Layers_return_to_float32_only_where_that_helps()
    {
        using var folder = new TempFolder();
        var checkpoint = RandomStudent.Write(folder["checkpoint"], "mobilenet-v1:0.25@64", HeadKind.Gap);
        Int8Options options = new() { Method = CalibrationMethod.MinMax, Equalize = false, CorrectBias = false };
        using var none = new StudentInt8(checkpoint, tiny.Faces, options);
        using var two = new StudentInt8(checkpoint, tiny.Faces, options with { MaxFloat32Layers = 2 });
        var (graph, report) = two.Build(default);
        Assert.InRange(report.Float32Layers.Count, 0, 2);
        double before = none.Build(default).Report.Error;
        Assert.True(report.Float32Layers.Count == 0 ? report.Error == before : report.Error <= 0.9 * before, $"{before} to {report.Error}");
        Assert.Equal(report.Float32Layers.Count, graph.Nodes.Count(n => n.Op == "Conv" && graph.Initializers.Any(i => i.Name == n.Inputs[1])));
    }

    [Fact]
    public void The_layer_whose_weights_8_bits_do_not_hold_returns_to_float32_first()
    {
        using var folder = new TempFolder();
        using (var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 25 } }))
        {
            trainer.Run(JobContext.None);
        }

        var trained = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        using var model = trained.LoadModel();
        using (no_grad())
        using (NewDisposeScope())
        {
            var weights = model.state_dict();
            weights["dw5_bn.weight"].narrow(0, 0, 1).fill_(0.01); // the first channel is always 0: what it is multiplied with decides the steps, nothing else
            weights["dw5_bn.bias"].narrow(0, 0, 1).fill_(-10);
            weights["pw5.weight"].narrow(1, 0, 1).fill_(1000);
        }

        using var optimizer = new AdamWState(model, 0);
        var run = new RunPosition(trained.Description, trained.Scaling, trained.Options, trained.State);
        StudentCheckpoint.Write(folder["outlier"], run, new TrainedStudent(model) { Optimizer = optimizer });
        var options = new Int8Options { Method = CalibrationMethod.MinMax, Equalize = false, CorrectBias = false, MaxFloat32Layers = 1 };
        using var quantiser = new StudentInt8(StudentCheckpoint.Read(folder["outlier"]), tiny.Faces, options);
        var report = quantiser.Build(default).Report;
        Assert.Equal(["pw5"], report.Float32Layers);
        Assert.InRange(report.Error, 1e-9, 0.1);
        Assert.True(report.Error < report.Tried[0].Error / 5, $"{report.Tried[0].Error} to {report.Error}");
        using var dead = new StudentInt8(StudentCheckpoint.Read(folder["outlier"]), tiny.Faces, options with { MaxFloat32Layers = 0 });
        Assert.Contains("nearly the same embedding", Assert.Throws<FaceDistillException>(() => dead.Build(default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_faces_and_wrong_options_are_one_line()
    {
        using var folder = new TempFolder();
        var checkpoint = RandomStudent.Write(folder["checkpoint"], "mobilenet-v1:0.25@64", HeadKind.Gap);
        var few = SyntheticDataset.Write(folder["few"], new DrawnPeople(2, 8, 3), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string tooFew = Assert.Throws<FaceDistillException>(() => new StudentInt8(checkpoint, few, new())).Message;
        Assert.StartsWith("int8 needs at least 32 faces", tooFew, StringComparison.Ordinal);
        Assert.EndsWith("name more with --calibration", tooFew, StringComparison.Ordinal); // --data is verified on, and gives no ranges
        Assert.Contains("0 to 28, not 29", Assert.Throws<FaceDistillException>(() => new Int8Options { MaxFloat32Layers = 29 }.Validated()).Message,
            StringComparison.Ordinal);
        Assert.Contains("16 to 100000, not 15", Assert.Throws<FaceDistillException>(() => new Int8Options { CalibrationFaces = 15 }.Validated()).Message,
            StringComparison.Ordinal);
        Assert.Contains("16 to 100000, not 15", Assert.Throws<FaceDistillException>(() => new Int8Options { SelectionFaces = 15 }.Validated()).Message,
            StringComparison.Ordinal);
    }

    private static IEnumerable<double> Range(FoldedLayer layer) =>
        Enumerable.Range(0, layer.Layer.Out).Select(o => (double)layer.Filter(o).ToArray().Max(Math.Abs));

    // What each layer gives for a grey ramp.
    private static Dictionary<string, float[]> Taps(FoldedStudent student, string file)
    {
        OnnxWriter.Write(student.Tapped(), file);
        using var session = OnnxSessions.Open(file);
        using var run = new RunOptions();
        float[] input = [.. Enumerable.Range(0, 3 * 64 * 64).Select(i => MathF.Sin(i * 0.01f))];
        using var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, input.AsMemory(), [1, 3, 64, 64]);
        using var outputs = session.Run(run, ["input"], [value], session.OutputNames);
        return student.Layers.Select((l, i) => (l.Layer.Name, outputs[i].GetTensorDataAsSpan<float>().ToArray())).ToDictionary(t => t.Name, t => t.Item2);
    }
}
