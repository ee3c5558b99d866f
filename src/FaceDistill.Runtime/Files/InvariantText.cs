using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace FaceDistill.Files;

/// <summary>Text whose numbers are written in the invariant culture: from one interpolated string, or from several joined by +.</summary>
[InterpolatedStringHandler]
internal ref struct InvariantText(int literalLength, int formattedCount)
{
    private DefaultInterpolatedStringHandler _text = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

    public static string Of(InvariantText text) => text.ToString();

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted(string? value) => _text.AppendFormatted(value);

    public void AppendFormatted(object? value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

    public void AppendFormatted<T>(T value, int alignment, string? format = null) => _text.AppendFormatted(value, alignment, format);

    public override string ToString() => _text.ToStringAndClear();
}

/// <summary>The one place that reads numbers from text, whatever the culture: a point before decimals, nothing between thousands, no blanks. '1,5' is no
/// number, where .NET's usual styles read 15.</summary>
internal static class InvariantNumber
{
    private const NumberStyles Signed = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Reads a finite number: sign, digits, point and exponent.</summary>
    public static bool Real<T>(ReadOnlySpan<char> text, out T value)
        where T : IBinaryFloatingPointIeee754<T> =>
        T.TryParse(text, Signed, CultureInfo.InvariantCulture, out value!) && T.IsFinite(value);

    /// <summary>Reads a whole number: sign and digits.</summary>
    public static bool Whole<T>(ReadOnlySpan<char> text, out T value)
        where T : IBinaryInteger<T> => T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value!);

    /// <summary>Reads a number of things: digits alone.</summary>
    public static bool Count<T>(ReadOnlySpan<char> text, out T value)
        where T : IBinaryInteger<T> => T.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value!);

    /// <summary>Reads a finite number that FaceDistill wrote itself, such as the label of a rate.</summary>
    /// <exception cref="FaceDistillException">It is none.</exception>
    public static double Of(string text) => Real(text, out double value) ? value : throw new FaceDistillException($"'{text}' is no number");

    /// <summary>What is wrong with a text where a number of this type is wanted, with the remedy; null where it is one, or the type none.</summary>
    public static string? Problem(string text, Type type)
    {
        bool whole = type == typeof(int) || type == typeof(long);
        bool large = whole ? Whole<BigInteger>(text, out _) : double.TryParse(text, Signed, CultureInfo.InvariantCulture, out double d) && double.IsInfinity(d);
        return (type != typeof(double) || Real<double>(text, out _)) && (type != typeof(float) || Real<float>(text, out _))
                && (type != typeof(int) || Whole<int>(text, out _)) && (type != typeof(long) || Whole<long>(text, out _)) ? null
            : large ? $"'{text}' is too large a number"
            : (whole ? $"'{text}' is no whole number" : $"'{text}' is no number") + (!text.Contains(',', StringComparison.Ordinal) ? ""
                : whole ? "; nothing stands between thousands" : "; a point stands before decimals, and nothing between thousands");
    }
}
