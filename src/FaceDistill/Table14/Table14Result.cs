using System.Text.Json.Serialization;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Runs;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>The table (table14.json): everything that its reports say comes from here.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Data">The training data as the recipe names them.</param>
/// <param name="Test">The test data.</param>
/// <param name="Protocol">The protocol of the accuracies at 1e-4.</param>
/// <param name="Command">The command that makes the table.</param>
/// <param name="Training">How the rows are trained, in words.</param>
/// <param name="Environment">Where the table was put together.</param>
/// <param name="Made">When, UTC.</param>
/// <param name="Lines">The rows that are finished, from the most mult-adds to the fewest.</param>
/// <param name="Missing">The recipe's rows that are not finished yet.</param>
internal sealed record Table14Result(
    string Teacher,
    IReadOnlyList<string> Data,
    string Test,
    string Protocol,
    string Command,
    string Training,
    RunEnvironment Environment,
    DateTime Made,
    IReadOnlyList<Table14Line> Lines,
    IReadOnlyList<string> Missing)
{
    /// <summary>How fast the files are; null before any row is finished.</summary>
    public Table14Speed? Speed { get; init; }

    /// <summary>The second test; null where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Table14RecipeTest? SecondTest { get; init; }

    /// <summary>What is known of test people among the training faces, an entry a test; null in tables of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Table14Audit>? Audits { get; init; }

    /// <summary>Whether the faces are drawn, not photographed.</summary>
    public bool Synthetic { get; init; }
}

/// <summary>A test of a table: what its figures are called, and where a line has them.</summary>
/// <param name="Id">Its name in the page.</param>
/// <param name="Data">The name of its faces.</param>
/// <param name="Protocol">Its protocol.</param>
/// <param name="Of">A line's outcome, student and teacher; null where the line has none.</param>
internal sealed record Table14Test(string Id, string Data, string Protocol, Func<Table14Line, EvaluationResult?> Of)
{
    /// <summary>The tests of a result.</summary>
    public static IReadOnlyList<Table14Test> All(Table14Result result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return [new("accuracy", NameOf(result.Test), result.Protocol, l => l.Evaluations[0]),
            .. result.SecondTest is { } second ? [new Table14Test("second", NameOf(second.Data), second.Protocol, l => l.Second)] : Array.Empty<Table14Test>()];
    }

    /// <summary>The student's figures.</summary>
    public ModelResult? Student(Table14Line line) => Of(line)?.Models[0];

    /// <summary>The teacher's, on the same pairs.</summary>
    public ModelResult? Teacher(Table14Line line) => Of(line)?.Models[1];

    /// <summary>A student's accuracy at 1e-4.</summary>
    public double? Tar(Table14Line line) => Student(line)?.TarAtFar?.GetValueOrDefault(DecidingFar);

    /// <summary>The part of the teacher's that is kept.</summary>
    public double? Retention(Table14Line line) => Student(line)?.RetentionAt1e4;

    /// <summary>A folder's or a data set's name without its path.</summary>
    internal static string NameOf(string data) => Path.GetFileName(Path.TrimEndingDirectorySeparator(data));
}

/// <summary>A student of a table with its two columns, which are never mixed: each the first seed's line, and those of further seeds.</summary>
/// <param name="Name">The student's name in tables and plots.</param>
/// <param name="Random">From random weights, as the paper's; empty where no such row is finished.</param>
/// <param name="Start">From a start.</param>
internal sealed record Table14Entry(string Name, IReadOnlyList<Table14Line> Random, IReadOnlyList<Table14Line> Start)
{
    /// <summary>The columns: whether of those from a start.</summary>
    public static IReadOnlyList<bool> Columns { get; } = [false, true];

    /// <summary>The students of a result, in its order.</summary>
    public static IReadOnlyList<Table14Entry> All(Table14Result result) =>
    [
        .. result.Lines.GroupBy(l => l.Student).Select(g => new Table14Entry(
            g.First().ShortName, [.. g.Where(l => !l.Training.IsWarm)], [.. g.Where(l => l.Training.IsWarm)])),
    ];

    /// <summary>The line of a column's first seed; null where none is finished.</summary>
    /// <param name="start">Whether it is the column of those from a start.</param>
    public Table14Line? Of(bool start) => (start ? Start : Random) is [var first, ..] ? first : null;

    /// <summary>Any of its lines: all cost the same.</summary>
    public Table14Line Any => Of(false) ?? Of(true)!;

    /// <summary>The better of the two first lines by a test; that which there is, where there is one.</summary>
    public Table14Line Better(Table14Test test) => Of(false) is { } random && Of(true) is { } start
        ? (test.Tar(start) ?? -1) > (test.Tar(random) ?? -1) ? start : random : Any;
}

/// <summary>Whether a table's accuracy falls with its cost, and where it does not; each column by itself.</summary>
internal static class Table14Order
{
    private const int MostNamed = 3;

