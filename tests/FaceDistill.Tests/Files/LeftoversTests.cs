using System.Diagnostics;
using FaceDistill.Files;

namespace FaceDistill.Tests.Files;

public sealed class LeftoversTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_dead_process_left_goes_and_what_a_living_one_writes_stays()
    {
        string mine = Leftovers.Beside(_folder["student.onnx"]);
        string dead = mine.Replace($".{Environment.ProcessId}-", $".{Dead()}-", StringComparison.Ordinal);
        string staged = Path.Combine(_folder.Path, "." + Path.GetFileName(dead));
        string again = mine.Replace($".{Environment.ProcessId}-", ".1-", StringComparison.Ordinal); // written before the process of that number began
        string elsewhere = Other(mine, 'f'), long_ago = Other(mine, 'e');
        Directory.CreateDirectory(staged);
        foreach (string file in new[] { mine, dead, dead + ".onnx", Path.Combine(staged, "student.onnx"), again, elsewhere, long_ago })
        {
            File.WriteAllText(file, "half");
        }

        string[] users = [_folder["m.part"], _folder["a.12-34.part"], _folder["x.part.json"]];
        Array.ForEach(users, file => File.WriteAllText(file, "the user's"));
        File.SetLastWriteTimeUtc(again, DateTime.UtcNow.AddYears(-20));
        File.SetLastWriteTimeUtc(long_ago, DateTime.UtcNow.AddDays(-2));
        Leftovers.Sweep(_folder.Path);
        Assert.Equal(users.Append(mine).Append(elsewhere).Order(), Directory.EnumerateFileSystemEntries(_folder.Path).Order());
    }

    [Fact]
    public void The_first_writing_into_a_folder_clears_it()
    {
        string folder = _folder["runs"];
        Directory.CreateDirectory(folder);
        string dead = Path.Combine(folder, Path.GetFileName(Leftovers.Beside(_folder["report.html"])))
            .Replace($".{Environment.ProcessId}-", $".{Dead()}-", StringComparison.Ordinal);
        File.WriteAllText(dead, "half");
        AtomicFile.WriteText(Path.Combine(folder, "other"), "whole");
        Assert.Equal([Path.Combine(folder, "other")], Directory.GetFileSystemEntries(folder));
        AtomicFile.WriteText(Path.Combine(folder, new string('é', 120)), "a name as long as may be");
    }

    [Fact]
    public void Folders_of_a_process_lie_under_the_temporary_ones_for_its_user_alone()
    {
        string folder = Leftovers.TemporaryFolder("test");
        Assert.Equal(Path.TrimEndingDirectorySeparator(Path.GetTempPath()), Path.GetDirectoryName(folder));
        Assert.True(OperatingSystem.IsWindows() || (File.GetUnixFileMode(folder) & (UnixFileMode)0x3F) == 0);
        Leftovers.Delete(folder);
        Assert.False(Directory.Exists(folder));
        File.WriteAllText(_folder["file"], "");
        string message = Assert.Throws<FaceDistillException>(() => Leftovers.TemporaryFolder("test", _folder["file/tmp"])).Message;
        Assert.StartsWith($"the folder of temporary files {_folder["file/tmp"]} cannot be written: ", message, StringComparison.Ordinal);
        Assert.Matches("; set TMP(DIR)? to a folder that can$", message);
    }

    [Fact]
    public void A_folder_says_why_it_takes_no_file()
    {
        File.WriteAllText(_folder["file"], "");
        Assert.Null(WritableFolder.WhyNot(_folder["new/deep"]));
        Assert.False(Directory.Exists(_folder["new"]));
        Assert.NotNull(WritableFolder.WhyNot(_folder["file/deep"]));
        Assert.Equal([_folder["file"]], Directory.GetFileSystemEntries(_folder.Path));
    }

    private static string Other(string name, char digit)
    {
        int dash = name.LastIndexOf('-') + 1;
        return name[..dash] + new string(digit, 8) + name[(dash + 8)..];
    }

    private static int Dead()
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.Id;
    }
}
