using FaceDistill.Tests.Datasets;
using OpenCvSharp;

namespace FaceDistill.Tests.Files;

/// <summary>What native libraries print, in a process of its own: it is the process's stderr.</summary>
public sealed class NativeComplaintsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [LinuxFact]
    public async Task A_damaged_pictures_complaint_belongs_to_its_file_and_nothing_is_printed()
    {
        string[] files = [.. Enumerable.Range(0, 40).Select(i => Pictures.Noise(_folder[$"{i}.jpg"], 64, 64, i))];
        byte[] cut = File.ReadAllBytes(files[7]);
        (cut[^200], cut[^199]) = (0xff, 0xd9); // an end before the end
        File.WriteAllBytes(files[7], cut);
        byte[] png = File.ReadAllBytes(Pictures.Noise(_folder["8.png"], 64, 64));
        File.WriteAllBytes(_folder["8.png"], png[..(png.Length / 2)]);
        files[8] = _folder["8.png"];
        var (code, output, error) = await OtherProcess.Tests(["decode", .. files]);
        Assert.Equal((0, ""), (code, error));
        string[] said = output.Split('\n')[..40];
        Assert.Equal("7.jpg read: Corrupt JPEG data: premature end of data segment", said[7]);
        Assert.StartsWith("8.png unreadable: ", said[8], StringComparison.Ordinal);
        Assert.All(said.Where((_, i) => i is not (7 or 8)), line => Assert.EndsWith(".jpg read: nothing", line, StringComparison.Ordinal));
    }

    [LinuxFact]
    public async Task What_the_runtime_says_of_a_crash_while_a_picture_is_decoded_comes_out()
    {
        var (code, _, error) = await OtherProcess.Tests("crash");
        Assert.NotEqual(0, code);
        Assert.Contains("the end", error, StringComparison.Ordinal);
    }
}

/// <summary>A test of what is so on Linux with the GNU C library only; elsewhere it is skipped and says so.</summary>
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "not run: only on Linux";
}
