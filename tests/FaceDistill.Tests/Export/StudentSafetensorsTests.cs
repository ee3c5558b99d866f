using System.Text;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Export;

public sealed class StudentSafetensorsTests(TinyRun tiny) : IClassFixture<TinyRun>, IDisposable
{
    private const int Count = 6;
    private readonly TempFolder _folder = new();

    [PythonFact("torch")]
    public void The_pytorch_sample_gives_torchsharps_embeddings()
    {
        foreach (var (student, head) in new[] { ("mobilenet-v1:0.25@64", HeadKind.Gap), ("mobilenet-v1:0.33@96", HeadKind.Gdc) })
        {
            var checkpoint = Random(student, head);
            StudentSafetensors.Write(checkpoint, _folder["s.safetensors"], []);
            WriteFaces(_folder["faces.npy"], checkpoint.Description.Contract.Size);
            PythonFactAttribute.Run(
                Path.Combine(ArchitectureTests.Root, "samples", "pytorch", "student.py"), _folder["s.safetensors"], _folder["faces.npy"], _folder["e.npy"]);
            var given = NpyFile.Read(_folder["e.npy"]);
            using var torch = new StudentEmbedder(checkpoint, "student", "cpu");
            float[] own = Embed(torch);
            Assert.Equal((Count, torch.Dimension), (given.Rows, given.Columns));
            Assert.All(own.Zip(given.Values), v => Assert.Equal(v.First, v.Second, 1e-4f));
            Assert.True(own.Zip(own.Skip(torch.Dimension)).Max(v => Math.Abs(v.First - v.Second)) > 1e-3,
                "the faces' embeddings do not differ: the test says nothing");
        }
    }

    [Fact]
    public void The_file_read_back_is_the_student()
    {
        var checkpoint = Random("mobilenet-v1:0.25@64", HeadKind.Gdc);
        StudentSafetensors.Write(checkpoint, _folder["s.safetensors"], [new(1e-3, 0.25f, "all-pairs", 1234)]);
        using var torch = new StudentEmbedder(checkpoint, "student", "cpu");
        using var read = StudentSafetensors.Open(_folder["s.safetensors"], "cpu");
        Assert.Equal(Embed(torch), Embed(read));
        Assert.Equal("mobilenet-v1:0.25@64 (s.safetensors)", read.Name);
        Assert.Equal(StudentCost.Of(checkpoint.Description.Architecture()), ModelArgument.Cost(_folder["s.safetensors"]));
        var (tensors, metadata) = SafetensorsFile.Read(_folder["s.safetensors"]);
        Assert.Equal([8L, 1, 3, 3], tensors["dw1.weight"].Shape);
        Assert.Equal(("pt", "I64"), (metadata["format"], tensors["conv0_bn.num_batches_tracked"].Type));
        Assert.Contains("1234", metadata[StudentThreshold.MetadataKey], StringComparison.Ordinal);
    }

    [Fact]
    public void An_edited_file_is_refused_and_one_of_before_the_checksum_is_told_of()
    {
        string path = _folder["s.safetensors"];
        StudentSafetensors.Write(Random("mobilenet-v1:0.25@64", HeadKind.Gap), path, []);
        byte[] whole = File.ReadAllBytes(path);
        var said = new List<string>();
        StudentSafetensors.Open(path, "cpu", new JobContext(said.Add)).Dispose();
        Assert.Empty(said);
        whole[^9] ^= 1;
        File.WriteAllBytes(path, whole);
        Assert.StartsWith($"{path} was changed or damaged", Assert.Throws<FaceDistillException>(() => StudentSafetensors.Open(path, "cpu")).Message,
            StringComparison.Ordinal);
        whole[whole.AsSpan().IndexOf(Encoding.UTF8.GetBytes(SafetensorsFile.ChecksumKey))] = (byte)'x'; // another key: no checksum
        File.WriteAllBytes(path, whole);
        StudentSafetensors.Open(path, "cpu", new JobContext(said.Add)).Dispose();
        Assert.StartsWith($"{path} is of an earlier version and carries no checksum", Assert.Single(said), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("conv0.weight")]
    [InlineData("pw13_bn.running_var")]
    [InlineData("target_mean")]
    [InlineData("target_scale")]
    public void A_file_that_lacks_a_tensor_is_refused(string name)
    {
        StudentSafetensors.Write(Random("mobilenet-v1:0.25@64", HeadKind.Gap), _folder["s.safetensors"], []);
        var (tensors, metadata) = SafetensorsFile.Read(_folder["s.safetensors"]);
        Refused(tensors.Where(t => t.Key != name).ToDictionary(), metadata, name);
        Refused(new(tensors) { [name] = SafeTensor.Of([1, 2, 3], 3) }, metadata, name);
        Refused(tensors, metadata.Where(m => m.Key != ExportedModel.ContractKey).ToDictionary(), "what input");
        Refused(tensors, metadata.Where(m => m.Key != ExportedModel.HeadKey).ToDictionary(), "which student");
    }

    public void Dispose() => _folder.Dispose();

    private void Refused(Dictionary<string, SafeTensor> tensors, Dictionary<string, string> metadata, string expected)
    {
        SafetensorsFile.Write(_folder["bad.safetensors"], tensors, metadata);
        Assert.Contains(expected, Assert.Throws<FaceDistillException>(() => StudentSafetensors.Open(_folder["bad.safetensors"], "cpu")).Message,
            StringComparison.Ordinal);
    }

    private StudentCheckpoint Random(string student, HeadKind head) => RandomStudent.Write(_folder[$"checkpoint-{head}"], student, head);

    private float[] Embed(StudentEmbedder model)
    {
        var input = new float[Count * model.Contract.Values];
        for (int i = 0; i < Count; i++)
        {
            using var face = tiny.Faces.ReadView(i * 10, model.Contract.Size);
            FaceTensor.Fill(face, model.Contract, input.AsSpan(i * model.Contract.Values));
        }

        var embeddings = new float[Count * model.Dimension];
        model.Embed(input, Count, embeddings);
        return embeddings;
    }

    private void WriteFaces(string path, int size)
    {
        var bytes = new byte[Count * size * size * 3];
        for (int i = 0; i < Count; i++)
        {
            using var face = tiny.Faces.ReadView(i * 10, size);
            FaceTensor.CopyRgb(face, bytes.AsSpan(i * size * size * 3));
        }

        // NumPy's format, version 1.0: magic, header length, a Python dictionary that ends at a multiple of 64.
        string header = FormattableString.Invariant($"{{'descr': '|u1', 'fortran_order': False, 'shape': ({Count}, {size}, {size}, 3), }}")
            .PadRight(117) + "\n";
        File.WriteAllBytes(path, [0x93, .. Encoding.ASCII.GetBytes("NUMPY"), 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. bytes]);
    }
}
