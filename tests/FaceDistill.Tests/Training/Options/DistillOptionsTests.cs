using FaceDistill.Formats;
using FaceDistill.Training;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Training.Options;

public sealed class DistillOptionsTests
{
    private static readonly DistillOptions Good = new() { Student = "mobilenet-v1:0.25@64" };

    public static TheoryData<DistillOptions, string> Wrong => new()
    {
        { Good with { Student = "resnet" }, "resnet" },
        { Good with { Epochs = 0 }, "epochs are 1 to 10000, not 0" },
        { Good with { Epochs = 10_001 }, "epochs are 1 to 10000, not 10001" },
        { Good with { BatchSize = 1 }, "the batch size is 2 to 4096, not 1" },
        { Good with { BatchSize = 4097 }, "the batch size is 2 to 4096, not 4097" },
        { Good with { LearningRate = 0 }, "learning rate is above 0 and at most 1, not 0" },
        { Good with { LearningRate = 1.5 }, "not 1.5" },
        { Good with { LearningRate = double.NaN }, "not NaN" },
        { Good with { WarmupEpochs = -0.5 }, "warm-up epochs are 0 to 100, not -0.5" },
        { Good with { WarmupEpochs = 101 }, "not 101" },
        { Good with { WarmupEpochs = double.NaN }, "not NaN" },
        { Good with { WeightDecay = -0.1 }, "weight decay is 0 to 1, not -0.1" },
        { Good with { WeightDecay = 1.1 }, "not 1.1" },
        { Good with { WeightDecay = double.NaN }, "not NaN" },
        { Good with { Minutes = 0 }, "minutes are above 0 and at most 100000, not 0" },
        { Good with { Minutes = double.NaN }, "not NaN" },
        { Good with { CheckpointMinutes = -1 }, "minutes between checkpoints are 0 to 100000, not -1" },
        { Good with { CheckpointMinutes = double.NaN }, "not NaN" },
        { Good with { Ema = 1 }, "moving average is 0 to 0.99999, not 1" },
        { Good with { Ema = double.NaN }, "not NaN" },
        { Good with { Clip = -1 }, "clipping norm is 0 to 1000, not -1" },
        { Good with { Clip = double.NaN }, "not NaN" },
        { Good with { Patience = -1 }, "patience is 0 to 10000 epochs, not -1" },
        { Good with { Patience = 1, Validation = 0 }, "held-out faces" },
        { Good with { Progressive = 0.2 }, "0.3 to 1, not 0.2" },
        { Good with { Progressive = 0.5, Head = FaceDistill.Students.HeadKind.Gdc }, "gap head" },
        { Good with { Dimension = 0 }, "embedding's length is 1 to 4096, not 0" },
        { Good with { Dimension = 4097 }, "not 4097" },
        { Good with { Loss = new LossOptions { Angle = 1 }, BatchSize = 257 }, "batches of at most 256" },
        { Good with { Loss = new LossOptions { ArcFace = 1 }, Targets = TargetMode.Live, MixUp = 0.2 }, "exclude each other" },
        { Good with { Loss = new LossOptions { Squared = 0, ArcFace = 1 }, Targets = TargetMode.Live }, "nothing to embed live" },
        { Good with { Loss = new LossOptions { Squared = 0, ArcFace = 1 }, Patience = 1 }, "best epoch" },
        { Good with { Loss = new LossOptions { Squared = 0 } }, "every loss has the weight 0" },
        { Good with { Validation = -0.1 }, "validation part is 0 to 0.5, not -0.1" },
        { Good with { Validation = 0.6 }, "not 0.6" },
        { Good with { Validation = double.NaN }, "not NaN" },
        { Good with { ValidationPeople = -1 }, "people held out are 0 to 100000, not -1" },
        { Good with { ValidationPeople = 100_001 }, "not 100001" },
        { Good with { Replicas = 0 }, "replicas are 1 to 64, not 0" },
        { Good with { Replicas = 65, BatchSize = 4096 }, "not 65" },
        { Good with { Replicas = 2, BatchSize = 3 }, "less than two faces each of a batch of 3" },
        { Good with { Patience = 1, Validation = 0, ValidationPeople = 0 }, "--validation-people above 0" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_value_out_of_its_range_is_named(DistillOptions options, string says) =>
        Assert.Contains(says, Assert.Throws<FaceDistillException>(() => options.Validated()).Message, StringComparison.Ordinal);

    [Fact]
    public void The_bounds_themselves_are_allowed()
    {
        DistillOptions[] bounds =
        [
            Good,
            Good with { Patience = 1, Validation = 0, ValidationPeople = 100_000 },
            Good with { Patience = 1, Loss = new LossOptions { Squared = 0, ArcFace = 1 }, ValidationPeople = 1 },
            Good with
            {
                Epochs = 1,
                BatchSize = 2,
                LearningRate = 1e-12,
                WarmupEpochs = 0,
                WeightDecay = 0,
                Validation = 0,
                Ema = 0,
                CheckpointMinutes = 0,
                Clip = 0,
                Progressive = 0.3,
                Head = FaceDistill.Students.HeadKind.Gap,
            },
            Good with { Replicas = 1, BatchSize = 2 },
            Good with { Replicas = 64, BatchSize = 128 },
            Good with
            {
                Epochs = 10_000,
                BatchSize = 4096,
                LearningRate = 1,
                WarmupEpochs = 100,
                WeightDecay = 1,
                Validation = 0.5,
                Ema = 0.99999,
                Clip = 1000,
                Patience = 10_000,
                Minutes = 100_000,
                CheckpointMinutes = 100_000,
            },
        ];
        Assert.All(bounds, options => Assert.Same(options, options.Validated()));
    }
}
