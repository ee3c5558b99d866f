using FaceDistill.Datasets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Datasets;

public sealed class LfwProtocolFilesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pairs_of_several_folds()
    {
        var pairs = LfwPairs.Read(Save("2\t1\nAnn\t1\t4\nAnn\t1\tBob_B\t12\nBob_B\t2\t1\nCid\t3\tAnn\t1\n"));
        Assert.Equal(2, pairs.Folds);
        Assert.Equal(
            [
                new LfwPair(0, "Ann_0001", "Ann_0004", true),
                new LfwPair(0, "Ann_0001", "Bob_B_0012", false),
                new LfwPair(1, "Bob_B_0002", "Bob_B_0001", true),
                new LfwPair(1, "Cid_0003", "Ann_0001", false),
            ],
            pairs.Pairs);
    }

    [Fact]
    public void Pairs_of_one_fold()
    {
        var pairs = LfwPairs.Read(Save("1\r\nAnn\t1\t4\r\nAnn\t1\tBob\t12\r\n\r\n"));
        Assert.Equal((1, 2), (pairs.Folds, pairs.Pairs.Count));
    }

    [Theory]
    [InlineData("", "ends at line 0")]
    [InlineData("x\n", "line 1")]
    [InlineData("0\n", "line 1")]
    [InlineData("-1\t300\n", "line 1")]
    [InlineData("2\t1\t1\n", "line 1")]
    [InlineData("99999999999\n", "line 1")]
    [InlineData("1\nAnn\t1\t2\n", "ends at line 2")]
    [InlineData("1\nAnn\t1\tBob\t2\nAnn\t1\tBob\t2\n", "line 2")]
    [InlineData("1\nAnn\t1\t2\nAnn\t1\t2\n", "line 3")]
    [InlineData("1\nAnn\t1\t1\nAnn\t1\tBob\t2\n", "line 2")]
    [InlineData("1\nAnn\t0\t1\nAnn\t1\tBob\t2\n", "line 2")]
    [InlineData("1\n\t1\t2\nAnn\t1\tBob\t2\n", "line 2")]
    [InlineData("1\nAnn\tone\t2\nAnn\t1\tBob\t2\n", "line 2")]
    [InlineData("1\nAnn\t1\t2\nAnn\t1\tAnn\t2\n", "line 3")]
    [InlineData("1\n\nAnn\t1\t2\nAnn\t1\tBob\t2\n", "line 2")]
    [InlineData("1\nAnn\t1\t2\nAnn\t1\tBob\t2\nAnn\t1\t2\n", "line 4")]
    public void Malformed_pairs_name_file_and_line(string text, string where) => Refused(() => LfwPairs.Read(Save(text)), where);

    [Fact]
    public void People_in_one_list_and_in_sets()
    {
        var list = LfwPeople.Read(Save("2\nAnn\t1\nBob\t12\n"));
        Assert.Equal((1, 2), (list.Sets, list.People.Count));
        Assert.Equal(new LfwPerson("Bob", 12, 0), list.People[1]);
        var sets = LfwPeople.Read(Save("2\n1\nAnn\t1\n2\nBob\t12\nCid\t3\n"));
        Assert.Equal(2, sets.Sets);
        Assert.Equal([new LfwPerson("Ann", 1, 0), new LfwPerson("Bob", 12, 1), new LfwPerson("Cid", 3, 1)], sets.People);
    }

    [Theory]
    [InlineData("", "ends at line 0")]
    [InlineData("1\t2\n", "line 1")]
    [InlineData("2\nAnn\t1\n", "ends at line 2")]
    [InlineData("1\nAnn\t1\nBob\t1\n", "line 3")]
    [InlineData("2\nAnn\t1\nAnn\t1\n", "line 3")]
    [InlineData("1\nAnn\tmany\n", "line 2")]
    [InlineData("1\nAnn\t1\t1\n", "line 2")]
    [InlineData("1\n\t1\n", "line 2")]
    public void Malformed_people_name_file_and_line(string text, string where) => Refused(() => LfwPeople.Read(Save(text)), where);

    [Fact]
    public void A_missing_file_is_named() => Refused(() => LfwPeople.Read(_folder["none.txt"]), "none.txt");

    [Theory]
    [InlineData("Aaron_Eckhart/Aaron_Eckhart_0001.jpg", "Aaron_Eckhart_0001", "Aaron_Eckhart")]
    [InlineData("Aaron_Eckhart_0001.png", "Aaron_Eckhart_0001", "Aaron_Eckhart")]
    [InlineData("other/face_1.png", "face_1", null)]
    [InlineData("_0001.png", "_0001", null)]
    public void Names_do_not_depend_on_folder_and_extension(string path, string name, string? person)
    {
        Assert.Equal(name, LfwImage.NameOf(path));
        Assert.Equal(person, LfwImage.PersonOf(name));
    }

    private void Refused(Action read, string where)
    {
        string message = Assert.Throws<FaceDistillException>(read).Message;
        Assert.Contains(_folder.Path, message, StringComparison.Ordinal);
        Assert.Contains(where, message, StringComparison.Ordinal);
    }

    private string Save(string text)
    {
        File.WriteAllText(_folder["list.txt"], text);
        return _folder["list.txt"];
    }
}
