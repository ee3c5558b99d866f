using FaceDistill.Assets;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;
using FaceDistill.Tests.Embeddings;

namespace FaceDistill.Tests.Jobs;

/// <summary>A file of anyone's to a card that opens: drawn people, and networks that see them under some contracts only.</summary>
public sealed class AddTeacherJobTests : IDisposable
{
    private const int Size = 64, Pool = 8, Dimension = 3 * (Size / Pool) * (Size / Pool);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_scaling_is_found_that_the_model_was_made_for_and_the_card_opens()
    {
        // Clipped to -1..1: bytes as they are, or less a mean alone, are all white to it.
        string model = Clipped("net.onnx", "batch");
        var added = Job().Run(new AddTeacherRequest(model) { Data = Faces(), Name = "mine" }, JobContext.None);
        Assert.Equal((_folder["mine.json"], "mine", Dimension, Size, "nchw", 0, "float32", 17L),
            (added.Card, added.Name, added.Dimension, added.Size, added.Layout, added.Batch, added.Type, added.Opset));
        var taken = Assert.Single(added.Tried, t => t.Taken);
        Assert.True(taken.Near);
        Assert.DoesNotContain(taken.Scaling, new[] { "x", "VGGFace2's mean" });
        Assert.Equal("dlib", taken.Template); // the faces are aligned: no other is tried
        Assert.All(added.Tried.Where(t => t.Scaling is "x" or "VGGFace2's mean"), t => Assert.True(t.Faces < taken.Faces || t.DPrime < taken.DPrime));
        var (card, _) = TeacherCard.Load(added.Card);
        Assert.Equal((Size, "dlib", Dimension), (card.Contract.Size, card.Contract.Template, card.Dimension));
        Assert.Equal(64, Assert.Single(card.Assets).Sha256!.Length);
        using var teacher = TeacherCard.Open(added.Card, Finder());
        Assert.Equal(Dimension, teacher.Dimension);
        Assert.DoesNotContain("\"values\"", File.ReadAllText(added.Card), StringComparison.Ordinal);

        string message = Refused(new AddTeacherRequest(model) { Data = Faces(), Name = "mine" });
        Assert.Equal($"{_folder["mine.json"]} is there already; delete it, or name another with --output", message);
    }

