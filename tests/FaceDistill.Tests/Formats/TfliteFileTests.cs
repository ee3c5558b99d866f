using System.Globalization;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Students;

namespace FaceDistill.Tests.Formats;

public sealed class TfliteFileTests(TinyRun tiny) : IClassFixture<TinyRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read()
    {
        byte[] file = Written(HeadKind.Gdc);
        Assert.Equal(file, Written(HeadKind.Gdc));
        var graph = TfliteReader.Graph(_folder["x.tflite"]);
        Assert.Equal("mobilenet-v1:0.25@64", TfliteReader.Metadata(_folder["x.tflite"])["facedistill.student"]);
        var written = StudentTflite.Build(FoldedStudent.Of(RandomStudent.Write(_folder["checkpoint"], "mobilenet-v1:0.25@64", HeadKind.Gdc)), new());
        Assert.Equal(written.Tensors.Select(t => (t.Name, t.Type, string.Join(" ", t.Shape))),
            graph.Tensors.Select(t => (t.Name, t.Type, string.Join(" ", t.Shape))));
        Assert.Equal(written.Nodes.Select(n => n.Operator), graph.Nodes.Select(n => n.Operator));
        Assert.Equal([-1, 64, 64, 3], graph.Tensors[graph.Inputs[0]].Shape);
        Assert.Equal(5, graph.Nodes.Count(n => n.Operator == TfliteOperator.Pad)); // before each stride of 2
    }

    [Fact]
    public void A_damaged_file_is_one_line_wherever_it_is_cut_or_changed()
    {
        byte[] file = Written(HeadKind.Gap);
        string path = _folder["x.tflite"];
        var written = TfliteReader.Graph(path);
        foreach (byte[] damaged in new byte[][] { [], [.. "TFL3"u8], [.. file.AsSpan(4)], [1, .. file.AsSpan(1)], new byte[64] })
        {
            File.WriteAllBytes(path, damaged);
            AssertOneLine(path);
        }

        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] damaged = i % 2 == 0 ? [.. file.AsSpan(0, random.Next(8, file.Length / 2))] : [.. file];
            for (int change = 0; i % 2 == 1 && change < 20; change++)
            {
                damaged[random.Next(8, 40_000)] ^= (byte)(1 << random.Next(8)); // tables and lists lie before the weights
            }

            File.WriteAllBytes(path, damaged);
            AssertOneLine(path);
        }

        // Any byte of an operator that OpenCV would trip over is noticed before it is asked.
        for (int at = 8; at < file.Length; at += Math.Max(1, file.Length / 400))
        {
            byte[] damaged = [.. file];
            damaged[at] ^= 1;
            File.WriteAllBytes(path, damaged);
            try
            {
                Assert.Equal(written.Checksum(), TfliteReader.Graph(path).Checksum()); // a byte between two tables
            }
            catch (FaceDistillException e)
            {
                Assert.Contains(path, PlainWords.In(e.Message), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_file_is_the_same_whatever_the_culture_writes_for_a_minus()
    {
        byte[] file = Written(HeadKind.Gdc);
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            CultureInfo.CurrentCulture.NumberFormat.NegativeSign = "\u2212"; // as in Swedish
            Assert.Equal(file, Written(HeadKind.Gdc));
            TfliteReader.Graph(_folder["x.tflite"]);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Fact]
    public void Steps_of_an_8_bit_file_that_are_damaged_are_one_line()
    {
        using var student = new StudentInt8(
            RandomStudent.Write(_folder["checkpoint"], "mobilenet-v1:0.1@64", HeadKind.Gap), tiny.Faces,
            new Int8Options { Method = CalibrationMethod.MinMax, Equalize = false, CorrectBias = false });
        var (folded, plan, _) = student.Choose(default);
        byte[] file = StudentTflite.Build(folded, new GraphPrePostprocessing(), plan).ToBytes();
        string path = _folder["x.tflite"];
        File.WriteAllBytes(path, file);
        Assert.Contains(TfliteReader.Graph(path).Tensors, t => t.Steps is { Zeros.Length: > 1 });
        int refused = 0;
        for (int at = 8; at + 4 < file.Length && refused < 400; at += 4) // each length of a list becomes one that no file has
        {
            if (BitConverter.ToInt32(file, at) is < 1 or > 200)
            {
                continue;
            }

            byte[] damaged = [.. file];
            BitConverter.TryWriteBytes(damaged.AsSpan(at), int.MaxValue);
            File.WriteAllBytes(path, damaged);
            if (Record.Exception(() => TfliteReader.Graph(path)) is { } e)
            {
                refused++;
                Assert.StartsWith(path, PlainWords.In(Assert.IsType<FaceDistillException>(e).Message), StringComparison.Ordinal);
            }
        }

        Assert.Equal(400, refused);
        File.WriteAllBytes(path, file);
        int zeros = TfliteReader.Graph(path).Tensors.First(t => t.Steps is { Zeros.Length: > 1 }).Steps!.Zeros.Length;
        int length = file.AsSpan().IndexOf([.. BitConverter.GetBytes(zeros), .. new byte[8 * zeros]]); // a filter's zero points are 0
        BitConverter.TryWriteBytes(file.AsSpan(length), 1);
        File.WriteAllBytes(path, file);
        Assert.EndsWith("as many zero points as scales", Assert.Throws<FaceDistillException>(() => TfliteReader.Graph(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_graph_is_one_line()
    {
        byte[] file = Written(HeadKind.Gap);
        int model = BitConverter.ToInt32(file, 0), fields = model - BitConverter.ToInt32(file, model);
        int graphs = model + BitConverter.ToUInt16(file, fields + 8); // the list of subgraphs is a model's third field
        file.AsSpan(graphs + BitConverter.ToInt32(file, graphs), 4).Clear(); // its length
        File.WriteAllBytes(_folder["x.tflite"], file);
        AssertOneLine(_folder["x.tflite"]);
        Assert.EndsWith("it holds no graph", Assert.Throws<FaceDistillException>(() => TfliteReader.Graph(_folder["x.tflite"])).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HeadKind.Gap)]
    [InlineData(HeadKind.Gdc)]
    public void OpenCV_and_the_plain_loops_agree(HeadKind head)
    {
        Written(head);
        using var opencv = ModelArgument.OpenExported(_folder["x.tflite"], "cpu");
        var random = new Random(2);
        float[] face = [.. Enumerable.Range(0, opencv.Contract.Values).Select(_ => (random.NextSingle() * 2) - 1)];
        var expected = new float[opencv.Dimension];
        opencv.Embed(face, 1, expected);
        float[] plain = new TfliteReference(TfliteReader.Graph(_folder["x.tflite"])).Run(face);
        Assert.All(expected.Zip(plain), v => Assert.Equal(v.First, v.Second, 1e-4));
    }

    private static void AssertOneLine(string path)
    {
        string message = PlainWords.In(Assert.Throws<FaceDistillException>(() => TfliteReader.Graph(path)).Message);
        Assert.StartsWith(path, message, StringComparison.Ordinal);
    }

    private byte[] Written(HeadKind head)
    {
        var checkpoint = RandomStudent.Write(_folder["checkpoint"], "mobilenet-v1:0.25@64", head);
        byte[] bytes = StudentTflite.Build(FoldedStudent.Of(checkpoint), new GraphPrePostprocessing()).ToBytes();
        File.WriteAllBytes(_folder["x.tflite"], bytes);
        return bytes;
    }
}
