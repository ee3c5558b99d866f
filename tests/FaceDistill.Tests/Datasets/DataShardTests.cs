using FaceDistill.Datasets;

namespace FaceDistill.Tests.Datasets;

public sealed class DataShardTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Every_picture_is_in_one_part_and_the_parts_are_even(int count)
    {
        string[] paths = [.. Enumerable.Range(0, 7000).Select(i => $"person {i % 70}/{i}.jpg")];
        int[] sizes = [.. Enumerable.Range(1, count).Select(n => paths.Count(new DataShard(n, count).Has))];
        Assert.Equal(paths.Length, sizes.Sum());
        Assert.All(sizes, s => Assert.InRange(s, 0.9 * paths.Length / count, 1.1 * paths.Length / count));
        Assert.All(paths.Take(50), p => Assert.Single(Enumerable.Range(1, count), n => new DataShard(n, count).Has(p)));
    }

    [Fact]
    public void A_part_is_named_as_three_of_sixteen_or_by_the_launcher()
    {
        Assert.Equal(new DataShard(3, 16), DataShard.Parse("3/16"));
        Assert.Equal("3-of-16", DataShard.Parse("3/16").Name);
        foreach (string wrong in new[] { "", "3", "0/4", "5/4", "3/16/2", "-1/4", "1,5/4", "a/b", "1/9999999999" })
        {
            Assert.Contains("I/N", Assert.Throws<FaceDistillException>(() => DataShard.Parse(wrong)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("SLURM_ARRAY_TASK_ID=5;SLURM_ARRAY_TASK_COUNT=4;SLURM_ARRAY_TASK_MIN=3", 3, 4)]
    [InlineData("SLURM_ARRAY_TASK_ID=0;SLURM_ARRAY_TASK_COUNT=4;SLURM_ARRAY_TASK_MIN=0;PMI_RANK=1;PMI_SIZE=2", 1, 4)]
    [InlineData("OMPI_COMM_WORLD_RANK=1;OMPI_COMM_WORLD_SIZE=2", 2, 2)]
    [InlineData("PMI_RANK=0;PMI_SIZE=8", 1, 8)]
    [InlineData("SLURM_ARRAY_TASK_ID=9;SLURM_ARRAY_TASK_COUNT=4;SLURM_ARRAY_TASK_MIN=1", 0, 0)]
    [InlineData("SLURM_ARRAY_TASK_ID=3;SLURM_ARRAY_TASK_COUNT=1;SLURM_ARRAY_TASK_MIN=3", 0, 0)] // one of many that is run again would do all
    [InlineData("SLURM_ARRAY_TASK_ID=1;SLURM_ARRAY_TASK_COUNT=1;SLURM_ARRAY_TASK_MIN=1", 1, 1)]
    [InlineData("", 0, 0)]
    public void Auto_takes_what_the_launcher_told(string environment, int number, int count)
    {
        var set = environment.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=')).ToDictionary(v => v[0], v => v[1]);
        if (count > 0)
        {
            Assert.Equal(new DataShard(number, count), DataShard.Parse("auto", set.GetValueOrDefault));
        }
        else
        {
            Assert.Contains("--shard auto", Assert.Throws<FaceDistillException>(() => DataShard.Parse("auto", set.GetValueOrDefault)).Message,
                StringComparison.Ordinal);
        }
    }
}
