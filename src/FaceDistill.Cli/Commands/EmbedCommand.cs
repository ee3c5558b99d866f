using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>embed</c>: faces to an embedding store.</summary>
internal static class EmbedCommand
{
    private static readonly Option<string> Data = CommonOptions.Data("A folder of photos or aligned faces, or a data set's name.");
    private static readonly Option<string?> Output = new("--output", "-o")
    {
        Description = "A Parquet store's folder; without it the embeddings are kept in the cache alone, where evaluate, distill and audit find them.",
        HelpName = "DIR",
    };
    private static readonly Option<string?> Teacher = new Option<string?>("--teacher")
    {
        Description = "A teacher's card (a name or a .json file).",
        HelpName = "CARD",
    }
        .Completes("", Cards.Teachers);
    private static readonly Option<string?> Model = new("--model")
    {
        Description = "Instead of a teacher: a run folder or an exported file of any format.",
        HelpName = "MODEL",
    };
    private static readonly Option<bool> Mirrored = new("--mirrored") { Description = "Also embed each face mirrored." };
    private static readonly Option<string?> Shard =
        CommonOptions.Shard("Do a part of the pictures, as in 3/16, into a cache that the tasks of the other parts share");
    private static readonly Option<bool> Flip = new("--flip")
    {
        Description = "Sum the embeddings of each face and of its mirror image, as face recognition's benchmarks do; twice the work.",
    };

    public static Command Create() => VerbContext.Action(
        new Verb("embed", "Compute embeddings of a folder of faces and keep them in a Parquet store.")
            .Example("embed --data photos --teacher dlib-resnet")
            .Example("embed --data photos --model run --output embeddings")
            .Example("embed --data lfw --model student.onnx --output lfw-embeddings --flip")
            .Group("faces", Data, CommonOptions.Aligned, Shard)
            .Group("model", Teacher, Model, Mirrored, Flip, CommonOptions.Models, CommonOptions.Device, CommonOptions.Provider)
            .Group("output", Output), Run, result => result.Given(Teacher) == result.Given(Model) ? "give either --teacher CARD or --model MODEL"
            : result.GetValue(Mirrored) && result.GetValue(Flip) ? "a flip-summed embedding is its mirror image's too: leave out --mirrored"
            : CommonOptions.DeviceError(result, result.GetValue(Model) ?? "teacher:"));

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        string model = parsed.GetValue(Teacher) is { } card ? "teacher:" + card : parsed.GetValue(Model)!;
        var request = new EmbedRequest(
            model, parsed.GetRequiredValue(Data), parsed.GetValue(Output), parsed.GetValue(Mirrored), parsed.GetValue(CommonOptions.Aligned),
                parsed.GetValue(CommonOptions.Device)!)
        {
            Flip = parsed.GetValue(Flip),
            Provider = parsed.GetValue(CommonOptions.Provider)!,
            Shard = parsed.GetValue(Shard) is { } shard ? DataShard.Parse(shard) : null,
        };
        var outcome = new EmbedJob(parsed.Finder()).Run(request, context.Job);
        var (part, parts) = (request.Shard?.Number, request.Shard?.Count);
        var document = new { store = outcome.Store, model = outcome.Model, images = outcome.Images, dimension = outcome.Dimension,
            computed = outcome.Computed, part, parts };
        context.Result(document, console => console.WriteLine(
            $"{document.images} embeddings of {document.dimension} values {(document.store is { } folder ? "in " + folder : "in the cache")}"
                + $"{(part is null ? "" : $", part {part} of {parts}")} "
                + $"({(document.computed == 0 ? "nothing to compute" : $"{document.computed} computed now")})"));
    }
}
