using System.Globalization;
using System.Text.RegularExpressions;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Table14;
using FaceDistill.Tests.Reports;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Table14;

public sealed class Table14ReportTests : IDisposable
{
    internal const string Wide = "mobilenet-v1:1.0@128", Large = "mobilenet-v1:0.75@160", Narrow = "mobilenet-v1:0.25@96";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_file_says_the_lines_figures_and_the_papers()
    {
        Table14Report.Write(Result([Line(Wide, 0.30), Line(Large, 0.2), Line(Narrow, 0.05)]), _folder.Path);
        string[] head = File.ReadLines(_folder["table14.csv"]).First().Split(','), wide = File.ReadLines(_folder["table14.csv"]).ElementAt(1).Split(',');
        string Cell(string name) => wide[Array.IndexOf(head, name)];
        Assert.Equal([Wide, "0.3", "6844451"], new[] { "student", "tarAt1e-4", "impostorPairs" }.Select(Cell));
        Assert.Equal(0.783, double.Parse(Cell("paperAccuracy"), CultureInfo.InvariantCulture), 12);
        Assert.Equal(78.3 / 83, double.Parse(Cell("paperRetention"), CultureInfo.InvariantCulture), 6);
        Assert.Equal("185", Cell("paperMillionMultAdds"));
        string markdown = File.ReadAllText(_folder["table14.md"]), page = File.ReadAllText(_folder["report.html"]);
        Assert.Contains("30.00% (20.00-40.00)", markdown, StringComparison.Ordinal);
        Assert.Contains("<span class=\"main\">30.00%</span> <span class=\"sub\">20.00-40.00</span>", page, StringComparison.Ordinal);
        Assert.Contains("42.86% (35.00-50.00)", markdown, StringComparison.Ordinal);
        Assert.All(new[] { "94.3%", "280.0", "185.5", "6,844,451 impostor pairs", "1.0@128", "166",
            "1.0@160 printed 286, counted 290", "0.75@128 printed 3.8, counted 1.8" }, text =>
        {
            Assert.Contains(text, markdown, StringComparison.Ordinal);
            Assert.Contains(text, page, StringComparison.Ordinal);
        });
        Assert.StartsWith("<svg xmlns", File.ReadAllText(_folder["table14.svg"]), StringComparison.Ordinal);
        Assert.Equal(JsonFile.Serialize(Result([Line(Wide, 0.30), Line(Large, 0.2), Line(Narrow, 0.05)])) + "\n", File.ReadAllText(_folder["table14.json"]));
    }

    [Fact]
    public void The_teachers_cost_stands_beside_the_students_and_is_a_dot_of_the_plot()
    {
        var result = Result([Line(Wide, 0.30), Line(Narrow, 0.05)]);
        Table14Report.Write(result, _folder.Path);
        string plot = File.ReadAllText(_folder["table14.svg"]);
        Assert.Contains(">teacher tiny, 280 M<", plot, StringComparison.Ordinal);
        Assert.Contains("teacher 70.00% at 280.0 million", plot, StringComparison.Ordinal);
        var table = Table14Table.Of(result)[0];
        Assert.Equal(["TAR at 1e-4", "M mult-adds"], table.Columns.Take(2).Select(c => c.Head));
        Assert.Equal(("teacher: tiny", "280.0"), (table.Rows[0].Name, table.Rows[0].Cells[1]));
        var files = Table14Table.Of(result)[^1];
        Assert.EndsWith("tiny itself takes 280 million mult-adds", files.Caption, StringComparison.Ordinal);
        Assert.Equal(["280.0", "185.5 (1.5)"], files.Rows.Take(2).Select(r => r.Cells[2]));
        Table14Report.Write(result with { Speed = null }, _folder.Path); // nothing was timed: the cost is not known yet
        Assert.Contains(">teacher tiny<", File.ReadAllText(_folder["table14.svg"]), StringComparison.Ordinal);
    }

