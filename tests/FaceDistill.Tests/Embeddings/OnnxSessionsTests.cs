using System.Diagnostics;
using System.Text.RegularExpressions;
using FaceDistill.Export.Graphs;
using FaceDistill.Formats;
using FaceDistill.Tests.Cli;

namespace FaceDistill.Tests.Embeddings;

/// <summary>ONNX Runtime's telemetry is off, in a process of its own that embeds as an application does.</summary>
public sealed partial class OnnxSessionsTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [UnixFact]
    public async Task Nothing_is_kept_of_what_is_embedded()
    {
        await Embed(0, "dotnet");
        Assert.Empty(Kept());
    }

    // With telemetry on, its host's name is asked for within ten seconds.
    [StraceFact]
    public async Task Nothing_is_asked_for_on_a_network()
    {
        string trace = _folder["trace"];
        await Embed(13, "strace", "-f", "-qq", "-e", "trace=socket,connect,sendto,sendmsg,sendmmsg", "-o", trace, "dotnet");
        Assert.DoesNotContain(File.ReadLines(trace), line => line.Contains("AF_INET", StringComparison.Ordinal));
        Assert.Empty(Kept());
    }

    [Fact]
    public void Every_session_and_its_options_come_from_one_place()
    {
        string[] files = [.. new[] { "src", "tests", "samples" }.SelectMany(folder =>
            Directory.EnumerateFiles(Path.Combine(ArchitectureTests.Root, folder), "*.cs", SearchOption.AllDirectories))];
        Assert.Equal([], files.Where(f => Path.GetFileName(f) != "OnnxSessions.cs" && Made().IsMatch(File.ReadAllText(f))));
    }

    private async Task Embed(int seconds, string program, params string[] arguments)
    {
        OnnxWriter.Write(StudentOnnx.Build(run.Checkpoint), _folder["student.onnx"]);
        Directory.CreateDirectory(_folder["home"]);
        var start = new ProcessStartInfo(
            program, [.. arguments, typeof(OnnxSessionsTests).Assembly.Location, "embed", _folder["student.onnx"], $"{seconds}"]);
        foreach (string variable in start.Environment.Keys.Where(k => k is "CI" || k.StartsWith("XDG_", StringComparison.Ordinal)
            || k.StartsWith("ORT_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable); // some of these would switch it off too
        }

        start.Environment["HOME"] = _folder["home"];
        var (code, output, error) = await OtherProcess.Run(start);
        Assert.True(code == 0, error);
        Assert.StartsWith($"{run.Checkpoint.Description.Dimension} values", output, StringComparison.Ordinal);
    }

    private string[] Kept() =>
        Directory.GetFiles(_folder["home"], "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });

    [GeneratedRegex(@"new (InferenceSession|SessionOptions)\b")]
    private static partial Regex Made();
}

/// <summary>A test that watches system calls with strace; where there is none, or it may not watch, it is skipped and says so.</summary>
public sealed class StraceFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> Works = new(() =>
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/strace"))
        {
            return false;
        }

        using var process = Process.Start(new ProcessStartInfo("strace", ["-qq", "true"]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    });

    public StraceFactAttribute() =>
        Skip = Works.Value ? null : "not run: strace is not installed (Debian: apt-get install strace), or may not watch a process here";
}
