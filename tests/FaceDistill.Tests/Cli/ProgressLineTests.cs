using FaceDistill.Cli.Rendering;
using FaceDistill.Files;

namespace FaceDistill.Tests.Cli;

public sealed class ProgressLineTests
{
    [Fact]
    public void Progress_names_its_part_and_what_all_parts_take_where_that_is_known()
    {
        var error = new StringWriter();
        using (var line = new ProgressLine(error, terminal: true))
        {
            foreach (var job in new[] { new JobContext(null, line).Part(2, 4, 600), new JobContext(null, line).Within(1, 6).Part(3, 4) })
            {
                job.Progress!.Report(new WorkProgress("embedding", 1, 1000, "images"));
                Thread.Sleep(200);
                job.Progress!.Report(new WorkProgress("embedding", 500, 1000, "images"));
            }
        }

        Assert.DoesNotContain("in 0:00", error.ToString(), StringComparison.Ordinal); // what took no second is not left standing
        Assert.Matches(@"2 of 4  embedding 500/1000 images .* 0:00 left, at least 10:0\d in all", error.ToString());
        Assert.Matches(@"4 of 6  embedding 500/1000 images .* 0:00 left *\r", error.ToString());
        Assert.Equal("2 of 9, 3 of 4", Reported(job => job.Part(2, 9).Part(3, 4)).Part);
        Assert.Equal("2 of 9, 3 of 4", Reported(job => job.Part(2, 9).Part(3, 4).Part(1, 2).Part(2, 2)).Part);
        Assert.Equal(900, Reported(job => job.Part(2, 9, 600).Part(3, 4, 300)).SecondsAfter);
        Assert.Null(Reported(job => job.Part(2, 9)).SecondsAfter);
    }

    [Fact]
    public void A_stage_that_comes_again_for_other_data_is_shown_again()
    {
        var error = new StringWriter();
        using (var line = new ProgressLine(error, terminal: true))
        {
            line.Report(new WorkProgress("embedding", 1000, 1000, "images"));
            foreach (long done in new[] { 32, 64 }) // the next views of the same faces
            {
                line.Report(new WorkProgress("embedding", done, 1000, "images"));
                Thread.Sleep(200);
            }

            line.Report(new WorkProgress("embedding", 32, 1000, "images")); // of a thread that was overtaken
            line.Report(new WorkProgress("embedding", 500, 1000, "images"));
        }

        Assert.Contains("embedding 500/1000 images", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("embedding 32/1000 images", error.ToString(), StringComparison.Ordinal);
    }

    private static WorkProgress Reported(Func<JobContext, JobContext> part)
    {
        var seen = new List<WorkProgress>();
        part(new JobContext(null, new Heard(seen.Add))).Progress!.Report(new WorkProgress("x", 1, 2, "images"));
        return Assert.Single(seen);
    }

    private sealed class Heard(Action<WorkProgress> hear) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => hear(value);
    }
}
