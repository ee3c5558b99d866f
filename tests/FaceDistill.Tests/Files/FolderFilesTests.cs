using System.Diagnostics;
using FaceDistill.Files;

namespace FaceDistill.Tests.Files;

/// <summary>What lies in folders besides files: pipes, devices, links in a circle, names that are no text.</summary>
public sealed class FolderFilesTests : IDisposable
{
    private const string Device = "a pipe, a socket or a device, not a file", Circle = "a link to a folder that it lies in";
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        UnixShell.Empty(_folder.Path);
        _folder.Dispose();
    }

    [UnixFact]
    public void Pipes_and_devices_are_told_from_files_and_not_opened()
    {
        Shell("mkfifo a.jpg; ln -s /dev/zero b.jpg; ln -s /dev/tty c.jpg; touch d.jpg; ln -s d.jpg e.jpg; mkdir f.jpg");
        Assert.Equal([("a.jpg", Device), ("b.jpg", Device), ("c.jpg", Device), ("d.jpg", null), ("e.jpg", null)], Listed());
        Assert.Equal((FileKind.Other, FileKind.Other, FileKind.Link, FileKind.File, FileKind.Folder, FileKind.Missing),
            (FileKinds.Of(_folder["a.jpg"]), FileKinds.Of(_folder["b.jpg"]), FileKinds.Of(_folder["e.jpg"], follow: false),
            FileKinds.Of(_folder["e.jpg"]), FileKinds.Of(_folder["f.jpg"]), FileKinds.Of(_folder["g.jpg"])));
    }

    [UnixFact]
    public void Links_that_lead_nowhere_or_back_are_named_and_not_followed()
    {
        Shell("touch a.jpg; ln -s . l1; ln -s . l2; ln -s / root; mkdir -p d/e; ln -s ../.. d/e/up; touch d/e/b.jpg; ln -s x.jpg x.jpg; ln -s none.jpg y.jpg");
        Assert.Equal(
            [
                ("a.jpg", null), ("d/e/b.jpg", null), ("d/e/up", Circle), ("l1", Circle), ("l2", Circle), ("root", Circle),
                ("x.jpg", "a link that leads nowhere"), ("y.jpg", "a link that leads nowhere"),
            ], Listed());
    }

    [UnixFact]
    public void Links_to_folders_elsewhere_are_followed_each_along_its_path()
    {
        Shell("mkdir -p data other/sub; touch other/1.jpg other/sub/2.jpg; ln -s ../other data/x; ln -s ../other data/y; "
            + "ln -s ../other/1.jpg data/z.jpg; ln -s ../data other/back");
        Assert.Equal(
            [
                ("x/1.jpg", null), ("x/back", Circle), ("x/sub/2.jpg", null), ("y/1.jpg", null), ("y/back", Circle), ("y/sub/2.jpg", null), ("z.jpg", null),
            ], Listed("data"));
        Shell("ln -s data linked");
        Assert.Equal(Listed("data"), Listed("linked"));
    }

    [UnixFact]
    public void Folders_that_all_link_to_each_other_come_once_a_link()
    {
        // In every order they would be 12! / 1! + 12! / 2! + ... folders: some thousand million.
        Shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do mkdir $i; touch $i/p.jpg; done; "
            + "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do for j in 1 2 3 4 5 6 7 8 9 10 11 12; do [ $i = $j ] || ln -s ../$j $i/to$j; done; done");
        Assert.Equal(12 + (12 * 11), FolderFiles.List(_folder.Path).Files.Count(f => f.Reason is null));
    }

    [UnixFact]
    public void Names_that_are_not_utf8_are_told_and_their_like_that_is_stays()
    {
        Shell("touch \"$(printf 'bad\\377.jpg')\" \"$(printf 'bad\\376.jpg')\" \"$(printf 'bad\\357\\277\\275.jpg')\"; mkdir \"$(printf 'dir\\377')\"");
        Assert.Equal(
            [("bad\ufffd.jpg", FolderFiles.NotUtf8), ("bad\ufffd.jpg", FolderFiles.NotUtf8), ("bad\ufffd.jpg", null), ("dir\ufffd", FolderFiles.NotUtf8)],
            Listed().OrderBy(f => f.Path, StringComparer.Ordinal).ThenBy(f => f.Reason is null));
    }

    [UnixFact]
    public void A_name_with_a_backslash_is_one_name()
    {
        Directory.CreateDirectory(_folder[@"a\b"]);
        File.WriteAllText(_folder[@"a\b/c\d.jpg"], "");
        Assert.Equal([(@"a\b/c\d.jpg", null)], Listed());
    }

    [UnixFact]
    public void A_real_path_has_no_link_in_it_and_tells_what_lies_in_a_folder()
    {
        Shell("mkdir -p a/b; ln -s a l; ln -s ../a/b a/m; ln -s c1 c2; ln -s c2 c1");
        Assert.Equal(RealPath.Of(_folder["a/b/new/x"]), RealPath.Of(_folder["l/m/new/x"]));
        Assert.True(RealPath.Within(_folder["l/new"], _folder["a"]) && RealPath.Within(_folder["a"], _folder["l"]));
        Assert.False(RealPath.Within(_folder["ab"], _folder["a"]) || RealPath.Within(_folder["..a"], _folder["a"])
            || RealPath.Within(_folder.Path, _folder["l"]));
        Assert.Contains("without end", Assert.Throws<FaceDistillException>(() => RealPath.Of(_folder["c1/x"])).Message, StringComparison.Ordinal);
    }

    private (string Path, string? Reason)[] Listed(string folder = "") => [.. FolderFiles.List(_folder[folder]).Files.Select(f => (f.Path, f.Reason))];

    private void Shell(string script) => UnixShell.Run(_folder.Path, script);
}

/// <summary>Makes in a folder what .NET cannot make.</summary>
internal static class UnixShell
{
    public static void Run(string folder, string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", script]) { WorkingDirectory = folder })!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    /// <summary>Deletes what a folder holds, whatever its names.</summary>
    public static void Empty(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            Run(folder, "rm -rf ./*");
        }
    }
}

/// <summary>A test of what only Unix has.</summary>
public sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute() => Skip = OperatingSystem.IsWindows() ? "not run: Windows has no pipes, devices and bytes among file names" : null;
}
