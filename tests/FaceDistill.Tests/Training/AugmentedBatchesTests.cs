using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Training;

public sealed class AugmentedBatchesTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    private const int Size = 64, BatchSize = 16, Views = 3;
    private static readonly AugmentOptions Options = AugmentOptions.Strong;

    [Fact]
    public void A_cached_target_is_the_teachers_embedding_of_the_view_that_the_student_sees()
    {
        var faces = Cached();
        var seen = new HashSet<(int, int)>();
        for (int epoch = 0; epoch < Views; epoch++)
        {
            foreach (var (pixels, target) in Epoch(faces, epoch))
            {
                var (face, view) = Assert.Single(
                    from f in faces.Training from v in Enumerable.Range(0, Views) where Picture(faces, f, v) == pixels select (f, v));
                Assert.True(seen.Add((face, view))); // another view each epoch
                AssertNear(Scaled(faces, Embedding(faces.Augmented!.View(view, tiny.Faces.Dataset.Images[face].Key), face)), target);
            }
        }
    }

    [Fact]
    public void A_live_target_is_the_teachers_embedding_of_a_view_that_comes_once()
    {
        var faces = Live(mixUp: 0);
        var seen = new HashSet<string>();
        for (int epoch = 0; epoch < 2; epoch++)
        {
            foreach (var (pixels, target) in Epoch(faces, epoch))
            {
                int face = Assert.Single(faces.Training, f => Picture(faces, f, epoch) == pixels);
                Assert.True(seen.Add(pixels));
                AssertNear(Scaled(faces, Embedding(faces.Augmented!.View(epoch, tiny.Faces.Dataset.Images[face].Key), face)), target);
            }
        }
    }

    [Fact]
    public void Batches_depend_on_seed_epoch_and_place_alone()
    {
        foreach (var faces in new[] { Cached(), Live(0), Live(0.4) })
        {
            var epoch = Epoch(faces, 1);
            Assert.Equal(epoch.Select(e => e.Pixels), Epoch(faces, 1).Select(e => e.Pixels));
            Assert.Equal(epoch.Skip(2 * BatchSize).SelectMany(e => e.Target), Epoch(faces, 1, firstStep: 2).SelectMany(e => e.Target));
            Assert.NotEqual(epoch.Select(e => e.Pixels), Epoch(faces, 2).Select(e => e.Pixels));
        }
    }

    [Fact]
    public void MixUp_blends_pictures_and_the_teacher_sees_the_blend()
    {
        var (plain, mixed) = (Epoch(Live(0), 0), Epoch(Live(0.4), 0));
        Assert.True(plain.Zip(mixed).Count(e => e.First.Pixels != e.Second.Pixels) > 0.8 * plain.Count);
        Assert.True(plain.Zip(mixed).Count(e => !e.First.Target.SequenceEqual(e.Second.Target)) > 0.8 * plain.Count);
    }

    [Fact]
    public void Held_out_faces_are_never_augmented()
    {
        var pixels = new FacePixels(tiny.Faces, Size);
        var faces = Cached();
        using var reader = new BatchReader(faces, Size, BatchSize, 1, mirror: true);
        var held = reader.Validation(default).SelectMany(b => Enumerable.Range(0, b.Count).Select(i => Convert.ToHexString(b.PixelsOf(i)))).ToList();
        Assert.Equal(faces.Validation.Length, held.Count);
        var expected = new byte[pixels.Bytes];
        pixels.Copy(faces.Validation[0], FaceView.Original, expected);
        Assert.Equal(Convert.ToHexString(expected), held[0]);
    }

    [Fact]
    public void A_views_name_tells_what_decides_its_picture()
    {
        var targets = new AugmentedTargets(Options, true, 1);
        string[] names = [targets.Name(0), targets.Name(1), (targets with { Seed = 2 }).Name(0), (targets with { Mirror = false }).Name(0),
            (targets with { Options = Options with { Blur = 0.2 } }).Name(0)];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Equal(targets.Name(1), new AugmentedTargets(Options with { }, true, 1).Name(1));
    }

    [Fact]
    public void MixUp_without_live_targets_is_refused() => Assert.Contains(
        "--targets live", Assert.Throws<FaceDistillException>((TinyRun.Options with
        {
            Targets = TinyRun.Options.Targets with { MixUp = 0.2 },
        }).Validated).Message, StringComparison.Ordinal);

    private TrainingFaces Live(double mixUp) => new(tiny.Faces, tiny.Read("original"), tiny.Read("mirrored"), 0.1, 1)
    {
        Augmented = new AugmentedTargets(Options, true, 1) { Teacher = tiny.Teacher, MixUp = mixUp },
    };

    private TrainingFaces Cached()
    {
        var targets = new AugmentedTargets(Options, true, 1);
        return new TrainingFaces(tiny.Faces, tiny.Read("original"), tiny.Read("mirrored"), 0.1, 1)
        {
            Augmented = targets with
            {
                Cached = new FaceEmbeddings(tiny.Teacher, tiny.Faces).Of([.. Enumerable.Range(0, Views).Select(targets.Embedded)], JobContext.None),
            },
        };
    }

    private static List<(string Pixels, float[] Target)> Epoch(TrainingFaces faces, int epoch, int firstStep = 0)
    {
        using var reader = new BatchReader(faces, Size, BatchSize, 1, mirror: true);
        var all = new List<(string, float[])>();
        foreach (var batch in reader.Training(epoch, firstStep, default))
        {
            all.AddRange(Enumerable.Range(0, batch.Count).Select(i => (Convert.ToHexString(batch.PixelsOf(i)), batch.TargetOf(i).ToArray())));
        }

        return all;
    }

    private string Picture(TrainingFaces faces, int face, int view)
    {
        using var aligned = tiny.Faces.ReadFrame(face);
        using var picture = new ViewRenderer(tiny.Faces.Manifest.Frame).Render(aligned, faces.Augmented!.View(view, tiny.Faces.Dataset.Images[face].Key), Size);
        var rgb = new byte[Size * Size * 3];
        FaceTensor.CopyRgb(picture, rgb);
        return Convert.ToHexString(rgb);
    }

    private float[] Embedding(ViewParameters view, int face)
    {
        var contract = tiny.Teacher.Contract;
        using var aligned = tiny.Faces.ReadFrame(face);
        using Mat picture = new ViewRenderer(tiny.Faces.Manifest.Frame).Render(aligned, view, contract.Size);
        var input = new float[contract.Values];
        FaceTensor.Fill(picture, contract, input);
        var embedding = new float[tiny.Teacher.Dimension];
        tiny.Teacher.Embed(input, 1, embedding);
        return embedding;
    }

    private static float[] Scaled(TrainingFaces faces, float[] embedding)
    {
        var target = new float[embedding.Length];
        faces.Scaling.Apply(embedding, target);
        return target;
    }

    private static void AssertNear(float[] expected, float[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
}
