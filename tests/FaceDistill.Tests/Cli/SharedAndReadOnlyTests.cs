using System.Diagnostics;
using FaceDistill.Cli;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Tests.Datasets;

namespace FaceDistill.Tests.Cli;

/// <summary>Processes of their own: what they share, what they may not write, and what killed ones left.</summary>
public sealed class SharedAndReadOnlyTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        Mode(_folder.Path, 0b111_101_101);
        _folder.Dispose();
    }

    [Fact]
    public void The_same_student_gives_the_same_ort_file_in_every_process()
    {
        string[] files = [.. Enumerable.Range(0, 3).Select(i => _folder[$"{i}.ort"])];
        string student = run.CopyTo(_folder["run"]), faces = run.CopyFaces(_folder["faces"]).Dataset.Root;
        Assert.All(files, file => Assert.Equal((0, ""), Run([], "export", "--model", student, "--data", faces, "--output", file) is var (code, error)
            && code == 0 ? (0, "") : (code, error)));
        Assert.Single(files.Select(FileHash.Sha256).Distinct());
        byte[] once = File.ReadAllBytes(files[0]);
        Assert.Equal(once, OrtFile.Settled(once));
        File.WriteAllText(files[0], "no flatbuffer at all");
        Assert.Contains("does not know", Assert.Throws<FaceDistillException>(() => OrtFile.Settle(files[0])).Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public void What_is_read_only_is_evaluated_and_exported_elsewhere_and_without_a_home_nothing_comes_into_the_current_folder()
    {
        string student = run.CopyTo(_folder["run"]), faces = run.CopyFaces(_folder["faces"]).Dataset.Root;
        string[] before = Names(student);
        Mode(_folder.Path, 0b101_101_101); // r-xr-xr-x
        using var work = new TempFolder();
        Mode(work.Path, 0b111_111_111);
        (string, string?)[] nowhere = [("HOME", null), ("XDG_CACHE_HOME", null), ("FACEDISTILL_CACHE", null), ("PWD", work.Path)];
        (string, string?)[] readOnly = [("FACEDISTILL_CACHE", _folder["cache"]), ("PWD", work.Path)];
        foreach (var environment in new[] { nowhere, readOnly })
        {
            var (code, error) = Run(environment, "evaluate", "--model", student, "--data", faces, "--resamples", "0", "--device", "cpu");
            Assert.True(code == 0, error);
            Assert.Contains($"{student} cannot be written (access is denied): the outcome is not noted there", error, StringComparison.Ordinal);
            Assert.Contains("is deleted at the end; set FACEDISTILL_CACHE to a folder to keep it", error, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(work.Path));
            string cache = error.Split('\n').Single(line => line.Contains("FACEDISTILL_CACHE", StringComparison.Ordinal)).Split(' ')
                .Single(word => word.StartsWith(Path.GetTempPath() + "facedistill-cache", StringComparison.Ordinal));
            Assert.False(Directory.Exists(cache));
            (code, error) = Run(environment, "export", "--model", student, "--data", faces, "--output", work["x.onnx"], "--device", "cpu");
            Assert.True(code == 0, error);
            Assert.Equal(["x.onnx", "x.onnx.MODEL_CARD.md", "x.onnx.card.json"], Names(work.Path));
            Array.ForEach(Directory.GetFiles(work.Path), File.Delete);
            (code, error) = Run(environment, "embed", "--model", student, "--data", faces, "--device", "cpu"); // of which the cache is all that is left
            Assert.Equal(CommandLine.Failed, code);
            Assert.Contains("set FACEDISTILL_CACHE to a folder", error, StringComparison.Ordinal);
        }

        Assert.Equal(before, Names(student));
    }

    [Fact]
    public void What_is_fetched_needs_a_folder_that_stays()
    {
        var (code, error) = Run([("HOME", ""), ("XDG_CACHE_HOME", null), ("FACEDISTILL_CACHE", null), ("LOCALAPPDATA", "")], "teachers", "pull", "dlib-resnet");
        bool known = !OperatingSystem.IsLinux() || error.Contains("/root", StringComparison.Ordinal); // by the system's list of users
        Assert.True(known || (code == CommandLine.Failed && error.Contains("set FACEDISTILL_CACHE", StringComparison.Ordinal)), error);
    }

    [RealDataFact]
    public void A_wrong_word_for_what_is_read_again_is_refused_before_anything_is_written()
    {
        Directory.CreateDirectory(_folder["raw"]);
        Pictures.Noise(_folder["raw/noise.png"], 160, 120);
        Mode(_folder.Path, 0b111_111_111);
        var (code, error) = Run([("FACEDISTILL_CHECK", "maybe"), ("FACEDISTILL_CACHE", _folder["cache"])], "align", "--data", _folder["raw"], "--output",
            _folder["out"]);
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("FACEDISTILL_CHECK is 'full'", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    private static void Mode(string root, int mode)
    {
        foreach (string folder in Directory.GetDirectories(root, "*", SearchOption.AllDirectories).Append(root))
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(folder, (UnixFileMode)mode);
            }
        }
    }

    private static string[] Names(string folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder).Select(e => Path.GetFileName(e)!).Order(StringComparer.Ordinal)];

    /// <summary>As a user whom modes bind: root becomes nobody.</summary>
    private static (int Code, string Error) Run((string Name, string? Value)[] environment, params string[] arguments)
    {
        string[] user = environment.Length > 0 && Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows()
            ? ["setpriv", "--reuid=65534", "--clear-groups"] : [];
        string[] line = [.. user, "dotnet", typeof(CommandLine).Assembly.Location, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.WorkingDirectory = name == "PWD" ? value! : start.WorkingDirectory;
            _ = value is null ? start.Environment.Remove(name) : (start.Environment[name] = value) is null;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? error : error + output.Result);
    }
}
