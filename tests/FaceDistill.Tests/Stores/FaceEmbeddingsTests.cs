using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Teachers;
using FaceDistill.Tests.Datasets;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Stores;

public sealed class FaceEmbeddingsTests : EmbeddedFaces
{
    [Fact]
    public void Many_at_once_equal_one_by_one_and_the_mirrored_view_is_the_flipped_picture()
    {
        var faces = Aligned(Faces);
        long told = 0;
        var sets = new FaceEmbeddings(_named, faces).Of(Both, new JobContext(Progress: new Heard(p => told = Math.Max(told, p.Done))));
        Assert.Equal(Faces, told);
        for (int i = 0; i < Faces; i++)
        {
            using var face = faces.ReadView(i, TinyTeacher.Size);
            using var flipped = new Mat();
            Cv2.Flip(face, flipped, FlipMode.Y);
            Assert.All(One(face).Zip(sets[0].Row(i).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            Assert.All(One(flipped).Zip(sets[1].Row(i).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            Assert.NotEqual(sets[0].Row(i).ToArray(), sets[1].Row(i).ToArray());
        }

        Assert.Equal(faces.Dataset.Images.Select(i => (i.Path, i.Identity)), sets[1].Paths.Zip(sets[1].Identities));
        Assert.Equal((faces.Hashed(JobContext.None).Id, EmbeddingCache.ModelHash(_named)), (sets[0].FacesId, sets[0].ModelHash));
    }

    [Fact]
    public void A_damaged_face_another_template_and_numbers_that_are_none_are_one_clear_line()
    {
        var faces = Aligned(Faces);
        string damaged = faces.Dataset.FullPath(faces.Dataset.Images[40]);
        File.WriteAllText(damaged, "no picture");
        Assert.StartsWith(damaged, Refused(_named, faces), StringComparison.Ordinal);
        Assert.Contains("'arcface' but tiny", Refused(_named, faces with { Manifest = faces.Manifest with { Template = "arcface" } }),
            StringComparison.Ordinal);
        Pictures.Noise(damaged, 64, 64, seed: 40);
        Assert.Contains("gave NaN or an infinity for ", Refused(new Named(_teacher, _named.Name) { Broken = true }, faces), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_known_by_content_is_not_computed_again_and_what_changed_is()
    {
        var faces = Aligned(Faces);
        float[] before = Values(faces, expected: Faces);
        Values(faces, expected: 0);

        // Another folder, other names, other dates, another order, another company: the same faces.
        Directory.CreateDirectory(_folder["copy/q"]);
        foreach (var (image, i) in faces.Dataset.Images.Select((image, i) => (image, i)))
        {
            File.Copy(faces.Dataset.FullPath(image), _folder[$"copy/q/{99 - i}.jpg"]);
            File.SetLastWriteTimeUtc(_folder[$"copy/q/{99 - i}.jpg"], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        }

        faces.Manifest.Write(_folder["copy"]);
        var copy = AlignedFaces.Open(_folder["copy"]);
        Assert.Equal(before.Reverse().Chunk(TinyTeacher.Dimension).SelectMany(row => row.Reverse()), Values(copy, expected: 0));
        Values(AlignedFaces.Join([faces, copy]), expected: 0);

        // One that was replaced with its size and date kept, and one that is new.
        string changed = faces.Dataset.FullPath(faces.Dataset.Images[3]);
        byte[] bytes = File.ReadAllBytes(changed);
        var date = File.GetLastWriteTimeUtc(changed);
        bytes[^1] ^= 1;
        File.WriteAllBytes(changed, bytes);
        File.SetLastWriteTimeUtc(changed, date);
        Pictures.Noise(_folder["faces/new/1.jpg"], 64, 64, seed: 99);
        Values(AlignedFaces.Open(_folder["faces"]), expected: 2);
    }

    [Fact]
    public void A_damaged_part_is_computed_again_and_said()
    {
        var faces = Aligned(Faces);
        float[] before = Values(faces, expected: Faces);
        string part = Assert.Single(Directory.GetFiles(new EmbeddingCache(_named, faces.Manifest.Frame, "original").Folder, "*.emb"));
        byte[] whole = File.ReadAllBytes(part);
        foreach (int at in new[] { 0, 9, 13, 20, 16 + (16 * Faces) + 3, 3000, whole.Length - 1 })
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x10;
            File.WriteAllBytes(part, damaged);
            var said = new List<string>();
            Assert.Equal(before, Values(faces, expected: Faces, said));
            Assert.Equal($"{part} is damaged; its embeddings are computed again", Assert.Single(said));
            Assert.Equal(whole, File.ReadAllBytes(part));
        }

        File.WriteAllBytes(part, whole[..100]);
        Assert.Equal(before, Values(faces, expected: Faces));
    }

    [Fact]
    public void A_face_that_is_changed_while_faces_are_read_is_refused_and_not_kept()
    {
        var faces = Aligned(Faces).Hashed(JobContext.None);
        string changed = faces.Dataset.FullPath(faces.Dataset.Images[9]);
        byte[] bytes = File.ReadAllBytes(changed);
        Pictures.Noise(changed, 64, 64, seed: 123); // after it was hashed
        Assert.Contains($"{changed} was changed while", Refused(_named, faces), StringComparison.Ordinal);
        File.WriteAllBytes(changed, bytes);
        Values(AlignedFaces.Open(_folder["faces"]), expected: Faces);
    }

    [Fact]
    public void A_cancelled_run_keeps_what_it_did()
    {
        var faces = Aligned(1100); // kept after each 1,024
        using var cancel = new CancellationTokenSource();
        var job = new JobContext(Progress: new Heard(p => Cancel(cancel, p.Stage.StartsWith("embedding", StringComparison.Ordinal) && p.Done > 1030)),
            Cancel: cancel.Token);
        Assert.ThrowsAny<OperationCanceledException>(() => new FaceEmbeddings(_named, faces).Of(FaceView.Original, job));
        Values(faces, expected: 1100 - 1024);
    }

    [Fact]
    public async Task Of_several_who_want_the_same_embeddings_one_computes_them_and_the_others_wait()
    {
        var faces = Aligned(Faces);
        var computed = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            var embeddings = new FaceEmbeddings(_named, faces);
            float[] values = embeddings.Of(FaceView.Original, JobContext.None).Values;
            return (embeddings.Computed, values);
        })));
        Assert.Equal(Faces, computed.Sum(c => c.Computed));
        Assert.All(computed, c => Assert.Equal(computed[0].values, c.values));
    }

    private static void Cancel(CancellationTokenSource cancel, bool now)
    {
        if (now)
        {
            cancel.Cancel();
        }
    }

    private static string Refused(IEmbedder model, AlignedFaces faces) =>
        Assert.Throws<FaceDistillException>(() => new FaceEmbeddings(model, faces).Of(Both, JobContext.None)).Message;

    private float[] Values(AlignedFaces faces, int expected, List<string>? said = null)
    {
        var embeddings = new FaceEmbeddings(_named, faces);
        var set = embeddings.Of(FaceView.Original, new JobContext(said is null ? null : said.Add));
        Assert.Equal(expected, embeddings.Computed);
        return set.Values;
    }

    private float[] One(Mat face)
    {
        var input = new float[_teacher.Contract.Values];
        FaceTensor.Fill(face, _teacher.Contract, input);
        var embedding = new float[TinyTeacher.Dimension];
        _teacher.Embed(input, 1, embedding);
        return embedding;
    }

    private sealed class Heard(Action<WorkProgress> hear) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => hear(value);
    }
}
