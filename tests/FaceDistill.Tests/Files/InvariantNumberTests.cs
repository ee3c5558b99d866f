using System.Globalization;
using System.Text.RegularExpressions;
using FaceDistill.Files;

namespace FaceDistill.Tests.Files;

public sealed partial class InvariantNumberTests
{
    [Theory]
    [InlineData("1.5", 1.5)]
    [InlineData("-1e-3", -1e-3)]
    [InlineData("+2", 2.0)]
    [InlineData(".5", 0.5)]
    [InlineData("1,5", null)]
    [InlineData("1,000", null)]
    [InlineData("1.000.000", null)]
    [InlineData("1 000", null)]
    [InlineData("1'000", null)]
    [InlineData(" 1", null)]
    [InlineData("1 ", null)]
    [InlineData("(1)", null)]
    [InlineData("\u0661", null)] // an Arabic 1
    [InlineData("NaN", null)]
    [InlineData("1e999", null)]
    [InlineData("", null)]
    public void A_number_is_read_whatever_the_culture(string text, double? expected)
    {
        foreach (string separators in new[] { ".,", ",.", ",\u00A0" })
        {
            In(separators, () =>
            {
                Assert.Equal(expected, InvariantNumber.Real(text, out double value) ? value : null);
                Assert.Equal(expected is not null, InvariantNumber.Real<float>(text, out _));
            });
        }
    }

    [Theory]
    [InlineData("15", 15, 15)]
    [InlineData("-1", -1, null)]
    [InlineData("1,5", null, null)]
    [InlineData("1,000", null, null)]
    [InlineData("1.0", null, null)]
    [InlineData("99999999999", null, null)]
    public void A_whole_number_has_digits_alone(string text, int? whole, int? count) => In(",.", () =>
    {
        Assert.Equal(whole, InvariantNumber.Whole(text, out int value) ? value : null);
        Assert.Equal(count, InvariantNumber.Count(text, out int things) ? things : null);
    });

    [Theory]
    [InlineData("1,5", typeof(double), "'1,5' is no number; a point stands before decimals, and nothing between thousands")]
    [InlineData("1,000", typeof(int), "'1,000' is no whole number; nothing stands between thousands")]
    [InlineData("1.5", typeof(int), "'1.5' is no whole number")]
    [InlineData("many", typeof(double), "'many' is no number")]
    [InlineData("1e999", typeof(double), "'1e999' is too large a number")]
    [InlineData("99999999999", typeof(int), "'99999999999' is too large a number")]
    [InlineData("1.5", typeof(double), null)]
    [InlineData("1,5", typeof(string), null)]
    public void What_is_wrong_is_said_with_the_remedy(string text, Type type, string? says) => Assert.Equal(says, InvariantNumber.Problem(text, type));

    // .NET's own readings take separators of thousands, blanks or the machine's culture unless each call says otherwise.
    [Fact]
    public void No_other_place_reads_numbers_from_text()
    {
        var wrong = from file in Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, "src"), "*.cs", SearchOption.AllDirectories)
                    where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                        && Path.GetFileName(file) is not ("InvariantText.cs" or "SvgPlot.cs") // the latter reads what ScottPlot has just written
                    from line in File.ReadLines(file)
                    where Reading().IsMatch(line)
                    select $"{Path.GetFileName(file)}: {line.Trim()}";
        Assert.Empty(wrong);
    }

    // The culture's point and its separator of thousands: cultures by name are not there in a program that runs without their data.
    private static void In(string separators, Action act)
    {
        var before = CultureInfo.CurrentCulture;
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator) = (separators[..1], separators[1..]);
        CultureInfo.CurrentCulture = culture;
        try
        {
            act();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [GeneratedRegex(@"\b(double|float|decimal|Half|s?byte|u?short|u?int|u?long|BigInteger)\.(Try)?Parse\(|Convert\.To(Double|Single|Decimal|U?Int\d+)\("
        + @"(?!flags|n,)")] // octal flags of /proc; a pickle's own number
    private static partial Regex Reading();
}
