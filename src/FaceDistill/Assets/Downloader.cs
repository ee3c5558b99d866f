using System.Net.Sockets;
using FaceDistill.Formats;

namespace FaceDistill.Assets;

/// <summary>
/// Fetches one file over https (plain http from loopback only): goes on where an earlier try was cut, never takes more
/// than a bound, and puts the file in place only when its SHA-256 is the wanted one.
/// </summary>
public sealed class Downloader : IDisposable
{
    private readonly DownloadRules _rules;
    private readonly HttpClient _client;

    /// <summary>Makes a downloader.</summary>
    /// <param name="rules">How patient it is; null for <see cref="DownloadRules.Default"/>.</param>
    public Downloader(DownloadRules? rules = null)
    {
        _rules = rules ?? DownloadRules.Default;
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(20) };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("FaceDistill");
    }

    /// <summary>Fetches a file; does nothing where it lies with the right hash already.</summary>
    /// <param name="url">The https address.</param>
    /// <param name="target">Where the file goes; its folder is made where it is missing.</param>
    /// <param name="sha256">64 hexadecimal digits, or null where the file's hash is not known.</param>
    /// <param name="maxBytes">The most bytes to take.</param>
    /// <param name="progress">Bytes so far and in all.</param>
    /// <param name="cancellation">Stops; what has come stays for the next run.</param>
    /// <exception cref="FaceDistillException">
    /// The address cannot be reached or refuses, the line is cut too often, the file is too long or has another hash, or
    /// the folder cannot be written. The message names address, target and remedy; nothing is put in place.
    /// </exception>
    public async Task DownloadAsync(
        string url, string target, string? sha256, long maxBytes, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (AssetSource.UrlProblem(url) is { } problem)
        {
            throw new FaceDistillException(problem);
        }

        target = Path.GetFullPath(target);
        try
        {
            using var held = await FetchLock.TakeAsync(target, _rules.LockWait, progress, cancellation).ConfigureAwait(false);
            if (!File.Exists(target) || (sha256 is not null && !IsHash(target, sha256)))
            {
                await FetchVerifiedAsync(new Uri(url), target, sha256, maxBytes, progress, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {target}: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task FetchVerifiedAsync(
        Uri source, string target, string? sha256, long maxBytes, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var part = new DownloadPart(target, source);
        var transfer = new Transfer(_client, source, part, maxBytes, _rules.Idle, Path.GetFileName(target), progress);
        for (bool again = true; ; again = false)
        {
            await WithRetriesAsync(transfer, target, cancellation).ConfigureAwait(false);
            if (sha256 is null || IsHash(part.Path, sha256))
            {
                part.MoveTo(target);
                return;
            }

            string actual = FileHash.Sha256(part.Path);
            part.Delete();
            // A part from an earlier try can be what spoilt the file; one try from the first byte settles it.
            if (!transfer.Resumed || !again)
            {
                throw new FaceDistillException(
                    $"{source} is not the file wanted: SHA-256 {actual} instead of {sha256}; nothing was kept. {ByHand(source, target)}");
            }
        }
    }

    private async Task WithRetriesAsync(Transfer transfer, string target, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await transfer.RunAsync(cancellation).ConfigureAwait(false);
                return;
            }
            catch (LineCutException) when (attempt < _rules.Attempts)
            {
                await Task.Delay(_rules.BackOff * Math.Pow(2, attempt - 1), cancellation).ConfigureAwait(false);
            }
            catch (LineCutException e)
            {
                throw new FaceDistillException(
                    $"{transfer.Source}: {e.Message}, {_rules.Attempts} times; run the command again to go on. {ByHand(transfer.Source, target)}", e);
            }
            catch (HttpRequestException e)
            {
                throw new FaceDistillException($"{Unreachable(transfer.Source, e)}. {ByHand(transfer.Source, target)}", e);
            }
        }
    }

    private static string Unreachable(Uri source, HttpRequestException e) => e switch
    {
        { StatusCode: { } status } => $"{source}: the server answers {(int)status} {status}",
        { HttpRequestError: HttpRequestError.NameResolutionError } => $"cannot find host {source.Host}: no network here, or a proxy is needed",
        { InnerException: SocketException socket } => $"cannot connect to {source.Host}:{source.Port}: {socket.Message}",
        _ => $"cannot connect to {source.Host}:{source.Port}: {e.Message}",
    };

    private static string ByHand(Uri source, string target) => $"To fetch by hand: {source} to {target}";

    private static bool IsHash(string path, string sha256) =>
        string.Equals(FileHash.Sha256(path), sha256, StringComparison.OrdinalIgnoreCase);
}
