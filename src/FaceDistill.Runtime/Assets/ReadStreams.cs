namespace FaceDistill.Assets;

/// <summary>
/// A stream to read whose bytes are counted: more than the bound is an error, however well they were packed. So is a single request for more than
/// a mebibyte: contents are read in small parts, so that only a tar's header, which is read at once, asks for so much.
/// </summary>
internal sealed class BoundedStream(Stream inner, long maxBytes, string origin) : Stream
{
    private const int MaxHeader = 1 << 20;
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length > MaxHeader)
        {
            throw new FaceDistillException($"{origin} holds a header of {buffer.Length} bytes, more than {MaxHeader}; it was not unpacked");
        }

        int read = inner.Read(buffer);
        _read += read;
        return _read <= maxBytes ? read
            : throw new FaceDistillException($"{origin} unpacks to more than {maxBytes} bytes; it was not unpacked");
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A stream to read that counts its bytes and takes their CRC-32 (ISO 3309; the polynomial of PKWARE's APPNOTE.TXT, 4.4.7).</summary>
internal sealed class Crc32Stream(Stream inner) : Stream
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(i =>
        Enumerable.Range(0, 8).Aggregate((uint)i, (c, _) => (c & 1) == 0 ? c >> 1 : (c >> 1) ^ 0xEDB88320))];

    private uint _crc = uint.MaxValue;
    private long _read;

    /// <summary>The check sum of what was read.</summary>
    public uint Crc => ~_crc;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => _read;

    public override long Position { get => _read; set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer);
        foreach (byte value in buffer[..read])
        {
            _crc = Table[(byte)(_crc ^ value)] ^ (_crc >> 8);
        }

        _read += read;
        return read;
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
