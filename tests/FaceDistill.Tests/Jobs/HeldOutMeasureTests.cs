using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Faces;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests.Jobs;

/// <summary>Runs on 24 people with six drawn pictures each, some of whom are held out.</summary>
public sealed class HeldOutMeasureTests : IDisposable
{
    private const int People = 14; // 84 faces: 210 genuine and 3,276 impostor pairs
    private static readonly DistillOptions Options = TinyRun.Options with
    {
        Run = TinyRun.Options.Run with { Epochs = 2, BatchSize = 8 },
        HeldOut = TinyRun.Options.HeldOut with { People = People },
    };
    private readonly TempFolder _folder = new();
    private readonly List<string> _lines = [];
    private readonly string _card;

    public HeldOutMeasureTests()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(24, 6, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        _card = TinyTeacher.Write(_folder["teacher"]);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(30, 2_999, null)]
    [InlineData(29, 1_000_000, null)]
    [InlineData(30, 3_000, 1e-2)]
    [InlineData(30, 29_999, 1e-2)]
    [InlineData(30, 30_000, 1e-3)]
    [InlineData(30, 300_000, 1e-4)]
    [InlineData(30, 30_000_000_000, 1e-6)]
    public void The_rate_is_the_smallest_that_permits_thirty_false_accepts(long genuine, long impostors, double? far) =>
        Assert.Equal(far, HeldOutMeasure.FarOf(genuine, impostors));

    [Fact]
    public void A_run_says_who_chose_its_best_epoch_in_every_place()
    {
        var report = Run(Options);
        var held = report.Run.HeldOut!;
        Assert.Equal((People, 84, 84, 210L, 3276L, 1e-2), (held.People, held.Faces, held.Measured, held.GenuinePairs, held.ImpostorPairs, held.Far));
        using var teacher = TeacherCard.Open(_card, Finder());
        var set = new FaceEmbeddings(teacher, AlignedFaces.Open(_folder["faces"])).Of(FaceView.Original, JobContext.None);
        var people = HeldOutPeople.Of(AlignedFaces.Open(_folder["faces"]).Dataset.Images, People);
        var naive = ThresholdPass.Score(set.Of(people.Measured), [1e-2]).At(1e-2)!;
        Assert.Equal(naive.Tar, held.TeacherTar);

        var best = report.Best!;
        Assert.Equal(report.Epochs.Max(e => e.PeopleTar), best.PeopleTar);
        Assert.Equal(report.Epochs[best.Epoch - 1].CentredCosine, best.CentredCosine);
        Assert.Contains(_lines, l => l.StartsWith("held out of the training: 14 people with all their 84 faces; their TAR at FAR 1e-2 (210 genuine and 3,276 "
            + "impostor pairs) chooses", StringComparison.Ordinal));
        Assert.Contains(_lines, l => l.StartsWith($"best epoch {best.Epoch} of 2: TAR ", StringComparison.Ordinal)
            && l.EndsWith("at FAR 1e-2 on held-out people", StringComparison.Ordinal));
        string text = File.ReadAllText(_folder["run/report.md"]);
        Assert.Contains("held-out people's TAR at 1e-2 |", text, StringComparison.Ordinal);
        Assert.Contains($"Best epoch: {best.Epoch}, by its TAR ", text, StringComparison.Ordinal);
        Assert.Contains("14 with 84 faces, 210 genuine and 3,276 impostor pairs; the teacher reaches a TAR of ", text, StringComparison.Ordinal);
        Assert.Equal(People, Recipe.Read(_folder["run/recipe.json"]).Options.HeldOut.People);
    }

