using System.Text;

namespace FaceDistill.Formats;

/// <summary>
/// Reads a list that a user wrote, UTF-8 (or what its byte-order mark says), with a bound on the length of a line: what is no list, a device say, may have
/// no line's end.
/// </summary>
internal sealed class ListReader : TextReader
{
    /// <summary>The longest line that is read, characters.</summary>
    public const int MostCharacters = 2_000_000;

    private readonly string _path;
    private readonly StreamReader _text;
    private int _length, _ends;
    private bool _returned;

    /// <summary>Opens the file.</summary>
    /// <exception cref="FaceDistillException">It cannot be read.</exception>
    public ListReader(string path)
    {
        _path = path;
        if (Directory.Exists(path))
        {
            throw new FaceDistillException($"{path} is a folder; name the list itself");
        }

        try
        {
            _text = new StreamReader(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }
    }

    /// <summary>The number of the line that <see cref="ReadLine"/> gave last, from 1; 0 before the first.</summary>
    public int Line { get; private set; }

    /// <summary>How many characters were read.</summary>
    public long Characters { get; private set; }

    /// <inheritdoc/>
    public override int Read()
    {
        Span<char> one = stackalloc char[1];
        return Read(one) == 0 ? -1 : one[0];
    }

    /// <inheritdoc/>
    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    /// <exception cref="FaceDistillException">Not UTF-8, not readable, or a line is too long.</exception>
    public override int Read(Span<char> buffer)
    {
        int read;
        try
        {
            read = _text.Read(buffer);
        }
        catch (DecoderFallbackException e)
        {
            throw new FaceDistillException($"{_path} is not UTF-8 text (after line {_ends}); save it as UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {_path}: {e.Message}", e);
        }

        var text = buffer[..read];
        int end = text.LastIndexOfAny('\n', '\r');
        (_ends, _length, Characters) = (_ends + text.Count('\n'), end < 0 ? _length + read : read - end - 1, Characters + read);
        return _length <= MostCharacters ? read
            : throw new FaceDistillException($"{_path} line {_ends + 1}: longer than {MostCharacters} characters, which no line of a list is");
    }

    /// <inheritdoc/>
    /// <exception cref="FaceDistillException">Not UTF-8, not readable, or the line is too long.</exception>
    public override string? ReadLine()
    {
        var line = new StringBuilder();
        for (int c = Read(); ; c = Read())
        {
            bool feed = c == '\n' && _returned; // the second half of the last line's end
            _returned = c == '\r';
            if (feed)
            {
                continue;
            }

            if (c is -1 or '\n' or '\r')
            {
                bool none = c == -1 && line.Length == 0;
                Line += none ? 0 : 1;
                return none ? null : line.ToString();
            }

            line.Append((char)c);
        }
    }

    /// <inheritdoc/>
    public override int Peek() => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _text.Dispose();
        }

        base.Dispose(disposing);
    }
}
