using System.Diagnostics;
using System.Runtime.InteropServices;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Reports;
using FaceDistill.Synthetic;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Cli;

/// <summary>Ctrl-C and a second process, with the real program.</summary>
public sealed class InterruptTests
{
    [UnixFact]
    public async Task Control_c_ends_training_with_a_usable_checkpoint_and_meanwhile_the_folder_is_locked()
    {
        using var folder = new TempFolder();
        SyntheticDataset.Write(folder["faces"], new DrawnPeople(4, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string[] distill = ["distill", "--student", "mobilenet-v1:0.25@64", "--teacher", TinyTeacher.Write(folder["teacher"]), "--data", folder["faces"],
            "--output", folder["the run"], "--epochs", "10000", "--batch-size", "8", "--device", "cpu"];
        using var process = Process.Start(
            new ProcessStartInfo(
            "dotnet", [typeof(CommandLine).Assembly.Location, .. distill]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        try
        {
            for (var watch = Stopwatch.StartNew(); !File.Exists(folder[$"the run/{StudentCheckpoint.FileName}"]);)
            {
                Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1) && !process.HasExited, "training does not begin");
                await Task.Delay(50);
            }

            var second = new StringWriter();
            Assert.Equal(CommandLine.Failed, await CommandLine.RunAsync([.. distill, "--resume"], new StringWriter(), second));
            Assert.Contains("another facedistill is writing to", second.ToString(), StringComparison.Ordinal);
            Assert.Single(second.ToString().TrimEnd().Split('\n'));

            Assert.Equal(0, Kill(process.Id, InterruptIsIgnored(process.Id) ? Terminate : Interrupt));
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        Assert.Equal(CommandLine.Cancelled, process.ExitCode);
        string last = (await error).TrimEnd().Split('\n')[^1];
        Assert.StartsWith("facedistill: cancelled; go on with: facedistill distill --student mobilenet-v1:0.25@64 ", last, StringComparison.Ordinal);
        Assert.EndsWith($" --output '{folder["the run"]}' --epochs 10000 --batch-size 8 --device cpu --resume", last, StringComparison.Ordinal);
        Assert.Equal("", await output);
        Assert.Equal([], Directory.GetFiles(folder["the run"])
            .Where(f => f.EndsWith(".part", StringComparison.Ordinal) || f.EndsWith(".lock", StringComparison.Ordinal)));
        var report = RunReport.Write(folder["the run"]);
        Assert.False(report.Finished);
        Assert.NotEmpty(report.Epochs);
    }

    [Fact]
    public async Task A_process_killed_in_the_middle_of_a_long_epoch_loses_at_most_the_time_between_two_checkpoints()
    {
        using var folder = new TempFolder();
        SyntheticDataset.Write(folder["faces"], new DrawnPeople(4, 120, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0)); // an epoch of many intervals
        var interval = TimeSpan.FromMinutes(0.005);
        string[] distill = ["distill", "--student", "mobilenet-v1:0.5@64", "--teacher", TinyTeacher.Write(folder["teacher"]), "--data", folder["faces"],
            "--output", folder["run"], "--epochs", "1", "--batch-size", "2", "--precision", "fp32", "--device", "cpu", "--checkpoint-minutes", "0.005"];
        string checkpoint = folder[$"run/{StudentCheckpoint.FileName}"];
        DateTime Written() => File.GetLastWriteTimeUtc(checkpoint); // long ago where it is not there
        using var process = Process.Start(
            new ProcessStartInfo(
            "dotnet", [typeof(CommandLine).Assembly.Location, .. distill]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var (error, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        TimeSpan lost;
        try
        {
            var none = Written();
            var seen = new HashSet<DateTime>();
            for (var watch = Stopwatch.StartNew(); seen.Count < 2; seen.Add(Written()), seen.Remove(none))
            {
                Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2) && !process.HasExited, "no two checkpoints in the epoch");
                await Task.Delay(20);
            }

            await Task.Delay(interval / 2);
        }
        finally
        {
            process.Kill();
            lost = DateTime.UtcNow - Written();
            await process.WaitForExitAsync();
        }

        Assert.InRange(lost, TimeSpan.Zero, interval + TimeSpan.FromSeconds(5)); // a step and the writing on a busy machine
        var state = StudentCheckpoint.Read(checkpoint).State;
        Assert.True(state is { Epoch: 0, Step: > 0, Log.Count: 0 }, $"{state}");
        var (says, result) = (new StringWriter(), new StringWriter());
        Assert.Equal(CommandLine.Done, await CommandLine.RunAsync([.. distill[..^1], "0", "--resume"], result, says));
        Assert.Contains($"resumed at epoch 1, step {state.Step + 1}", says.ToString(), StringComparison.Ordinal);
        Assert.True(RunReport.Write(folder["run"]).Finished);
    }

    private const int Interrupt = 2, Terminate = 15;

    // A shell's background jobs are started with SIGINT ignored, and by convention a program leaves that so (Linux: SigIgn in
    // /proc/PID/status). SIGTERM goes the same way through the program.
    private static bool InterruptIsIgnored(int process) => File.Exists($"/proc/{process}/status")
        && File.ReadLines($"/proc/{process}/status").Where(l => l.StartsWith("SigIgn:", StringComparison.Ordinal))
            .Any(l => (Convert.ToUInt64(l[7..].Trim(), 16) & (1UL << (Interrupt - 1))) != 0);

    // .NET has no way to send a signal to another process.
    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}

/// <summary>A test that needs POSIX signals; on Windows it is skipped and says so.</summary>
public sealed class UnixFactAttribute : FactAttribute
{
    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows())
        {
            Skip = "not run: Windows has no signals between processes";
        }
    }
}
