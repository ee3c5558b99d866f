using FaceDistill.Files;
using FaceDistill.Runs;

namespace FaceDistill.Tests.Runs;

public sealed class RunEnvironmentTests
{
    [Fact]
    public void The_cores_of_all_ranks_are_counted_and_a_file_that_names_none_is_of_one_process()
    {
        var alone = RunEnvironment.Here("cpu", 1);
        string text = JsonFile.Serialize(alone);
        Assert.Equal(RunEnvironment.Here("cpu"), alone);
        Assert.Equal(Environment.ProcessorCount, alone.Cores);
        Assert.DoesNotContain("ranks", text, StringComparison.Ordinal);
        Assert.Null(JsonFile.Parse<RunEnvironment>(text, "run.json").Ranks);

        var three = RunEnvironment.Here("cpu", 3); // each on as many cores as torch has threads, which other tests change
        Assert.Equal(3, three.Ranks);
        Assert.Equal(0, three.Cores % 3);
        Assert.Equal(three, JsonFile.Parse<RunEnvironment>(JsonFile.Serialize(three), "run.json"));
    }
}
