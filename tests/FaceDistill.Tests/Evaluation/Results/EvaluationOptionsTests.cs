using FaceDistill.Evaluation.Results;

namespace FaceDistill.Tests.Evaluation.Results;

public sealed class EvaluationOptionsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void A_test_is_known_by_its_faces_and_by_what_the_lists_hold()
    {
        Assert.Equal("faces", new EvaluationOptions { Fars = [1e-2], Seed = 3 }.TestId("faces"));
        EvaluationOptions[] asked =
        [
            new() { PairFile = Written("pairs.csv", "a,b,1") },
            new() { PairFile = Written("other.csv", "a,c,1") },
            new() { GalleryFile = Written("gallery.txt", "a") },
            new() { GalleryFile = Written("gallery.txt", "a"), UnknownShare = 0.3 },
            new() { UnknownShare = 0.3 },
            new() { BlufrLists = Lists("one", "1\n1\n1, A\n") },
            new() { BlufrLists = Lists("two", "1\n1\n1, C\n") },
        ];
        var ids = asked.Select(a => a.TestId("faces")).Append("faces").ToList();
        Assert.Distinct(ids);
        Assert.All(ids, id => Assert.NotNull(id));
        Assert.All(asked, a => Assert.Null(a.TestId(null)));
        Assert.All(asked, a => Assert.NotEqual(a.TestId("faces"), a.TestId("others")));
        Assert.Equal(ids[0], new EvaluationOptions { PairFile = Written("moved.csv", "a,b,1") }.TestId("faces")); // one list by another name
        Written("pairs.csv", "a,b,0");
        Assert.NotEqual(ids[0], asked[0].TestId("faces"));
    }

    [Fact]
    public void A_test_is_named_with_what_was_asked_for()
    {
        Assert.Equal("people", new EvaluationOptions().TestName("people"));
        Assert.Equal("people (mine.csv)", new EvaluationOptions { PairFile = "lists/mine.csv" }.TestName("people"));
        Assert.Equal("people (list)", new EvaluationOptions { BlufrLists = "BLUFR/list/" }.TestName("people"));
        Assert.Equal("people (gallery.txt, 12.5% unknown)", new EvaluationOptions { GalleryFile = "gallery.txt", UnknownShare = 0.125 }.TestName("people"));
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