    [Fact]
    public void The_third_row_of_the_paper_is_that_of_160_pixels()
    {
        Assert.Equal(75.2, Line(Large, 0.2).Paper!.AccuracyPercent);
        Assert.Null(Line(Narrow, 0.2).Paper);
    }

    [Fact]
    public void An_order_that_follows_the_cost_is_said_and_so_is_each_exception()
    {
        Table14Line[] sorted = [Line(Wide, 0.30), Line(Narrow, 0.05)], turned = [Line(Wide, 0.05), Line(Narrow, 0.30)];
        Assert.Equal("Accuracy falls with mult-adds in every pair of rows.", Table14Order.Sentence(Result(sorted)));
        string exception = Assert.Single(Table14Order.Exceptions(Result(turned), false));
        Assert.Equal("0.25@96 (30.00%, 399 thousand images) beats 1.0@128 (5.00%, 399 thousand) at 0.04 of its mult-adds", exception);
        Assert.Contains("but for 1 of 1 pairs", Table14Order.Sentence(Result(turned)), StringComparison.Ordinal);
        Assert.EndsWith("; and 127 more.", Table14Order.Sentence(Crowd()), StringComparison.Ordinal);
        Assert.StartsWith("No row beats a dearer one; some are equal", Table14Order.Sentence(Result([Line(Wide, 0), Line(Narrow, 0)])),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_without_a_finished_row_or_an_accuracy_is_written_and_says_so()
    {
        Table14Report.Write(Result([]) with { Missing = [Wide] }, _folder.Path);
        Assert.StartsWith("# No row of the table is finished", File.ReadAllText(_folder["table14.md"]), StringComparison.Ordinal);
        Assert.Contains($"Not finished: {Wide}", File.ReadAllText(_folder["report.html"]), StringComparison.Ordinal);
        Table14Report.Write(Result([Line(Wide, 0.3)]), _folder.Path);
        Assert.True(File.Exists(_folder["table14.svg"]));
        Table14Report.Write(Result([Line(Wide, null)]), _folder.Path);
        Assert.False(File.Exists(_folder["table14.svg"]));
        Assert.DoesNotContain("table14.svg", File.ReadAllText(_folder["table14.md"]) + File.ReadAllText(_folder["report.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_of_no_accuracy_without_held_out_faces_or_beside_a_teacher_that_accepts_nobody_are_drawn_as_far_as_they_go()
    {
        var line = Line(Wide, 0);
        var training = line.Training with { Log = [.. line.Training.Log.Select(e => e with { CentredCosine = null, ValidationLoss = null })] };
        var blind = line.Evaluations[0] with
        {
            Models = [line.Measured with { RetentionAt1e4 = null }, line.Teacher with { TarAtFar = new Dictionary<string, double?> { ["1e-4"] = 0 } }],
        };
        Table14Report.Write(Result([line with { Training = training, Evaluations = [blind] }]), _folder.Path);
        string page = File.ReadAllText(_folder["report.html"]);
        Assert.Contains("aria-label=\"Accuracy against mult-adds: 1.0@128 0.00%", page, StringComparison.Ordinal);
        Assert.DoesNotContain("accuracy-retained-", page, StringComparison.Ordinal);
        Assert.DoesNotContain("agreement-random-", page, StringComparison.Ordinal);
    }

    [Fact]
    public void People_seen_in_training_and_a_teacher_cheaper_than_its_student_are_said_once()
    {
        Table14Line Warned(string student) => Line(student, 0.2) is var line ? line with
        {
            Evaluations = [.. line.Evaluations,
                new EvaluationResult(Evaluator.LfwTenFold,
                [.. line.Evaluations[0].Models.Select(m => m with
                {
                    TenFoldAccuracy = 0.9, TenFoldStandardError = 0.01, TrainedOn = new TrainedOverlap(3, 0, 9, 3, 9),
                })]) { Warnings =
                [$"{line.Measured.Name} was trained on 3 people"] }],
        } : line;
        var result = Result([Warned(Wide), Warned(Narrow)]);
        Assert.Single(Table14Notes.Of(result), n => n == "lfw-10fold on lfw, 1.0@128, 0.25@96: the student was trained on 3 people.");
        Assert.Contains(Table14Table.Of(result).Single(t => t.Id == "further").Columns, c => c.Head == "10-fold, people seen in training");
        Assert.DoesNotContain(Table14Notes.Of(result), n => n.Contains("more than the teacher", StringComparison.Ordinal));
        var cheap = result with { Speed = result.Speed! with { Teacher = result.Speed.Teacher with { MultAdds = 100_000_000 } } };
        Assert.Contains(Table14Notes.Of(cheap),
            n => n.StartsWith("tiny itself has 100 million mult-adds, not FaceNet's 1600: 1.0@128 costs more than the teacher and is",
                StringComparison.Ordinal));
    }

    [Fact]
    public void Photos_that_gave_no_face_are_said_once_for_all_rows()
    {
        Table14Line Lost(string student) => Line(student, 0.2) is var line && line.Evaluations[0].Models.Select(m => m with
        {
            Acquisition = new AcquisitionResult(3710, 3, 25_000, new Dictionary<string, double?> { ["1e-4"] = m.TarAtFar!["1e-4"] * 24_620 / 25_000 }),
        }).ToList() is var models ? line with
        {
            Evaluations = [new EvaluationResult(Evaluator.LfwView1Test, models) { Warnings = [.. AcquisitionResult.Words(models)] }],
        } : line;
        var row = Lost(Wide);
        Assert.Contains("3 of the 3710 photos", Assert.Single(row.Evaluations[0].Warnings!), StringComparison.Ordinal);
        string note = Assert.Single(Table14Notes.Of(Result([row, Lost(Narrow)])), n => n.Contains("no face was found", StringComparison.Ordinal));
        Assert.Equal("lfw-view1-test on lfw: no face was found in 3 of the 3710 photos, and no pair of theirs is counted; where these pairs count as rejected, "
            + "every true accept rate is 0.9848 of what is printed.", note);
    }

    [Fact]
    public void A_speed_belongs_to_the_files_that_were_timed()
    {
        var result = Result([Line(Wide, 0.3), Line(Narrow, 0.1)]);
        Assert.True(result.Speed!.Holds(result.Lines));
        Assert.Equal(8.25, result.Speed.Of(result.Lines[1])!.Speedup);
        var other = result.Lines[1] with { Files = result.Lines[1].Files with { Int8Sha256 = "another" } };
        Assert.Null(result.Speed.Of(other));
        Assert.False(result.Speed.Holds([result.Lines[0], other]));
        Assert.False(result.Speed.Holds([]));
    }

    [Fact]
    public void Names_that_want_to_be_markup_stay_text()
    {
        Table14Report.Write(Result([Line(Wide, 0.3)]) with { Teacher = EvaluationReports.Hostile }, _folder.Path);
        Assert.DoesNotContain("<script>alert", File.ReadAllText(_folder["report.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Figures_do_not_depend_on_the_culture()
    {
        var (before, foreign) = (CultureInfo.CurrentCulture, (CultureInfo)CultureInfo.InvariantCulture.Clone());
        (foreign.NumberFormat.NumberDecimalSeparator, foreign.NumberFormat.NumberGroupSeparator, foreign.NumberFormat.PercentDecimalSeparator) =
            (",", ".", ",");
        var result = Result([Line(Wide, 0.30), Line(Narrow, 0.05)]);
        Table14Report.Write(result, _folder["a"]);
        try
        {
            CultureInfo.CurrentCulture = foreign;
            Table14Report.Write(result, _folder["b"]);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        string Read(string file) => Regex.Replace(File.ReadAllText(_folder[file]), "cl_[0-9a-f]+", "cl"); // the drawing library counts its clips
        Assert.All(new[] { "table14.csv", "table14.md", "report.html", "table14.json", "table14.svg" }, f => Assert.Equal(Read($"a/{f}"), Read($"b/{f}")));
    }

    [ChromiumFact]
    public async Task The_page_opens_without_a_complaint_and_fits_a_phone()
    {
        Table14Report.Write(Result([Line(Wide, 0.30), Line(Large, 0.2), Line(Narrow, 0.05)]), _folder.Path);
        await using var page = await Chromium.Open(_folder["report.html"], 360, 740);
        Assert.Empty(page.Complaints);
        Assert.All(page.Requests, address => Assert.True(address.StartsWith("file:", StringComparison.Ordinal) || address == "data:,", address));
        Assert.Equal(0, (int)(await page.Evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))!);
        Assert.Equal("[]", (await page.Evaluate("(ids => ids.filter((id, i) => ids.indexOf(id) !== i))([...document.querySelectorAll('[id]')].map(e => "
            + "e.id))"))!.ToJsonString());
        Assert.Equal(4, (int)(await page.Evaluate("document.querySelectorAll('svg.plot[aria-label]').length"))!);
    }

    /// <summary>Students of nearly one cost and accuracy, in both columns.</summary>
    internal static Table14Result Crowd()
    {
        string[] students = [.. new[] { "1.0", "0.75", "0.5", "0.25" }.SelectMany(
            w => new[] { 192, 176, 160, 144, 128, 112, 96 }, (w, r) => FormattableString.Invariant($"mobilenet-v1:{w}@{r}"))];
        return Result([.. students.SelectMany((s, i) => new[] { Line(s, 0.45 + (0.002 * (i % 5))), Warm(s, 0.46 + (0.002 * (i % 3)), Wide) })]) with
        {
            Teacher = "a-teacher-with-a-long-name-112",
        };
    }

    internal static Table14Result Result(IReadOnlyList<Table14Line> lines) => new(
        "tiny", ["faces"], "lfw", Evaluator.LfwView1Test, "facedistill table14", "as ever", RunEnvironment.Here("cpu"),
            new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), lines, [])
    {
        Speed = new Table14Speed(
            new Table14TeacherFile("tiny", 22_000_000, 280_000_000, 5_600_000, 40),
            [.. lines.Select(l => new Table14StudentSpeed(l.Student, l.Files.OnnxSha256, l.Files.Int8Sha256, 5, 4, 8.25, 10))]),
    };

    internal static Table14Line Line(string student, double? tar)
    {
        var cost = StudentCost.Of(new MobileNetV1Architecture(StudentSpec.Parse(student), HeadKind.Gdc, 128));
        EpochLog[] log = [.. Enumerable.Range(1, 16)
            .Select(e => new EpochLog(e, 1.0 / e, 1.1 / e, 0.9, 0.001, 60) { ImagesPerSecond = 400, CentredCosine = 0.8 })];
        return new Table14Line(student, "key", $"facedistill table14 --rows {student}", cost, new Table14Training(25_517, 399_360, 16, 16, 0.004, 16, 1, log),
            [Outcome(student, tar, 0.7, 6_844_451)], new Table14Files(4_000_000, $"a {student}", 1_000_000, $"b {student}", tar, null));
    }
    internal static EvaluationResult Outcome(string student, double? tar, double teacher, long pairs)
    {
        ModelResult Model(string name, double? rate) => new(name, 3707, 24_620, pairs)
        {
            TarAtFar = new Dictionary<string, double?> { ["1e-4"] = rate },
            TarInterval95AtFar = rate is null ? null : new Dictionary<string, IReadOnlyList<double>> { ["1e-4"] = [rate.Value - 0.1, rate.Value + 0.1] },
        };
        var measured = Model(student, tar) with { RetentionAt1e4 = tar / teacher, RetentionInterval95At1e4 = tar is null ? null : [0.35, 0.5] };
        return new EvaluationResult(Evaluator.LfwView1Test, [measured, Model("tiny", teacher)]);
    }

    /// <summary>The same from a start.</summary>
    internal static Table14Line Warm(string student, double tar, string init) => Line(student, tar) is var line ? line with
    {
        Row = $"{student}-start", Training = line.Training with { Init = init },
    } : line;
}
