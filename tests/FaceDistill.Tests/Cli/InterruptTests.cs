using System.Diagnostics;
using System.Runtime.InteropServices;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Faces;
using FaceDistill.Reporting;

namespace FaceDistill.Tests.Cli;

/// <summary>Ctrl-C and a second process, with the real program.</summary>
public sealed class InterruptTests
{
    [UnixFact]
    public async Task Control_c_ends_training_with_a_usable_checkpoint_and_meanwhile_the_folder_is_locked()
    {
        using var folder = new TempFolder();
        SyntheticDataset.Write(folder["faces"], 4, 8, AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0), seed: 5);
        string[] distill = ["distill", "--student", "mobilenet-v1:0.25@64", "--teacher", TinyTeacher.Write(folder["teacher"]), "--data", folder["faces"],
            "--output", folder["run"], "--epochs", "10000", "--batch-size", "8", "--device", "cpu"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. distill]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        try
        {
            for (var watch = Stopwatch.StartNew(); !File.Exists(folder[$"run/{StudentCheckpoint.FileName}"]);)
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
        Assert.EndsWith("facedistill: cancelled", (await error).TrimEnd(), StringComparison.Ordinal);
        Assert.Equal("", await output);
        Assert.Equal([], Directory.GetFiles(folder["run"]).Where(f => f.EndsWith(".part", StringComparison.Ordinal) || f.EndsWith(".lock", StringComparison.Ordinal)));
        var report = RunReport.Write(folder["run"]);
        Assert.False(report.Finished);
        Assert.NotEmpty(report.Epochs);
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
