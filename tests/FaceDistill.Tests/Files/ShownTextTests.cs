using FaceDistill.Export.Int8;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Files;

public sealed class ShownTextTests
{
    [Theory]
    [InlineData("plain name 1.jpg", "plain name 1.jpg")]
    [InlineData("\u001b[2Jgone", @"\u001B[2Jgone")]
    [InlineData("a\nb\tc\r", @"a\u000Ab\u0009c\u000D")]
    [InlineData("gpj.\u202Eexe", @"gpj.\u202Eexe")]
    [InlineData("\u2066x\u2069\u200F\uFEFF", @"\u2066x\u2069\u200F\uFEFF")]
    [InlineData("\u2028\u0085\u007f", @"\u2028\u0085\u007F")]
    [InlineData("Zoë 王 🙂 نام\u200cها", "Zoë 王 🙂 نام\u200cها")]
    [InlineData("\ufffe", @"\uFFFE")]
    [InlineData("tag \U000E0041", @"tag \uDB40\uDC41")]
    public void What_would_steer_a_terminal_or_hide_a_name_is_shown(string name, string shown)
    {
        Assert.Equal(shown, ShownText.Of(name));
        Assert.Equal(shown.Replace(@"\u000A", "\n", StringComparison.Ordinal), ShownText.Lines(name));
        Assert.Equal($"| {shown} |\n1.50", ShownText.Of($"| {name} |\n{1.5:0.00}"));
    }

    [Theory]
    [InlineData(CalibrationMethod.MeanSquaredError, "mean squared error")]
    [InlineData(HeadKind.Gdc, "gdc")]
    [InlineData(PrecisionMode.Bf16, "bf16")]
    [InlineData(OptimizerKind.AdamW, "adamw")]
    public void Names_of_the_program_are_words(Enum name, string words) => Assert.Equal(words, ShownText.Words(name));

    [Fact]
    public void Half_a_character_is_shown_too() => Assert.Equal(@"half \uD83D", ShownText.Of("half \ud83d"));
}
