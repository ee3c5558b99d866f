using System.Text.Json;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation;

public sealed class EvaluatorTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [LfwFact]
    public void LFW_pair_counts_of_every_protocol()
    {
        string images = Path.Combine(LfwFactAttribute.Folder!, "images");
        var set = Sets.Random("random", 1, 8, [.. FaceDataset.List(images).Images.Select(image => image.Path)]);
        var all = Evaluator.Run(Evaluator.AllPairs, set);
        Assert.Equal((13_232, 242_257, 87_294_039), (all.Images, all.GenuinePairs, all.ImpostorPairs));
        Assert.Equal([8_729_403, 872_940, 87_294, 8_729, 872, 87], all.Rates!.Points.Select(point => point!.FalseAccepts));
        var view1 = Evaluator.Run(Evaluator.LfwView1Test, set, images); // the files lie in the folder above
        Assert.Equal((3_707, 24_620, 6_844_451), (view1.Images, view1.GenuinePairs, view1.ImpostorPairs));
        Assert.Equal(1_710, view1.Rates!.Identities);
        Assert.Equal(["Betsy_Coffin_0001"], view1.Missing);
        var folds = Evaluator.Run(Evaluator.LfwTenFold, set, LfwFactAttribute.Folder);
        Assert.Equal(6000, folds.GenuinePairs + folds.ImpostorPairs + folds.SkippedPairs);
        Assert.Equal(10, folds.Folds!.Folds.Count);
        Assert.InRange(folds.Folds.Accuracy, 0.45, 0.55); // random embeddings know nobody
        var search = Evaluator.Run(Evaluator.Identification, set).Identification!;
        Assert.Equal((5_748, 7_484), (search.GalleryImages, search.Probes));
        Assert.InRange(search.Rank1, 0, 0.05);
        var pairs = Evaluator.Agreements(Evaluator.LfwView1Test, [set, set], 0, images, null, JobContext.None)!.Single().Search![2];
        Assert.Equal((2 * 24_620, 2 * 6_844_451L), (pairs.GenuinePairs, pairs.ImpostorPairs)); // ordered: a teacher's image and a student's
    }

    [LfwFact]
    public void LFW_files_read_as_documented()
    {
        var pairs = LfwPairs.Read(Path.Combine(LfwFactAttribute.Folder!, "pairs.txt"));
        Assert.Equal((10, 6000, 3000), (pairs.Folds, pairs.Pairs.Count, pairs.Pairs.Count(pair => pair.Same)));
        Assert.Equal(1000, LfwPairs.Read(Path.Combine(LfwFactAttribute.Folder!, "pairsDevTest.txt")).Pairs.Count);
        var people = LfwPeople.Read(Path.Combine(LfwFactAttribute.Folder!, "people.txt"));
        Assert.Equal((10, 5749, 13_233), (people.Sets, people.People.Count, people.People.Sum(person => person.Images)));
    }

    [Fact]
    public void Pairs_without_a_list_are_told_where_one_is_looked_for()
    {
        string message = Assert.Throws<FaceDistillException>(() => Evaluator.Check(Evaluator.Pairs, _folder.Path, new EvaluationOptions())).Message;
        Assert.StartsWith($"'pairs' needs --pairs FILE, or pairs.csv in the data folder {_folder.Path}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_has_the_fixed_keys_and_null_for_refused_rates()
    {
        var teacher = Sets.Random("teacher", 1, 16, Paths);
        var result = Evaluator.RunAll(Evaluator.AllPairs, [teacher, Noisy(teacher)], reference: 0);
        using var json = JsonDocument.Parse(JsonFile.Serialize(result));
        Assert.Equal("all-pairs", json.RootElement.GetProperty("protocol").GetString());
        var models = json.RootElement.GetProperty("models");
        var student = models[1];
        Assert.Equal(("student", 200, 100L, 19_800L),
            (student.GetProperty("name").GetString(), student.GetProperty("images").GetInt32(), student.GetProperty("genuinePairs").GetInt64(),
            student.GetProperty("impostorPairs").GetInt64()));
        var point = result.Models[1].Rates!.At(1e-4)!;
        Assert.Equal(point.Tar, student.GetProperty("tarAtFar").GetProperty("1e-4").GetDouble());
        Assert.Equal(point.Threshold, student.GetProperty("thresholdAtFar").GetProperty("1e-4").GetSingle());
        Assert.Equal(1, student.GetProperty("falseAcceptsAtFar").GetProperty("1e-4").GetInt64());
        Assert.Equal(["1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6"], student.GetProperty("tarAtFar").EnumerateObject().Select(p => p.Name));
        Assert.Equal(JsonValueKind.Null, student.GetProperty("tarAtFar").GetProperty("1e-5").ValueKind);
        Assert.Equal(JsonValueKind.Null, student.GetProperty("thresholdAtFar").GetProperty("1e-6").ValueKind);
        Assert.Equal(point.Tar / result.Models[0].Rates!.At(1e-4)!.Tar, student.GetProperty("retentionAt1e-4").GetDouble());
        Assert.False(models[0].TryGetProperty("retentionAt1e-4", out _));
        Assert.False(student.TryGetProperty("tenFoldAccuracy", out _));
        JsonFile.Write(_folder["e.json"], result);
        Assert.Equal(point.Tar, JsonFile.Read<EvaluationResult>(_folder["e.json"]).Models[1].TarAtFar!["1e-4"]);
    }

    [Fact]
    public void View_1_gives_retention_with_its_interval()
    {
        string[] paths = [.. Paths.Select((_, i) => $"P{i / 2}/P{i / 2}_{(i % 2) + 1:0000}.png")];
        File.WriteAllLines(_folder["peopleDevTest.txt"], ["90", .. Enumerable.Range(0, 90).Select(person => $"P{person}\t2")]);
        var teacher = Sets.Random("teacher", 1, 16, paths);
        var result = Evaluator.RunAll(Evaluator.LfwView1Test, [teacher, Noisy(teacher)], 0, _folder.Path);
        var student = result.Models[1];
        Assert.Equal(180, student.Images);
        Assert.Equal(student.TarAtFar!["1e-4"] / result.Models[0].TarAtFar!["1e-4"], student.RetentionAt1e4);
        Assert.InRange(student.RetentionAt1e4!.Value, student.RetentionInterval95At1e4![0], student.RetentionInterval95At1e4[1]);
        Assert.True(student.RetentionInterval95At1e4[0] < student.RetentionInterval95At1e4[1]);
    }

    [Fact]
    public void Json_of_the_folds_leaves_out_what_they_do_not_give()
    {
        File.WriteAllText(_folder["pairs.txt"], "2\t1\nA\t1\t2\nA\t1\tB\t1\nB\t1\t2\nB\t1\tA\t3\n");
        var set = new EmbeddingSet(
            "m", 2, [1, 0, 1, 0.1f, 0, 1, 0.1f, 1], ["A/A_0001.jpg", "A/A_0002.jpg", "B/B_0001.jpg", "B/B_0002.jpg"], ["A", "A", "B", "B"]);
        var result = Evaluator.RunAll(Evaluator.LfwTenFold, [set], reference: null, _folder.Path);
        using var json = JsonDocument.Parse(JsonFile.Serialize(result));
        var model = json.RootElement.GetProperty("models")[0];
        Assert.Equal(1, model.GetProperty("skippedPairs").GetInt32());
        Assert.Equal(1, model.GetProperty("missingImages").GetInt32());
        Assert.True(model.TryGetProperty("tenFoldAccuracy", out _));
        Assert.True(model.TryGetProperty("tenFoldStandardError", out _));
        Assert.False(model.TryGetProperty("tarAtFar", out _));
        Assert.False(model.TryGetProperty("retentionAt1e-4", out _));
    }

    [Fact]
    public void View_1_takes_the_listed_people_only()
    {
        File.WriteAllText(_folder["peopleDevTest.txt"], "2\nA\t2\nC\t3\n");
        string[] paths = ["A/A_0001.png", "A/A_0002.png", "B/B_0001.png", "C/C_0001.png", "C/C_0002.png"];
        var result = Evaluator.Run(Evaluator.LfwView1Test, Sets.Random("m", 1, 4, paths), _folder.Path, new EvaluationOptions { Fars = [0.5] });
        Assert.Equal((4, 2, 4), (result.Images, result.GenuinePairs, result.ImpostorPairs));
        Assert.Equal(["C_0003"], result.Missing);
        string message = Assert.Throws<FaceDistillException>(() =>
            Evaluator.Run(Evaluator.LfwView1Test, Sets.Random("m", 1, 4, ["X/1.png"]), _folder.Path)).Message;
        Assert.Contains("none of the 5 images", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_protocols_missing_files_and_other_images_are_refused()
    {
        var set = Sets.Random("m", 1, 4, Paths);
        Assert.Contains("lfw-10fold", Message(() => Evaluator.Run("lfw", set)), StringComparison.Ordinal);
        Assert.Contains("pairs.txt", Message(() => Evaluator.Run(Evaluator.LfwTenFold, set, _folder.Path)), StringComparison.Ordinal);
        Assert.Contains("any folder given", Message(() => Evaluator.Run(Evaluator.LfwTenFold, set)), StringComparison.Ordinal);
        foreach (string protocol in new[] { Evaluator.LfwTenFold, Evaluator.Pairs })
        {
            var euclidean = new EvaluationOptions { Score = ScoreKind.Euclidean };
            Assert.Contains($"{protocol} scores by cosine only", Message(() => Evaluator.Run(protocol, set, _folder.Path, euclidean)),
                StringComparison.Ordinal);
        }

        var other = Sets.Random("student", 1, 4, Paths[..100]);
        Assert.Contains("student has 100 images and m has 200", Message(() => Evaluator.RunAll(Evaluator.AllPairs, [set, other], 0)), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_of_rates_are_powers_of_ten() =>
        Assert.Equal("1e-1 1e-2 1e-6 5e-4 2.5e-3", string.Join(" ", Array.ConvertAll<double, string>([0.1, 1e-2, 1e-6, 5e-4, 2.5e-3], FarTargets.Label)));

    [Fact]
    public void Permitted_false_accepts_are_counted_in_decimals()
    {
        for (long pairs = 10_000; pairs <= 10_000_000; pairs += 10_000)
        {
            Assert.Equal(pairs / 10_000, FarTargets.Permitted(1e-4, pairs));
            Assert.Equal((pairs / 10_000) - 1, FarTargets.Permitted(1e-4, pairs - 1));
        }
    }

    private static string[] Paths => [.. Enumerable.Range(0, 200).Select(i => $"p{i / 2}/{i}.png")];

    /// <summary>
    /// A student near its teacher; the teacher's second image of each person is moved near the first, in place, so that
    /// there is an accuracy to keep.
    /// </summary>
    private static EmbeddingSet Noisy(EmbeddingSet teacher)
    {
        var random = new Random(2);
        for (int row = 1; row < teacher.Count; row += 2)
        {
            for (int d = 0; d < teacher.Dimension; d++)
            {
                teacher.Values[(row * teacher.Dimension) + d] = teacher.Row(row - 1)[d] + ((random.NextSingle() - 0.5f) * 0.8f);
            }
        }

        float[] values = [.. teacher.Values.Select(value => value + ((random.NextSingle() - 0.5f) * 0.3f))];
        return new EmbeddingSet(
            "student", teacher.Dimension, values, [.. teacher.Paths.Select(path => Path.ChangeExtension(path, ".jpg"))], teacher.Identities);
    }

    private static string Message(Action action) => Assert.Throws<FaceDistillException>(action).Message;
}
