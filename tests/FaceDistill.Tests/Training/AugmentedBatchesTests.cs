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
        var pictures = (from f in faces.Training from v in Enumerable.Range(0, Views) select (f, v)).ToLookup(p => Picture(faces, p.f, p.v));
        for (int epoch = 0; epoch < Views; epoch++)
        {
            foreach (var (pixels, target) in Epoch(faces, epoch))
            {
                var (face, view) = Assert.Single(pictures[pixels]);
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
            var pictures = faces.Training.ToLookup(f => Picture(faces, f, epoch));
            foreach (var (pixels, target) in Epoch(faces, epoch))
            {
                int face = Assert.Single(pictures[pixels]);
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
    public void MixUp_blends_each_face_with_another_one_of_its_batch_and_the_teacher_sees_the_blend()
    {
        const double alpha = 0.4;
        var (plain, mixed) = (Live(0), Live(alpha));
        int neighbours = 0, found = 0;
        var pictures = plain.Training.ToLookup(f => Picture(plain, f, 1));
        foreach (var (alone, blends) in Epoch(plain, 1).Chunk(BatchSize).Zip(Epoch(mixed, 1).Chunk(BatchSize)))
        {
            int[] faces = [.. alone.Select(a => Assert.Single(pictures[a.Pixels]))];
            var partners = new List<int>();
            for (int i = 0; i < faces.Length; i++)
            {
                double uniform = ((SeededChoice.Bits(1, 1, faces[i], purpose: 3) >> 11) + 0.5) / Math.Pow(2, 53);
                double share = MathNet.Numerics.Distributions.Beta.InvCDF(alpha, alpha, uniform);
                int[] like = [.. Enumerable.Range(0, faces.Length).Where(j => Blend(mixed, faces[i], faces[j], share) == blends[i].Pixels)];
                Assert.NotEmpty(like);
                AssertNear(Scaled(mixed, BlendEmbedding(mixed, faces[i], faces[like[0]], share)), blends[i].Target);
                if (like is [var other]) // with a share near 1 any partner gives the same picture
                {
                    Assert.NotEqual(i, other);
                    partners.Add(other);
                    neighbours += other == (i + 1) % faces.Length || i == (other + 1) % faces.Length ? 1 : 0;
                }
            }

            Assert.Equal(partners.Count, partners.Distinct().Count()); // each is blended into one other
            found += partners.Count;
        }

        Assert.InRange(found, 50, 96); // 6 batches of 16
        Assert.InRange(neighbours, 1, found / 3); // two of fifteen by chance: batches are sorted, so that neighbours are always the same
    }

    [Fact]
    public void A_part_of_a_batch_holds_what_the_whole_one_holds()
    {
        var faces = Live(0.4);
        using var reader = new BatchReader(faces, Size, BatchSize, 1, mirror: true);
        string[] whole = [.. Epoch(faces, 1).Select(e => e.Pixels)];
        for (int rank = 0; rank < 2; rank++)
        {
            var part = BatchParts.Of(2, rank, 2);
            var (first, count) = part.Faces(BatchSize);
            int step = 0;
            foreach (var batch in reader.Training(1, 0, part, default))
            {
                Assert.Equal(whole.Skip((step++ * BatchSize) + first).Take(count),
                    Enumerable.Range(first, count).Select(i => Convert.ToHexString(batch.PixelsOf(i))));
            }
        }
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

    // What student and teacher should see of epoch 1, by the plain renderer at the size of each, and what the teacher gives.
    private string Blend(TrainingFaces faces, int face, int other, double share)
    {
        using var student = Blended(faces, face, other, share, Size);
        var rgb = new byte[Size * Size * 3];
        FaceTensor.CopyRgb(student, rgb);
        return Convert.ToHexString(rgb);
    }

    private float[] BlendEmbedding(TrainingFaces faces, int face, int other, double share)
    {
        var contract = tiny.Teacher.Contract;
        using var teacher = Blended(faces, face, other, share, contract.Size);
        var (input, embedding) = (new float[contract.Values], new float[tiny.Teacher.Dimension]);
        FaceTensor.Fill(teacher, contract, input);
        tiny.Teacher.Embed(input, 1, embedding);
        return embedding;
    }

    private Mat Blended(TrainingFaces faces, int face, int other, double share, int size)
    {
        Mat View(int i)
        {
            using var aligned = tiny.Faces.ReadFrame(i);
            return new ViewRenderer(tiny.Faces.Manifest.Frame).Render(aligned, faces.Augmented!.View(1, tiny.Faces.Dataset.Images[i].Key), size);
        }

        using var one = View(face);
        using var two = View(other);
        var blend = new Mat();
        Cv2.AddWeighted(one, share, two, 1 - share, 0, blend);
        return blend;
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