    [Fact]
    public async Task The_command_line_shows_what_was_tried_and_what_comes_next()
    {
        string model = Clipped("net.onnx", "batch"), card = _folder["cards/mine.json"];
        var (output, error) = (new StringWriter(), new StringWriter());
        Assert.Equal(0, await CommandLine.RunAsync(["teachers", "add", model, "--data", Faces(), "-o", card], output, error));
        Assert.Contains("net.onnx: float32, NCHW, 64 x 64, any batch, embedding of 192 values, opset 17", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("taken", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("4 others separate less (--json lists all)", output.ToString(), StringComparison.Ordinal); // of 2 x 8
        Assert.Contains($"wrote {card}; next: facedistill evaluate", output.ToString(),
            StringComparison.Ordinal);
        Assert.Contains("is aligned to 'dlib': no other template is tried", error.ToString(), StringComparison.Ordinal);
        (output, error) = (new StringWriter(), new StringWriter());
        Assert.Equal(1, await CommandLine.RunAsync(["teachers", "add", _folder["none.onnx"], "--data", Faces()], output, error));
        Assert.Equal(("", $"facedistill: no model file {_folder["none.onnx"]}"), (output.ToString(), error.ToString().Trim()));
    }

    [Fact]
    public void What_the_file_leaves_open_or_has_twice_is_asked_or_told()
    {
        string model = Clipped("norm.onnx", 1, norm: true);
        var added = Job().Run(new AddTeacherRequest(model) { Data = Faces() }, JobContext.None);
        Assert.Equal(("norm", "embedding", 1), (added.Name, added.Output, added.Batch));
        Assert.Equal("embedding", TeacherCard.Load(added.Card).Card.Contract.Output);

        string two = Clipped("two.onnx", "batch", twice: true);
        Assert.Contains("has the outputs embedding [-1, 192], other [-1, 192]; say which is the embedding with --output-name NAME",
            Refused(new AddTeacherRequest(two) { Data = Faces() }), StringComparison.Ordinal);
        Assert.Equal("other", Job().Run(new AddTeacherRequest(two) { Data = Faces(), OutputName = "other" }, JobContext.None).Output);
    }

    [Fact]
    public void MXNets_slopes_are_mended_in_a_copy_beside_the_card()
    {
        string model = Clipped("mx.onnx", "batch", slopes: true);
        byte[] before = File.ReadAllBytes(model);
        var added = Job().Run(new AddTeacherRequest(model) { Data = Faces(), Output = _folder["cards/mended.json"] }, JobContext.None);
        Assert.Equal(before, File.ReadAllBytes(model));
        Assert.Equal(_folder["cards/mx.onnx"], added.Model);
        Assert.Contains(added.Notes, n => n.StartsWith("1 PReLU slopes of shape [C] were given the shape [C, 1, 1]", StringComparison.Ordinal));
        using var teacher = TeacherCard.Open(added.Card, Finder());
        Assert.Equal(Dimension, teacher.Dimension);
    }

    [Fact]
    public void A_file_of_ONNX_Runtimes_own_format_has_no_slopes_to_mend()
    {
        File.WriteAllBytes(_folder["x.ort"], [0x18, 0, 0, 0, .. "ORTM"u8, .. new byte[256]]);
        string message = Refused(new AddTeacherRequest(_folder["x.ort"]) { Data = Faces() });
        Assert.Contains(_folder["x.ort"], message, StringComparison.Ordinal);
        Assert.DoesNotContain("Protocol message", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_lie_beside_the_model_stand_in_the_card()
    {
        string model = Clipped("net.onnx", "batch"), data = ExternalWeights.Move(model);
        var added = Job().Run(new AddTeacherRequest(model) { Data = Faces(), Output = _folder["cards/mine.json"] }, JobContext.None);
        var (card, _) = TeacherCard.Load(added.Card);
        Assert.Equal([("net.onnx", "../net.onnx", FileHash.Sha256(model)), ("net.onnx.data", "../net.onnx.data", FileHash.Sha256(data))],
            card.Assets.Select(a => (a.File, a.Source.Path!, a.Sha256!)));
        TeacherCard.Open(added.Card, Finder()).Dispose();
        File.WriteAllBytes(data, new byte[new FileInfo(data).Length]);
        Assert.StartsWith($"{data} is not the file that", Assert.Throws<FaceDistillException>(() => TeacherCard.Open(added.Card, Finder())).Message,
            StringComparison.Ordinal);

        string slopes = Clipped("mx.onnx", "batch", slopes: true);
        ExternalWeights.Move(slopes);
        Assert.EndsWith("save the model as one file first", Refused(new AddTeacherRequest(slopes) { Data = Faces() }), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_written_where_there_are_no_people_or_nothing_separates_them()
    {
        string model = Clipped("net.onnx", "batch");
        Assert.Contains("lfw is not on this machine: give --data DIR with one folder a person", Refused(new AddTeacherRequest(model)),
            StringComparison.Ordinal);
        SyntheticDataset.Write(_folder["few"], new DrawnPeople(3, 4, 1), AlignmentTemplate.Dlib, AlignedFrame.Of(Size, 0));
        Assert.Contains("has 3 people with two photos or more; give at least 6", Refused(new AddTeacherRequest(model) { Data = _folder["few"] }),
            StringComparison.Ordinal);
        string blind = Clipped("blind.onnx", "batch", blind: true);
        Assert.Contains("separates no people whatever its input", Refused(new AddTeacherRequest(blind) { Data = Faces() }), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.json"));
    }

    [Fact]
    public void Separation_is_that_of_a_plain_count()
    {
        int[] people = [0, 0, 1, 1, 2, 2, 2];
        var random = new Random(5);
        float[][] e = [.. people.Select(p => new[] { p + (float)random.NextDouble(), 1 + (float)random.NextDouble(), (p % 2) - (float)random.NextDouble() })];
        var found = Separation.OfDistances(e, people)!;
        var (d, auc) = Plain(e, people, -1);
        Assert.Equal(d, found.DPrime, 1e-4);
        Assert.Equal(auc, found.Auc, 1e-9);
        Assert.All(Enumerable.Range(0, 3), p => Assert.Equal(Plain(e, people, p).DPrime, found.Without[p], 1e-4));
        Assert.Null(Separation.OfCosines([.. e.Select(_ => new float[3])], people)); // no direction, no cosine
    }

    private static (double DPrime, double Auc) Plain(float[][] e, int[] people, int without)
    {
        List<double> genuine = [], impostor = [];
        for (int i = 0; i < e.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (people[i] != without && people[j] != without)
                {
                    (people[i] == people[j] ? genuine : impostor).Add(-Math.Sqrt(e[i].Zip(e[j], (a, b) => (a - b) * (double)(a - b)).Sum()));
                }
            }
        }

        double Variance(List<double> of) => of.Average(v => (v - of.Average()) * (v - of.Average()));
        return ((genuine.Average() - impostor.Average()) / Math.Sqrt((Variance(genuine) + Variance(impostor)) / 2),
            genuine.Average(g => impostor.Average(i => g > i ? 1 : g == i ? 0.5 : 0)));
    }

    private string Clipped(string name, OnnxDim batch, bool norm = false, bool twice = false, bool slopes = false, bool blind = false)
    {
        var graph = new OnnxGraph("clipped");
        string x = graph.Input("input", OnnxElementType.Float32, batch, 3, Size, Size);
        x = graph.Node("Clip", "clipped", [x, graph.Initializer<float>("low", [-1]), graph.Initializer<float>("high", [1])]);
        x = graph.AveragePool("pool", x, blind ? Size : Pool, blind ? Size : Pool);
        x = slopes ? graph.Node("PRelu", "relu", [x, graph.Initializer<float>("slope", [0.9f, 0.8f, 0.7f], 3)]) : x;
        x = graph.Flatten(blind ? "colours" : "embedding", x);
        if (blind) // a picture's mean colours stirred: its embedding is its own, and nobody's
        {
            float[] stir = [.. Enumerable.Range(0, 3 * Dimension).Select(i => 2000f + (i * 7919 % 2000))];
            x = graph.Node("Sin", "embedding", [graph.Gemm("stirred", x, graph.Initializer<float>("stir", stir, 3, Dimension), null)]);
        }

        graph.Output(x, OnnxElementType.Float32, batch, Dimension);
        if (twice)
        {
            graph.Output(graph.Mul("other", x, graph.Initializer<float>("two", [2], 1)), OnnxElementType.Float32, batch, Dimension);
        }

        if (norm)
        {
            graph.Node("ReduceL2", "norm", [x], OnnxAttribute.Ints("axes", 1), OnnxAttribute.Int("keepdims", 1));
            graph.Output("norm", OnnxElementType.Float32, batch, 1);
        }

        OnnxWriter.Write(graph, _folder[name]);
        return _folder[name];
    }

    private string Faces()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(14, 4, 1), AlignmentTemplate.Dlib, AlignedFrame.Of(Size, 0));
        return _folder["faces"];
    }

    private AssetFinder Finder() => new([], [], _folder["cache"]);

    private AddTeacherJob Job() => new(Finder());

    private string Refused(AddTeacherRequest request)
    {
        string message = Assert.Throws<FaceDistillException>(() => Job().Run(request, JobContext.None)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
