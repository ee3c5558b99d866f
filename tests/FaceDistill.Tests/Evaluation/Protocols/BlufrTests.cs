using System.Text.Json;
using FaceDistill.Datasets;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Protocols;

public sealed class BlufrTests
{
    private static readonly BlufrDraw Small = new(Trials: 3, TrainPeople: 10, GalleryPeople: 20, Seed: 5);

    [Fact]
    public void Own_trials_are_composed_as_the_paper_says()
    {
        var set = SignSets.Of("m", 1, 400, 80);
        var trials = BlufrTrials.Draw(set, Small);
        Assert.Equal("BLUFR-style, own random trials", trials.Label);
        Assert.Equal(3, trials.Trials.Count);
        Assert.All(trials.Trials, trial =>
        {
            int[] test = [.. trial.Gallery, .. trial.Probes];
            Assert.Equal(test.Length, test.Distinct().Count());
            string[] gallery = [.. trial.Gallery.Select(row => set.Identities[row])];
            Assert.Equal((20, 20), (gallery.Length, gallery.Distinct().Count()));
            Assert.All(gallery, person => Assert.Contains(trial.Probes, row => set.Identities[row] == person));
            var people = test.Select(row => set.Identities[row]).ToHashSet();
            Assert.Equal(70, people.Count);
            Assert.Equal(set.Identities.Count(people.Contains), test.Length); // every image of the test people
        });
        Assert.NotEqual(trials.Trials[0].Gallery, trials.Trials[1].Gallery);
        Assert.Contains(trials.Trials[0].Gallery, row => Array.IndexOf(set.Identities, set.Identities[row]) != row); // any image, not the first
        Assert.Equal(trials.Trials[2].Probes, BlufrTrials.Draw(set, Small).Trials[2].Probes);
    }

    // Two models' stores of the same faces, or one that grew, may hold them in another order.
    [Fact]
    public void Own_trials_are_the_same_whatever_the_order_of_the_images()
    {
        var set = SignSets.Of("m", 1, 400, 80);
        int[] other = [.. Enumerable.Range(0, 400).Reverse()];
        static IEnumerable<string> Named(EmbeddingSet s, (int[] Gallery, int[] Probes) t) =>
            [.. t.Gallery.Select(row => s.Paths[row]), "|", .. t.Probes.Select(row => s.Paths[row])];
        var (trials, turned) = (BlufrTrials.Draw(set, Small).Trials, BlufrTrials.Draw(set.Of(other), Small).Trials);
        Assert.All(trials.Zip(turned), t => Assert.Equal(Named(set, t.First), Named(set.Of(other), t.Second)));
    }

    [LfwFact]
    public void Own_trials_on_LFW_have_the_papers_sizes()
    {
        var set = Sets.Random("random", 1, 2, [.. FaceDataset.List(Path.Combine(LfwFactAttribute.Folder!, "images")).Images.Select(image => image.Path)]);
        var trials = BlufrTrials.Draw(set).Trials;
        Assert.Equal(10, trials.Count);
        Assert.All(trials, trial =>
        {
            var known = trial.Gallery.Select(row => set.Identities[row]).ToHashSet();
            Assert.Equal(1000, known.Count);
            string[] people = [.. trial.Gallery.Concat(trial.Probes).Select(row => set.Identities[row]).Distinct()];
            Assert.Equal(5748 - 1500, people.Length); // the paper's 4,249 and LFW's 5,749 less one whose image this copy lacks
        });
        // Published averages of the official trials: 9,708 test images, 4,350 genuine and 4,357 impostor probes.
        Assert.InRange(trials.Average(trial => trial.Gallery.Length + trial.Probes.Length), 9300, 10_100);
        Assert.InRange(trials.Average(trial => trial.Probes.Count(row => trial.Gallery.Any(g => set.Identities[g] == set.Identities[row]))), 3900, 4800);
    }

