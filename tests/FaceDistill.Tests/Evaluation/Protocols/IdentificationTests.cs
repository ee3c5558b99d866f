using System.Text.Json;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Protocols;

public sealed class IdentificationTests
{
    private static readonly double[] Fars = [0.5, 0.1, 1e-2, 1e-3];

    [Theory]
    [InlineData(1, 700, 60, 5)]
    [InlineData(2, 700, 60, 1)]
    [InlineData(3, 300, 200, 0)] // mostly single images, images of a person alike
    [InlineData(4, 40, 2, 9)]
    public void Agrees_with_the_naive_twin_where_nearly_all_scores_tie(int seed, int images, int people, int changes)
    {
        var set = SignSets.Of("model", seed, images, people, changes);
        var result = Identification.Run(set, new IdentificationOptions(Fars: Fars, Seed: seed)).Identification!;
        int[] gallery = [.. Enumerable.Range(0, images).Where(row => Array.IndexOf(set.Identities, set.Identities[row]) == row)];
        int[] probes = [.. Enumerable.Range(0, images).Except(gallery)];
        int[] ranks = [.. probes.Select(probe => Search(set, gallery, probe).Rank)];
        Assert.Equal((people, people, probes.Length), (result.GalleryImages, result.GalleryIdentities, result.Probes));
        Assert.Equal(ranks.Count(rank => rank == 1) / (double)probes.Length, result.Rank1);
        Assert.Equal(ranks.Count(rank => rank <= 5) / (double)probes.Length, result.Rank5);
        var open = result.OpenSet;
        Assert.Equal((people / 2, people / 2), (open.GalleryIdentities, open.UnknownIdentities));
        Assert.Equal(images - (people / 2), open.KnownProbes + open.UnknownProbes);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)] // several images of a person in the gallery
    [InlineData(3, 3)]
    public void Open_set_agrees_with_the_naive_twin(int seed, int each)
    {
        var set = SignSets.Of("model", seed, 900, 90, 2 * seed);
        int[] gallery = [.. Enumerable.Range(0, 900).Where(row => int.Parse(set.Identities[row][1..], null) % 2 == 0)
            .GroupBy(row => set.Identities[row]).SelectMany(person => person.Take(each)).OrderBy(row => row * 7919 % 900)];
        int[] probes = [.. Enumerable.Range(0, 900).Except(gallery)];
        var result = Identification.OpenSet(set, gallery, probes, Fars, JobContext.None);
        var found = probes.Select(probe => Search(set, gallery, probe)).ToList();
        float[] alarms = [.. found.Where(probe => probe.Rank == 0).Select(probe => probe.Best)];
        var known = found.Where(probe => probe.Rank > 0).ToList();
        Assert.Equal((gallery.Length, known.Count, alarms.Length), (result.GalleryImages, result.KnownProbes, result.UnknownProbes));
        for (int i = 0; i < Fars.Length; i++)
        {
            float? threshold = SignSets.Threshold(Fars[i], alarms);
            Assert.Equal(threshold, result.Points[i]?.Threshold);
            Assert.Equal(threshold is null ? null : alarms.Count(score => score >= threshold), result.Points[i]?.FalseAlarms);
            Assert.Equal(threshold is null ? null : known.Count(probe => probe.Rank == 1 && probe.Own >= threshold), result.Points[i]?.Identified);
        }

        Assert.Null(result.DirAtFar["1e-3"]); // fewer than 1,000 unknown probes
        Assert.True(result.DirAtFar["5e-1"] > 0);
    }

    [Fact]
    public void Searches_large_galleries_in_many_tiles_alike()
    {
        float[] values = Sets.Exact(new Random(9), 9000, 4, 7);
        var set = new EmbeddingSet(
            "m", 4, values, [.. Enumerable.Range(0, 9000).Select(i => $"{i}.png")], [.. Enumerable.Range(0, 9000).Select(i => $"p{i % 8000}")]);
        int[] rows = [.. Enumerable.Range(0, 9000)];
        var outcomes = IdentificationSearch.Run(set, rows[..8000], rows[8000..], JobContext.None);
        Assert.All(Enumerable.Range(0, 1000).Where(i => i % 37 == 0), i =>
        {
            float own = Naive.Cosine(set.Row(8000 + i), set.Row(i));
            int rank = rows[..8000].Count(row => Naive.Cosine(set.Row(8000 + i), set.Row(row)) >= own);
            Assert.Equal((own, rank), (outcomes[i].Own, outcomes[i].Rank));
        });
    }

    [Fact]
    public void A_probe_that_ties_with_another_person_is_not_at_rank_1()
    {
        var set = new EmbeddingSet("m", 2, [1, 0, 1, 0, 1, 0, 0, 1, 0, 1], ["a/1", "b/1", "a/2", "c/1", "c/2"], ["a", "b", "a", "c", "c"]);
        var result = Identification.Run(set, new IdentificationOptions(UnknownShare: 0.4, Fars: [0.5])).Identification!;
        Assert.Equal((0.5, 1), (result.Rank1, result.Rank5));
    }

    [Fact]
    public void A_gallery_of_the_users_own()
    {
        var set = SignSets.Of("m", 5, 400, 20, 3);
        string[] paths = [.. set.Paths.Where((_, row) => row is >= 3 and < 12).Select(path => path[..^4]), "gone/1.png"];
        var model = Identification.Run(set, new IdentificationOptions(paths, Fars: [0.1]));
        var result = model.Identification!;
        Assert.Equal((9, 9), (result.GalleryImages, result.OpenSet.GalleryImages)); // others are unknown already: nobody is taken out
        Assert.Equal(11, result.OpenSet.UnknownIdentities);
        Assert.Equal(["gone/1.png"], model.Missing);
        int[] gallery = [.. Enumerable.Range(3, 9)];
        int[] known = [.. Enumerable.Range(0, 400).Where(row => !gallery.Contains(row) && gallery.Any(g => set.Identities[g] == set.Identities[row]))];
        Assert.Equal((known.Length, known.Length), (result.Probes, result.OpenSet.KnownProbes));
        Assert.Equal(known.Count(row => Search(set, gallery, row).Rank == 1) / (double)known.Length, result.Rank1);
    }

    [Fact]
    public void The_seed_decides_who_is_unknown_and_the_order_of_people_does_not()
    {
        var set = SignSets.Of("m", 6, 500, 40, 4);
        var one = Identification.Run(set, new IdentificationOptions(Seed: 1, Fars: Fars)).Identification!.OpenSet;
        Assert.Equal(one.Points, Identification.Run(set, new IdentificationOptions(Seed: 1, Fars: Fars)).Identification!.OpenSet.Points);
        Assert.Contains(Enumerable.Range(2, 5),
            seed => Identification.Run(set, new IdentificationOptions(Seed: seed)).Identification!.OpenSet.KnownProbes != one.KnownProbes);
        int[] rows = [.. Enumerable.Range(0, 40).Reverse(), .. Enumerable.Range(40, 460)]; // first images stay first
        var turned = set.Of(rows);
        Assert.Equal(one.Points, Identification.Run(turned, new IdentificationOptions(Seed: 1, Fars: Fars)).Identification!.OpenSet.Points);
    }

    [Fact]
    public void Sets_and_options_that_cannot_be_searched_are_refused()
    {
        var set = SignSets.Of("m", 7, 60, 6);
        Assert.Contains("share of unknown people", Message(set, new IdentificationOptions(UnknownShare: 1)), StringComparison.Ordinal);
        Assert.Contains("0 of others", Message(set, new IdentificationOptions(UnknownShare: 0)), StringComparison.Ordinal);
        Assert.Contains("none of the gallery's 1 images", Message(set, new IdentificationOptions(["x/1"])), StringComparison.Ordinal);
        Assert.Contains("are one image", Message(set, new IdentificationOptions([set.Paths[0], set.Paths[0][..^4]])), StringComparison.Ordinal);
        Assert.Contains("second image of somebody", Message(set, new IdentificationOptions(set.Paths)), StringComparison.Ordinal);
        Assert.Contains("no genuine pair", Message(Sets.Of(1, [1, 2], "a", "b"), null), StringComparison.Ordinal);
        Assert.Contains("all zeros", Message(Sets.Of(1, [1, 0, 1], "a", "a", "b"), null), StringComparison.Ordinal);
        Assert.Contains("rates must be", Message(set, new IdentificationOptions(Fars: [0])), StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_stops()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        var set = SignSets.Of("m", 8, 400, 20, 3);
        Assert.Throws<OperationCanceledException>(() => Identification.Run(set, null, new JobContext(Cancel: cancel.Token)));
        Assert.Throws<OperationCanceledException>(() => CrossModelSearch.Run(set, set, null, new JobContext(Cancel: cancel.Token)));
        Assert.Throws<OperationCanceledException>(() => Blufr.Run(set, BlufrTrials.Draw(set, new BlufrDraw(1, 1, 2)), new JobContext(Cancel: cancel.Token)));
    }

    [Fact]
    public void Json_has_null_for_refused_rates()
    {
        var result = Identification.Run(SignSets.Of("m", 8, 400, 20, 3)).Identification!;
        string text = JsonFile.Serialize(result);
        using var json = JsonDocument.Parse(text);
        Assert.Equal(result.Rank1, json.RootElement.GetProperty("rank1").GetDouble());
        var open = json.RootElement.GetProperty("openSet");
        Assert.Equal(result.OpenSet.Points[0]!.Dir, open.GetProperty("dirAtFar").GetProperty("1e-2").GetDouble());
        Assert.Equal(JsonValueKind.Null, open.GetProperty("dirAtFar").GetProperty("1e-3").ValueKind);
        Assert.Equal(text, JsonFile.Serialize(JsonFile.Parse<IdentificationResult>(text, "test")));
    }

    private static (float Best, float Own, int Rank) Search(EmbeddingSet set, int[] gallery, int probe)
    {
        var scores = gallery.GroupBy(row => set.Identities[row]).ToDictionary(
            person => person.Key, person => person.Max(row => SignSets.Cosine(set.Row(row), set.Row(probe))));
        return scores.TryGetValue(set.Identities[probe], out float own)
            ? (scores.Values.Max(), own, 1 + scores.Count(other => other.Key != set.Identities[probe] && other.Value >= own))
            : (scores.Values.Max(), float.NaN, 0);
    }

    private static float Dot(float[] values, int a, int b) => Enumerable.Range(0, 4).Sum(d => values[(a * 4) + d] * values[(b * 4) + d]);

    private static string Message(EmbeddingSet set, IdentificationOptions? options) =>
        Assert.Throws<FaceDistillException>(() => Identification.Run(set, options)).Message;
}
