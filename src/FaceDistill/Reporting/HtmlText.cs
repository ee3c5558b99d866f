using System.Net;

namespace FaceDistill.Reporting;

/// <summary>Text that is HTML already and is not escaped again.</summary>
/// <param name="Html">The markup.</param>
internal readonly record struct HtmlText(string Html)
{
    /// <summary>Nothing.</summary>
    public static HtmlText Empty { get; } = new("");

    /// <summary>Makes markup from a template: its holes are escaped unless they are <see cref="HtmlText"/>, so that a path or a
    /// name can never become markup.</summary>
    public static HtmlText Of(FormattableString template) => new(string.Format(Escaper.Instance, template.Format, template.GetArguments()));

    /// <summary>Joins pieces.</summary>
    public static HtmlText Join(IEnumerable<HtmlText> pieces) => new(string.Concat(pieces.Select(piece => piece.Html)));

    /// <summary>The markup.</summary>
    public override string ToString() => Html ?? "";

    private sealed class Escaper : IFormatProvider, ICustomFormatter
    {
        public static readonly Escaper Instance = new();

        public object? GetFormat(Type? formatType) => formatType == typeof(ICustomFormatter) ? this : null;

        public string Format(string? format, object? arg, IFormatProvider? formatProvider) => arg switch
        {
            null => "",
            HtmlText html => html.ToString(),
            IFormattable value => WebUtility.HtmlEncode(value.ToString(format, System.Globalization.CultureInfo.InvariantCulture)),
            _ => WebUtility.HtmlEncode(arg.ToString() ?? ""),
        };
    }
}
