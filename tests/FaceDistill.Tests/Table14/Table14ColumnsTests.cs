using System.Text.RegularExpressions;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Table14;
using static FaceDistill.Tests.Table14.Table14ReportTests;

namespace FaceDistill.Tests.Table14;

/// <summary>What a report says of a student's two columns, its seeds, a second test, and what each training cost.</summary>
public sealed class Table14ColumnsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Images_of_the_rows_before_are_counted_along_the_chain_and_stand_beside_the_rows_own()
    {
        Table14Line wide = Warm(Wide, 0.3, "faceres"), large = Warm(Large, 0.2, wide.Name), narrow = Warm(Narrow, 0.1, large.Name);
        var result = Result([wide, Line(Wide, 0.2), large with { Training = large.Training with { Images = 1_000 } }, narrow]);
        Assert.Equal([0, 0, 399_360, 400_360], result.Lines.Select(l => Table14Notes.Before(result, l)));
        var training = Table14Table.Of(result).Single(t => t.Id == "training");
        int at = training.Columns.ToList().FindIndex(c => c.Head.StartsWith("images", StringComparison.Ordinal));
        Assert.Equal(["399,360", "399,360", "1,000 (399,360 before)", "399,360 (400,360 before)"], training.Rows.Skip(1).Select(r => r.Cells[at]));
        Assert.Contains(Table14Notes.Of(result), n => n.Contains("started from faceres", StringComparison.Ordinal));
        result = result with { Lines = [wide with { Training = wide.Training with { Images = 10_000 } }, result.Lines[1]] };
        Assert.Contains(Table14Notes.Of(result),
            n => n.EndsWith("1.0@128, 399 thousand from random weights and 10 thousand from a start.", StringComparison.Ordinal));
    }

    [Fact]
    public void The_two_columns_of_a_student_stand_in_one_line_are_never_mixed_and_the_better_one_is_named()
    {
        var warm = Warm(Large, 0.2, "faceres");
        warm = warm with
        {
            Training = warm.Training with { Origins = [new StudentOrigin("faceres", StudentOrigin.Backbone, "none found", "npm", Research: true)] },
        };
        var result = Result([Line(Wide, 0.30), warm, Line(Large, 0.10), Line(Narrow, 0.05), Warm(Narrow, 0.04, "faceres")]);
        var table = Table14Table.Of(result)[0];
        Assert.Equal(["retention, the better", "M mult-adds", "from random weights: TAR at 1e-4", "from random weights: retention",
            "from a start: TAR at 1e-4", "from a start: retention"], table.Columns.Take(6).Select(c => c.Head));
        Assert.Equal(["teacher: tiny", "1.0@128", "0.75@160", "0.25@96"], table.Rows.Select(r => r.Name));
        Assert.Equal(["42.86% (from random weights)", "28.57% (from a start)", "7.14% (from random weights)"], table.Rows.Skip(1).Select(r => r.Cells[0]));
        Assert.Equal(["30.00% (20.00-40.00)", "10.00% (0.00-20.00)", "5.00% (-5.00-15.00)"], table.Rows.Skip(1).Select(r => r.Cells[2]));
        Assert.Equal(["-", "20.00% (10.00-30.00)", "4.00% (-6.00-14.00)"], table.Rows.Skip(1).Select(r => r.Cells[4]));
        Table14Report.Write(result, _folder.Path);
        string markdown = File.ReadAllText(_folder["table14.md"]), page = File.ReadAllText(_folder["report.html"]);
        Assert.Equal(3, Regex.Count(markdown, @"^\| 0\.75@160 from a start \|", RegexOptions.Multiline)); // training, further measures, files
        Assert.All(new[] { markdown, page }, text => Assert.Contains("0.75@160 started from faceres (research)", text, StringComparison.Ordinal));
        Assert.All(new[] { markdown, page },
            text => Assert.Contains("What started from weights marked research is for research only.", text, StringComparison.Ordinal));
        string[][] csv = [.. File.ReadLines(_folder["table14.csv"]).Select(l => l.Split(','))];
        Assert.Equal([("fromStart", "startedFrom"), ("false", "random weights"), ("true", "faceres (research)"), ("false", "random weights")],
            csv.Take(4).Select(r => (r[Array.IndexOf(csv[0], "fromStart")], r[Array.IndexOf(csv[0], "startedFrom")])));
        foreach (string plot in new[] { "table14.svg", "table14-retention.svg" }) // a file of its own says what its colours are
        {
            Assert.All(new[] { ">from random weights<", ">from a start<" },
                key => Assert.Contains(key, File.ReadAllText(_folder[plot]), StringComparison.Ordinal));
        }

        Assert.Contains(">the paper&#39;s, printed<".Replace("&#39;", "'", StringComparison.Ordinal), File.ReadAllText(_folder["table14-retention.svg"]),
            StringComparison.Ordinal);
        Assert.Equal(1, Regex.Count(File.ReadAllText(_folder["table14.svg"]), ">0\\.75@160<")); // named once, at the better dot
    }

    [Fact]
    public void The_verdict_names_the_best_student_its_start_both_tests_and_the_best_of_the_papers_kind()
    {
        var warm = Warm(Large, 0.35, "faceres");
        Assert.StartsWith("1.0@128 keeps 42.86%", Table14Report.Verdict(Result([Line(Wide, 0.30), Warm(Large, 0.2, "faceres")])), StringComparison.Ordinal);
        string verdict = Table14Report.Verdict(Result([Line(Wide, 0.30), warm with { Second = warm.Evaluations[0] }]) with
        {
            SecondTest = new Table14RecipeTest { Data = "far/strangers" },
        });
        Assert.StartsWith("0.75@160 from a start keeps 50.00% of tiny's", verdict, StringComparison.Ordinal);
        Assert.Contains(" and 50.00% of that on strangers", verdict, StringComparison.Ordinal);
        Assert.EndsWith("from random weights, as the paper's, 1.0@128 keeps 42.86%, where the paper's best keeps 95.7% of FaceNet's", verdict,
            StringComparison.Ordinal);
        Assert.DoesNotContain("paper", Table14Report.Verdict(Result([warm])), StringComparison.Ordinal); // whose students had no start
    }

    [Fact]
    public void Images_before_are_not_told_where_the_starts_row_is_not_in_the_table()
    {
        var result = Result([Warm(Narrow, 0.1, Wide)]);
        Assert.Null(Table14Notes.Before(result, result.Lines[0]));
        Assert.Contains(Table14Table.Of(result).Single(t => t.Id == "training").Rows[1].Cells, c => c.EndsWith(" (not told before)", StringComparison.Ordinal));
    }

    [Fact]
    public void Half_of_the_images_of_nine_epochs_is_within_one() => Assert.Equal(
        (null, 8), (Line(Wide, 0.1).Training is var t ? (t with { Epochs = 9, Log = [.. t.Log.Take(9)] }).Half : null, t.Half!.Epoch));

    [Fact]
    public void Ten_folds_hold_people_of_the_training_where_some_were_found()
    {
        var line = Line(Wide, 0.3);
        string Head(TrainedOverlap? overlap)
        {
            var folds = Outcome(Wide, 0.9, 0.95, 3000) with { Protocol = Evaluator.LfwTenFold, Warnings = ["no face was found in 2 of the 13233 photos"] };
            folds = folds with { Models = [.. folds.Models.Select(m => m with { TenFoldAccuracy = 0.9, TrainedOn = overlap })] };
            var table = Table14Table.Of(Result([line with { Evaluations = [.. line.Evaluations, folds] }])).Single(t => t.Id == "further");
            return Assert.Single(table.Columns, c => c.Head.StartsWith("10-fold", StringComparison.Ordinal)).Head;
        }

        Assert.Equal("10-fold", Head(null));
        Assert.Equal("10-fold", Head(new TrainedOverlap(0, 0, 5749, 0, 13233)));
        Assert.Equal("10-fold, people seen in training", Head(new TrainedOverlap(5, 0, 5749, 9, 13233)));
    }

    [Fact]
    public void No_match_among_what_a_list_of_matches_has_left_says_nothing()
    {
        var audit = new Table14Audit("lfw", "facedistill audit") { Teacher = "tiny", Found = new AuditTest
        {
            Test = "lfw", Protocol = AuditTest.AllFaces, Faces = 10, People = 5, Threshold = 0.6, Far = 1e-6, MeasuredFar = 1e-6, MeasuredOn = "lfw",
            ImpostorPairs = 1_000_000, MeasuredTar = 0.5, Counts = [],
        } };
        Assert.DoesNotContain("left out", audit.Words, StringComparison.Ordinal);
        Assert.Contains("left out the pictures of list.csv before this was counted", (audit with { Exclude = "list.csv" }).Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_column_has_an_order_of_its_own()
    {
        string sentence = Table14Order.Sentence(Result([Line(Wide, 0.30), Warm(Wide, 0.10, "faceres"), Line(Narrow, 0.2), Warm(Narrow, 0.25, "faceres")]));
        Assert.StartsWith("From random weights: accuracy falls with mult-adds in every pair of rows. From a start: accuracy falls with mult-adds but for 1 "
            + "of 1",
            sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Further_seeds_give_mean_least_and_greatest_and_are_in_no_plot()
    {
        Table14Line Seeded(int seed, double tar) => Line(Narrow, tar) is var line ? line with
        {
            Row = $"{Narrow}-seed{seed}", Training = line.Training with { Seed = seed },
        } : line;
        var result = Result([Line(Wide, 0.3), Line(Narrow, 0.05), Seeded(2, 0.09), Seeded(3, 0.04)]);
        var table = Table14Table.Of(result)[0];
        int at = table.Columns.ToList().FindIndex(c => c.Head.StartsWith("TAR of all seeds", StringComparison.Ordinal));
        Assert.Equal(["-", "-", "6.00% (4.00-9.00, 3 seeds)"], table.Rows.Select(r => r.Cells[at]));
        Assert.Equal("5.00% (-5.00-15.00)", table.Rows[2].Cells[0]);
        Assert.Equal(2, Table14Plots.Known(result, Table14Test.All(result)[0]).Count);
        Assert.Contains("0.25@96, seed 3", Table14Table.Of(result).Single(t => t.Id == "training").Rows.Select(r => r.Name));
        Assert.Contains(Table14Notes.Of(result), n => n.Contains("(0.25@96: 3 seeds)", StringComparison.Ordinal));
        Assert.DoesNotContain(Table14Notes.Of(result), n => n.Contains("each row is one run with one seed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_second_test_has_a_table_and_plots_of_its_own_with_its_own_teacher_and_pairs()
    {
        Table14Line Twice(string student, double tar, double other) => Line(student, tar) with { Second = Outcome(student, other, 0.5, 1_234_567) };
        var result = Result([Twice(Wide, 0.3, 0.25), Twice(Narrow, 0.2, 0.1)]) with { SecondTest = new Table14RecipeTest { Data = "data/strangers" } };
        var second = Table14Table.Of(result)[1];
        Assert.Equal("all-pairs on strangers, 1,234,567 impostor pairs, with 95% intervals", second.Caption);
        Assert.Equal("50.00% (40.00-60.00)", second.Rows[0].Cells[0]);
        Assert.Equal(["25.00% (15.00-35.00)", "10.00% (0.00-20.00)"], second.Rows.Skip(1).Select(r => r.Cells[0]));
        Table14Report.Write(result, _folder.Path);
        string page = File.ReadAllText(_folder["report.html"]);
        Assert.Contains("teacher 50.00%", page, StringComparison.Ordinal);
        Assert.Contains("all-pairs on strangers", page, StringComparison.Ordinal);
        string[] head = File.ReadLines(_folder["table14.csv"]).First().Split(','), wide = File.ReadLines(_folder["table14.csv"]).ElementAt(1).Split(',');
        Assert.Equal(["strangers", "0.25", "0.5", "1234567"],
            new[] { "second", "secondTarAt1e-4", "secondTeacherTarAt1e-4", "secondImpostorPairs" }.Select(n => wide[Array.IndexOf(head, n)]));
        Assert.Equal(JsonFile.Serialize(result), JsonFile.Serialize(JsonFile.Read<Table14Result>(_folder["table14.json"])));
    }

    [Fact]
    public void Core_hours_and_minutes_predicted_and_taken_stand_beside_each_other()
    {
        var line = Line(Wide, 0.3);
        var training = line.Training with { Minutes = 90, Cores = 2 };
        var result = Result([line with { Training = training with { Predicted = new Table14Prediction(80.5, 135, true) } },
            Line(Large, 0.2) with { Training = training with { Predicted = new Table14Prediction(70, 135, false) } }, Line(Narrow, 0.1)]);
        var table = Table14Table.Of(result).Single(t => t.Id == "training");
        int at = table.Columns.ToList().FindIndex(c => c.Head == "core-hours");
        Assert.Equal(["3.00", "90.0 (on 2 cores)", "80.5"], table.Rows[1].Cells.Skip(at).Take(3));
        Assert.Equal(["70.0 (afterwards)", "-"], table.Rows.Skip(2).Select(r => r.Cells[at + 2]));
        Assert.Contains(Table14Notes.Of(result), n => n.StartsWith("Minutes are predicted by the recipe, or by a few steps", StringComparison.Ordinal));
    }

    [Fact]
    public void Curves_lie_over_the_images_of_each_rows_own_training()
    {
        Table14Line Measured(Table14Line line) => line with
        {
            Training = line.Training with { Log = [.. line.Training.Log.Select(e => e with { PeopleTar = e.Epoch / 40.0, PeopleFar = 1e-4 })] },
        };
        Table14Report.Write(Result([Measured(Line(Wide, 0.3)), Measured(Warm(Wide, 0.4, "faceres"))]), _folder.Path);
        string page = File.ReadAllText(_folder["report.html"]);
        Assert.All(new[] { "from random weights", "from a start" }, column => Assert.Contains(
            $"aria-label=\"Held-out people&#39;s TAR at FAR 1e-4 by images seen, {column}: 1.0@128 ends at 0.400 after 399 thousand\"".Replace("&#39;", "'",
                StringComparison.Ordinal), page, StringComparison.Ordinal));
        Assert.Contains("40.00%</span> <span class=\"sub\">20.00%", page, StringComparison.Ordinal); // the kept epoch's, and after half the images
    }
}