    [Fact]
    public void Pairs_that_are_too_few_leave_the_choice_to_the_cosine_and_say_so()
    {
        var report = Run(Options with { HeldOut = Options.HeldOut with { People = 3 } });
        Assert.Null(report.Run.HeldOut);
        Assert.Null(report.Best!.PeopleTar);
        Assert.Contains(_lines, l => l == "the 3 people held out give 45 genuine and 108 impostor pairs, fewer than the 30 and 3,000 that a TAR at FAR 1e-2 "
            + "needs: the best epoch is chosen by the centred cosine on held-out faces");
        Assert.Contains(_lines, l => l.Contains("centred cosine 0", StringComparison.Ordinal));
        Assert.DoesNotContain("held-out people's", File.ReadAllText(_folder["run/report.md"]), StringComparison.Ordinal);
        var e = Assert.Throws<FaceDistillException>(() => Run(Options with
        {
            HeldOut = Options.HeldOut with { People = 3, Part = 0, Patience = 1 },
        }, "patient"));
        Assert.Contains("raise --validation-people", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_resumed_holds_out_whom_it_held_out_before()
    {
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => new DistillJob(Finder())
            .Run(Request(Options, "run", false), new JobContext(Progress: new Cancelling(cancel), Cancel: cancel.Token)));
        var report = new DistillJob(Finder()).Run(Request(Options with
        {
            HeldOut = Options.HeldOut with { People = null },
        }, "run", true), new JobContext(_lines.Add));
        Assert.Contains(_lines, l => l.StartsWith("held out of the training: 14 people", StringComparison.Ordinal));
        Assert.NotNull(report.Best!.PeopleTar);
        Assert.Equal(People, report.Run.Options.HeldOut.People);
        Assert.Contains("other options", Assert.Throws<FaceDistillException>(
            () => new DistillJob(Finder()).Run(Request(Options with
            {
                HeldOut = Options.HeldOut with { People = 13 },
            }, "run", true), JobContext.None)).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void People_whom_a_start_was_trained_on_are_told_of_by_their_names()
    {
        string[] held = HeldOutPeople.Of(AlignedFaces.Open(_folder["faces"]).Dataset.Images, People).Names;
        Run(Options, "parent");
        Array.ForEach(held[..4], name => Directory.Move(_folder[$"faces/{name}"], _folder[$"gone-{name}"]));
        string[] next = HeldOutPeople.Of(AlignedFaces.Open(_folder["faces"]).Dataset.Images, People).Names.Except(held).ToArray();
        Assert.Equal(4, next.Length);
        Run(From("parent"), "child");
        Assert.Single(_lines, l => l.StartsWith($"warning: the run of {_folder["parent"]}, or one before it, was trained on 4 of the 14 people held out ("
            + $"{string.Join(", ", next[..3])}, ...): ", StringComparison.Ordinal));

        // Whom the child has not met, nobody has; whom the parent was trained on, the child's start was.
        Array.ForEach(held[..4], name => Directory.Move(_folder[$"gone-{name}"], _folder[$"faces/{name}"]));
        _lines.Clear();
        Run(From("child"), "grandchild");
        Run(From("parent"), "another");
        Assert.DoesNotContain(_lines, l => l.StartsWith("warning", StringComparison.Ordinal));

        // A list of an earlier version has no such column: the numbers are compared.
        string list = _folder[$"parent/{TrainedFaces.FileName}"];
        File.WriteAllLines(list, File.ReadAllLines(list).Select(line => string.Join(',', line.Split(',').Take(3))));
        Run(From("parent"), "of-before");
        Assert.DoesNotContain(_lines, l => l.StartsWith("warning", StringComparison.Ordinal));
        Run(From("parent") with { HeldOut = Options.HeldOut with { People = People + 1 } }, "more");
        Assert.Contains(_lines, l => l.StartsWith($"warning: the run of {_folder["parent"]} held out 14 people and this one 15", StringComparison.Ordinal));
    }

    private DistillOptions From(string run) => Options with
    {
        Student = Options.Student with { Init = _folder[run] },
        Run = Options.Run with { Epochs = 1 },
    };

    [Fact]
    public void Without_a_teacher_people_are_held_out_where_asked_for_and_choose()
    {
        var report = Run(Options with { Loss = new LossOptions { Squared = 0, ArcFace = 1 } });
        Assert.Null(report.Run.HeldOut!.TeacherTar);
        Assert.NotNull(report.Best!.PeopleTar);
        Assert.Null(report.Best.CentredCosine);
        Assert.Null(Run(Options with
        {
            Loss = new LossOptions { Squared = 0, ArcFace = 1 },
            HeldOut = Options.HeldOut with { People = null },
        }, "nobody").Best);
    }

    [Fact]
    public void Few_people_are_held_out_only_where_asked_for()
    {
        Assert.False(HeldOutMeasure.IsUsual(AlignedFaces.Open(_folder["faces"]).Dataset.Images));
        Assert.Equal(0, Run(Options with { HeldOut = Options.HeldOut with { People = null } }).Run.Options.HeldOut.People);
        FaceImage[] images =
            [.. from person in Enumerable.Range(0, 400) from picture in Enumerable.Range(0, 4)
            select new FaceImage($"a/p{person}/{picture}.jpg", $"p{person}")];
        Assert.True(HeldOutMeasure.IsUsual(images));
    }

    private RunReportData Run(DistillOptions options, string output = "run") =>
        new DistillJob(Finder()).Run(Request(options, output, false), new JobContext(_lines.Add));

    private DistillRequest Request(DistillOptions options, string output, bool resume) =>
        new(_card, [DataFolder.Of(_folder["faces"])], null, options, _folder[output], resume);

    private AssetFinder Finder() => new([], [], _folder["cache"]);

    private sealed class Cancelling(CancellationTokenSource cancel) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Stage == "training")
            {
                cancel.Cancel();
            }
        }
    }
}
