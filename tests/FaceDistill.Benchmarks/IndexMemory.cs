using System.Diagnostics;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Stores;
using FaceDistill.Synthetic;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Benchmarks;

/// <summary>
/// What a training keeps in memory for each face besides pictures: drawn names and contents of as many faces as asked for, with drawn embeddings in a cache
/// of its own.
/// </summary>
internal static class IndexMemory
{
    private const int Views = 3, Dimension = 8, FacesOfPerson = 20, DrawnFaces = 200, PartFaces = 1024; // D changes the files' size only
    private static readonly AlignedFrame Frame = AlignedFrame.Default;

    public static int Run(int faces)
    {
        string cache = Leftovers.TemporaryFolder("index");
        Environment.SetEnvironmentVariable("FACEDISTILL_CACHE", cache);
        try
        {
            Print(faces, Console.Out);
            return 0;
        }
        finally
        {
            Leftovers.Delete(cache);
        }
    }

    /// <summary>Writes files for trials of the command line: some drawn faces under many names, each with a content of its own, and a teacher that costs
    /// nothing.</summary>
    public static int Write(int faces, string folder)
    {
        var frame = AlignedFrame.Of(64, 0);
        byte[][] jpegs = [.. Enumerable.Range(0, DrawnFaces).Select(i =>
        {
            using var face = SyntheticFaces.Render(i, 0, AlignmentTemplate.Dlib.PointsIn(frame), frame.Side, 1);
            Cv2.ImEncode(".jpg", face, out byte[] jpeg);
            return jpeg;
        })];
        for (int i = 0; i < faces; i++)
        {
            string person = Path.Combine(folder, "faces", InvariantText.Of($"person{i / FacesOfPerson:000000}"));
            Directory.CreateDirectory(person);
            File.WriteAllBytes(Path.Combine(person, InvariantText.Of($"{i:00000000}.jpg")), [.. jpegs[i % DrawnFaces], .. BitConverter.GetBytes(i)]);
        }

        new AlignmentManifest(1, "dlib", frame.Size, frame.Pad, "user", "", true).Write(Path.Combine(folder, "faces"));
        var graph = new OnnxGraph("grey");
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, 64, 64);
        var random = new Random(1);
        x = graph.Conv("filters", x, graph.Initializer<float>("weights", [.. Enumerable.Range(0, 8 * 3).Select(_ => random.NextSingle() - 0.5f)], 8, 3, 1, 1),
            null);
        graph.Flatten("embedding", graph.AveragePool("pooled", x, 16, 16));
        graph.Output("embedding", OnnxElementType.Float32, "batch", 128);
        OnnxWriter.Write(graph, Path.Combine(folder, "grey.onnx"));
        File.WriteAllText(Path.Combine(folder, "grey.json"), """
            {
              "name": "grey", "description": "pooled colours", "licence": "MIT", "source": "made by the benchmark",
              "assets": [{ "file": "grey.onnx", "source": { "path": "grey.onnx" } }], "model": "grey.onnx", "dimension": 128,
              "contract": { "size": 64, "template": "dlib", "colorOrder": "rgb", "layout": "nchw", "mean": [0, 0, 0], "std": [255, 255, 255] }
            }
            """);
        return 0;
    }

    private static void Print(int faces, TextWriter output)
    {
        output.WriteLine(InvariantText.Of($"| {faces} faces, {Views + 2} views | managed bytes a face | seconds | resident, MB | most resident, MB |"));
        output.WriteLine("|---|---|---|---|---|");
        using var teacher = new Drawn();
        var targets = new AugmentedTargets(new AugmentOptions(), true, 1);
        EmbeddedView[] views = [EmbeddedView.Of(FaceView.Original), EmbeddedView.Of(FaceView.Mirrored), .. Enumerable.Range(0, Views).Select(targets.Embedded)];
        double Row<T>(string what, Func<T> make, out T made)
        {
            long before = GC.GetTotalMemory(forceFullCollection: true), start = Stopwatch.GetTimestamp();
            made = make();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)faces;
            output.WriteLine(InvariantText.Of(
                $"| {what} | {each:0.0} | {seconds:0.0} | {MemoryCurve.Resident("VmRSS:"):0} | {MemoryCurve.Resident("VmHWM:"):0} |"));
            return each;
        }

        FaceImage[] images = [];
        Row("the faces as objects, for comparison", () => Faces(faces), out images);
        double sum = Row("the list of faces", () => new FaceDataset("/photos", FaceList.Of(images), []), out var dataset);
        images = [];
        Write(teacher, views, dataset);
        using var files = new OpenParts();
        var aligned = new AlignedFaces(dataset, new AlignmentManifest(1, "dlib", Frame.Size, Frame.Pad, "drawn", "", true));
        sum += Row("where each view's targets lie", () => new FaceEmbeddings(teacher, aligned).Kept(views, files, JobContext.None), out var kept);
        sum += Row("split, people, order of an epoch", () => (new TrainingFaces(aligned, kept[0], kept[1], 0.05, 1, null)
        {
            Augmented = targets with { Cached = [.. kept.Skip(2)] },
        }, SeededChoice.Permutation(faces, 1, 1)), out var training);
        output.WriteLine(InvariantText.Of($"| together, without the first line | {sum:0.0} | | | |"));
        var batch = new float[64 * Dimension];
        var random = new Random(1);
        Row("10,000 batches of 64 targets", () =>
        {
            for (int i = 0; i < 640_000; i++)
            {
                kept[i % kept.Count].Read(random.Next(faces), batch.AsSpan(i % 64 * Dimension, Dimension));
            }

            return 0;
        }, out _);
        GC.KeepAlive(training);
    }

    private static FaceImage[] Faces(int count)
    {
        var random = new Random(1);
        ContentHash Content() => new(((UInt128)random.NextInt64() << 64) + (UInt128)random.NextInt64());
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            string person = InvariantText.Of($"person{i / FacesOfPerson:000000}");
            var (face, photo) = (Content(), Content());
            return new FaceImage(InvariantText.Of($"{person}/{i:00000000}.jpg"), person)
            {
                Hash = face, Photo = photo, Shown = 1,
                    Place = AlignedCache.FileOf("/home/user/.cache/facedistill/aligned/dlib112-0123456789ab", photo, face, 1),
            };
        })];
    }

    private static void Write(Drawn teacher, EmbeddedView[] views, FaceDataset dataset)
    {
        var random = new Random(2);
        foreach (var view in views)
        {
            var cache = new EmbeddingCache(teacher, Frame, view.Name);
            foreach (var part in dataset.Images.Select(i => i.Hash).Chunk(PartFaces))
            {
                cache.Add(part, [.. Enumerable.Range(0, part.Length * Dimension).Select(_ => random.NextSingle())]);
            }
        }
    }

    private sealed class Drawn : IEmbedder
    {
        public string Name => "drawn";

        public string Hash => "drawn";

        public ModelInputSpec Contract { get; } = FaceTensor.StudentContract(64, "dlib");

        public int Dimension => IndexMemory.Dimension;

        public void Embed(float[] faces, int count, Span<float> embeddings) => throw new InvalidOperationException("all is in the cache");

        public void Dispose()
        {
        }
    }
}
