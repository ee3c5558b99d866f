namespace FaceDistill.Formats;

/// <summary>One dimension of a graph input or output: a fixed length, or a name for a length known only at run time.</summary>
public readonly record struct OnnxDim
{
    private OnnxDim(long length, string? name) => (Length, Name) = (length, name);

    /// <summary>The fixed length; 0 where the dimension has a name.</summary>
    public long Length { get; }

    /// <summary>The name, such as "batch"; null where the length is fixed.</summary>
    public string? Name { get; }

    /// <summary>A fixed length, at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is less than 1.</exception>
    public static OnnxDim FromInt64(long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        return new(length, null);
    }

    /// <summary>A length known only at run time.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static OnnxDim FromString(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new(0, name);
    }

    /// <summary>Same as <see cref="FromInt64"/>.</summary>
    public static implicit operator OnnxDim(long length) => FromInt64(length);

    /// <summary>Same as <see cref="FromString"/>.</summary>
    public static implicit operator OnnxDim(string name) => FromString(name);
}
