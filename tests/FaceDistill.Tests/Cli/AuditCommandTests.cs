using System.Text.Json;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Synthetic;

namespace FaceDistill.Tests.Cli;

public sealed class AuditCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("give either the training faces (--data) or a run folder", "--test", "t", "--output", "a.csv")]
    [InlineData("give either the training faces (--data) or a run folder", "--data", "d", "--model", "r", "--test", "t")]
    [InlineData("give test faces (--test), or look for duplicates", "--data", "d", "--output", "a.csv")]
    [InlineData("name the list to write", "--data", "d", "--test", "t")]
    [InlineData("give one of them", "--data", "d", "--test", "t", "--output", "a.csv", "--far", "1e-5", "--threshold", "0.5")]
    [InlineData("--duplicate-threshold belongs to --within", "--data", "d", "--test", "t", "--output", "a.csv", "--duplicate-threshold", "0.8")]
    [InlineData("belong to --test", "--data", "d", "--within", "--output", "a.csv", "--threshold", "0.8")]
    public async Task Options_that_do_not_fit_together_are_a_usage_error(string expected, params string[] options)
    {
        var (code, _, error) = await Run(["audit", .. options]);
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--teacher", "faceplugin-512")]
    [InlineData("--aligned", "dlib")]
    public async Task What_stores_do_not_take_is_a_usage_error(params string[] options)
    {
        Directory.CreateDirectory(_folder["store"]);
        File.WriteAllText(_folder["store/store.json"], "{}");
        var (code, _, error) = await Run(["audit", "--data", _folder["store"], "--test", _folder["store"], "--output", _folder["a.csv"], .. options]);
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains("stores keep what their model gave", error, StringComparison.Ordinal);
        (_, _, error) = await Run(["audit", "--data", _folder["store"], "--test", _folder["none"], "--output", _folder["a.csv"], .. options]);
        Assert.DoesNotContain("stores keep", error, StringComparison.Ordinal); // its pictures are embedded
    }

    [Fact]
    public async Task An_audit_prints_one_document_or_a_table()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(3, 4, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string card = TinyTeacher.Write(_folder["teacher"]);
        string[] options = ["audit", "--data", _folder["faces"], "--test", _folder["faces"], "--teacher", card, "--threshold", "0.99999", "--within",
            "--output", _folder["audit.csv"]];
        var (code, output, _) = await Run([.. options, "--json"]);
        Assert.Equal(CommandLine.Done, code);
        using var document = JsonDocument.Parse(output);
        Assert.Equal(12, document.RootElement.GetProperty("tests")[0].GetProperty("counts")[0].GetProperty("sameFiles").GetInt32());
        Assert.Equal(12, document.RootElement.GetProperty("listed").GetInt32());
        (code, output, _) = await Run(options);
        Assert.Equal(CommandLine.Done, code);
        Assert.Contains("12 pictures in ", output, StringComparison.Ordinal);
        Assert.Contains("a match is a cosine of at least 1.0000 by tiny", output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
