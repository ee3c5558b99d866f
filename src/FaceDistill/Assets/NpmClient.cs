using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace FaceDistill.Assets;

/// <summary>Runs the npm program.</summary>
internal static class NpmClient
{
    /// <summary>Brings a package's archive into an empty folder, which is also npm's working folder.</summary>
    /// <param name="program">The npm program.</param>
    /// <param name="package">Name and exact version.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="byHand">What to do without npm, for the messages.</param>
    /// <param name="cancellation">Ends npm.</param>
    /// <exception cref="FaceDistillException">npm is missing or fails.</exception>
    public static async Task PackAsync(string program, string package, string folder, string byHand, CancellationToken cancellation)
    {
        using var npm = Start(program, package, folder, byHand);
        try
        {
            npm.StandardInput.Close();
            var output = npm.StandardOutput.ReadToEndAsync(cancellation);
            string errors = await npm.StandardError.ReadToEndAsync(cancellation).ConfigureAwait(false);
            await output.ConfigureAwait(false);
            await npm.WaitForExitAsync(cancellation).ConfigureAwait(false);
            if (npm.ExitCode != 0)
            {
                throw new FaceDistillException($"npm pack {package} failed: {ErrorLine(errors, npm.ExitCode)}; {byHand}");
            }
        }
        catch (OperationCanceledException)
        {
            npm.Kill(entireProcessTree: true);
            await npm.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private static Process Start(string program, string package, string folder, string byHand)
    {
        // An exact version never changes, so npm's own cache will do. Fewer and shorter retries than npm's default, which
        // keeps a machine without a network waiting for minutes.
        string[] options =
        [
            "pack", package, "--ignore-scripts", "--prefer-offline", "--loglevel=error", "--no-update-notifier",
            "--fetch-retries=1", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=2000",
        ];
        var start = new ProcessStartInfo(program, options)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start) ?? throw new FaceDistillException($"{program} does not start; {byHand}");
        }
        catch (Win32Exception e)
        {
            throw new FaceDistillException(
                $"{program} does not start ({e.Message}): install Node.js with npm (Debian: apt-get install npm), or {byHand}", e);
        }
    }

    // npm ends with advice, a stack and the place of its log; the line that says what went wrong stands among them.
    private static string ErrorLine(string errors, int exitCode)
    {
        string[] lines =
        [
            .. errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Where(l => !l.Contains("A complete log of this run", StringComparison.Ordinal)),
        ];
        return lines.FirstOrDefault(l => l.Contains("failed, reason:", StringComparison.Ordinal))
            ?? lines.FirstOrDefault(l => l.StartsWith("npm error 4", StringComparison.Ordinal) || l.StartsWith("npm error notarget", StringComparison.Ordinal))
            ?? lines.LastOrDefault()
            ?? string.Create(CultureInfo.InvariantCulture, $"exit code {exitCode}, without a word");
    }
}
