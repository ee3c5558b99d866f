using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Files;

public sealed class StagedFilesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void The_target_and_its_companions_are_put_in_place()
    {
        File.WriteAllText(_folder["a.txt"], "old");
        var files = StagedFiles.Make(_folder["a.txt"], path =>
        {
            Assert.Equal("old", File.ReadAllText(_folder["a.txt"]));
            File.WriteAllText(path, "new");
            File.WriteAllText(path + ".md", "card");
        });
        Assert.Equal([_folder["a.txt"], _folder["a.txt.md"]], files);
        Assert.Equal(("new", "card"), (File.ReadAllText(files[0]), File.ReadAllText(files[1])));
        Assert.Equal(files, Directory.EnumerateFileSystemEntries(_folder.Path).Order());
    }

    [Fact]
    public void A_failure_leaves_what_was_there()
    {
        File.WriteAllText(_folder["a.txt"], "old");
        Assert.Throws<InvalidOperationException>(() => StagedFiles.Make(_folder["a.txt"], path =>
        {
            File.WriteAllText(path + ".md", "card");
            throw new InvalidOperationException();
        }));
        Assert.Equal([_folder["a.txt"]], Directory.EnumerateFileSystemEntries(_folder.Path));
        Assert.Equal("old", File.ReadAllText(_folder["a.txt"]));
    }

    [Fact]
    public void A_failure_names_the_users_file_and_no_folder_that_goes_again()
    {
        void Full(string path) => AtomicFile.Write(path, stream => throw new IOException($"No space left on device : '{((FileStream)stream).Name}'"));
        string expected = $"cannot write {_folder["a.txt"]}: No space left on device : '{_folder["a.txt"]}'";
        Assert.Equal(expected, Assert.Throws<FaceDistillException>(() => Full(_folder["a.txt"])).Message);
        Assert.Equal(expected, Assert.Throws<FaceDistillException>(() => StagedFiles.Make(_folder["a.txt"], Full)).Message);
        string missing = Assert.Throws<FaceDistillException>(() => StagedFiles.Make(_folder["a.txt"], path => File.Move(path, path + "2"))).Message;
        Assert.StartsWith($"cannot write {_folder["a.txt"]}: ", missing, StringComparison.Ordinal);
        Assert.DoesNotContain(".part", missing, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_one_clear_line()
    {
        File.WriteAllText(_folder["file"], "");
        Assert.StartsWith("cannot write ", Assert.Throws<FaceDistillException>(() => StagedFiles.Make(_folder["file/a.txt"], _ => { })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_set_all_files_are_replaced_or_none()
    {
        StagedFiles.WriteTexts(_folder.Path, ("r.html", "old"), ("r.csv", "old"), ("r.svg", "old"));
        StagedFiles.WriteTexts(_folder.Path, ("r.html", "new"), ("r.csv", "new"), ("r.svg", null));
        Assert.Equal(("new", "new"), (File.ReadAllText(_folder["r.html"]), File.ReadAllText(_folder["r.csv"])));
        Assert.False(File.Exists(_folder["r.svg"]));
        foreach (string blocked in new[] { "r.html", "r.md" }) // the last and one before it
        {
            File.Delete(_folder[blocked]);
            Directory.CreateDirectory(_folder[blocked]); // cannot be replaced by a file
            var before = Texts();
            var error = Assert.Throws<FaceDistillException>(() =>
                StagedFiles.WriteTexts(_folder.Path, ("r.html", "newer"), ("a.json", "newer"), ("r.csv", "newer"), ("r.md", "newer")));
            Assert.StartsWith($"cannot write {_folder["r.html"]}: ", error.Message, StringComparison.Ordinal);
            Assert.Equal(before, Texts());
            Directory.Delete(_folder[blocked]);
        }
    }

    private List<(string, string)> Texts() =>
        [.. Directory.EnumerateFileSystemEntries(_folder.Path).Order().Select(e => (e, File.Exists(e) ? File.ReadAllText(e) : "folder"))];

    public void Dispose() => _folder.Dispose();
}
