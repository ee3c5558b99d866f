using FaceDistill.Export.Graphs;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Tests.Formats;
using FaceDistill.Training.Checkpoints;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Export.Graphs;

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

    private StudentCheckpoint Random(string student, HeadKind head, int dimension, float targetScale) =>
        RandomStudent.Write(_folder["checkpoint"], student, head, dimension, targetScale);
}
