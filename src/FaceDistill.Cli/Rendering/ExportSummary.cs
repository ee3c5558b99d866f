using FaceDistill.Export;
using FaceDistill.Files;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>What an export came to, in a few lines.</summary>
internal static class ExportSummary
{
    public static void Render(IAnsiConsole console, ExportOutcome outcome)
    {
        foreach (string file in outcome.Files)
        {
            console.WriteLine(file);
        }

        Line(console, $"{(outcome.Format is { } format ? $"format {format}, " : "")}agrees with TorchSharp on {outcome.Faces} faces: largest difference "
            + $"{outcome.MaxAbsDifference:0.0e+0}, smallest cosine {outcome.MinCosine:0.000000}");
        Spread(console, "cosine", outcome.Cosine);
        Spread(console, "cosine less the common mean", outcome.CentredCosine);
        if (outcome.Int8 is { } int8)
        {
            Line(console, $"8 bits: ranges by {ShownText.Words(int8.Method)}, channels {(int8.Equalized ? "equalised" : "as they were")}, biases "
                + $"{(int8.BiasCorrected ? "corrected" : "as they were")}, "
                + $"{(int8.Float32Layers.Count == 0 ? "no layer" : string.Join(", ", int8.Float32Layers))} in float32 of {int8.Tried.Count} ways tried; "
                + $"{int8.Error:0.00%} of the embeddings' variance added as error on {int8.SelectionFaces} faces");
        }

        if (outcome.Accuracy is { } accuracy)
        {
            Line(console, $"TAR at 1e-4 by {accuracy.Protocol} on {accuracy.Data} ({accuracy.ImpostorPairs:N0} impostor pairs): "
                + $"{Tar(accuracy.TarBefore, accuracy.IntervalBefore)} before, {Tar(accuracy.TarAfter, accuracy.IntervalAfter)} after");
        }
    }

    private static void Spread(IAnsiConsole console, string name, CosineSpread? spread)
    {
        if (spread is not null)
        {
            Line(console, $"{name}: mean {spread.Mean:0.000000}, 5th percentile {spread.Percentile5:0.000000}, smallest {spread.Min:0.000000}");
        }
    }

    private static string Tar(double? tar, IReadOnlyList<double>? interval) => tar is null ? "not measurable (too few impostor pairs)"
        : interval is null ? InvariantText.Of($"{100 * tar:0.00}%")
        : InvariantText.Of($"{100 * tar:0.00}% ({100 * interval[0]:0.00}-{100 * interval[1]:0.00})");

    private static void Line(IAnsiConsole console, InvariantText line) => console.WriteLine(line.ToString());
}
