namespace FaceDistill.Tests.Assets;

/// <summary>A program that stands in for npm.</summary>
internal static class FakeNpm
{
    /// <summary>Writes a script that notes its arguments beside itself, copies a package into its working folder and exits with a code.</summary>
    public static string Write(TempFolder folder, string? package, string error = "", int exitCode = 0)
    {
        if (OperatingSystem.IsWindows())
        {
            string cmd = folder["npm-fake.cmd"];
            string copy = package is null ? "" : $"copy /y \"{package}\" package.tgz >nul\r\n";
            string say = string.Concat(error.Split('\n').Where(l => l.Length > 0).Select(l => $"echo {l} 1>&2\r\n"));
            File.WriteAllText(cmd, $"@echo off\r\necho %*>\"{cmd}.args\"\r\n{copy}{say}exit /b {exitCode}\r\n");
            return cmd;
        }

        string script = folder["npm-fake"];
        string take = package is null ? "" : $"cp '{package}' package.tgz\n";
        File.WriteAllText(script, $"#!/bin/sh\necho \"$@\" > '{script}.args'\n{take}cat >&2 <<'END'\n{error}\nEND\nexit {exitCode}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return script;
    }
}
