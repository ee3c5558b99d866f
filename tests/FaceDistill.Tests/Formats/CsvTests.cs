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
}
