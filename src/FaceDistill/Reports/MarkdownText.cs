using FaceDistill.Files;

namespace FaceDistill.Reports;

/// <summary>Text of others (names of folders and models, licences) within Markdown.</summary>
internal static class MarkdownText
{
    /// <summary>The text, without what would end a table's cell, begin HTML or mark up what follows. An underscore within a name or an address marks up
    /// nothing.</summary>
    public static string Of(string? value) =>
        string.Concat(ShownText.Of(value).Select(c => @"\`*|<[".Contains(c, StringComparison.Ordinal) ? $"\\{c}" : $"{c}"));
}
