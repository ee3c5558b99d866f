using System.Diagnostics;
using System.Text.RegularExpressions;
using FaceDistill.Training.Optimizers;

namespace FaceDistill.Tests.Kernels;

/// <summary>Training while the garbage collector works all the time: numbers and tensors that a native call uses must outlive it.</summary>
public sealed partial class GarbageCollectionTests
{
    private const int Budget = 0x40000;

    // Muon leaves a part of the weights to AdamW; every other optimizer has a shorter run of its own.
    public static TheoryData<OptimizerKind, int> Optimizers
    {
        get
        {
            var all = new TheoryData<OptimizerKind, int>();
            foreach (var optimizer in Enum.GetValues<OptimizerKind>())
            {
                all.Add(optimizer, optimizer == OptimizerKind.Muon ? 400 : 150);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public async Task Many_steps_are_sound(OptimizerKind optimizer, int steps)
    {
        var (code, output, error) = await Run("train", $"{optimizer}", $"{steps}");
        Assert.True(code == 0, error);
        var says = Said().Match(output);
        Assert.True(says.Success, output);
        double Number(string name) => double.Parse(says.Groups[name].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(Number("steps"), steps, steps + 100);
        Assert.InRange(Number("last"), 0, 2 * Number("first"));
        Assert.True(Number("collections") > steps / 20.0, $"the collector hardly worked: {output}"); // some 1.6 a step where a step takes 28 ms
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(GarbageCollectionTests).Assembly.Location, .. arguments]);
        start.Environment["DOTNET_GCgen0size"] = $"0x{Budget:x}";
        start.Environment["OMP_NUM_THREADS"] = "1"; // small batches: torch's threads would wait for each other
        return await OtherProcess.Run(start);
    }

    [GeneratedRegex(@"^(?<steps>\d+) steps, loss (?<first>\S+) to (?<last>\S+), (?<collections>\d+) collections")]
    private static partial Regex Said();
}
