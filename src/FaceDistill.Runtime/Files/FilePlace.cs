namespace FaceDistill.Files;

/// <summary>Where bytes lie: a file, or a part of one that holds many pictures.</summary>
/// <param name="File">The file.</param>
/// <param name="Offset">The place of the first byte in it.</param>
/// <param name="Length">How many; 0 for the whole file.</param>
internal readonly record struct FilePlace(string File, long Offset = 0, long Length = 0)
{
    /// <summary>What it is called in messages; null for the file's path.</summary>
    public string? Name { get; init; }

    /// <summary>Whether it is a file of its own.</summary>
    public bool IsWhole => Length == 0;

    /// <summary>What to do where it cannot be used.</summary>
    public string Remedy => IsWhole ? "take it out of the folder or align the photos again" : "make the file again, or leave the picture out (--exclude)";

    /// <summary>A whole file.</summary>
    public static implicit operator FilePlace(string file) => new(file);

    /// <summary>Opens it to be read from its beginning to its end.</summary>
    /// <exception cref="IOException">It is not there, or the file has become shorter.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public Stream Open()
    {
        var file = System.IO.File.OpenRead(File);
        if (IsWhole)
        {
            return file;
        }

        try
        {
            Check(file.Length);
            return new FilePart(file, Offset, Length);
        }
        catch (IOException)
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a file that ends before the place does.</summary>
    /// <param name="length">Of the file.</param>
    /// <exception cref="IOException">It does.</exception>
    public void Check(long length)
    {
        if (Offset < 0 || Length < 0 || Offset > length - Length)
        {
            throw new IOException(InvariantText.Of($"{File} ends at byte {length}, before the picture does that begins at {Offset}"));
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name ?? File;
}

/// <summary>A part of a file as a stream of its own, which is read only.</summary>
/// <param name="file">The file; disposed with the part.</param>
/// <param name="offset">Where the part begins.</param>
/// <param name="length">Its bytes.</param>
internal sealed class FilePart(Stream file, long offset, long length) : Stream
{
    private long _position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => _position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, Math.Max(0, length - _position));
        if (count == 0)
        {
            return 0;
        }

        if (file.Position != offset + _position)
        {
            file.Position = offset + _position;
        }

        int read = file.Read(buffer[..count]);
        _position += read;
        return read;
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) =>
        Position = offset + (origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => _position, _ => length });

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
