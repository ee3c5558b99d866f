using FaceDistill.Cli;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Cli;

/// <summary>Options that the chosen protocol would silently leave aside.</summary>
public sealed class EvaluateUsageTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public EvaluateUsageTests()
    {
        NpyFile.Write(_folder["a.npy"], 2, [1, 2, 2, 4, 1, 3, 3, -6]);
        File.WriteAllText(_folder["labels.txt"], "one\none\ntwo\ntwo\n");
    }

    [Theory]
    [InlineData("pairs", "--resamples 50", "gives no intervals")]
    [InlineData("pairs", "--seed 3", "draws nothing")]
    [InlineData("identification", "--resamples 50", "gives no intervals")]
    [InlineData("blufr", "--seed 3 --blufr-lists x", "draws nothing")]
    [InlineData("ijbc-1n", "--resamples 50", "gives no intervals")]
    public async Task Statistics_that_a_protocol_does_not_take_are_refused(string protocol, string options, string why)
    {
        var (code, _, error) = await Run(["evaluate", "--embeddings", _folder["a.npy"], "--labels", _folder["labels.txt"], "--protocol", protocol,
            .. options.Split(' ')]);
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains($"{options.Split(' ')[0]} does not belong to {protocol}, which {why}", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("identification", "--seed 3")]
    [InlineData("pairs", "--resamples 0 --no-metrics --no-agreement")] // what these leave out is left out
    [InlineData("all-pairs", "--seed 3 --resamples 0 --no-metrics --no-agreement --far 1e-1")]
    public async Task Those_that_it_takes_are_taken(string protocol, string options)
    {
        var (_, _, error) = await Run(["evaluate", "--embeddings", _folder["a.npy"], "--labels", _folder["labels.txt"], "--protocol", protocol,
            .. options.Split(' ')]);
        Assert.DoesNotContain("does not belong", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("identification")]
    [InlineData("ijbc")]
    public async Task Faces_of_pairs_that_a_protocol_does_not_name_are_refused(string protocol)
    {
        var (code, _, error) = await Run("evaluate", "--embeddings", _folder["a.npy"], "--labels", _folder["labels.txt"], "--protocol", protocol,
            "--report", _folder["report"], "--report-faces");
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains($"--report-faces shows the worst pairs, and {protocol} names none", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_begins_with_an_at_sign_is_a_name()
    {
        var (code, _, error) = await Run("evaluate", "--embeddings", "@none.npy", "--labels", "@labels.txt");
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("@none.npy", error, StringComparison.Ordinal);
        Assert.DoesNotContain("esponse file", error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await CommandLine.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
