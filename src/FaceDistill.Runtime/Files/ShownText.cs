using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace FaceDistill.Files;

/// <summary>
/// Names of files, people and models as they are shown: control characters would move a terminal's cursor, break a line or a whole XML file; marks of writing
/// direction show a name as another one.
/// </summary>
internal static class ShownText
{
    /// <summary>The text in one line: what is not to be shown as \uXXXX, as in C# and JSON.</summary>
    public static string Of(string? text) => Clean(text ?? "", lines: false);

    /// <summary>The same of a text of several lines, whose line feeds stay.</summary>
    public static string Lines(string? text) => Clean(text ?? "", lines: true);

    /// <summary>A line whose holes are each cleaned.</summary>
    public static string Of(ShownTemplate text) => text.ToString();

    /// <summary>A name of the program's as people write it: MeanSquaredError is "mean squared error", Bf16 "bf16".</summary>
    public static string Words(Enum name) => Words(name.ToString());

    private static string Words(string name) => string.Concat(name.Select((c, i) =>
        i > 0 && i < name.Length - 1 && char.IsUpper(c) && char.IsLower(name[i - 1]) ? $" {c}" : $"{c}")).ToLowerInvariant();

    private static string Clean(string text, bool lines)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
            {
                bool hidden = CharUnicodeInfo.GetUnicodeCategory(text, i) == UnicodeCategory.Format; // U+E0001 and such: tags that nobody sees
                shown.Append(hidden ? InvariantText.Of($"\\u{(int)text[i]:X4}\\u{(int)text[i + 1]:X4}") : text.AsSpan(i, 2));
                i++;
            }
            else if ((text[i] == '\n' && lines) || !IsHidden(text[i]))
            {
                shown.Append(text[i]);
            }
            else
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:X4}");
            }
        }

        return shown.ToString();
    }

    // U+200C and U+200D, format characters too, join letters in names of several scripts.
    private static bool IsHidden(char c) => char.GetUnicodeCategory(c) switch
    {
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate => true,
        UnicodeCategory.Format => c is not ('\u200C' or '\u200D'),
        _ => c is '\uFFFE' or '\uFFFF',
    };
}

/// <summary>Text as by <see cref="InvariantText"/>, of whose holes each is cleaned by <see cref="ShownText"/>: what stands in the template itself
/// stays.</summary>
[InterpolatedStringHandler]
internal ref struct ShownTemplate(int literalLength, int formattedCount)
{
    private DefaultInterpolatedStringHandler _text = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted(string? value) => _text.AppendFormatted(ShownText.Of(value));

    public void AppendFormatted<T>(T value, string? format = null) =>
        _text.AppendFormatted(ShownText.Of(value is IFormattable number ? number.ToString(format, CultureInfo.InvariantCulture) : value?.ToString()));

    public override string ToString() => _text.ToStringAndClear();
}
