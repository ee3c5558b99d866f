using System.Collections.Concurrent;
using System.Diagnostics;

namespace FaceDistill.Tests;

/// <summary>A test with the system's Python and one of its modules; where that is missing it is skipped and says so.</summary>
public sealed class PythonFactAttribute : FactAttribute
{
    private static readonly ConcurrentDictionary<string, bool> Known = new();

    public PythonFactAttribute(string module)
    {
        if (!Known.GetOrAdd(module, Has))
        {
            Skip = $"not run: {Program} has no module {module} (Debian: apt-get install python3-{module})";
        }
    }

    internal const string Program = "/usr/bin/python3";

    /// <summary>Runs Python and returns what it printed; fails with what it complained of.</summary>
    internal static string Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return output;
    }

    private static bool Has(string module)
    {
        if (!File.Exists(Program))
        {
            return false;
        }

        using var process = Process.Start(Program, ["-c", $"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
