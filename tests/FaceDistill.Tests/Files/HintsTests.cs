using FaceDistill.Files;

namespace FaceDistill.Tests.Files;

public sealed class HintsTests
{
    [Theory]
    [InlineData("distil", "distill")]
    [InlineData("evalute", "evaluate")]
    [InlineData("EXPORT", "export")]
    [InlineData("epxort", "export")] // neighbours exchanged
    [InlineData("tab", "table14")] // its beginning
    [InlineData("xyz", null)]
    [InlineData("", null)]
    public void The_nearest_name_is_meant(string typed, string? meant) =>
        Assert.Equal(meant, Hints.Nearest(typed, ["distill", "evaluate", "export", "table14"]));

    [Fact]
    public void The_command_is_named_as_it_was_started()
    {
        Assert.Equal("facedistill align", Hints.Typed(["align"]));
        try
        {
            Environment.SetEnvironmentVariable(Hints.CommandVariable, "./facedistill");
            Assert.Equal("./facedistill align --data 'my photos' --output 'it'\\''s'", Hints.Typed(["align", "--data", "my photos", "--output", "it's"]));
        }
        finally
        {
            Environment.SetEnvironmentVariable(Hints.CommandVariable, null);
        }
    }
}
