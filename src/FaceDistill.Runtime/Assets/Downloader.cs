using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>
/// Fetches one file over https (plain http from loopback only): goes on where an earlier try was cut, never takes more
/// than a bound, and puts the file in place only when its SHA-256 is the wanted one.
/// </summary>
internal sealed class Downloader : IDisposable
{
    private readonly DownloadRules _rules;
    private readonly HttpClient _client;

    /// <summary>Makes a downloader.</summary>
    /// <param name="rules">How patient it is; null for <see cref="DownloadRules.Default"/>.</param>
    public Downloader(DownloadRules? rules = null)
    {
        _rules = rules ?? DownloadRules.Default;
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(20), AllowAutoRedirect = false };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("FaceDistill");
    }

    /// <summary>Fetches a file; does nothing where it lies with the right hash already.</summary>
    /// <param name="url">The https address.</param>
    /// <param name="target">Where the file goes; its folder is made where it is missing.</param>
    /// <param name="sha256">64 hexadecimal digits, or null where the file's hash is not known.</param>
    /// <param name="maxBytes">The most bytes to take.</param>
    /// <param name="job">Bytes so far and in all.</param>
    /// <exception cref="FaceDistillException">
    /// The address cannot be reached or refuses, the line is cut too often, the file is too long or has another hash, or
    /// the folder cannot be written. The message names address, target and remedy; nothing is put in place.
    /// </exception>
    public async Task DownloadAsync(
        string url, string target, string? sha256, long maxBytes, JobContext job)
    {
        if (AssetSource.UrlProblem(url) is { } problem)
        {
            throw new FaceDistillException(problem);
        }

        target = Path.GetFullPath(target);
        try
        {
            using var held = await FetchLock.TakeAsync(target, _rules.LockWait, job).ConfigureAwait(false);
            if (!File.Exists(target) || (sha256 is not null && !IsHash(target, sha256)))
            {
                await FetchVerifiedAsync(new Uri(url), target, sha256, maxBytes, job).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write {target}: {e.Message.Replace(target + ".part", target, StringComparison.Ordinal)}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task FetchVerifiedAsync(
        Uri source, string target, string? sha256, long maxBytes, JobContext job)
    {
        var part = new DownloadPart(target, source);
        var transfer = new Transfer(_client, part, maxBytes, _rules.Idle, job.Progress);
        for (bool again = true; ; again = false)
        {
            await WithRetriesAsync(transfer, target, job.Cancel).ConfigureAwait(false);
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

/// <summary>How patient a <see cref="Downloader"/> is.</summary>
/// <param name="Attempts">How often a file is asked for before giving up; each attempt goes on where the last was cut.</param>
/// <param name="BackOff">The pause before the second attempt; it doubles with each further one.</param>
/// <param name="Idle">A line that brings nothing for this long counts as cut.</param>
/// <param name="LockWait">How long to wait for another process that fetches the same file.</param>
internal sealed record DownloadRules(int Attempts, TimeSpan BackOff, TimeSpan Idle, TimeSpan LockWait)
{
    /// <summary>Five attempts over some 15 s of pauses, 60 s of silence, half an hour for another process.</summary>
    public static DownloadRules Default { get; } =
        new(5, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(30));
}

/// <summary>
/// The unfinished file TARGET.part of a download, and beside it TARGET.part.json, which says what it is a part of, so
/// that a later run asks for the rest only of the very same file.
/// </summary>
internal sealed class DownloadPart
{
    private readonly string _note;
    private State? _state;

    public DownloadPart(string target, Uri source)
    {
        Path = target + ".part";
        _note = Path + ".json";
        (Name, Source) = (System.IO.Path.GetFileName(target), source);
        _state = ReadState();
        if (_state is null)
        {
            Delete();
        }
    }

    /// <summary>The whole file's name.</summary>
    public string Name { get; }

    /// <summary>The address.</summary>
    public Uri Source { get; }

    /// <summary>The part file.</summary>
    public string Path { get; }

    /// <summary>Bytes that are there.</summary>
    public long Length => File.Exists(Path) ? new FileInfo(Path).Length : 0;

    /// <summary>Bytes of the whole file as the server announced them; null when it did not.</summary>
    public long? Total => _state?.Total;

    /// <summary>Whether the announced length is there.</summary>
    public bool IsWhole => Total == Length;

    /// <summary>
    /// The request header that makes a server send the whole file when it is no longer the one begun: the strong entity
    /// tag or the date of the first answer (RFC 9110, section 13.1.5); null when the server gave neither.
    /// </summary>
    public RangeConditionHeaderValue? Condition =>
        _state?.ETag is { } tag ? new RangeConditionHeaderValue(new EntityTagHeaderValue(tag))
        : _state?.LastModified is { } date ? new RangeConditionHeaderValue(date)
        : null;

    /// <summary>Begins anew with an answer that brings the file from its first byte.</summary>
    public void Begin(HttpResponseMessage response, long? total)
    {
        Delete();
        string? tag = response.Headers.ETag is { IsWeak: false } strong ? strong.Tag : null;
        _state = new State(Source.AbsoluteUri, total, tag, response.Content.Headers.LastModified);
        JsonFile.Write(_note, _state);
    }

    /// <summary>Opens the part to append to it.</summary>
    public FileStream Append() => new(Path, FileMode.Append, FileAccess.Write, FileShare.None);

    /// <summary>Deletes part and note.</summary>
    public void Delete()
    {
        _state = null;
        File.Delete(Path);
        File.Delete(_note);
    }

    /// <summary>Renames the part into place and deletes the note.</summary>
    public void MoveTo(string target)
    {
        File.Move(Path, target, overwrite: true);
        Delete();
    }

    // A note that is missing, torn or about another address makes the part worthless; that is no error.
    private State? ReadState()
    {
        try
        {
            var state = File.Exists(_note) && File.Exists(Path)
                ? JsonSerializer.Deserialize<State>(File.ReadAllText(_note), JsonFile.Options) : null;
            return state?.Url == Source.AbsoluteUri ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record State(string Url, long? Total, string? ETag, DateTimeOffset? LastModified);
}
