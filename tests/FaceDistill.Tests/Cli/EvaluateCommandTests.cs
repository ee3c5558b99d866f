using System.Text.Json;
using FaceDistill.Cli;
using FaceDistill.Cli.Rendering;
using FaceDistill.Evaluation.Results;
using FaceDistill.Formats;
using Spectre.Console;

namespace FaceDistill.Tests.Cli;

/// <summary>Each protocol of <c>evaluate</c> through the command line, on embeddings of 300 "people" with four images each.</summary>
public sealed class EvaluateCommandTests : IDisposable
{
    private const int People = 300, Images = 4, Dimension = 16;
    private readonly TempFolder _folder = new();

    public EvaluateCommandTests()
    {
        Write("teacher.npy", noise: 0.3f);
        Write("student.npy", noise: 0.6f);
        File.WriteAllLines(_folder["labels.txt"], Enumerable.Range(0, People * Images).Select(row => $"person {row / Images}"));
    }

    [Fact]
    public async Task Identification_searches_every_other_image_in_the_first_ones()
    {
        var (model, _) = await Measure("--protocol", "identification");
        var search = model.GetProperty("identification");
        Assert.Equal((People, People * (Images - 1)), (search.GetProperty("galleryImages").GetInt32(), search.GetProperty("probes").GetInt32()));
        Assert.Equal(People * (Images - 1), model.GetProperty("genuinePairs").GetInt64());
        Assert.Equal((People - 1L) * People * (Images - 1), model.GetProperty("impostorPairs").GetInt64());
        Assert.InRange(search.GetProperty("rank1").GetDouble(), 0.5, search.GetProperty("rank5").GetDouble());
        Assert.InRange(search.GetProperty("openSet").GetProperty("dirAtFar").GetProperty("1e-2").GetDouble(), 0.01, search.GetProperty("rank1").GetDouble());
    }

    [Fact]
    public async Task Identification_takes_a_gallery_and_a_share_of_unknown_people()
    {
        File.WriteAllLines(_folder["gallery.txt"], Enumerable.Range(0, 40).Select(person => $"row {(person * Images) + 2}"));
        var search = (await Measure("--protocol", "identification", "--gallery", _folder["gallery.txt"], "--unknown", "0.25")).Model.GetProperty(
            "identification");
        Assert.Equal((40, 120), (search.GetProperty("galleryImages").GetInt32(), search.GetProperty("probes").GetInt32()));
        Assert.Equal(30, search.GetProperty("openSet").GetProperty("galleryIdentities").GetInt32());
    }

    [Fact]
    public async Task Blufr_reads_the_toolkits_lists()
    {
        foreach (var (file, offset) in new[] { ("gallery_set.txt", 0), ("probe_set.txt", 1) })
        {
            // the gallery: the first 50 people's first images; the probes: everybody's second images
            string[] trial = [.. Enumerable.Range(0, offset == 0 ? 50 : People).Select(p => $"{p}, row {(p * Images) + offset}")];
            File.WriteAllLines(_folder[file], ["1", $"{trial.Length}", .. trial]);
        }

        var blufr = (await Measure("--protocol", "blufr", "--blufr-lists", _folder.Path)).Model.GetProperty("blufr");
        var only = Assert.Single(blufr.GetProperty("perTrial").EnumerateArray());
        Assert.Equal((350, 50, 250),
            (only.GetProperty("images").GetInt32(), only.GetProperty("genuineProbes").GetInt32(), only.GetProperty("impostorProbes").GetInt32()));
        Assert.Equal(only.GetProperty("verificationRate").GetDouble(), blufr.GetProperty("verificationRate").GetProperty("mean").GetDouble());
    }

