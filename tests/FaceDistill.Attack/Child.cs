using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace FaceDistill.Attack;

/// <summary>How the command line is to be run.</summary>
/// <param name="Arguments">Its arguments.</param>
internal sealed record Launch(params string[] Arguments)
{
    /// <summary>Variables set for it, or removed where the value is null.</summary>
    public Dictionary<string, string?> Environment { get; init; } = [];

    /// <summary>A bash script that runs it as <c>"$@"</c>; null to run it directly.</summary>
    public string? Shell { get; init; }

    /// <summary>The time after which it counts as hung and is killed.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>When it gets <see cref="Signal"/>; null for never.</summary>
    public TimeSpan? SignalAfter { get; init; }

    /// <summary>Instead of a time: it gets the signal as soon as this holds.</summary>
    public Func<bool>? SignalWhen { get; init; }

    /// <summary>9 kills, 2 interrupts, 15 terminates.</summary>
    public int Signal { get; init; } = 9;

    /// <summary>The current folder; null for the case's.</summary>
    public string? Folder { get; init; }

    /// <summary>The program; null for the command line.</summary>
    public string[]? Program { get; init; }
}

/// <summary>What a child process did.</summary>
/// <param name="Exit">Its exit code; 128 + signal where a signal ended it.</param>
/// <param name="Output">Standard output, its beginning.</param>
/// <param name="Error">Standard error, its beginning.</param>
/// <param name="Hung">Whether it was killed at its limit of time.</param>
/// <param name="Signalled">Whether it got the signal asked for before it ended.</param>
/// <param name="Peak">The largest resident set seen, in megabytes.</param>
/// <param name="Time">How long it ran.</param>
internal sealed record Outcome(int Exit, string Output, string Error, bool Hung, bool Signalled, long Peak, TimeSpan Time)
{
    /// <summary>Whether it was ended for want of an end: its exit code says nothing.</summary>
    public bool Stopped => Hung || Peak > 2 * Child.MemoryLimit;

    /// <summary>Standard error's lines.</summary>
    public string[] Lines => Error.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The lines that are the program's own words about how it ended.</summary>
    public string[] Own => [.. Lines.Where(l => l.StartsWith("facedistill:", StringComparison.Ordinal))];
}

/// <summary>Runs the command line as a child process with bounds of time and memory.</summary>
internal static partial class Child
{
    /// <summary>Above this it counts as unbounded, in megabytes.</summary>
    public const long MemoryLimit = 1000;

    private const int MostText = 4 << 20;

    /// <summary>How many times slower than usual the machine is now, at least 1: limits of time grow with it, so that a busy machine makes no hang.</summary>
    public static double Slowness { get; private set; } = 1;

    /// <summary>Measures <see cref="Slowness"/> by a command that takes 0.15 s of a free core.</summary>
    public static void Calibrate(string[] program, string folder)
    {
        Slowness = 1;
        var outcome = Run(program, new Launch("count", "mobilenet-v1:0.25@64"), folder, new Dictionary<string, string>());
        Slowness = Math.Clamp(outcome.Time.TotalSeconds / 0.3, 1, 5);
    }

    /// <summary>Runs a process to its end.</summary>
    public static Outcome Run(string[] program, Launch launch, string folder, IReadOnlyDictionary<string, string> environment)
    {
        string[] line = [.. launch.Program ?? program, .. launch.Arguments];
        if (launch.Shell is { } script)
        {
            line = ["bash", "-c", script, "bash", .. line];
        }

        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = launch.Folder ?? folder,
            StandardErrorEncoding = Encoding.UTF8,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        foreach (var (name, value) in launch.Environment)
        {
            _ = value is null ? start.Environment.Remove(name) : (start.Environment[name] = value) is null;
        }

        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = Read(process.StandardOutput);
        var error = Read(process.StandardError);
        var (hung, signalled, peak) = Wait(process, launch, watch);
        // A grandchild that was killed with it may hold the pipes a little longer.
        Task.WaitAll([output, error], TimeSpan.FromSeconds(5));
        return new Outcome(process.ExitCode, Text(output), Text(error), hung, signalled, peak, watch.Elapsed);
    }

    private static string Text(Task<string> task) => task.IsCompletedSuccessfully ? task.Result : "";

    private static (bool Hung, bool Signalled, long Peak) Wait(Process process, Launch launch, Stopwatch watch)
    {
        bool signalled = false;
        long peak = 0;
        while (!process.WaitForExit(signalled || launch.SignalAfter is null && launch.SignalWhen is null ? 20 : 2))
        {
            peak = Math.Max(peak, Peak(process.Id));
            if (!signalled && (watch.Elapsed >= launch.SignalAfter || launch.SignalWhen?.Invoke() == true))
            {
                signalled = Kill(process.Id, launch.Signal) == 0;
            }

            if (watch.Elapsed > launch.Limit * Slowness || peak > 2 * MemoryLimit)
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
                return (watch.Elapsed > launch.Limit * Slowness, signalled, peak);
            }
        }

        return (false, signalled, peak);
    }

    // The kernel keeps the highest resident set itself: a look now and then misses only what grew since the last.
    private static long Peak(int id)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[6..^2].Trim(), CultureInfo.InvariantCulture) >> 10;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            return 0; // it has just ended
        }
    }

    private static async Task<string> Read(StreamReader reader)
    {
        var text = new StringBuilder();
        char[] buffer = new char[8192];
        for (int count; (count = await reader.ReadAsync(buffer)) > 0;)
        {
            text.Append(buffer, 0, Math.Min(count, MostText - text.Length));
        }

        return text.ToString();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int id, int signal);
}
