namespace FaceDistill.Formats;

/// <summary>Fields of comma-separated files (RFC 4180).</summary>
public static class Csv
{
    /// <summary>The field, in quotes where it needs them.</summary>
    public static string Field(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.AsSpan().IndexOfAny(",\"\r\n") < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
