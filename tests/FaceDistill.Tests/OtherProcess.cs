using System.Diagnostics;
using FaceDistill.Cli;
using FaceDistill.Tests.Kernels;

namespace FaceDistill.Tests;

/// <summary>Runs other processes to their end, at most ten minutes.</summary>
internal static class OtherProcess
{
    /// <summary>Runs a program.</summary>
    public static async Task<(int Code, string Output, string Error)> Run(ProcessStartInfo start)
    {
        (start.RedirectStandardError, start.RedirectStandardOutput) = (true, true);
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(10));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return (process.ExitCode, await output, await error);
    }

    /// <summary>Runs this assembly as a program: <see cref="CollectedProcess"/>.</summary>
    public static Task<(int Code, string Output, string Error)> Tests(params string[] arguments) =>
        Run(new ProcessStartInfo("dotnet", [typeof(OtherProcess).Assembly.Location, .. arguments]));

    /// <summary>Runs facedistill by a POSIX shell.</summary>
    /// <param name="streams">Where its streams go, as the shell takes it, such as "2>&amp;-".</param>
    /// <param name="arguments">The verb and its options.</param>
    public static Task<(int Code, string Output, string Error)> Shell(string streams, params string[] arguments) =>
        Run(new ProcessStartInfo("/bin/sh", ["-c", $"exec dotnet \"$0\" \"$@\" {streams}", typeof(CommandLine).Assembly.Location, .. arguments]));
}
