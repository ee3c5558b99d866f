using System.Text;

namespace FaceDistill.Formats;

/// <summary>A row of a CSV file.</summary>
/// <param name="Line">The line in the file, from 1, where it begins.</param>
/// <param name="Fields">Its fields, without their quotes.</param>
internal readonly record struct CsvRow(int Line, IReadOnlyList<string> Fields);

/// <summary>
/// Reads comma-separated values (RFC 4180). The framework's own TextFieldParser miscounts lines after empty ones, and the
/// line is what a user needs to mend a file.
/// </summary>
internal static class CsvRows
{
    /// <summary>The rows; empty lines do not count.</summary>
    /// <param name="text">The file, read as the rows are asked for.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <exception cref="FaceDistillException">While iterating: a quote stands where it may not, or is not closed.</exception>
    public static IEnumerable<CsvRow> Read(TextReader text, string path)
    {
        int next = 1;
        while (text.ReadLine() is { } line)
        {
            int first = next++;
            var fields = new List<string>();
            int at = 0;
            while (at <= line.Length)
            {
                if (at < line.Length && line[at] == '"')
                {
                    fields.Add(Quoted(text, path, ref line, ref at, ref next));
                }
                else
                {
                    int end = line.IndexOf(',', at) is >= 0 and var comma ? comma : line.Length;
                    fields.Add(line[at..end].Contains('"', StringComparison.Ordinal) ? throw Error(path, next - 1) : line[at..end]);
                    at = end + 1;
                }
            }

            if (fields.Count > 1 || fields[0].Trim().Length > 0)
            {
                yield return new CsvRow(first, fields);
            }
        }
    }

    /// <summary>A field in quotes, which may go on over lines; leaves <paramref name="at"/> after the comma that follows it.</summary>
    private static string Quoted(TextReader text, string path, ref string line, ref int at, ref int next)
    {
        int first = next - 1;
        var field = new StringBuilder();
        at++;
        while (true)
        {
            int quote = line.IndexOf('"', at);
            if (quote < 0)
            {
                field.Append(line, at, line.Length - at).Append('\n');
                line = text.ReadLine() ?? throw Error(path, first);
                next++;
                at = 0;
            }
            else if (quote + 1 < line.Length && line[quote + 1] == '"')
            {
                field.Append(line, at, quote + 1 - at);
                at = quote + 2;
            }
            else
            {
                field.Append(line, at, quote - at);
                at = quote + 2;
                return quote + 1 == line.Length || line[quote + 1] == ',' ? field.ToString() : throw Error(path, next - 1);
            }
        }
    }

    private static FaceDistillException Error(string path, int line) =>
        new($"{path} line {line}: not comma-separated values; a field with a quote or comma in it goes in quotes, with its own quotes doubled");
}

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
