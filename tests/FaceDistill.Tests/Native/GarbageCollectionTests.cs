using System.Diagnostics;
using System.Text.RegularExpressions;
using FaceDistill.Distillation;

namespace FaceDistill.Tests.Native;

/// <summary>Training while the garbage collector works all the time: numbers and tensors that a native call uses must outlive it.</summary>
public sealed partial class GarbageCollectionTests
{
    private const int Steps = 2000;

    public static TheoryData<OptimizerKind> Optimizers => [.. Enum.GetValues<OptimizerKind>()];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public async Task Two_thousand_steps_are_sound(OptimizerKind optimizer)
    {
        var (code, output, error) = await Run("train", $"{optimizer}", $"{Steps}");
        Assert.True(code == 0, error);
        var says = Said().Match(output);
        Assert.True(says.Success, output);
        double Number(string name) => double.Parse(says.Groups[name].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(Number("steps"), Steps, Steps + 100);
        Assert.True(Number("last") < Number("first"), output);
        Assert.True(Number("collections") > Steps, $"the collector hardly worked: {output}");
        Assert.Equal(0x40000, Number("budget"));
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(GarbageCollectionTests).Assembly.Location, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_GCgen0size"] = "0x40000";
        start.Environment["OMP_NUM_THREADS"] = "1"; // small batches: torch's threads would wait for each other
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return (process.ExitCode, await output, await error);
    }

    [GeneratedRegex(@"^(?<steps>\d+) steps, loss (?<first>\S+) to (?<last>\S+), (?<collections>\d+) collections, budget (?<budget>\d+)")]
    private static partial Regex Said();
}
