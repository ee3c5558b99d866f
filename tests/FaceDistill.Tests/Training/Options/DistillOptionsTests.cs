using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Training.Options;

public sealed class DistillOptionsTests
{
    private static readonly DistillOptions Good = new() { Student = new StudentOptions { Name = "mobilenet-v1:0.25@64" } };

    public static TheoryData<DistillOptions, string> Wrong => new()
    {
        { Good with { Student = Good.Student with { Name = "resnet" } }, "resnet" },
        { Good with { Run = Good.Run with { Epochs = 0 } }, "epochs are 1 to 10000, not 0" },
        { Good with { Run = Good.Run with { Epochs = 10_001 } }, "epochs are 1 to 10000, not 10001" },
        { Good with { Run = Good.Run with { BatchSize = 1 } }, "the batch size is 2 to 4096, not 1" },
        { Good with { Run = Good.Run with { BatchSize = 4097 } }, "the batch size is 2 to 4096, not 4097" },
        { Good with { Optimizer = Good.Optimizer with { LearningRate = 0 } }, "learning rate is above 0 and at most 1, not 0" },
        { Good with { Optimizer = Good.Optimizer with { LearningRate = 1.5 } }, "not 1.5" },
        { Good with { Optimizer = Good.Optimizer with { LearningRate = double.NaN } }, "not NaN" },
        { Good with { Optimizer = Good.Optimizer with { WarmupEpochs = -0.5 } }, "warm-up epochs are 0 to 100, not -0.5" },
        { Good with { Optimizer = Good.Optimizer with { WarmupEpochs = 101 } }, "not 101" },
        { Good with { Optimizer = Good.Optimizer with { WarmupEpochs = double.NaN } }, "not NaN" },
        { Good with { Optimizer = Good.Optimizer with { WeightDecay = -0.1 } }, "weight decay is 0 to 1, not -0.1" },
        { Good with { Optimizer = Good.Optimizer with { WeightDecay = 1.1 } }, "not 1.1" },
        { Good with { Optimizer = Good.Optimizer with { WeightDecay = double.NaN } }, "not NaN" },
        { Good with { Run = Good.Run with { Minutes = 0 } }, "minutes are above 0 and at most 100000, not 0" },
        { Good with { Run = Good.Run with { Minutes = double.NaN } }, "not NaN" },
        { Good with { Run = Good.Run with { CheckpointMinutes = -1 } }, "minutes between checkpoints are 0 to 100000, not -1" },
        { Good with { Run = Good.Run with { CheckpointMinutes = double.NaN } }, "not NaN" },
        { Good with { Run = Good.Run with { PictureMemory = -0.1 } }, "gigabytes for pictures are 0 to 1000000, not -0.1" },
        { Good with { Run = Good.Run with { PictureMemory = double.NaN } }, "gigabytes for pictures are 0 to 1000000, not NaN" },
        { Good with { Optimizer = Good.Optimizer with { Ema = 1 } }, "moving average is 0 to 0.99999, not 1" },
        { Good with { Optimizer = Good.Optimizer with { Ema = double.NaN } }, "not NaN" },
        { Good with { Optimizer = Good.Optimizer with { Clip = -1 } }, "clipping norm is 0 to 1000, not -1" },
        { Good with { Optimizer = Good.Optimizer with { Clip = double.NaN } }, "not NaN" },
        { Good with { HeldOut = Good.HeldOut with { Patience = -1 } }, "patience is 0 to 10000 epochs, not -1" },
        { Good with { HeldOut = Good.HeldOut with { Patience = 1, Part = 0 } }, "held-out faces" },
        { Good with { Run = Good.Run with { Progressive = 0.2 } }, "0.3 to 1, not 0.2" },
        { Good with { Student = Good.Student with { Head = FaceDistill.Students.HeadKind.Gdc }, Run = Good.Run with { Progressive = 0.5 } }, "gap head" },
        { Good with { Student = Good.Student with { Dimension = 0 } }, "embedding's length is 1 to 4096, not 0" },
        { Good with { Student = Good.Student with { Dimension = 4097 } }, "not 4097" },
        { Good with { Loss = new LossOptions { Angle = 1 }, Run = Good.Run with { BatchSize = 257 } }, "batches of at most 256" },
        { Good with { Loss = new LossOptions { Angle = 1 }, Run = Good.Run with { BatchSize = 2 } }, "batches of at least 3" },
        { Good with { Loss = new LossOptions { ArcFace = 1 }, Targets = Good.Targets with { Mode = TargetMode.Live, MixUp = 0.2 } }, "exclude each other" },
        { Good with
        {
            Loss = new LossOptions { Squared = 0, ArcFace = 1 },
            Targets = Good.Targets with { Mode = TargetMode.Live },
        }, "nothing to embed live" },
        { Good with { Loss = new LossOptions { Squared = 0, ArcFace = 1 }, HeldOut = Good.HeldOut with { Patience = 1 } }, "best epoch" },
        { Good with { Loss = new LossOptions { Squared = 0 } }, "every loss has the weight 0" },
        { Good with { HeldOut = Good.HeldOut with { Part = -0.1 } }, "validation part is 0 to 0.5, not -0.1" },
        { Good with { HeldOut = Good.HeldOut with { Part = 0.6 } }, "not 0.6" },
        { Good with { HeldOut = Good.HeldOut with { Part = double.NaN } }, "not NaN" },
        { Good with { HeldOut = Good.HeldOut with { People = -1 } }, "people held out are 0 to 100000, not -1" },
        { Good with { HeldOut = Good.HeldOut with { People = 100_001 } }, "not 100001" },
        { Good with { Run = Good.Run with { Replicas = 0 } }, "replicas are 1 to 64, not 0" },
        { Good with { Run = Good.Run with { Replicas = 65, BatchSize = 4096 } }, "not 65" },
        { Good with { Run = Good.Run with { Replicas = 2, BatchSize = 3 } }, "less than two faces each of a batch of 3" },
        { Good with { HeldOut = Good.HeldOut with { Patience = 1, Part = 0, People = 0 } }, "--validation-people above 0" },
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
            Good with { HeldOut = Good.HeldOut with { Patience = 1, Part = 0, People = 100_000 } },
            Good with { Loss = new LossOptions { Squared = 0, ArcFace = 1 }, HeldOut = Good.HeldOut with { Patience = 1, People = 1 } },
            Good with
            {
                Student = Good.Student with { Head = FaceDistill.Students.HeadKind.Gap },
                Run = Good.Run with { Epochs = 1, BatchSize = 2, CheckpointMinutes = 0, PictureMemory = 0, Progressive = 0.3 },
                Optimizer = Good.Optimizer with { LearningRate = 1e-12, WarmupEpochs = 0, WeightDecay = 0, Ema = 0, Clip = 0 },
                HeldOut = Good.HeldOut with { Part = 0 },
            },
            Good with { Run = Good.Run with { Replicas = 1, BatchSize = 2 } },
            Good with { Run = Good.Run with { BatchSize = 3 }, Loss = new LossOptions { Angle = 1 } },
            Good with { Run = Good.Run with { Replicas = 64, BatchSize = 128 } },
            Good with
            {
                Run = Good.Run with { Epochs = 10_000, BatchSize = 4096, Minutes = 100_000, CheckpointMinutes = 100_000, PictureMemory = 1e6 },
                Optimizer = Good.Optimizer with { LearningRate = 1, WarmupEpochs = 100, WeightDecay = 1, Ema = 0.99999, Clip = 1000 },
                HeldOut = Good.HeldOut with { Part = 0.5, Patience = 10_000 },
            },
        ];
        Assert.All(bounds, options => Assert.Same(options, options.Validated()));
    }
}
