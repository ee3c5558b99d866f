using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_failure_in_the_middle_leaves_the_old_file_and_nothing_beside_it()
    {
        AtomicFile.WriteText(_folder["x"], "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(_folder["x"], stream =>
        {
            stream.Write("new, but not"u8);
            throw new InvalidOperationException("in the middle");
        }));
        var error = Assert.Throws<FaceDistillException>(() => AtomicFile.Write(_folder["x"], stream => throw new IOException("disk full")));
        Assert.Equal($"cannot write {_folder["x"]}: disk full", error.Message);
        error = Assert.Throws<FaceDistillException>(() => AtomicFile.WriteBeside(_folder["x"], path => throw new FaceDistillException($"no room for {path}")));
        Assert.Equal($"no room for {_folder["x"]}", error.Message); // nobody knows the temporary name
        Assert.Equal("old", File.ReadAllText(_folder["x"]));
        Assert.Equal([_folder["x"]], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void An_old_file_is_replaced_and_missing_folders_are_made()
    {
        string path = _folder[Path.Combine("a", "b", "x")];
        AtomicFile.WriteText(path, "old and longer");
        AtomicFile.WriteText(path, "ü");
        Assert.Equal([0xc3, 0xbc], File.ReadAllBytes(path)); // UTF-8 without a byte-order mark
        AtomicFile.WriteReplaceable(path, [7]);
        Assert.Equal([7], File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(_folder[Path.Combine("a", "b")]));
    }

    [Theory]
    [InlineData('a', 255)]
    [InlineData('é', 127)]
    public void A_name_as_long_as_names_can_be_is_written(char letter, int count)
    {
        string name = new(letter, count);
        AtomicFile.WriteText(_folder[name], "text");
        AtomicFile.WriteReplaceable(_folder[name], [7]);
        StagedFiles.Make(_folder[name], path => File.WriteAllText(path, "staged"));
        Assert.Equal([_folder[name]], Directory.GetFileSystemEntries(_folder.Path));
        Assert.Equal("staged", File.ReadAllText(_folder[name]));
        Assert.IsType<PathTooLongException>(
            Assert.Throws<FaceDistillException>(() => AtomicFile.WriteText(_folder[name + "ab"], "text")).InnerException);
    }

    [Fact]
    public void A_temporary_name_begins_like_its_target_and_splits_no_character()
    {
        Assert.StartsWith(_folder["x.jpg."], Leftovers.Beside(_folder["x.jpg"]), StringComparison.Ordinal);
        string faces = string.Concat(Enumerable.Repeat("\U0001f600", 60)); // four bytes each
        string temporary = Path.GetFileName(Leftovers.Beside(_folder[faces]));
        Assert.StartsWith(faces[..32] + ".", temporary, StringComparison.Ordinal);
        Assert.EndsWith(".part", temporary, StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_is_a_folder_is_one_clear_line()
    {
        Directory.CreateDirectory(_folder["x"]);
        var error = Assert.Throws<FaceDistillException>(() => AtomicFile.WriteText(_folder["x"], "text"));
        Assert.StartsWith($"cannot write {_folder["x"]}: ", error.Message, StringComparison.Ordinal);
        Assert.Equal([_folder["x"]], Directory.GetFileSystemEntries(_folder.Path));
    }
}
