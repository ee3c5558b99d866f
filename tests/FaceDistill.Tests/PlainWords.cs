using System.Text.RegularExpressions;

namespace FaceDistill.Tests;

/// <summary>What a message to people may not say: the words of .NET and of the libraries that read the formats.</summary>
internal static partial class PlainWords
{
    /// <summary>The message itself, looked through.</summary>
    public static string In(string message)
    {
        Assert.DoesNotMatch(Foreign(), message);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    [GeneratedRegex(@"Exception|System\.|Parameter '|Specified arg|Index was|Object reference|Unable to (cast|read|parse)|Arg_|LineNumber|BytePosition|"
        + @"Nullable|Non-negative|Offset and length|beyond the end of the stream|operation is not valid|given key|must be (less|greater|non)|Thrift|"
        + @"invalid (start|format)|input string|could not be converted|IO_", RegexOptions.IgnoreCase)]
    private static partial Regex Foreign();
}
