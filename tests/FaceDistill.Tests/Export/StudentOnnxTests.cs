using FaceDistill.Distillation;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Tests.Formats;
using OpenCvSharp;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Export;

/// <summary>Untrained students whose batch norms have run over other data: the folding must be right, whatever the weights.</summary>
public sealed class StudentOnnxTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("mobilenet-v1:0.25@64", HeadKind.Gap, 16, 1)]
    [InlineData("mobilenet-v1:0.25@64", HeadKind.Gdc, 16, 5)]
    [InlineData("mobilenet-v1:0.1@96", HeadKind.Gdc, 7, 5)]
    [InlineData("mobilenet-v1:0.5@128", HeadKind.Gap, 128, 1)]
    [InlineData("mobilenet-v1:1.0@64", HeadKind.Gdc, 512, 2)]
    public void The_graph_computes_what_the_network_computes(string student, HeadKind head, int dimension, int batch)
    {
        var checkpoint = Random(student, head, dimension, targetScale: 0.05f);
        int size = checkpoint.Description.Contract.Size;
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        float[] input = (rand([batch, 3, size, size], generator: generator) * 2 - 1).data<float>().ToArray();
        using var torchStudent = new StudentEmbedder(checkpoint, "torch", "cpu");
        var expected = new float[batch * dimension];
        torchStudent.Embed(input, batch, expected);
        var (values, shape) = OnnxRun.First(StudentOnnx.Build(checkpoint), ("input", input, [batch, 3, size, size]));
        Assert.Equal([batch, dimension], shape);
        Assert.All(expected.Zip(values), v => Assert.Equal(v.First, v.Second, 1e-4f));

        // The faces' embeddings differ from the mean by more than the tolerance: else the comparison would say nothing.
        Assert.True(expected.Zip(Enumerable.Repeat(checkpoint.Scaling.Mean, batch).SelectMany(m => m)).Max(v => Math.Abs(v.First - v.Second)) > 0.01);
    }

    [Fact]
    public void An_export_that_differs_leaves_the_old_file()
    {
        // At this scale float32 itself differs by more than the tolerance.
        var checkpoint = Random("mobilenet-v1:0.25@64", HeadKind.Gap, 16, targetScale: 1e6f);
        File.WriteAllText(_folder["student.onnx"], "old");
        using var face = new Mat(64, 64, MatType.CV_8UC3, new Scalar(10, 120, 200));
        var error = Assert.Throws<FaceDistillException>(() => StudentExporter.Onnx(checkpoint, _folder["student.onnx"], [face]));
        Assert.StartsWith($"{_folder["student.onnx"]} was not written: ", error.Message, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(_folder["student.onnx"]));
        Assert.Equal(["checkpoint", "student.onnx"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("conv0.weight")]
    [InlineData("dw5_bn.running_var")]
    [InlineData("embedding.bias")]
    public void A_tensor_that_is_missing_or_another_is_named(string name)
    {
        Random("mobilenet-v1:0.25@64", HeadKind.Gap, 16, 0.05f);
        Refused(name, tensors => tensors.Remove("model." + name), "lacks the tensor");
        Refused(name, tensors => tensors["model." + name] = SafeTensor.Of([1, 2, 3], 3), "F32 [3]");
        Refused(name, tensors => tensors["model." + name] = tensors["model." + name] with { Type = "I32" }, "I32");
    }

    [Fact]
    public void Equal_checkpoints_give_equal_files()
    {
        var checkpoint = Random("mobilenet-v1:0.25@64", HeadKind.Gap, 16, 0.05f);
        Assert.Equal(OnnxRun.Bytes(StudentOnnx.Build(checkpoint)), OnnxRun.Bytes(StudentOnnx.Build(checkpoint)));
    }

    public void Dispose() => _folder.Dispose();

    private void Refused(string name, Action<Dictionary<string, SafeTensor>> change, string expected)
    {
        var (tensors, metadata) = SafetensorsFile.Read(_folder["checkpoint"]);
        change(tensors);
        SafetensorsFile.Write(_folder["changed"], tensors, metadata);
        string message = Assert.Throws<FaceDistillException>(() => StudentOnnx.Build(StudentCheckpoint.Read(_folder["changed"]))).Message;
        Assert.Contains(name, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    private StudentCheckpoint Random(string student, HeadKind head, int dimension, float targetScale)
    {
        var spec = StudentSpec.Parse(student);
        using var model = new MobileNetV1(new MobileNetV1Architecture(spec, head, dimension), seed: 3);
        using (no_grad())
        using (NewDisposeScope())
        using (var generator = new Generator(4))
        {
            foreach (var (name, tensor) in model.state_dict().Where(t => t.Key.Contains("_bn.", StringComparison.Ordinal) && t.Value.dim() > 0))
            {
                bool positive = name.EndsWith("running_var", StringComparison.Ordinal) || name.EndsWith(".weight", StringComparison.Ordinal);
                tensor.uniform_(positive ? 0.5 : -0.5, positive ? 1.5 : 0.5, generator);
            }
        }

        using var optimizer = new AdamWState(model, 0);
        float[] mean = [.. Enumerable.Range(0, dimension).Select(i => i / (float)dimension)];
        var description = new StudentDescription(student, head, dimension, FaceTensor.StudentContract(spec.Resolution, "dlib"), "teacher", "hash", targetScale);
        var options = new DistillOptions { Student = student, Head = head };
        StudentCheckpoint.Write(_folder["checkpoint"], model, optimizer, new TargetScaling(mean, targetScale), description, options, new TrainingState(1, 0, 0, []));
        return StudentCheckpoint.Read(_folder["checkpoint"]);
    }
}
