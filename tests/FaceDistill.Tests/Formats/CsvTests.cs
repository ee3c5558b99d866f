using FaceDistill.Formats;

namespace FaceDistill.Tests.Formats;

public sealed class CsvTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("a, b", "\"a, b\"")]
    [InlineData("say \"a\"", "\"say \"\"a\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("a\rb", "\"a\rb\"")]
    public void A_field_is_quoted_where_it_needs_it(string value, string field) =>
        Assert.Equal($"a,b\n1,{field}\n2,\n", Csv.Text("a,b", [[1, value], [2, null]]));

    [Theory]
    [InlineData("=1+1.jpg", "'=1+1.jpg")]
    [InlineData("+a", "'+a")]
    [InlineData("-a", "'-a")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("\r=1", "\"'\r=1\"")]
    [InlineData("'=1", "''=1")] // so that reading gives back what was written
    [InlineData("''@", "'''@")]
    [InlineData("=HYPERLINK(\"a\",1)", "\"'=HYPERLINK(\"\"a\"\",1)\"")]
    [InlineData("'tis", "'tis")]
    [InlineData("a=1", "a=1")]
    [InlineData("-0.5", "-0.5")] // a number
    [InlineData("+1e-3", "+1e-3")]
    [InlineData("", "")]
    public void A_text_is_no_formula_in_a_spreadsheet_and_is_read_unchanged(string value, string field)
    {
        string text = Csv.Text("a,b", [[1, value]]);
        Assert.Equal($"a,b\n1,{field}\n", text);
        Assert.Equal(["1", value], Csv.Rows(new StringReader(text), "x.csv").Last().Fields);
    }

    [Fact]
    public void Numbers_stay_numbers() => Assert.Equal("a,b,c\n-0.5,-3,1E-05\n", Csv.Text("a,b,c", [[-0.5, -3L, 1e-5f]]));
}