    /// <summary>The first lines of a column.</summary>
    public static IReadOnlyList<Table14Line> Column(Table14Result result, bool start) =>
        [.. Table14Entry.All(result).Select(e => e.Of(start)).OfType<Table14Line>()];

    /// <summary>Pairs of rows of a column of which the cheaper one is the more accurate: what was found, in a sentence each.</summary>
    public static IReadOnlyList<string> Exceptions(Table14Result result, bool start) => Column(result, start) is var lines ?
    [
        .. from dear in lines
           from cheap in lines
           where cheap.Cost.MultAdds < dear.Cost.MultAdds && cheap.Tar > dear.Tar
           select InvariantText.Of(
               $"{cheap.ShortName} ({Percent(cheap.Tar)}, {Images(result, cheap)} images) beats {dear.ShortName} ({Percent(dear.Tar)}, {Images(result, dear)}) "
                   + $"at {(double)cheap.Cost.MultAdds / dear.Cost.MultAdds:0.00} of its mult-adds"),
    ] : [];

    /// <summary>The finding, a sentence a column.</summary>
    public static string Sentence(Table14Result result)
    {
        bool both = result.Lines.Any(l => l.Training.IsWarm) && result.Lines.Any(l => !l.Training.IsWarm);
        return string.Join(' ', Table14Entry.Columns.Select(start => Sentence(result, start) is { Length: > 0 } text
            ? both ? $"{(start ? "From a start" : "From random weights")}: {char.ToLowerInvariant(text[0])}{text[1..]}" : text : "").Where(s => s.Length > 0));
    }

    private static string Sentence(Table14Result result, bool start)
    {
        var measured = Column(result, start).Where(l => l.Tar is not null).ToList();
        var exceptions = Exceptions(result, start);
        bool ties = measured.Select(l => l.Tar).Distinct().Count() < measured.Count;
        return measured.Count < 2 ? ""
            : exceptions.Count == 0 ? ties ? "No row beats a dearer one; some are equal." : "Accuracy falls with mult-adds in every pair of rows."
            : $"Accuracy falls with mult-adds but for {exceptions.Count} of {measured.Count * (measured.Count - 1) / 2} pairs of rows: "
                + $"{string.Join("; ", exceptions.Take(MostNamed))}{(exceptions.Count > MostNamed ? $"; and {exceptions.Count - MostNamed} more" : "")}.";
    }

    private static string Images(Table14Result result, Table14Line line) =>
        line.Training.Images + (Table14Notes.Before(result, line) ?? 0) is var images && images < 10_000
        ? Count(images) : InvariantText.Of($"{images / 1000.0:#,0} thousand");
}

/// <summary>
/// How fast a table's files are, all and the teacher's timed in turns in one run (speed.json): one face, one thread, ONNX Runtime.
/// </summary>
/// <param name="Teacher">What the teacher's file costs.</param>
/// <param name="Students">The students' files.</param>
internal sealed record Table14Speed(Table14TeacherFile Teacher, IReadOnlyList<Table14StudentSpeed> Students)
{
    /// <summary>The name of the file in the table's folder.</summary>
    public const string FileName = "speed.json";

    /// <summary>Whether it is that of all these lines' files.</summary>
    public bool Holds(IReadOnlyList<Table14Line> lines) => lines.Count > 0 && lines.All(l => Of(l) is not null);

    /// <summary>That of a line's files; null where other files were timed.</summary>
    public Table14StudentSpeed? Of(Table14Line line) =>
        Students.FirstOrDefault(s => s.OnnxSha256 == line.Files.OnnxSha256 && s.Int8Sha256 == line.Files.Int8Sha256);
}

/// <summary>What a teacher's file costs, by its graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="MultAdds">Multiply-accumulates of one face.</param>
/// <param name="Parameters">Values of its constants; null where not known.</param>
/// <param name="LatencyMs">Median of one face, milliseconds.</param>
internal sealed record Table14TeacherFile(string Name, long Bytes, long MultAdds, long? Parameters, double LatencyMs);

/// <summary>How fast a student's files are.</summary>
/// <param name="Student">The row.</param>
/// <param name="OnnxSha256">SHA-256 of the fp32 file that was timed.</param>
/// <param name="Int8Sha256">SHA-256 of the 8-bit file that was timed.</param>
/// <param name="LatencyMs">Median of one face with the fp32 file, milliseconds.</param>
/// <param name="Int8LatencyMs">The same with the 8-bit file.</param>
/// <param name="Speedup">The teacher's median by that of the fp32 file.</param>
/// <param name="Int8Speedup">The same of the 8-bit file.</param>
internal sealed record Table14StudentSpeed(
    string Student, string OnnxSha256, string Int8Sha256, double LatencyMs, double Int8LatencyMs, double Speedup, double Int8Speedup);
