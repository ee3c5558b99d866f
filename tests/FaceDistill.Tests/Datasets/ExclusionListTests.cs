using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Synthetic;

namespace FaceDistill.Tests.Datasets;

public sealed class ExclusionListTests : IDisposable
{
    private static readonly string[] Faces = ["Ann/1.jpg", "Ann/2.jpg", "Bob/1.jpg", "Bob/1.png.jpg", "x.y/3.jpg"];
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("Ann/1.jpg", 0)]      // a face as it is
    [InlineData("Ann/1.JPG", 0)]      // its photo had another ending
    [InlineData("./Ann\\2.webp", 1)]  // and the path another spelling
    [InlineData("Bob/1.png", 3)]      // a photo beside one that differs in the ending only
    [InlineData("x.y/3", 4)]
    public void A_line_means_the_face_of_its_photo(string path, int face)
    {
        var (excluded, unknown) = Read($"people\t{path}\n").In("people", Faces);
        Assert.Equal([face], Marked(excluded));
        Assert.Empty(unknown);
    }

    [Fact]
    public void A_backslash_is_part_of_a_name_where_a_face_has_it_and_else_stands_between_folders()
    {
        string[] faces = [@"Ann\1.jpg", "Ann/1.jpg", "Bob/1.jpg"];
        Assert.Equal([OperatingSystem.IsWindows() ? 1 : 0], Marked(Read("people\tAnn\\1.jpg\n").In("people", faces).Excluded));
        Assert.Equal([2], Marked(Read("people\t.\\Bob\\1.jpg\n").In("people", faces).Excluded));
    }

    [Fact]
    public void Other_data_sets_are_left_alone_and_lines_that_fit_nothing_are_told()
    {
        var list = Read("people\tAnn/1.jpg\n\nother\tAnn/2.jpg\npeople\tgone/9.jpg\npeople\tAnn/1.jpg\n");
        Assert.Equal(["other", "people"], list.Names);
        Assert.Equal((2, 1, 0), (list.Count("people"), list.Count("other"), list.Count("third")));
        var (excluded, unknown) = list.In("people", Faces);
        Assert.Equal([0], Marked(excluded));
        Assert.Equal(["gone/9.jpg"], unknown);
        Assert.Empty(Marked(list.In("third", Faces).Excluded));
    }

    [Fact]
    public void The_list_of_an_audit_is_read_by_its_columns()
    {
        var list = Read("kind,data,path,other\nperson,people,\"Ann/1.jpg\",x\nduplicate,people,Bob/1.jpg,\"a, b\"\n");
        Assert.Equal([0, 2], Marked(list.In("people", Faces).Excluded));
    }

    [Theory]
    [InlineData("people\tAnn/1.jpg\tmore\n", "line 1: expected a data set's folder name, a tab")]
    [InlineData("people\tAnn/1.jpg\nBob/1.jpg\n", "line 2")]
    [InlineData("people Ann/1.jpg\n", "line 1: neither a line with a tab")]
    [InlineData("data,path\npeople\n", "line 2: expected 2 fields")]
    [InlineData("data,path\n", "names no picture")]
    [InlineData("\n", "names no picture")]
    public void What_is_no_list_is_one_clear_line(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FaceDistillException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_list_is_named() =>
        Assert.Contains("gone.txt", Assert.Throws<FaceDistillException>(() => ExclusionList.Read(_folder["gone.txt"])).Message, StringComparison.Ordinal);

    [Fact]
    public void Faces_are_left_out_of_the_folders_they_are_listed_for_and_the_folders_stay_whole()
    {
        SyntheticDataset.Write(_folder["a"], new DrawnPeople(2, 3, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        SyntheticDataset.Write(_folder["b"], new DrawnPeople(2, 3, 6), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string first = AlignedFaces.Open(_folder["a"]).Dataset.Images[1].Path;
        File.WriteAllText(_folder["list.txt"], $"a\t{first}\na\tgone.jpg\nc\tx.jpg\n");
        var lines = new List<string>();
        DataFolder[] data = [.. new[] { "a", "b" }.Select(name => DataFolder.Of(_folder[name]) with { Exclude = _folder["list.txt"] })];
        var faces = new FaceSource(new([], [], _folder["cache"])).Open(data, "dlib", null, new JobContext(lines.Add));
        Assert.Equal(11, faces.Dataset.Images.Count);
        Assert.DoesNotContain($"a/{first}", faces.Dataset.Images.Select(i => i.Path));
        Assert.Equal([$"a\t{first}"], faces.Excluded);
        Assert.Contains(lines, l => l.StartsWith("a: 1 of 6 faces excluded", StringComparison.Ordinal)
            && l.EndsWith("1 of its lines fit no face here (first: gone.jpg)", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.EndsWith("1 lines are of other data sets (c)", StringComparison.Ordinal));
    }

    [Fact]
    public void Two_folders_of_one_name_are_refused()
    {
        SyntheticDataset.Write(_folder["a/train"], new DrawnPeople(2, 3, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        SyntheticDataset.Write(_folder["b/train"], new DrawnPeople(2, 3, 6), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        File.WriteAllText(_folder["list.txt"], "train\tx.jpg\n");
        DataFolder[] data = [.. new[] { "a/train", "b/train" }.Select(name => DataFolder.Of(_folder[name]) with { Exclude = _folder["list.txt"] })];
        Assert.Contains("one name",
            Assert.Throws<FaceDistillException>(() => new FaceSource(new([], [], _folder["cache"])).Open(data, "dlib", null, JobContext.None)).Message,
            StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private ExclusionList Read(string text)
    {
        File.WriteAllText(_folder["exclude.txt"], text);
        return ExclusionList.Read(_folder["exclude.txt"]);
    }

    private static int[] Marked(bool[] excluded) => [.. Enumerable.Range(0, excluded.Length).Where(i => excluded[i])];
}
