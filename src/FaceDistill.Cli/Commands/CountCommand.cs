using System.CommandLine;
using System.Globalization;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;
using FaceDistill.Students;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>count</c>: what students and their layers cost, beside the figures of the paper's tables.</summary>
internal static class CountCommand
{
    private const int Shares = 2, Faces = 14;

    private static readonly Argument<string[]> Students = new("student")
    {
        Description = "mobilenet-v1:WIDTH@RESOLUTION, also mobilenet-v1-conv: and mobilenet-v1-shallow:; without any, the students of table 14.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<string[]> StudentOption = new("--student") { Description = "The same as the argument.", DefaultValueFactory = _ => [] };

    private static readonly Option<HeadKind> Head = new("--head")
    {
        Description = "What makes one vector of the last map, as for distill.",
        DefaultValueFactory = _ => new Training.Options.StudentOptions { Name = "" }.Head,
    };

    private static readonly Option<int> Dimension = new("--dimension") { Description = "The embedding's length.", DefaultValueFactory = _ => 128 };

    private static readonly Option<int?> Table = new("--table")
    {
        Description = "A table of the paper, printed and counted side by side: 2 (shares of the layers' types), 4 (full convolutions), 5 (narrow against "
            + "shallow), 6 (widths), 7 (resolutions), each with the 1000 classes of ImageNet, or 14 (faces).",
        HelpName = "2|4|5|6|7|14",
    };

    private static readonly Option<bool> Layers = new("--layers") { Description = "List the layers of one student, with the paper's equations 2 to 7." };

    public static Command Create() => VerbContext.Action(
        new Verb("count", "Count a student's mult-adds and parameters, beside the paper's figures.")
            .Example("count mobilenet-v1:0.5@96")
            .Example("count mobilenet-v1:0.5@96 --layers")
            .Example("count --table 6")
            .Takes(Students)
            .Group("students", StudentOption, Head, Dimension)
            .Group("output", Table, Layers, CommonOptions.Wide), Run);

    private static void Run(VerbContext context)
    {
        string[] names = [.. context.Parsed.GetValue(Students)!, .. context.Parsed.GetValue(StudentOption)!];
        int dimension = context.Parsed.GetValue(Dimension);
        int? table = context.Parsed.GetValue(Table);
        if (dimension is < 2 or > 65536)
        {
            throw new FaceDistillException($"an embedding has 2 to 65536 values, not {dimension}");
        }

        if (table is { } number && number is not (Shares or Faces) && !PaperTable.ImageNet.ContainsKey(number))
        {
            throw new FaceDistillException($"--table {number}: the tables that can be counted are 2, 4, 5, 6, 7 and 14");
        }

        if (table is not null and not Faces && (names.Length > 0 || context.Parsed.GetResult(Head)?.Implicit == false
            || context.Parsed.GetResult(Dimension)?.Implicit == false || context.Parsed.GetValue(Layers)))
        {
            throw new FaceDistillException($"--table {table} has students, head and dimension of its own; leave the other options out");
        }

        MobileNetV1Architecture Laid(StudentSpec spec) => new(spec, context.Parsed.GetValue(Head), dimension);
        var specs = names.Length > 0 ? names.Select(StudentSpec.Parse).ToList() : [.. PaperTable.Rows.Select(r => r.Student).OfType<StudentSpec>()];
        if (context.Parsed.GetValue(Layers))
        {
            var architecture = names.Length == 1 ? Laid(specs[0]) : throw new FaceDistillException("--layers takes one student");
            var layers = LayerCost.Of(architecture);
            context.Result(layers.Select(Document).ToList(),
                console => RenderLayers(console, architecture, layers, context.Parsed.GetValue(CommonOptions.Wide)));
        }
        else if (table == Shares)
        {
            var layers = LayerCost.Of(OnImageNet(new StudentSpec(1, 224)));
            context.Result(PaperTable.Shares.Select(s => Document(s, layers)).ToList(), console => RenderShares(console, layers));
        }
        else
        {
            var rows = table is not null and not Faces
                ? PaperTable.ImageNet[table.Value].Select(r => new Row(r.Student!, StudentCost.Of(OnImageNet(r.Student!)), r)).ToList()
                : [.. specs.Select(s => new Row(s, StudentCost.Of(Laid(s)), PaperTable.Of(s)))];
            object document = names.Length == 1 ? rows[0].Document() : rows.Select(r => r.Document()).ToList();
            context.Result(document, console => Render(console, rows, table ?? Faces, context.Parsed.GetValue(CommonOptions.Wide)));
        }
    }

    private static MobileNetV1Architecture OnImageNet(StudentSpec spec) => new(spec, HeadKind.Gap, PaperTable.ImageNetClasses);

    private static void Render(IAnsiConsole console, List<Row> rows, int number, bool wide)
    {
        // Without the backbone's own, which only a comparison with the paper's layers asks for; without the paper's where none is of the table.
        string[] there = ["M mult-adds there", "M parameters there", "accuracy there"];
        bool beside = rows.Any(r => r.Paper is not null);
        var table = new FittedTable(["student", "M mult-adds", "M parameters", "backbone M mult-adds", "backbone M parameters", $"in table {number}", .. there])
        {
            Only = wide ? null : ["M mult-adds", "M parameters", .. beside ? there : []],
        };
        foreach (var (student, cost, paper) in rows)
        {
            table.Add(student.ToString(), Millions(cost.MultAdds), Millions(cost.Parameters), Millions(cost.MultAddsBackbone),
                Millions(cost.ParametersBackbone), paper?.Name ?? "-", paper is null ? "-" : Text(paper.MillionMultAdds),
                paper is null ? "-" : Text(paper.MillionParameters), paper is null ? "-" : Text(paper.AccuracyPercent) + "%");
        }

        table.Write(console);
        console.WriteLine(number == Faces
            ? (beside ? "'There' is Table 14 of the paper. " : "")
                + "The paper does not define its head, and its parameters cannot be reproduced with global pooling and a linear layer, whatever the "
                + "resolution. "
                + "Its third student is printed as 0.75 MobileNet-128, but 166 M mult-adds are those of resolution 160."
            : "'There' is the table of the paper. Counted with global pooling and a linear layer of 1000 classes; the accuracy is the paper's, on ImageNet.");
    }

    private static void RenderShares(IAnsiConsole console, IReadOnlyList<LayerCost> layers)
    {
        var table = new FittedTable("layers of 1.0@224, 1000 classes", "mult-adds", "in table 2", "parameters", "in table 2 ");
        foreach (var share in PaperTable.Shares)
        {
            var (multAdds, parameters) = Share(layers, share.Type);
            table.Add(Name(share.Type), Percent(multAdds), Percent(share.MultAddsPercent), Percent(parameters), Percent(share.ParametersPercent));
        }

        table.Write(console);
        console.WriteLine("Weights without batch norms. The 3x3 convolution's 1.19% look like 1.91% with two digits exchanged: as printed the column "
            + "sums to 99.29%.");
    }

    private static void RenderLayers(IAnsiConsole console, MobileNetV1Architecture architecture, IReadOnlyList<LayerCost> layers, bool wide)
    {
        var table = new FittedTable("layer", "type", "D_K", "M", "N", "D_F", "mult-adds by equation", "mult-adds", "share", "parameters", "block / full conv")
        {
            Only = wide ? null : ["type", "mult-adds by equation", "mult-adds", "parameters"],
        };
        double all = layers.Sum(l => l.MultAdds);
        foreach (var l in layers)
        {
            string product = l.Type switch
            {
                LayerType.Full => $"{l.Kernel}*{l.Kernel}*{l.In}*{l.Out}*{l.OutSize}*{l.OutSize} (2)",
                LayerType.Depthwise => $"{l.Kernel}*{l.Kernel}*{l.In}*{l.OutSize}*{l.OutSize} (4)",
                LayerType.Pointwise => $"{l.In}*{l.Out}*{l.OutSize}*{l.OutSize} (5)",
                _ => $"{l.In}*{l.Out}",
            };
            table.Add(l.Name, Name(l.Type), Whole(l.Kernel), Whole(l.In), Whole(l.Out), Whole(l.OutSize), product, Whole(l.MultAdds),
                Percent(100 * l.MultAdds / all), Whole(l.Parameters), l.OfFull is { } part ? Text(part, "0.0000") : "");
        }

        table.Add("all", "", "", "", "", "", "", Whole(layers.Sum(l => l.MultAdds)), "100.00%", Whole(layers.Sum(l => l.Parameters)), "");
        table.Write(console);
        console.WriteLine(InvariantText.Of(
            $"Equations of the paper: 2 a full convolution, 4 a depthwise one, 5 a block of both, with width {architecture.Spec.Width} ")
            + InvariantText.Of($"(alpha) and resolution {architecture.Spec.Resolution / 224.0:0.####} (rho) in them, as equations 6 and 7 have it. D_F is the ")
            + "output map's side; block / full conv is 1/N + 1/D_K^2 (of equation 5).");
    }

    private static (double MultAdds, double Parameters) Share(IReadOnlyList<LayerCost> layers, LayerType type) =>
        (100.0 * layers.Where(l => l.Type == type).Sum(l => l.MultAdds) / layers.Sum(l => l.MultAdds),
            100.0 * layers.Where(l => l.Type == type).Sum(l => l.Weights) / layers.Sum(l => l.Weights)); // batch norms and bias not counted, as in the paper

    private static object Document((LayerType Type, double MultAddsPercent, double ParametersPercent) paper, IReadOnlyList<LayerCost> layers)
    {
        var (multAdds, parameters) = Share(layers, paper.Type);
        return new
        {
            type = Name(paper.Type),
            multAddsPercent = multAdds,
            parametersPercent = parameters,
            paper = new { multAddsPercent = paper.MultAddsPercent, parametersPercent = paper.ParametersPercent },
        };
    }

    private static object Document(LayerCost l) => new
    {
        layer = l.Name,
        type = Name(l.Type),
        kernel = l.Kernel,
        inputs = l.In,
        outputs = l.Out,
        outSize = l.OutSize,
        equation = l.Equation,
        multAdds = l.MultAdds,
        parameters = l.Parameters,
        ofFullConvolution = l.OfFull,
    };

    private static string Name(LayerType type) => type switch
    {
        LayerType.Pointwise => "conv 1x1",
        LayerType.Depthwise => "conv depthwise",
        LayerType.Full => "conv 3x3",
        _ => "linear",
    };

    private static string Millions(long count) => Text(count / 1e6, "0.00");

    private static string Percent(double value) => Text(value, "0.00") + "%";

    private static string Whole(long value) => value.ToString("0", CultureInfo.InvariantCulture);

    private static string Text(double value, string format = "0.##") => value.ToString(format, CultureInfo.InvariantCulture);

    private sealed record Row(StudentSpec Student, StudentCost Cost, PaperTableRow? Paper)
    {
        public object Document() => new
        {
            student = Student.ToString(),
            multAdds = Cost.MultAdds,
            parameters = Cost.Parameters,
            multAddsBackbone = Cost.MultAddsBackbone,
            parametersBackbone = Cost.ParametersBackbone,
            paper = Paper is null ? null : new
            {
                name = Paper.Name,
                millionMultAdds = Paper.MillionMultAdds,
                millionParameters = Paper.MillionParameters,
                accuracyPercent = Paper.AccuracyPercent,
            },
        };
    }
}
