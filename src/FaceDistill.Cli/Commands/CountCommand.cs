using System.CommandLine;
using System.Globalization;
using FaceDistill.Students;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>count</c>: what students cost, beside Table 14's figures.</summary>
internal static class CountCommand
{
    private static readonly Argument<string[]> Students = new("student")
    {
        Description = "mobilenet-v1:WIDTH@RESOLUTION; without any, the students of Table 14.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<string[]> StudentOption = new("--student") { Description = "The same as the argument.", DefaultValueFactory = _ => [] };

    private static readonly Option<HeadKind> Head = new("--head") { Description = "gap or gdc.", DefaultValueFactory = _ => HeadKind.Gap };

    private static readonly Option<int> Dimension = new("--dimension") { Description = "The embedding's length.", DefaultValueFactory = _ => 128 };

    public static Command Create() => VerbContext.Action(
        new Command("count", "Count a student's mult-adds and parameters, beside the paper's figures.") { Students, StudentOption, Head, Dimension }, Run);

    private static void Run(VerbContext context)
    {
        string[] names = [.. context.Parsed.GetValue(Students)!, .. context.Parsed.GetValue(StudentOption)!];
        var specs = names.Length > 0
            ? names.Select(StudentSpec.Parse).ToList()
            : [.. PaperTable.Rows.Where(r => r.Student is not null).Select(r => r.Student!)];
        int dimension = context.Parsed.GetValue(Dimension);
        if (dimension is < 2 or > 65536)
        {
            throw new FaceDistillException($"an embedding has 2 to 65536 values, not {dimension}");
        }

        var rows = specs.Select(s => new Row(s, StudentCost.Of(new MobileNetV1Architecture(s, context.Parsed.GetValue(Head), dimension)))).ToList();
        if (rows.Count == 1)
        {
            context.Result(rows[0].Document(), console => Render(console, rows));
        }
        else
        {
            context.Result(rows.Select(r => r.Document()).ToList(), console => Render(console, rows));
        }
    }

    private static void Render(IAnsiConsole console, List<Row> rows)
    {
        var table = new Table()
            .AddColumns("student", "M mult-adds", "M parameters", "backbone M mult-adds", "backbone M parameters", "Table 14 row", "paper M mult-adds",
            "paper M parameters");
        foreach (var (student, cost) in rows)
        {
            var paper = PaperTable.Of(student);
            table.AddRow(student.ToString(), Millions(cost.MultAdds), Millions(cost.Parameters), Millions(cost.MultAddsBackbone),
                Millions(cost.ParametersBackbone),
                paper?.Name ?? "-", paper is null ? "-" : Text(paper.MillionMultAdds), paper is null ? "-" : Text(paper.MillionParameters));
        }

        console.Write(table);
        console.WriteLine("The paper does not define its head, and its parameters cannot be reproduced with global pooling and a linear layer, whatever the");
        console.WriteLine("resolution. Its third student is printed as 0.75 MobileNet-128, but 166 M mult-adds are those of resolution 160.");
    }

    private static string Millions(long count) => (count / 1e6).ToString("0.00", CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private sealed record Row(StudentSpec Student, StudentCost Cost)
    {
        public object Document() => new
        {
            student = Student.ToString(),
            multAdds = Cost.MultAdds,
            parameters = Cost.Parameters,
            multAddsBackbone = Cost.MultAddsBackbone,
            parametersBackbone = Cost.ParametersBackbone,
        };
    }
}
