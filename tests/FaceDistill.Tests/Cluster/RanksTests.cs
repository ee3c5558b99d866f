using FaceDistill.Cluster;

namespace FaceDistill.Tests.Cluster;

public sealed class RanksTests
{
    [Theory]
    [InlineData("2(x3),1", "0", 2)]
    [InlineData("2(x3),1", "2", 2)]
    [InlineData("2(x3),1", "3", 1)]
    [InlineData("2(x3),1", "4", null)]
    [InlineData("4", "0", 4)]
    [InlineData("1,3,2(x2)", "1", 3)]
    [InlineData("1,3,2(x2)", "3", 2)]
    [InlineData("16(x10)", "9", 16)]
    [InlineData("2(x3),1", null, null)]
    [InlineData("2(x3),1", "-1", null)]
    [InlineData(null, "0", null)]
    [InlineData("", "0", null)]
    [InlineData("two", "0", null)]
    [InlineData("2(x3", "1", 2)]
    [InlineData("2(xx),1", "0", null)]
    public void Slurm_tells_how_many_tasks_share_a_node(string? tasks, string? node, int? expected) => Assert.Equal(expected, Ranks.TasksOn(tasks, node));

    [Fact]
    public void Ranks_that_say_the_same_are_counted_by_each() =>
        Assert.Equal([2, 1, 2, 3, 3, 3], ThreadRanks.Run(6, r => r.Alike(r.Rank switch { 0 or 2 => "host 0-3", 1 => "host 4-7", _ => "other 0-3" })));
}