    [Fact]
    public async Task The_terminal_counts_in_words_and_groups_of_thousands()
    {
        var (_, output, _) =
            await Run("evaluate", "--embeddings", _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--resamples", "0", "--no-metrics");
        Assert.Contains("teacher.npy: 1,200 images, 1,800 genuine and 717,600 impostor pairs", output, StringComparison.Ordinal);
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No });
        console.Profile.Width = 200;
        EvaluationTable.Render(console, new EvaluationResult("all-pairs", [new ModelResult("a", 1, 1, 1) { MissingImages = 1, SeveralFaces = 1 },
            new ModelResult("b", 2, 1, 1) { MissingImages = 2, SkippedPairs = 1000 }]));
        Assert.Contains("a: 1 image, 1 genuine and 1 impostor pairs; 1 photo shows several faces, the large one nearest the middle was measured; 1 image of "
            + "the "
            + "protocol is missing", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("b: 2 images, 1 genuine and 1 impostor pairs; 1,000 pairs of the protocol left out, an image is missing; 2 images of the protocol are "
            + "missing", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rates_that_are_asked_for_are_those_that_are_told()
    {
        string[] args = ["evaluate", "--embeddings", _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--resamples", "0", "--no-metrics"];
        var (code, output, error) = await Run([.. args, "--far", "2e-2", "1e-5"]);
        Assert.True(code == CommandLine.Done, error);
        Assert.Contains("TAR at 2e-2", output, StringComparison.Ordinal);
        Assert.Contains("TAR at 1e-5", output, StringComparison.Ordinal);
        Assert.Matches("TAR at 2e-2.*TAR at 1e-4.*TAR at 1e-5", output.ReplaceLineEndings(" ")); // with the one that decides, the largest first
        (code, output, error) = await Run([.. args, "--far", "1e-9"]);
        Assert.True(code == CommandLine.Done, error);
        Assert.Contains("too few pairs (717,600 of 1,000,000,000)", output, StringComparison.Ordinal);
        (code, _, error) = await Run([.. args, "--far", "1.5"]);
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("false accept rates must be at least 1e-12 and below 1", error, StringComparison.Ordinal);
        (code, _, error) = await Run([.. args, "--far", "1e-3", "--protocol", "blufr"]);
        Assert.NotEqual(CommandLine.Done, code);
        Assert.Contains("--far does not belong to blufr", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pairs_come_from_any_file()
    {
        File.WriteAllLines(_folder["mine.csv"], ["a,b,same", .. Enumerable.Range(0, 100).Select(p => $"row {p * Images},row {(p * Images) + 1},1"),
            .. Enumerable.Range(0, 100).Select(p => $"row {p * Images},row {(p + 1) * Images},0")]);
        var (model, _) = await Measure("--protocol", "pairs", "--pairs", _folder["mine.csv"]);
        Assert.Equal((100L, 100L), (model.GetProperty("genuinePairs").GetInt64(), model.GetProperty("impostorPairs").GetInt64()));
        Assert.InRange(model.GetProperty("tenFoldAccuracy").GetDouble(), 0.7, 1);
    }

    [Fact]
    public async Task A_reference_gives_retention_and_agreement_and_the_document_tells_time_and_memory()
    {
        var (code, output, _) = await Run(
            "evaluate", "--embeddings", _folder["student.npy"], _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--reference", "teacher.npy",
                "--json");
        Assert.Equal(CommandLine.Done, code);
        using var document = JsonDocument.Parse(output);
        var agreement = Assert.Single(document.RootElement.GetProperty("agreements").EnumerateArray());
        Assert.Equal(("teacher.npy", "student.npy"), (agreement.GetProperty("teacher").GetString(), agreement.GetProperty("student").GetString()));
        Assert.Equal(20, agreement.GetProperty("worst").GetArrayLength());
        Assert.True(agreement.GetProperty("cosine").GetProperty("mean").GetDouble() > agreement.GetProperty("cosine").GetProperty("otherImages").GetDouble());
        var search = agreement.GetProperty("search");
        Assert.Equal(2 * search[0].GetProperty("impostorPairs").GetInt64(), search[2].GetProperty("impostorPairs").GetInt64());
        var models = document.RootElement.GetProperty("models");
        Assert.Equal(models[1].GetProperty("tarAtFar").GetProperty("1e-4").GetDouble(), search[0].GetProperty("tarAtFar").GetProperty("1e-4").GetDouble());
        Assert.InRange(models[0].GetProperty("retentionAt1e-4").GetDouble(), 0.01, 1);
        Assert.Equal(2, models[0].GetProperty("retentionInterval95At1e-4").GetArrayLength());
        Assert.InRange(document.RootElement.GetProperty("peakMemoryBytes").GetInt64(), 1 << 20, 1L << 36);
        Assert.InRange(document.RootElement.GetProperty("seconds").GetDouble(), 0.001, 600);
    }

    [Fact]
    public async Task A_reference_may_be_the_argument_as_typed_where_two_files_have_one_name()
    {
        string other = Path.Combine(Directory.CreateDirectory(_folder["other"]).FullName, "teacher.npy");
        File.Copy(_folder["student.npy"], other);
        string[] args = ["evaluate", "--embeddings", other, _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--resamples", "0", "--json",
            "--reference"];
        var (code, output, error) = await Run([.. args, _folder["teacher.npy"]]);
        Assert.True(code == CommandLine.Done, error);
        using var document = JsonDocument.Parse(output);
        var models = document.RootElement.GetProperty("models");
        Assert.Equal((true, false), (models[0].TryGetProperty("retentionAt1e-4", out _), models[1].TryGetProperty("retentionAt1e-4", out _)));
        string[] names = [.. models.EnumerateArray().Select(m => m.GetProperty("name").GetString()!)];
        Assert.Equal([$"teacher.npy, {other}", $"teacher.npy, {_folder["teacher.npy"]}"], names);
        var searched = document.RootElement.GetProperty("agreements")[0].GetProperty("search").EnumerateArray();
        Assert.Equal([(names[1], names[1]), (names[0], names[0]), (names[1], names[0])],
            searched.Select(s => (s.GetProperty("gallery").GetString()!, s.GetProperty("probe").GetString()!)));
        (code, _, error) = await Run([.. args, "teacher.npy"]);
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains($"names 2 of the models; give one of {other}, {_folder["teacher.npy"]}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agreement_can_be_left_out_and_retention_stays()
    {
        var (code, output, error) = await Run("evaluate", "--embeddings", _folder["student.npy"], _folder["teacher.npy"], "--labels", _folder["labels.txt"],
            "--reference", "teacher.npy", "--no-agreement", "--resamples", "0", "--json");
        Assert.True(code == CommandLine.Done, error);
        using var document = JsonDocument.Parse(output);
        Assert.False(document.RootElement.TryGetProperty("agreements", out _));
        Assert.True(document.RootElement.GetProperty("models")[0].TryGetProperty("retentionAt1e-4", out _));
        Assert.DoesNotContain("scoring teacher with student", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Euclidean_scores_say_that_they_give_no_agreement()
    {
        var (code, output, error) = await Run("evaluate", "--embeddings", _folder["student.npy"], _folder["teacher.npy"], "--labels", _folder["labels.txt"],
            "--reference", "teacher.npy", "--score", "euclidean", "--resamples", "0", "--json");
        Assert.True(code == CommandLine.Done, error);
        using var document = JsonDocument.Parse(output);
        Assert.False(document.RootElement.TryGetProperty("agreements", out _));
        Assert.True(document.RootElement.GetProperty("models")[0].TryGetProperty("retentionAt1e-4", out _));
        Assert.Contains("agreement with the teacher is measured by cosine only", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_table_says_the_documents_retention_agreement_and_search()
    {
        string[] args = ["evaluate", "--embeddings", _folder["student.npy"], _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--reference",
            "teacher.npy"];
        using var document = JsonDocument.Parse((await Run([.. args, "--json"])).Output);
        string table = (await Run(args)).Output;
        var student = document.RootElement.GetProperty("models")[0];
        var agreement = document.RootElement.GetProperty("agreements")[0];
        double[] interval = [.. student.GetProperty("retentionInterval95At1e-4").EnumerateArray().Select(bound => 100 * bound.GetDouble())];
        Assert.Contains(FormattableString.Invariant($"{100 * student.GetProperty("retentionAt1e-4").GetDouble():0.00}%"), table, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"{interval[0]:0.00}-{interval[1]:0.00}"), table, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant(
            $"student.npy agrees with teacher.npy: cosine {agreement.GetProperty("cosine").GetProperty("mean").GetDouble():0.000}"), table,
            StringComparison.Ordinal);
        Assert.Contains("worst image " + agreement.GetProperty("worst")[0].GetProperty("path").GetString(), table, StringComparison.Ordinal);
        double found = agreement.GetProperty("search")[2].GetProperty("tarAtFar").GetProperty("1e-4").GetDouble();
        Assert.Contains(FormattableString.Invariant($"gallery of teacher.npy, probes of student.npy: TAR at 1e-4: {100 * found:0.00}%"), table,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("all-pairs")]
    [InlineData("identification")]
    public async Task A_report_says_in_four_files_what_the_document_says(string protocol)
    {
        string[] args = ["evaluate", "--embeddings", _folder["student.npy"], _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--reference",
            "teacher.npy",
            "--protocol", protocol, "--seed", "1", "--report", _folder["report"], "--json"];
        var (code, output, error) = await Run(args);
        Assert.True(code == CommandLine.Done, error);
        Assert.Equal(["report.csv", "report.html", "report.json", "report.md"], Directory.GetFiles(_folder["report"]).Select(Path.GetFileName)
            .Order(StringComparer.Ordinal));
        Assert.Equal(output.Trim(), File.ReadAllText(_folder["report/report.json"]).Trim());
        using var document = JsonDocument.Parse(output);
        var model = document.RootElement.GetProperty("models")[0];
        string html = File.ReadAllText(_folder["report/report.html"]), markdown = File.ReadAllText(_folder["report/report.md"]);
        string[][] rows = [.. File.ReadAllLines(_folder["report/report.csv"]).Select(line => line.Split(','))];
        double figure = protocol == "all-pairs"
            ? model.GetProperty("tarAtFar").GetProperty("1e-4").GetDouble()
            : model.GetProperty("identification").GetProperty("rank5").GetDouble();
        string shown = FormattableString.Invariant($"{100 * figure:0.00}%");
        Assert.Contains(shown, html, StringComparison.Ordinal);
        Assert.Contains(shown, markdown, StringComparison.Ordinal);
        Assert.Contains(figure, rows.Where(r => r[1] == "student.npy").SelectMany(r => r)
            .Select(c => double.TryParse(c, System.Globalization.CultureInfo.InvariantCulture, out double v) ? v : double.NaN));
        Assert.All(rows, row => Assert.Equal(rows[0].Length, row.Length));
        Assert.Contains(protocol == "all-pairs" ? "Agreement of student.npy with teacher.npy" : "rank-5", markdown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_without_metrics_says_that_its_curves_are_left_out()
    {
        var (code, _, error) =
            await Run("evaluate", "--embeddings", _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--no-metrics", "--resamples", "0", "--report",
            _folder["report"]);
        Assert.True(code == CommandLine.Done, error);
        Assert.Contains("--no-metrics", File.ReadAllText(_folder["report/report.html"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("identification", "rank-5")]
    [InlineData("all-pairs", "GB of memory")]
    public async Task People_read_a_table(string protocol, string expected) => Assert.Contains(
        expected, (await Run("evaluate", "--embeddings", _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--protocol", protocol)).Output,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("--gallery x", CommandLine.Usage, "--gallery belongs to --protocol identification, not to all-pairs")]
    [InlineData("--protocol identification --pairs x", CommandLine.Usage, "--pairs belongs to")]
    [InlineData("--protocol blufr", CommandLine.Failed, "BLUFR needs 1000")]
    [InlineData("--protocol blufr --blufr-lists {0}", CommandLine.Failed, "gallery_set.txt")]
    [InlineData("--protocol identification --unknown 1.5", CommandLine.Failed, "at least 0 and below 1, not 1.5")]
    [InlineData("--protocol identification --gallery {0}/none.txt", CommandLine.Failed, "none.txt")]
    [InlineData("--protocol identification --score euclidean", CommandLine.Failed, "cosine only")]
    [InlineData("--protocol pairs --pairs {0}/none.csv", CommandLine.Failed, "none.csv")]
    [InlineData("--report-faces", CommandLine.Usage, "--report-faces needs a report")]
    [InlineData("--report {0}/labels.txt", CommandLine.Failed, "labels.txt")]
    [InlineData("--reference nobody", CommandLine.Failed, "give one of {0}/teacher.npy")]
    public async Task What_cannot_be_done_is_one_line(string more, int expectedCode, string expected)
    {
        string[] args = [.. more.Split(' ').Select(a => a.Replace("{0}", _folder.Path, StringComparison.Ordinal))];
        var (code, output, error) = await Run(["evaluate", "--embeddings", _folder["teacher.npy"], "--labels", _folder["labels.txt"], .. args]);
        Assert.Equal((expectedCode, ""), (code, output));
        Assert.Contains(expected.Replace("{0}", _folder.Path, StringComparison.Ordinal), error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<(JsonElement Model, JsonElement Document)> Measure(params string[] more)
    {
        var (code, output, error) = await Run(["evaluate", "--embeddings", _folder["teacher.npy"], "--labels", _folder["labels.txt"], "--json", .. more]);
        Assert.True(code == CommandLine.Done, error);
        var document = JsonDocument.Parse(output).RootElement.Clone();
        return (document.GetProperty("models")[0], document);
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await CommandLine.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>The same people for both models; each image is its person's vector with noise.</summary>
    private void Write(string file, float noise)
    {
        var (person, image) = (new Random(1), new Random(2));
        float[] values = new float[People * Images * Dimension];
        for (int p = 0; p < People; p++)
        {
            float[] centre = [.. Enumerable.Range(0, Dimension).Select(_ => person.NextSingle() - 0.5f)];
            for (int i = 0; i < Images * Dimension; i++)
            {
                values[(p * Images * Dimension) + i] = centre[i % Dimension] + (noise * (image.NextSingle() - 0.5f));
            }
        }

        NpyFile.Write(_folder[file], Dimension, values);
    }
}
