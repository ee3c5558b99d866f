using FaceDistill.Datasets;
using FaceDistill.Files;

namespace FaceDistill.Tests.Datasets;

public sealed class IdentityNotesTests
{
    [Fact]
    public void One_name_under_two_parents_is_two_people_and_is_said_once()
    {
        Assert.Null(IdentityNotes.OneNameInSeveralFolders(["2020/alice", "2021/bob", "2020/alice", "alice2", "", ""]));
        string note = IdentityNotes.OneNameInSeveralFolders(["2021/alice", "2020/alice", "2020/bob", "bob", "carol"])!;
        Assert.StartsWith("note: 2 folder names stand in several folders, and each counts as a person of its own (2020/alice, 2021/alice, ...)", note,
            StringComparison.Ordinal);
        var said = new List<string>();
        IdentityNotes.Tell(["2020/alice", "2021/alice", "2021/alice"], new JobContext(said.Add));
        Assert.StartsWith("note: 1 folder name stands in several folders, and each counts as a person of its own (2020/alice, 2021/alice); ",
            Assert.Single(said), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_bytes_under_two_people_are_found_and_warned_of()
    {
        var same = IdentityNotes.OneFileUnderSeveralPeople(
            [("b/2.jpg", "b", new ContentHash(1)), ("a/1.jpg", "a", new ContentHash(1)), ("a/3.jpg", "a", new ContentHash(1)),
                ("a/4.jpg", "a", new ContentHash(2)), ("a/5.jpg", "a", new ContentHash(2)), ("c/6.jpg", "c", new ContentHash(3)),
            ("x.jpg", "", new ContentHash(3)), ("c/0.jpg", "c", new ContentHash(4)), ("d/0.jpg", "d", new ContentHash(4)),
                ("b/9.jpg", "b", new ContentHash(4))]);
        Assert.Equal(
            [[("a/1.jpg", "a"), ("b/2.jpg", "b")], [("b/9.jpg", "b"), ("c/0.jpg", "c"), ("d/0.jpg", "d")]], same.Select(files => files.ToArray()));
        Assert.StartsWith("warning: 2 pictures lie byte for byte under several people (a/1.jpg and b/2.jpg, ...)", IdentityNotes.Warning(same),
            StringComparison.Ordinal);
        Assert.StartsWith("warning: 1 picture lies byte for byte under several people (a/1.jpg and b/2.jpg):", IdentityNotes.Warning([same[0]]),
            StringComparison.Ordinal);
        Assert.Null(IdentityNotes.Warning([]));
    }
}
