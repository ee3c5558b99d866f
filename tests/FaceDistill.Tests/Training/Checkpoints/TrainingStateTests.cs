using FaceDistill.Files;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Training.Checkpoints;

public sealed class TrainingStateTests
{
    [Fact]
    public void People_choose_where_the_cosine_would_choose_another_epoch()
    {
        var state = After(0, (0.1, 0.5), (0.4, 0.6), (0.3, 0.9));
        Assert.Equal((2, 0.4), (state.Best!.Epoch, state.Best.PeopleTar));
        Assert.Equal("TAR 40.00% at FAR 1e-3 on held-out people", state.Best.ChosenBy);
        state = After(0, (null, 0.5), (null, 0.6), (null, 0.9));
        Assert.Equal((3, null), (state.Best!.Epoch, state.Best.PeopleTar));
        Assert.Equal("centred cosine 0.9000 on held-out faces", state.Best.ChosenBy);
    }

    [Fact]
    public void Ties_are_broken_by_the_cosine_and_of_equals_the_earlier_stays()
    {
        Assert.Equal(2, After(0, (0, 0.1), (0, 0.3), (0, 0.2)).Best!.Epoch);
        Assert.Equal(1, After(0, (0.2, 0.3), (0.2, 0.3)).Best!.Epoch);
        Assert.Equal(2, After(0, (0, -0.3), (0, -0.2)).Best!.Epoch);
        Assert.Equal(3, After(0, (0, 0.9), (0, 0.8), (0.001, 0.1)).Best!.Epoch);
        Assert.Equal(2, After(0, (0.1, null), (0.2, null), (0.2, null)).Best!.Epoch); // without a teacher
        Assert.Null(After(0, (null, null)).Best);
    }

    [Fact]
    public void Patience_waits_for_what_chooses()
    {
        Assert.True(After(2, (0.5, 0.5), (0.4, 0.6), (0.4, 0.7)).StoppedEarly);
        Assert.False(After(2, (0.5, 0.5), (0.4, 0.4), (0.6, 0.3)).StoppedEarly);
        Assert.False(After(2, (null, 0.5), (null, 0.6), (null, 0.7)).StoppedEarly);
    }

    [Fact]
    public void What_chose_is_read_again_and_a_log_of_before_is_read_without_it()
    {
        var state = After(0, (0.1, 0.5), (0.4, 0.6));
        var read = JsonFile.Parse<TrainingState>(JsonFile.Serialize(state), "x");
        Assert.Equal(state.Best, read.Best);
        Assert.Equal(state.Log, read.Log);
        read = JsonFile.Parse<TrainingState>("""
            {"epoch": 1, "step": 0, "lossSum": 0, "gradientNormSum": 0, "seconds": 0, "best": {"epoch": 1, "centredCosine": 0.5}, "stoppedEarly": false,
             "log": [{"epoch": 1, "loss": 0.9, "validationLoss": 0.8, "validationCosine": 0.7, "learningRate": 0.1, "seconds": 1, "imagesPerSecond": 2,
                      "centredCosine": 0.5, "gradientNorm": 1, "resolution": 64}]}
            """, "before");
        Assert.Equal(new BestEpoch(1, 0.5), read.Best);
        Assert.Equal((null, null), (read.Log[0].PeopleTar, read.Log[0].PeopleFar));
    }

    private static TrainingState After(int patience, params (double? Tar, double? Cosine)[] epochs) =>
        epochs.Select((e, i) => (e, i)).Aggregate(new TrainingState(0, 0, 0, []), (state, next) =>
        state.After(new EpochLog(
            next.i + 1, 1, 1, 1, 0.1, 1) { CentredCosine = next.e.Cosine, PeopleTar = next.e.Tar, PeopleFar = next.e.Tar is null ? null : 1e-3 }, patience));
}
