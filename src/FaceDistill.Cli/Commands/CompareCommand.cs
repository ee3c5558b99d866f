using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>compare</c>: do two photos show one person?</summary>
internal static class CompareCommand
{
    /// <summary>The model of <c>compare</c> and <c>search</c>.</summary>
    public static readonly Option<string?> Model = new Option<string?>("--model")
    {
        Description = CommonOptions.AModel + "; without it, the best student that was measured and kept.",
        HelpName = "MODEL",
    }.Completes("teacher:", Cards.Teachers);

    private static readonly Argument<string> A = new("a") { Description = "A photo." };
    private static readonly Argument<string> B = new("b") { Description = "Another photo." };

    public static Command Create() => VerbContext.Action(
        new Verb("compare", "Say how alike the faces of two photos are, and whether they are one person's at FAR 1e-4.")
            .Takes(A).Takes(B)
            .Example("compare a.jpg b.jpg")
            .Example("compare a.jpg b.jpg --model run")
            .Example("compare a.jpg b.jpg --model student.onnx --json")
            .Group("model", Model, CommonOptions.Models, CommonOptions.Device, CommonOptions.Provider), Run,
            result => CommonOptions.DeviceError(result, result.GetValue(Model)));

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var request = new CompareRequest(
            parsed.GetRequiredValue(A), parsed.GetRequiredValue(B), parsed.GetValue(Model), parsed.GetValue(CommonOptions.Device)!)
        {
            Provider = parsed.GetValue(CommonOptions.Provider)!,
        };
        var result = new CompareJob(parsed.Finder()).Run(request, context.Job);
        context.Result(result, console => Render(console, result));
    }

    private static void Render(IAnsiConsole console, CompareResult result)
    {
        console.WriteLine(InvariantText.Of($"similarity {result.Similarity:0.0000}{(Usual(result.By) is { } usual ? $" ({usual})" : "")}"));
        if (result.Same is { } same)
        {
            console.WriteLine(InvariantText.Of(
                $"{(same ? "the same person" : "not accepted as the same person")} at FAR {FarTargets.Label(result.By.Far)} (threshold "
                + $"{result.By.Threshold:0.0000}, which one of {1 / result.By.Far:N0} pairs of two people reaches)"));
        }

        if (result.FalseAcceptRate is { } rate)
        {
            console.WriteLine(InvariantText.Of(
                $"FAR at which the pair would just be accepted: {rate}{Interval(rate)}{OneOf(rate)}; measured on {rate.ImpostorPairs:N0} pairs of two people "
                + $"({rate.Protocol})"));
        }

        Rest(console, result.By, [result.A, result.B], result.Warnings);
    }

    /// <summary>The faces, the model, and what speaks against a verdict.</summary>
    public static void Rest(IAnsiConsole console, Comparison by, IReadOnlyList<ComparedPhoto> photos, IReadOnlyList<string>? warnings)
    {
        if (by.NoVerdict is { } reason)
        {
            console.WriteLine($"no verdict: {reason}");
        }

        foreach (var photo in photos)
        {
            console.WriteLine($"{photo.Path}: {photo.Face.Words}");
        }

        foreach (string warning in warnings ?? [])
        {
            console.WriteLine($"warning: {warning}");
        }

        console.WriteLine($"by {by.Name}: {by.Model}");
    }

    /// <summary>What strangers reach: a similarity of 0.9 sounds like much.</summary>
    public static string? Usual(Comparison by) => by.HalfOfImpostors is { } half
        ? InvariantText.Of($"half of all pairs of two people reach {half:0.0000}") : null;

    private static string Interval(FalseAcceptEstimate rate) => rate is { Rate: not null, Interval95: [var low, var high] }
        ? $" (95% interval {(low > 0 ? FarTargets.Rounded(low) : "0")} to {(high > 0 ? FarTargets.Rounded(high) : "0")})"
        : rate is { Rate: not null, AtLeast: var least, AtMost: var most } && most > 3 * least
            ? $" (interpolated between {FarTargets.Label(least)} and {FarTargets.Label(most)})" : "";

    // Two digits: the third is not known.
    private static string OneOf(FalseAcceptEstimate rate)
    {
        double pairs = 1 / (rate.Rate ?? 1), step = Math.Pow(10, Math.Max(0, Math.Floor(Math.Log10(pairs)) - 1));
        return rate.Rate is null ? "" : InvariantText.Of($", about one of {Math.Round(pairs / step) * step:N0} pairs of two people");
    }
}
