using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Runs;
using OpenCvSharp;

namespace FaceDistill.Tests;

public sealed class FaceEmbedderTests(TinyRun tiny) : IClassFixture<TinyRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void A_picture_and_its_rgb_bytes_give_the_embedding_of_the_pipeline()
    {
        using var embedder = FaceEmbedder.Load(Student());
        Assert.Equal((64, "dlib", 16), (embedder.Size, embedder.Template, embedder.Dimension));
        using var face = tiny.Faces.ReadView(3, 64);
        using var model = ModelArgument.Open(_folder["student.onnx"], new FaceDistill.Assets.AssetFinder([], [], _folder["cache"]), "cpu");
        var input = new float[model.Contract.Values];
        FaceTensor.Fill(face, model.Contract, input);
        var expected = new float[model.Dimension];
        model.Embed(input, 1, expected);
        Assert.Equal(expected, embedder.Embed(face));
        var rgb = new byte[64 * 64 * 3];
        FaceTensor.CopyRgb(face, rgb);
        Assert.Equal(expected, embedder.Embed(rgb));
        using var part = new Mat(70, 80, MatType.CV_8UC3, Scalar.All(9));
        using (var inside = new Mat(part, new Rect(5, 3, 64, 64)))
        {
            face.CopyTo(inside);
            Assert.Equal(expected, embedder.Embed(inside)); // a part of a larger picture, whose rows are apart
        }
    }

    [Fact]
    public void A_file_that_scales_in_its_graph_gives_the_same_embeddings()
    {
        using var outside = FaceEmbedder.Load(Student());
        using var inside = FaceEmbedder.Load(Preprocessing());
        using var face = tiny.Faces.ReadView(5, 64);
        float[] expected = outside.Embed(face), actual = inside.Embed(face);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.True(expected.Max() > expected.Min());
    }

    [Fact]
    public void Many_threads_get_the_embeddings_of_one()
    {
        using var embedder = FaceEmbedder.Load(Student());
        var faces = Enumerable.Range(0, 12).Select(i => tiny.Faces.ReadView(i, 64)).ToList();
        float[][] one = [.. faces.Select(embedder.Embed)];
        Parallel.For(0, 200, i => Assert.Equal(one[i % 12], embedder.Embed(faces[i % 12])));
        Assert.Equal(12, one.Select(e => e[0]).Distinct().Count());
        faces.ForEach(f => f.Dispose());
    }

    [Fact]
    public void Similarity_is_the_cosine()
    {
        Assert.Equal(0.6f, FaceEmbedder.Similarity([3, 4], [5, 0]), 6);
        Assert.Equal(-1f, FaceEmbedder.Similarity([1, 0], [-2, 0]), 6);
        Assert.Throws<ArgumentException>(() => FaceEmbedder.Similarity([1, 2], [1, 2, 3]));
    }

    [Fact]
    public void Thresholds_come_from_the_file()
    {
        using var embedder = FaceEmbedder.Load(Student("""
            [{"far":1e-3,"threshold":0.91,"protocol":"lfw-view1-test","impostorPairs":6844451},
             {"far":1e-4,"threshold":0.93,"protocol":"lfw-view1-test","impostorPairs":6844451}]
            """));
        Assert.Equal(0.93f, embedder.Threshold(1e-4));
        Assert.Equal(0.91f, embedder.Threshold(0.001));
        Assert.Equal(6844451, embedder.Thresholds[1].ImpostorPairs);
        Refused(() => embedder.Threshold(1e-6), "no threshold for FAR 1e-6; it has those for 1e-3, 1e-4");
        Refused(() => embedder.Threshold(double.NaN), "no threshold for FAR");
        using var few = FaceEmbedder.Load(Student("""[{"far":1e-3,"threshold":0.91,"protocol":"all-pairs","impostorPairs":7716}]"""));
        Refused(() => few.Threshold(1e-4), "for which the 7,716 pairs of two people on which it was measured are too few; export with --evaluate on "
            + "more people (10,000 pairs of two people: some 150 photos of different people)");
        using var without = FaceEmbedder.Load(Student());
        Assert.Empty(without.Thresholds);
        Refused(() => without.Threshold(1e-4), "measured none; export with --evaluate");
        Refused(() => without.FalseAcceptRate(0.5f), "carries no threshold that was measured on 10 false accepts or more; export with --evaluate");
        Assert.Equal((1e-4, "8.9e-4"), (embedder.FalseAcceptRate(0.93f).Rate, embedder.FalseAcceptRate(0.911f).ToString())); // of an earlier version: decades
        Refused(() => FaceEmbedder.Load(Student("""[{"far":2,"threshold":0.93,"protocol":"p","impostorPairs":5}]""")),
            "facedistill.thresholds: a rate is above 0 and below 1");
        Refused(() => FaceEmbedder.Load(Student("[{}]")), StudentThreshold.MetadataKey);
    }

    [Fact]
    public void Flip_summed_a_face_and_its_mirror_image_have_one_embedding_and_the_file_s_thresholds_are_not_its()
    {
        string student = Student("""[{"far":1e-4,"threshold":0.93,"protocol":"lfw-view1-test","impostorPairs":6844451}]""");
        using var plain = FaceEmbedder.Load(student);
        using var summed = FaceEmbedder.Load(student, flip: true);
        using var face = tiny.Faces.ReadView(4, 64);
        using var mirrored = new Mat();
        Cv2.Flip(face, mirrored, FlipMode.Y);
        float[] own = plain.Embed(face), other = plain.Embed(mirrored), sum = summed.Embed(face);
        Assert.All(Enumerable.Range(0, 16), i => Assert.Equal(own[i] + other[i], sum[i], 1e-5f));
        Assert.All(sum.Zip(summed.Embed(mirrored)), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Empty(summed.Thresholds);
        Refused(() => summed.FalseAcceptRate(0.5f), "its thresholds are not those of flip-summed embeddings");
        Refused(() => summed.Threshold(1e-4), "its thresholds are not those of flip-summed embeddings; measure them with 'facedistill evaluate --flip'");
    }

    [Fact]
    public void What_does_not_load_names_file_and_remedy()
    {
        Refused(() => FaceEmbedder.Load(_folder["none.onnx"]), "none.onnx; make one with 'facedistill export'");
        Refused(() => FaceEmbedder.Load(Student(), _folder["yunet.onnx"]), "yunet.onnx; get the detector with 'facedistill teachers pull yunet'");
        File.WriteAllText(_folder["text.onnx"], "not a model");
        Refused(() => FaceEmbedder.Load(_folder["text.onnx"]), "text.onnx is not a model");
        TinyTeacher.Write(_folder["foreign"]);
        Refused(() => FaceEmbedder.Load(_folder["foreign/tiny.onnx"]), "tiny.onnx does not say what input it wants");
        Refused(() => FaceEmbedder.Load(_folder.Path), "make one with 'facedistill export'");
    }

    [Fact]
    public void Wrong_pictures_are_refused()
    {
        using var embedder = FaceEmbedder.Load(Student());
        using var large = new Mat(65, 64, MatType.CV_8UC3, Scalar.Black);
        using var grey = new Mat(64, 64, MatType.CV_8UC1, Scalar.Black);
        Assert.Contains("EmbedPhoto", Assert.Throws<ArgumentException>(() => embedder.Embed(large)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => embedder.Embed(grey));
        using var empty = new Mat();
        using var transparent = new Mat(300, 300, MatType.CV_8UC4, Scalar.Black);
        foreach (var (photo, says) in new[] { (empty, "not an empty one"), (grey, "not CV_8UC1"), (transparent, "not CV_8UC4") })
        {
            Assert.EndsWith(says, Assert.Throws<ArgumentException>(() => embedder.EmbedPhoto(photo)).Message, StringComparison.Ordinal);
        }

        Assert.Contains("12288", Assert.Throws<ArgumentException>(() => embedder.Embed(new byte[5])).Message, StringComparison.Ordinal);
        Refused(() => embedder.EmbedPhoto(_folder["none.jpg"]), "none.jpg is not there");
        File.WriteAllText(_folder["text.jpg"], "no picture");
        Refused(() => embedder.EmbedPhoto(_folder["text.jpg"]), "text.jpg is not readable as a picture");
        embedder.Dispose();
        using var face = tiny.Faces.ReadView(0, 64);
        Assert.Throws<ObjectDisposedException>(() => embedder.Embed(face));
    }

    [RealDataFact]
    public void A_photo_is_aligned_as_the_evaluated_faces_are()
    {
        using var embedder = FaceEmbedder.Load(Student(), RealData.Detector);
        string[] photos = RealData.LfwPhotos(3);
        using var black = new Mat(300, 300, MatType.CV_8UC3, Scalar.Black);
        Refused(() => embedder.EmbedPhoto(black), "shows no face");
        for (int i = 0; i < photos.Length; i++)
        {
            string from = _folder[$"photos{i}/person"];
            Directory.CreateDirectory(from);
            File.Copy(photos[i], Path.Combine(from, "photo.jpg"));
            var aligned = new FolderAligner(new PhotoAligner(RealData.Detector!, AlignmentTemplate.Dlib, AlignedFrame.Default))
                .Run(FaceDataset.List(_folder[$"photos{i}"]), _folder[$"aligned{i}"], JobContext.None).Faces;
            using var face = aligned.ReadView(0, embedder.Size);
            float[] pipeline = embedder.Embed(face), photo = embedder.EmbedPhoto(photos[i]);
            Assert.InRange(FaceEmbedder.Similarity(pipeline, photo), 0.9999f, 1.0001f); // but for the JPEG between
            using var read = PictureFile.Read(photos[i]);
            Assert.Equal(photo, embedder.EmbedPhoto(read, out var found));
            Assert.Equal((read.Width, read.Height, 0), (found.PhotoWidth, found.PhotoHeight, found.Turned));
            Assert.Empty(found.Warnings);
            using var turned = new Mat();
            Cv2.Rotate(read, turned, RotateFlags.Rotate90Clockwise);
            Assert.InRange(FaceEmbedder.Similarity(photo, embedder.EmbedPhoto(turned, out var again)), 0.99f, 1.01f);
            Assert.Equal(found with { Turned = 270 }, again);
        }

        float[] alone = embedder.EmbedPhoto(photos[0]);
        Parallel.For(0, 8, _ => Assert.Equal(alone, embedder.EmbedPhoto(photos[0])));
    }

    public void Dispose() => _folder.Dispose();

    private string Student(string? thresholds = null)
    {
        var graph = new OnnxGraph("student");
        Grey(graph, graph.Input("input", OnnxElementType.Float32, "batch", 3, 64, 64), FaceTensor.StudentContract(64, "dlib"));
        if (thresholds is not null)
        {
            graph.Metadata[StudentThreshold.MetadataKey] = thresholds;
        }

        return Write(graph, thresholds is null ? "student.onnx" : $"student{thresholds.Length}.onnx");
    }

    // The same with its scaling in the graph: bytes, channels last.
    private string Preprocessing()
    {
        var graph = new OnnxGraph("student");
        string x = graph.Input("image", OnnxElementType.UInt8, "batch", 64, 64, 3);
        x = graph.Node("Cast", "wide", [graph.Node("Transpose", "planes", [x], OnnxAttribute.Ints("perm", 0, 3, 1, 2))],
            OnnxAttribute.Int("to", (long)OnnxElementType.Float32));
        x = graph.Sub("centred", x, graph.Initializer<float>("mean", [127.5f, 127.5f, 127.5f], 1, 3, 1, 1));
        x = graph.Mul("scaled", x, graph.Initializer<float>("scale", [1 / 127.5f, 1 / 127.5f, 1 / 127.5f], 1, 3, 1, 1));
        Grey(graph, x, FaceTensor.StudentContract(64, "dlib") with { Layout = TensorLayout.Nhwc, Mean = [0, 0, 0], Std = [1, 1, 1] });
        return Write(graph, "preprocessing.onnx");
    }

    // The grey values of a 4 x 4 pooled picture, -1 to 1, with the metadata of an exported student.
    private static void Grey(OnnxGraph graph, string input, ModelInputSpec contract)
    {
        string x = graph.Conv("grey", input, graph.Initializer<float>("thirds", [1 / 3f, 1 / 3f, 1 / 3f], 1, 3, 1, 1), null);
        graph.Flatten("embedding", graph.AveragePool("pooled", x, 16, 16));
        graph.Output("embedding", OnnxElementType.Float32, "batch", 16);
        graph.Metadata[ExportedModel.ContractKey] = JsonFile.Serialize(contract);
    }

    private string Write(OnnxGraph graph, string name)
    {
        OnnxWriter.Write(graph, _folder[name]);
        return _folder[name];
    }

    private static void Refused(Action action, string expected)
    {
        var error = Assert.Throws<FaceDistillException>(action);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
