using System.Net.Http.Headers;
using System.Text.Json;
using FaceDistill.Formats;

namespace FaceDistill.Assets;

/// <summary>
/// The unfinished file TARGET.part of a download, and beside it TARGET.part.json, which says what it is a part of, so
/// that a later run asks for the rest only of the very same file.
/// </summary>
internal sealed class DownloadPart
{
    private readonly string _note;
    private readonly string _url;
    private State? _state;

    public DownloadPart(string target, Uri source)
    {
        Path = target + ".part";
        _note = Path + ".json";
        _url = source.AbsoluteUri;
        _state = ReadState();
        if (_state is null)
        {
            Delete();
        }
    }

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
        _state = new State(_url, total, tag, response.Content.Headers.LastModified);
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
            return state?.Url == _url ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record State(string Url, long? Total, string? ETag, DateTimeOffset? LastModified);
}
