using System.Globalization;
using CsvHelper;
using FaceDistill.Files;

namespace FaceDistill.Formats;

/// <summary>A row of a CSV file.</summary>
/// <param name="Line">The line in the file, from 1, where it begins.</param>
/// <param name="Fields">Its fields, without their quotes.</param>
internal readonly record struct CsvRow(int Line, IReadOnlyList<string> Fields);

/// <summary>
/// Reads and writes comma-separated values (RFC 4180). A text that a spreadsheet would take for a formula (one that begins with = + - @, a tab or a carriage
/// return and is no number) is written with an apostrophe before it, one that begins with apostrophes and then such a character with one more; reading takes it
/// away.
/// </summary>
internal static class Csv
{
    private static readonly CsvReaderOptions Strict = new()
    {
        Separator = ',', DetectSeparatorHint = false, HasHeader = false, TrackLineNumbers = true, MalformedData = CsvMalformedDataHandling.Throw,
    };

    /// <summary>The text of a file of these rows, each field in quotes where it needs them; a line ends in a line feed.</summary>
    /// <param name="header">The columns' names, with commas between them.</param>
    /// <param name="rows">Rows of as many values; null is an empty field.</param>
    public static string Text(string header, IEnumerable<IEnumerable<object?>> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var text = new StringWriter(CultureInfo.InvariantCulture);
        Write(text, header, rows);
        return text.ToString();
    }

    /// <summary>Writes a file of many rows, which are never in memory at once.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string path, string header, IEnumerable<IEnumerable<object?>> rows) => AtomicFile.Write(path, stream =>
    {
        using var text = new StreamWriter(stream, leaveOpen: true);
        Write(text, header, rows);
    });

    private static void Write(TextWriter text, string header, IEnumerable<IEnumerable<object?>> rows)
    {
        text.Write(header + "\n");
        using var csv = CsvWriter.Create(text, new CsvWriterOptions { NewLine = "\n" }, leaveOpen: true);
        foreach (var row in rows)
        {
            foreach (object? value in row)
            {
                csv.WriteField(value is string words ? Defused(words) : Convert.ToString(value, CultureInfo.InvariantCulture));
            }

            csv.EndRecord();
        }
    }

    /// <summary>The rows; empty lines do not count.</summary>
    /// <param name="text">The file, read as the rows are asked for.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <exception cref="FaceDistillException">While iterating: a quote stands where it may not, or is not closed.</exception>
    internal static IEnumerable<CsvRow> Rows(TextReader text, string path)
    {
        using var csv = CsvReader.Create(text, Strict, leaveOpen: true);
        while (Read(csv, path))
        {
            string[] fields = [.. Enumerable.Range(0, csv.FieldCount).Select(i => Original(csv.GetString(i)))];
            if (fields.Length > 1 || fields[0].Trim().Length > 0)
            {
                yield return new CsvRow((int)csv.LineNumber, fields);
            }
        }
    }

    private static string Defused(string value) =>
        IsFormula(value) && !InvariantNumber.Real<double>(value, out _) ? "'" + value : value;

    private static string Original(string field) => field.StartsWith('\'') && IsFormula(field) ? field[1..] : field;

    private static bool IsFormula(string value) => value.TrimStart('\'') is [var first, ..] && "=+-@\t\r".Contains(first, StringComparison.Ordinal);

    private static bool Read(CsvReader csv, string path)
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException e)
        {
            throw new FaceDistillException(
                $"{path} line {e.LineNumber}: not comma-separated values; a field with a quote or comma in it goes in quotes, with its own quotes doubled", e);
        }
    }
}
