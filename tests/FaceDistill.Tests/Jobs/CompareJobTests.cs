using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Jobs;
using FaceDistill.Runs;

namespace FaceDistill.Tests.Jobs;

/// <summary>Two photos compared, and a photo searched in galleries.</summary>
public sealed class CompareJobTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void What_is_not_there_is_told_before_anything_is_opened()
    {
        File.WriteAllText(_folder["a.jpg"], "no picture");
        var empty = new AssetFinder([], [], _folder["cache"]);
        Refused(() => new CompareJob(empty).Run(new CompareRequest(_folder["a.jpg"], _folder["b.jpg"]), JobContext.None),
            "b.jpg is not there; give a photo's file");
        Refused(() => new CompareJob(empty).Run(new CompareRequest(_folder["a.jpg"], _folder.Path), JobContext.None), "is a folder; give a photo's file");
        // No network without being told: the one command is named.
        Refused(() => new CompareJob(empty).Run(new CompareRequest(_folder["a.jpg"], _folder["a.jpg"]), JobContext.None),
            "run 'facedistill teachers pull yunet'");
        Refused(() => new SearchJob(empty).Run(new SearchRequest(_folder["a.jpg"], _folder["none"]), JobContext.None), "no folder");
    }

    [RealDataFact]
    public void A_pair_has_the_library_s_similarity_its_verdict_and_its_rate()
    {
        string student = DefaultStudent.Find();
        using var embedder = FaceEmbedder.Load(student, RealData.Detector);
        foreach (string[] photos in new[] { Bush(1, 2), [.. Bush(1), .. Photos("Tony_Blair", 1)] })
        {
            var result = new CompareJob(AssetFinder.FromEnvironment()).Run(new CompareRequest(photos[0], photos[1]), JobContext.None);
            float similarity = FaceEmbedder.Similarity(embedder.EmbedPhoto(photos[0]), embedder.EmbedPhoto(photos[1]));
            Assert.Equal((similarity, similarity >= embedder.Threshold(1e-4), student), (result.Similarity, result.Same, result.By.Model));
            Assert.Equal(embedder.FalseAcceptRate(similarity).ToString(), result.FalseAcceptRate!.ToString());
            Assert.Equal((photos[0], photos[1], 1), (result.A.Path, result.B.Path, result.A.Face.Faces));
            Assert.Null(result.By.NoVerdict);
        }

        File.WriteAllText(_folder["text.jpg"], "no picture");
        Refused(() => Compare(Bush(1)[0], _folder["text.jpg"], null), "text.jpg is not readable as a picture");
        Assert.Contains(Compare(Bush(1)[0], Bush(1)[0], null).Warnings!, w => w.EndsWith("are the same picture", StringComparison.Ordinal));
    }

    [RealDataFact]
    public void Without_a_threshold_there_is_a_similarity_and_what_would_measure_one()
    {
        var result = Compare(Bush(1)[0], Bush(2)[0], run.Folder);
        Assert.Equal((null, null), (result.Same, result.FalseAcceptRate));
        Assert.EndsWith("that takes 10,000 pairs of two people: some 150 photos of different people", result.By.NoVerdict, StringComparison.Ordinal);
        string card = TinyTeacher.Write(_folder["teacher"]);
        Assert.Contains("--data DIR --wide' measures it", Compare(Bush(1)[0], Bush(2)[0], $"teacher:{card}").By.NoVerdict, StringComparison.Ordinal);
        Refused(() => Compare(Bush(1)[0], Bush(2)[0], card), "is a card: give teacher:");
        Assert.Contains($"'facedistill evaluate --model {run.Folder} --data DIR", result.By.NoVerdict, StringComparison.Ordinal);
        Assert.Contains(result.Warnings!, w => w.Contains("was trained on drawn faces", StringComparison.Ordinal));
        // Measured on strangers, too few of them: then it is said how many.
        string copy = run.CopyTo(_folder["run"]);
        new EvaluateJob(AssetFinder.FromEnvironment()).Run(
            new EvaluateRequest("all-pairs", [copy], FaceDistill.Datasets.DataFolder.Of(run.DrawStrangers(_folder["people"]).Dataset.Root), null, "cpu"),
            JobContext.None);
        result = Compare(Bush(1)[0], Bush(2)[0], copy);
        Assert.Contains("the 6,600 pairs of two people", result.By.NoVerdict, StringComparison.Ordinal);
        Assert.Equal(6600, result.FalseAcceptRate!.ImpostorPairs);
    }

    [RealDataFact]
    public void A_photo_is_found_in_a_folder_and_in_a_store_of_the_same_model_only()
    {
        foreach (string photo in (string[])[.. Bush(1, 2, 3), .. Photos("Tony_Blair", 1, 2), .. Photos("Colin_Powell", 1, 2)])
        {
            string person = _folder[$"people/{Path.GetFileName(Path.GetDirectoryName(photo))}"];
            Directory.CreateDirectory(person);
            File.Copy(photo, Path.Combine(person, Path.GetFileName(photo)));
        }

        var finder = AssetFinder.FromEnvironment();
        var found = new SearchJob(finder).Run(new SearchRequest(Bush(2)[0], _folder["people"]) { Top = 3 }, JobContext.None);
        Assert.Equal((7, 3, 3), (found.Faces, found.People, found.Hits.Count));
        Assert.Equal(("George_W_Bush/George_W_Bush_0002.jpg", "George_W_Bush", true, 1), (found.Hits[0].Picture, found.Hits[0].Person, found.Hits[0].SamePhoto,
            found.Hits[0].Rank));
        Assert.True(found.Hits[1].Similarity >= found.Hits[2].Similarity && !found.Hits[1].SamePhoto);
        Assert.Equal(7e-4, found.ExpectedByChance!.Value, 1e-9);
        Assert.Equal(7 * found.Hits[0].FalseAcceptRate!.AtMost, found.Hits[0].ExpectedByChance!.Value, 1e-12);

        string model = DefaultStudent.Find();
        new EmbedJob(finder).Run(new EmbedRequest(model, _folder["people"], _folder["store"], false, null, "cpu"), JobContext.None);
        var again = new SearchJob(finder).Run(new SearchRequest(Bush(2)[0], _folder["store"]) { Top = 3 }, JobContext.None);
        Assert.Equal(found.Hits.Select(h => (h.Picture, h.Similarity, h.SamePhoto)), again.Hits.Select(h => (h.Picture, h.Similarity, h.SamePhoto)));
        Refused(() => new SearchJob(finder).Run(new SearchRequest(Bush(2)[0], _folder["store"]) { Model = run.Folder }, JobContext.None),
            "store holds embeddings of mobilenet-v1");
        Refused(() => new SearchJob(finder).Run(new SearchRequest(Bush(2)[0], _folder["store"]) { Aligned = "dlib" }, JobContext.None),
            "is a store of embeddings: leave it out");
    }

    public void Dispose() => _folder.Dispose();

    private static CompareResult Compare(string a, string b, string? model) =>
        new CompareJob(AssetFinder.FromEnvironment()).Run(new CompareRequest(a, b, model, "cpu"), JobContext.None);

    private static string[] Bush(params int[] numbers) => Photos("George_W_Bush", numbers);

    private static string[] Photos(string person, params int[] numbers) =>
        [.. numbers.Select(n => Path.Combine(RealData.Lfw!, "images", person, FormattableString.Invariant($"{person}_{n:0000}.jpg")))];

    private static void Refused(Action action, string expected)
    {
        string message = Assert.Throws<FaceDistillException>(action).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
