using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Export;

/// <summary>Exported ncnn files: what they say, how they are refused, and what ncnn itself gives (now, or as it was noted).</summary>
public sealed class NcnnTests : IDisposable
{
    private const int Faces = 3;

    // ncnn a4d2ea1 (July 2026), all in float32: notes.txt holds what it gave for the first two.
    private static readonly (string Student, HeadKind Head, GraphPrePostprocessing Ends)[] Cases =
    [
        ("mobilenet-v1:0.25@64", HeadKind.Gdc, new()),
        ("mobilenet-v1:0.25@64", HeadKind.Gap, new(true, true)),
        ("mobilenet-v1:0.33@96", HeadKind.Gdc, new(true, false)),
        ("mobilenet-v1:0.5@112", HeadKind.Gap, new(false, true)),
        ("mobilenet-v1:0.25@160", HeadKind.Gdc, new()),
        ("mobilenet-v1-conv:0.1@80", HeadKind.Gdc, new()),
        ("mobilenet-v1-conv:0.1@64", HeadKind.Gap, new(true, true)),
        ("mobilenet-v1-shallow:0.25@64", HeadKind.Gap, new()),
        ("mobilenet-v1-shallow:0.5@128", HeadKind.Gdc, new(true, true)),
    ];

    private static readonly string Notes = Path.Combine(RepositoryRoot.Path, "tests", "FaceDistill.Tests", "Export", "ncnn", "notes.txt");
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NcnnFact]
    public void Ncnn_gives_the_students_embeddings()
    {
        var notes = new List<string>();
        foreach (var one in Cases)
        {
            var (torch, pictures) = Written(one);
            float[] ncnn = Ncnn(one, pictures);
            Assert.All(torch.Zip(ncnn), v => Assert.Equal(v.First, v.Second, 1e-4));
            notes.Add(string.Join(' ', ncnn.Select(n => n.ToString("R", CultureInfo.InvariantCulture))));
        }

        File.WriteAllLines(Path.Combine(AppContext.BaseDirectory, "notes.txt"), notes.Take(2)); // to be copied
    }

    [Fact]
    public void What_ncnn_gave_is_what_the_files_are_read_as()
    {
        string[] notes = File.ReadAllLines(Notes);
        for (int i = 0; i < 2; i++)
        {
            var (torch, pictures) = Written(Cases[i]);
            float[] noted = Numbers(notes[i]);
            using var read = ModelArgument.OpenExported(_folder["x.ncnn.param"], "cpu");
            var own = new float[noted.Length];
            read.Embed(pictures, Faces, own);
            Assert.Equal(Faces * 16, noted.Length);
            Assert.All(noted.Zip(own), v => Assert.Equal(v.First, v.Second, 1e-4));
            Assert.All(noted.Zip(torch), v => Assert.Equal(v.First, v.Second, 1e-4));
        }
    }

    [Fact]
    public void The_layers_stand_as_ncnn_wants_them()
    {
        Written(Cases[1]);
        string[] lines = File.ReadAllLines(_folder["x.ncnn.param"]);
        Assert.Equal(["7767517", "32 32"], lines[..2]);
        string[] words = [.. lines.Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
        Assert.Equal("Input image 0 1 image 0=64 1=64 2=3", words[2]);
        Assert.Equal("Scale scaling 1 1 image input 0=3 1=1", words[3]);
        Assert.Equal("Convolution conv0 1 1 input conv0 0=8 1=3 3=2 4=1 5=1 6=216 9=1", words[4]);
        Assert.Equal("ConvolutionDepthWise dw1 1 1 conv0 dw1 0=8 1=3 3=1 4=1 5=1 6=72 7=8 9=1", words[5]);
        Assert.Equal("Pooling pooled 1 1 pw13 pooled 0=1 4=1", words[^3]);
        Assert.Equal("InnerProduct embedding 1 1 pooled embedding.raw 0=16 1=1 2=4096", words[^2]);
        Assert.Equal("Normalize unit 1 1 embedding.raw embedding 0=1 1=1 2=1.000000e-12 3=1 4=1 9=1", words[^1]);
        var contract = ExportedModel.InputSpec(NcnnNetwork.MetadataOf(_folder["x.ncnn.param"]), "x");
        Assert.Equal((TensorLayout.Nchw, 0f, 1f), (contract.Layout, contract.Mean[0], contract.Std[0]));
    }

    [Fact]
    public void Files_that_are_not_of_one_export_are_one_line_each()
    {
        Written(Cases[0]);
        string path = _folder["x.ncnn.param"];
        foreach (string file in Directory.GetFiles(_folder.Path, "x.ncnn.*"))
        {
            byte[] whole = File.ReadAllBytes(file);
            var random = new Random(1);
            foreach (byte[] other in new byte[][] { [], whole[..^3], [.. whole, 0], Changed(whole, random), Changed(whole, random), Changed(whole, random) })
            {
                File.WriteAllBytes(file, other);
                AssertOneLine(path);
            }

            File.Delete(file);
            AssertOneLine(path);
            File.WriteAllBytes(file, whole);
        }

        NcnnNetwork.Read(path);
        string message = Assert.Throws<FaceDistillException>(() => ModelArgument.OpenExported(_folder["y.ncnn.param"], "cpu")).Message;
        Assert.Contains("there is no file", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7767517", "7767518", "does not begin with")]
    [InlineData("Convolution ", "Deconvolution ", "which students have not")]
    [InlineData(" 6=216", " 6=217", "are not float32")]
    [InlineData(" 2=4096", " 2=4080", "bytes where its layers take")]
    [InlineData(" 6=216", " 6=2000000000", "ends within the values")]
    [InlineData(" 6=216", " 6=x", "no whole number")]
    [InlineData(" 6=216", " 6=216 6=216", "or one twice")]
    [InlineData(" 6=216", " 6", "a parameter that is none")]
    [InlineData("InnerProduct ", "InnerProduct a b", "no layer of one input")]
    [InlineData(" 1=3 3=2", " 1=0 3=2", "no network of a student")]
    [InlineData(" 1=3 3=2", " 1=5 3=2", "no network of a student")]
    public void Layers_that_no_student_has_are_one_line(string text, string other, string says)
    {
        Written(Cases[0]);
        string path = _folder["x.ncnn.param"];
        File.WriteAllText(path, File.ReadAllText(path).Replace(text, other, StringComparison.Ordinal));
        Resigned(path);
        Assert.Contains(says, AssertOneLine(path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_null_among_what_the_files_say_is_one_line()
    {
        Written(Cases[0]);
        string json = NcnnNetwork.Companions(_folder["x.ncnn.param"]).Json;
        File.WriteAllText(json, $"{File.ReadAllText(json).TrimEnd()[..^1]}, \"why\": null }}");
        Assert.Contains("x.ncnn.json: 'why' is null where a text is to stand; export the student again", AssertOneLine(_folder["x.ncnn.param"]),
            StringComparison.Ordinal);
    }

    private static byte[] Changed(byte[] whole, Random random)
    {
        byte[] changed = [.. whole];
        changed[random.Next(changed.Length)] ^= 1;
        return changed;
    }

    // As somebody who wrote the files by hand would sign them.
    private static void Resigned(string path)
    {
        var (bin, json) = NcnnNetwork.Companions(path);
        var metadata = JsonFile.Read<SortedDictionary<string, string>>(json);
        metadata[NcnnNetwork.ChecksumKey] = NcnnNetwork.ChecksumOf(File.ReadAllBytes(path), File.ReadAllBytes(bin), metadata);
        JsonFile.Write(json, metadata);
    }

    private static string AssertOneLine(string path)
    {
        string message = Assert.Throws<FaceDistillException>(() => ModelArgument.OpenExported(path, "cpu")).Message;
        Assert.Contains("x.ncnn", PlainWords.In(message), StringComparison.Ordinal);
        return message;
    }

    // The files, TorchSharp's embeddings, and the pictures as the files take them.
    private (float[] Torch, float[] Pictures) Written((string Student, HeadKind Head, GraphPrePostprocessing Ends) one)
    {
        var checkpoint = RandomStudent.Write(_folder["checkpoint"], one.Student, one.Head);
        StudentNcnn.Build(FoldedStudent.Of(checkpoint), one.Ends).Write(_folder["x.ncnn.param"]);
        var contract = checkpoint.Description.Contract;
        var random = new Random(5);
        int cell = contract.Size / 8;
        float[] patches = [.. Enumerable.Range(0, Faces * 3 * 64).Select(_ => (float)random.Next(256))];
        float[] raw = [.. Enumerable.Range(0, Faces * contract.Values).Select(i => patches[
            (i / (contract.Size * contract.Size) * 64) + (i / contract.Size % contract.Size / cell * 8) + (i % contract.Size / cell)])];
        float[] scaled = [.. raw.Select(v => (v - contract.Mean[0]) / contract.Std[0])];
        using var torch = new StudentEmbedder(checkpoint, "student", "cpu");
        var embeddings = new float[Faces * torch.Dimension];
        torch.Embed(scaled, Faces, embeddings);
        OnnxEmbedder.Finish(embeddings, torch.Dimension, one.Ends.Normalize, "torch");
        return (embeddings, one.Ends.Preprocess ? raw : scaled);
    }

    private float[] Ncnn((string Student, HeadKind Head, GraphPrePostprocessing Ends) one, float[] pictures)
    {
        string size = StudentSpec.Parse(one.Student).Resolution.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(new ProcessStartInfo(
            NcnnFactAttribute.Program!, [_folder["x.ncnn.param"], one.Ends.Preprocess ? "image" : "input", size])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.BaseStream.Write(MemoryMarshal.AsBytes<float>(pictures));
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return Numbers(output.Result);
    }

    private static float[] Numbers(string text) =>
        [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(n => float.Parse(n, CultureInfo.InvariantCulture))];
}

/// <summary>A test with ncnn itself; where its program is missing it is skipped and says so.</summary>
public sealed class NcnnFactAttribute : FactAttribute
{
    public NcnnFactAttribute() => Skip = Program is null ? "not run: FACEDISTILL_NCNN names no program (tests/FaceDistill.Tests/Export/ncnn/build.sh makes it)"
        : File.Exists(Program) ? null : $"not run: FACEDISTILL_NCNN is {Program}, which is not there";

    /// <summary>Export/ncnn/embed.cpp, built.</summary>
    public static string? Program { get; } = Environment.GetEnvironmentVariable("FACEDISTILL_NCNN") is { Length: > 0 } program ? program : null;
}
