using System.Text.Json;
using FaceDistill.Cli;

namespace FaceDistill.Tests.Cli;

/// <summary><c>compare</c> and <c>search</c> on the command line.</summary>
public sealed class CompareCommandTests
{
    private static readonly string A = Photo("George_W_Bush", 1), B = Photo("George_W_Bush", 2);

    [Theory]
    [InlineData("compare", "a.jpg")]
    [InlineData("search", "a.jpg")]
    [InlineData("search", "a.jpg", "--gallery", "g", "--top", "x")]
    public async Task What_is_missing_or_wrong_is_a_usage_error(params string[] line)
    {
        var (code, output, error) = await Run(line);
        Assert.Equal((CommandLine.Usage, ""), (code, output));
        Assert.Single(error.Trim().Split('\n'));
    }

    [Fact]
    public async Task A_photo_that_is_not_there_is_one_line()
    {
        var (code, output, error) = await Run("compare", "none.jpg", "none2.jpg");
        Assert.Equal((CommandLine.Failed, ""), (code, output));
        Assert.EndsWith("none.jpg is not there; give a photo's file", error.Trim(), StringComparison.Ordinal);
        (code, output, error) = await Run("search", "none.jpg", "--gallery", "g", "--top", "0");
        Assert.Equal((CommandLine.Failed, ""), (code, output));
        Assert.EndsWith("--top is at least 1, not 0", error.Trim(), StringComparison.Ordinal);
    }

    [RealDataFact]
    public async Task The_terminal_gets_similarity_verdict_rate_and_faces_in_words()
    {
        var (code, output, error) = await Run("compare", A, B);
        Assert.Equal((CommandLine.Done, ""), (code, error));
        string text = string.Join(' ', output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)); // however it is wrapped
        Assert.Matches(@"^similarity 0\.\d{4}", text);
        Assert.Matches(@"the same person at FAR 1e-4 \(threshold 0\.\d{4}, which one of 10,000 pairs of two people reaches\)", text);
        Assert.Contains("FAR at which the pair would just be accepted: ", text, StringComparison.Ordinal);
        Assert.Contains("6,844,451 pairs of two people (lfw-view1-test)", text, StringComparison.Ordinal);
        Assert.Contains("pixels, detector's score 0.9", text, StringComparison.Ordinal);
    }

    [RealDataFact]
    public async Task Json_says_the_same()
    {
        var (code, output, _) = await Run("compare", A, B, "--json");
        Assert.Equal(CommandLine.Done, code);
        using var document = JsonDocument.Parse(output);
        var root = document.RootElement;
        double similarity = root.GetProperty("similarity").GetDouble();
        Assert.Equal(similarity >= root.GetProperty("by").GetProperty("threshold").GetDouble(), root.GetProperty("same").GetBoolean());
        Assert.Equal(6844451, root.GetProperty("falseAcceptRate").GetProperty("impostorPairs").GetInt64());
        Assert.Equal((1, B),
            (root.GetProperty("a").GetProperty("face").GetProperty("faces").GetInt32(), root.GetProperty("b").GetProperty("path").GetString()));
    }

    [RealDataFact]
    public async Task A_damaged_photo_is_told_of_beside_its_verdict()
    {
        using var folder = new TempFolder();
        byte[] photo = File.ReadAllBytes(A);
        (photo[^200], photo[^199]) = (0xff, 0xd9); // an end before the end
        File.WriteAllBytes(folder["a.jpg"], photo);
        foreach (string[] line in new string[][] { ["compare", folder["a.jpg"], B, "--json"], ["search", folder["a.jpg"], "--gallery", folder.Path, "--json"] })
        {
            var (code, output, _) = await OtherProcess.Shell("", line);
            Assert.Equal(CommandLine.Done, code);
            using var document = JsonDocument.Parse(output);
            Assert.Contains(document.RootElement.GetProperty("warnings").EnumerateArray(), w => w.GetString()!.StartsWith(
                $"{folder["a.jpg"]}: the photo is damaged, though a face is found in it: Corrupt JPEG data", StringComparison.Ordinal));
        }
    }

    private static string Photo(string person, int number) =>
        Path.Combine(RealData.Lfw ?? "", "images", person, FormattableString.Invariant($"{person}_{number:0000}.jpg"));

    private static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await CommandLine.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
