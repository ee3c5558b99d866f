using FaceDistill.Datasets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Datasets;

public sealed class BlufrListsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reads_both_lists()
    {
        Write("2\n1\n3, A_0001.jpg\n2\n1, B_0002.jpg\n3, A_0001.jpg\n", "2\n2\n4, A_0002.jpg\n9, C_0001.jpg\n1\n5, B_0001.jpg\n\n");
        var trials = BlufrLists.Read(_folder.Path).Trials;
        Assert.Equal(["A_0001.jpg"], trials[0].Gallery);
        Assert.Equal(["A_0002.jpg", "C_0001.jpg"], trials[0].Probes);
        Assert.Equal(["B_0002.jpg", "A_0001.jpg"], trials[1].Gallery);
        Assert.Equal(["B_0001.jpg"], trials[1].Probes);
    }

    [Theory]
    [InlineData("gallery_set.txt line 1: expected the number of trials", "x\n", "1\n1\n1, A\n")]
    [InlineData("gallery_set.txt line 1: expected the number of trials", "2000000000\n", "1\n1\n1, A\n")]
    [InlineData("gallery_set.txt line 3: expected index, file name, found 'A_0001.jpg'", "1\n1\nA_0001.jpg\n", "1\n1\n1, A\n")]
    [InlineData("gallery_set.txt line 4: expected each image of a trial once", "1\n2\n1, A\n2, A\n", "1\n1\n1, B\n")]
    [InlineData("gallery_set.txt ends at line 3", "1\n2\n1, A\n", "1\n1\n1, B\n")]
    [InlineData("gallery_set.txt line 4: expected the end", "1\n1\n1, A\n2, C\n", "1\n1\n1, B\n")]
    [InlineData("has 1 trials and", "1\n1\n1, A\n", "2\n1\n1, B\n1\n1, B\n")]
    [InlineData("probe_set.txt: A is in the gallery of trial 1 too", "1\n1\n1, A\n", "1\n1\n1, A\n")]
    public void Malformed_lists_are_refused(string reason, string gallery, string probes)
    {
        Write(gallery, probes);
        Assert.Contains(reason, Assert.Throws<FaceDistillException>(() => BlufrLists.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_list_is_named()
    {
        Write("1\n1\n1, A\n", "1\n1\n1, B\n");
        File.Delete(_folder["probe_set.txt"]);
        Assert.Contains("probe_set.txt", Assert.Throws<FaceDistillException>(() => BlufrLists.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private void Write(string gallery, string probes)
    {
        File.WriteAllText(_folder[BlufrLists.GalleryFile], gallery);
        File.WriteAllText(_folder[BlufrLists.ProbeFile], probes);
    }
}
