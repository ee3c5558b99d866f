using System.Globalization;
using System.Text;

namespace FaceDistill.Datasets;

/// <summary>The lines of one of LFW's protocol files: fields between tabs, errors with file and line.</summary>
internal sealed class LfwText
{
    private const int MaxBytes = 16 << 20; // the largest official one has 155 KB
    private readonly string[] _lines;
    private int _next;

    public LfwText(string path)
    {
        File = path;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes } file)
            {
                throw new FaceDistillException($"{path} has {file.Length} bytes and is no LFW protocol file");
            }

            _lines = System.IO.File.ReadAllLines(path, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }

        while (_lines.Length > 0 && string.IsNullOrWhiteSpace(_lines[^1]))
        {
            _lines = _lines[..^1];
        }
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>Whether all lines have been read.</summary>
    public bool AtEnd => _next == _lines.Length;

    /// <summary>The fields of the next line.</summary>
    public string[] Next(string expected)
    {
        if (AtEnd)
        {
            throw new FaceDistillException($"{File} ends at line {_lines.Length}, where {expected} should follow; get the official file again");
        }

        return _lines[_next++].Split('\t', StringSplitOptions.TrimEntries);
    }

    /// <summary>The number of fields of the line after this one, or 0 at the end.</summary>
    public int FieldsAhead => AtEnd ? 0 : _lines[_next].Split('\t').Length;

    /// <summary>A number from 1 to the maximum, from the line last read.</summary>
    public int Number(string field, int maximum, string expected) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= 1 && value <= maximum
            ? value : throw Error(expected);

    /// <summary>A person's name, from the line last read.</summary>
    public string Person(string field, string expected) => field.Length > 0 ? field : throw Error(expected);

    /// <summary>The error for the line last read.</summary>
    public FaceDistillException Error(string expected)
    {
        string line = _lines[_next - 1];
        return new($"{File} line {_next}: expected {expected}, found '{(line.Length > 80 ? line[..80] + "..." : line)}'");
    }

    /// <summary>Refuses lines that are left over.</summary>
    public void End()
    {
        if (!AtEnd)
        {
            _next++;
            throw Error("the end of the file");
        }
    }
}
