using FaceDistill.Evaluation.Results;

namespace FaceDistill.Tests.Evaluation.Results;

public sealed class EvaluationOptionsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void A_test_is_known_by_its_faces_and_by_what_the_lists_hold()
    {
        Assert.Equal("faces", new EvaluationOptions { Fars = [1e-2], Seed = 3 }.TestId("faces", false)); // the seed of the intervals
        EvaluationOptions[] asked =
        [
            new() { PairFile = Written("pairs.csv", "a,b,1") },
            new() { PairFile = Written("other.csv", "a,c,1") },
            new() { GalleryFile = Written("gallery.txt", "a") },
            new() { GalleryFile = Written("gallery.txt", "a"), UnknownShare = 0.3 },
            new() { UnknownShare = 0.3 },
            new() { UnknownShare = 0.3, Seed = 2 },
            new() { Seed = 2 },
            new() { DetectorScores = true },
            new() { BlufrLists = Lists("one", "1\n1\n1, A\n") },
            new() { BlufrLists = Lists("two", "1\n1\n1, C\n") },
        ];
        var ids = asked.Select(a => a.TestId("faces", true)).Append("faces").ToList();
        Assert.Distinct(ids);
        Assert.All(ids, id => Assert.NotNull(id));
        Assert.All(asked, a => Assert.Null(a.TestId(null, true)));
        Assert.All(asked, a => Assert.NotEqual(a.TestId("faces", true), a.TestId("others", true)));
        Assert.Equal(ids[0], new EvaluationOptions { PairFile = Written("moved.csv", "a,b,1") }.TestId("faces", true)); // one list by another name
        Written("pairs.csv", "a,b,0");
        Assert.NotEqual(ids[0], asked[0].TestId("faces", true));
    }

    [Fact]
    public void A_test_is_named_with_what_was_asked_for()
    {
        void Named(string expected, bool draws, EvaluationOptions options) => Assert.Equal(expected, options.TestName("people", draws));
        Named("people", false, new() { Seed = 2 });
        Named("people (mine.csv)", false, new() { PairFile = "lists/mine.csv" });
        Named("people (list)", false, new() { BlufrLists = "BLUFR/list/", Seed = 2 });
        Named("people (seed 2)", true, new() { Seed = 2 });
        Named("people (gallery.txt, 12.5% unknown, seed 3)", true, new() { GalleryFile = "gallery.txt", UnknownShare = 0.125, Seed = 3 });
        Named("people (detector scores)", false, new() { DetectorScores = true });
    }

    public void Dispose() => _folder.Dispose();

    private string Written(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }

    private string Lists(string name, string gallery)
    {
        Directory.CreateDirectory(_folder[name]);
        Written($"{name}/gallery_set.txt", gallery);
        Written($"{name}/probe_set.txt", "1\n1\n1, B\n");
        return _folder[name];
    }
}
