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

    [Theory]
    [InlineData("photos", "photos", "photos")]
    [InlineData("a b", "'a b'", "\"a b\"")]
    [InlineData("it's", "'it'\\''s'", "\"it's\"")]
    [InlineData("C:\\faces\\new", "'C:\\faces\\new'", "C:\\faces\\new")]
    [InlineData("C:\\my faces\\", "'C:\\my faces\\'", "\"C:\\my faces\\\\\"")]
    [InlineData("a\"b", "'a\"b'", "\"a\\\"b\"")]
    [InlineData("a&b", "'a&b'", "\"a&b\"")]
    [InlineData("", "''", "\"\"")]
    public void An_argument_is_quoted_as_the_system_s_shell_reads_it(string argument, string posix, string windows) =>
        Assert.Equal((posix, windows), (Hints.Quoted(argument, windows: false), Hints.Quoted(argument, windows: true)));

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