    [Fact]
    public void Figures_are_those_of_the_parts()
    {
        var set = SignSets.Of("m", 2, 600, 100, 3);
        var trials = BlufrTrials.Draw(set, Small);
        var result = Blufr.Run(set, trials).Blufr!;
        double[] verification = new double[3], identification = new double[3];
        for (int t = 0; t < 3; t++)
        {
            var (gallery, probes) = trials.Trials[t];
            int[] test = [.. gallery, .. probes];
            var twin = NaiveTwin.Score(
                [.. test.SelectMany(row => set.Row(row).ToArray()).Select(value => value / 4)], SignSets.Dimension,
                    [.. test.Select(row => set.Identities[row])], [1e-3]);
            verification[t] = twin.Points[0]!.Tar;
            identification[t] = Identification.OpenSet(set, gallery, probes, [1e-2], JobContext.None).Points[0]!.Dir;
            Assert.Equal((twin.GenuinePairs, twin.ImpostorPairs, test.Length),
                (result.PerTrial[t].GenuinePairs, result.PerTrial[t].ImpostorPairs, result.PerTrial[t].Images));
            Assert.Equal(twin.Points[0]!.Threshold, result.PerTrial[t].VerificationThreshold);
        }

        double mean = verification.Average();
        double deviation = Math.Sqrt(verification.Sum(rate => (rate - mean) * (rate - mean)) / 2);
        Assert.Equal(mean - deviation, result.VerificationRate.MeanMinusDeviation, 1e-12);
        Assert.Equal(identification, result.PerTrial.Select(trial => trial.IdentificationRate));
        Assert.Equal(identification.Average(), result.IdentificationRate.Mean, 1e-12);
        string text = JsonFile.Serialize(result);
        using var json = JsonDocument.Parse(text);
        Assert.Equal(BlufrTrials.OwnLabel, json.RootElement.GetProperty("trials").GetString());
        Assert.Equal(result.VerificationRate.MeanMinusDeviation, json.RootElement.GetProperty("verificationRate").GetProperty("meanMinusDeviation")
            .GetDouble());
        Assert.Equal(3, json.RootElement.GetProperty("perTrial").GetArrayLength());
        Assert.Equal(text, JsonFile.Serialize(JsonFile.Parse<BlufrResult>(text, "test")));
    }

    [Fact]
    public void Given_lists_are_found_by_file_name_and_missing_images_counted()
    {
        var set = new EmbeddingSet("m", 1, [1, 2, 3], ["A/A_0001.png", "A/A_0002.png", "B/B_0001.png"], ["A", "A", "B"]);
        var lists = new BlufrLists(
            "lists", [new BlufrTrial(["A_0002.jpg", "C_0001.jpg"], ["B_0001.jpg", "A_0001.jpg"]), new BlufrTrial(["A_0001.jpg"], ["C_0001.jpg"])]);
        var trials = BlufrTrials.Of(set, lists);
        Assert.Equal("BLUFR, trials of lists", trials.Label);
        Assert.Equal(["C_0001.jpg"], trials.MissingImages);
        Assert.Equal([1], trials.Trials[0].Gallery);
        Assert.Equal([2, 0], trials.Trials[0].Probes);
    }

    [Fact]
    public void A_folder_with_lists_gives_their_trials_and_one_with_half_of_them_is_refused()
    {
        using var folder = new TempFolder();
        var set = SignSets.Of("m", 1, 400, 80);
        Assert.Equal(BlufrTrials.OwnLabel, BlufrTrials.In(set, folder.Path, Small).Label);
        Assert.Equal(BlufrTrials.OwnLabel, BlufrTrials.In(set, null, Small).Label);
        string lists = Directory.CreateDirectory(folder["blufr"]).FullName;
        File.WriteAllText(Path.Combine(lists, BlufrLists.GalleryFile), "1\n1\n1, 5.jpg\n");
        Assert.Contains(BlufrLists.ProbeFile, Message(() => BlufrTrials.In(set, folder.Path, Small)), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(lists, BlufrLists.ProbeFile), "1\n2\n1, 7.jpg\n1, 400.jpg\n");
        var trials = BlufrTrials.In(set, folder.Path, Small);
        Assert.Equal($"BLUFR, trials of {lists}", trials.Label);
        Assert.Equal([7], trials.Trials[0].Probes);
        Assert.Equal(["400.jpg"], trials.MissingImages);
    }

    [Fact]
    public void Sets_that_are_too_small_are_refused()
    {
        var set = SignSets.Of("m", 3, 60, 30);
        Assert.Contains("has 0 people after 1500 for training", Message(() => BlufrTrials.Draw(set)), StringComparison.Ordinal);
        Assert.Contains("make no BLUFR draw", Message(() => BlufrTrials.Draw(set, new BlufrDraw(Trials: 0))), StringComparison.Ordinal);
        var trials = BlufrTrials.Draw(set, new BlufrDraw(1, 10, 3));
        Assert.Contains("FAR 1% needs 100", Message(() => Blufr.Run(set, trials)), StringComparison.Ordinal);
        Assert.Contains("trial 1 of BLUFR-style", Message(() => Blufr.Run(set, trials)), StringComparison.Ordinal);
    }

    private static string Message(Action action) => Assert.Throws<FaceDistillException>(action).Message;
}
