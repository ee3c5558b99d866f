using System.CommandLine;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>align</c>: raw photos to aligned faces.</summary>
internal static class AlignCommand
{
    private static readonly Option<string> Data = CommonOptions.Data("A folder of photos (a sub-folder's name is a person's), or a data set's name.");
    private static readonly Option<string> Output = CommonOptions.Output("The folder to fill; an interrupted run is continued.");

    private static readonly Option<string> Template = new Option<string>("--template")
    {
        Description = "The template to align to.",
        DefaultValueFactory = _ => "arcface",
    }
        .OneOf([.. AlignmentTemplate.All.Select(t => t.Name)]);

    private static readonly Option<int> Size = new("--size")
    {
        Description = "The side of the template's square, 32 to 1024 pixels.",
        DefaultValueFactory = _ => AlignedFrame.DefaultSize,
    };

    private static readonly Option<double> Margin = new("--margin")
    {
        Description = "The border of real pixels around it, as a fraction of its side, 0 to 1.",
        DefaultValueFactory = _ => AlignedFrame.DefaultMargin,
    };

    private static readonly Option<bool> AllFaces = new("--all-faces")
    {
        Description = "Write every face of a photo: NAME.jpg is the face that is taken without this option, NAME.2.jpg, NAME.3.jpg, ... the others, the "
            + "largest first.",
    };

    private static readonly Option<string?> Shard =
        CommonOptions.Shard("Do a part of the photos, as in 3/16, into a folder that the tasks of the other parts fill too, and the last joins");

    public static Command Create() => VerbContext.Action(
        new Verb("align", "Find the face in each photo and align it to a template.")
            .Example("align --data photos --output faces")
            .Example("align --data photos --output faces --template dlib --all-faces")
            .Example("align --data lfw --output lfw-arcface --size 160 --margin 0.1")
            .Example("align --data photos --output faces --shard 3/16")
            .Group("input", Data, Shard, CommonOptions.Models)
            .Group("output", Output, Template, Size, Margin, AllFaces), Run);

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var frame = AlignedFrame.Of(parsed.GetValue(Size), parsed.GetValue(Margin));
        var request = new AlignRequest(parsed.GetRequiredValue(Data), parsed.GetRequiredValue(Output), parsed.GetValue(Template)!, frame)
        {
            AllFaces = parsed.GetValue(AllFaces),
        };
        var alignment = new AlignJob(parsed.Finder());
        if (parsed.GetValue(Shard) is { } shard)
        {
            Show(context, alignment.RunPart(request, DataShard.Parse(shard), context.Job));
            return;
        }

        var result = alignment.Run(request, context.Job);
        var document = new
        {
            output = result.Faces.Dataset.Root,
            aligned = result.Aligned,
            reused = result.Reused,
            skipped = result.Skipped.Count,
            severalFaces = result.SeveralFaces,
            otherFaces = result.OtherFaces,
        };
        context.Result(document, console =>
        {
            console.WriteLine($"{result.Aligned} faces in {result.Faces.Dataset.Root}" + (result.Reused > 0 ? $" ({result.Reused} from an earlier run)" : ""));
            if (result.SeveralFaces > 0)
            {
                console.WriteLine($"{result.SeveralFaces} photos show several faces (column 'faces' of {AlignedFolder.IndexName}); " + (result.OtherFaces > 0
                    ? $"the {result.OtherFaces} others of theirs are beside them" : "of each the large one nearest the middle is taken"));
            }

            console.WriteLine($"{result.Skipped.Count} files left out, listed in {Path.Combine(result.Faces.Dataset.Root, AlignmentManifest.SkippedFileName)}");
        });
    }

    private static void Show(VerbContext context, AlignedPart part)
    {
        var document = new
        {
            output = part.Folder,
            part = part.Part.Number,
            parts = part.Part.Count,
            aligned = part.Aligned,
            reused = part.Reused,
            skipped = part.Skipped.Count,
            severalFaces = part.SeveralFaces,
            otherFaces = part.OtherFaces,
            missing = part.Missing,
        };
        context.Result(document, console => console.WriteLine(
            $"{part.Aligned} faces of part {part.Part.Number} of {part.Part.Count} in {part.Folder}"
                + (part.Reused > 0 ? $" ({part.Reused} from an earlier run)" : "")
            + (part.Missing.Count == 0 ? "; the folder is whole" : $"; {AlignedParts.Named(part.Missing, part.Part.Count)}")));
    }
}
