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

    public static Command Create() => VerbContext.Action(
        new Verb("align", "Find the face in each photo and align it to a template.")
            .Example("align --data photos --output faces")
            .Example("align --data photos --output faces --template dlib --all-faces")
            .Example("align --data lfw --output lfw-arcface --size 160 --margin 0.1")
            .Group("input", Data, CommonOptions.Models)
            .Group("output", Output, Template, Size, Margin, AllFaces), Run);

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var frame = AlignedFrame.Of(parsed.GetValue(Size), parsed.GetValue(Margin));
        var request = new AlignRequest(parsed.GetRequiredValue(Data), parsed.GetRequiredValue(Output), parsed.GetValue(Template)!, frame)
        {
            AllFaces = parsed.GetValue(AllFaces),
        };
        var result = new AlignJob(parsed.Finder()).Run(request, context.Job);
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
}
