using System.Runtime.Intrinsics.X86;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Tests.Files;
using FaceDistill.Training;
using FaceDistill.Training.Options;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training;

public sealed class PrecisionChoiceTests
{
    private static readonly MobileNetV1Architecture Tiny = new(new StudentSpec(0.25, 64), HeadKind.Gap, 8);

    public PrecisionChoiceTests() => TorchNative.EnsureLoaded();

    [Fact]
    public void Auto_becomes_one_of_the_two_and_a_choice_stays()
    {
        Assert.Equal(PrecisionMode.Fp32, PrecisionChoice.Resolve(PrecisionMode.Fp32, Tiny, 8, CPU));
        Assert.Equal(PrecisionMode.Bf16, PrecisionChoice.Resolve(PrecisionMode.Bf16, Tiny, 8, CPU));
        Assert.NotEqual(PrecisionMode.Auto, PrecisionChoice.Resolve(PrecisionMode.Auto, Tiny, 8, CPU));
        Assert.Throws<ArgumentOutOfRangeException>(() => PrecisionChoice.TypeOf(PrecisionMode.Auto));
    }

    // The kernel lists what the processor can; a clock would choose now this, now that beside other work, and two runs of a recipe would differ.
    [LinuxFact]
    public void On_a_processor_its_instructions_decide()
    {
        const string Flags = "/proc/cpuinfo";
        bool has = File.ReadLines(Flags).Any(l => l.StartsWith("flags", StringComparison.Ordinal) && l.Split(' ').Contains("avx512_bf16"));
        Assert.Equal(has, PrecisionChoice.MultipliesBFloat16());
        Assert.Equal(has ? PrecisionMode.Bf16 : PrecisionMode.Fp32, PrecisionChoice.Resolve(PrecisionMode.Auto, Tiny, 8, CPU));
    }

    // Gradients are not compared: those of an untrained network turn by 45 degrees when its weights are rounded once.
    [Fact]
    public void A_run_in_bfloat16_learns_like_one_in_float32()
    {
        using var run = new TinyRun();
        using var folder = new TempFolder();
        double Loss(PrecisionMode mode)
        {
            using var trainer = run.Trainer(folder[mode.ToString()], TinyRun.Options with { Run = TinyRun.Options.Run with { Precision = mode } });
            return trainer.Run(JobContext.None).Log[^1].Loss;
        }

        var (single, half) = (Loss(PrecisionMode.Fp32), Loss(PrecisionMode.Bf16));
        Assert.NotEqual(single, half); // else it did not compute in bfloat16
        Assert.InRange(half, single * 0.8, single * 1.2); // eighteen steps magnify a rounding
        Assert.True(half < 1, "learned nothing");
    }
}
