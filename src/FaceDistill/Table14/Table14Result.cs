using FaceDistill.Evaluation.Agreement;
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
/// <param name="Missing">The recipe's students that are not finished yet.</param>
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

    /// <summary>The audit of the training faces in the table's folder; null where none was made.</summary>
    public AuditSummary? Audit { get; init; }

    /// <summary>Whether the faces are drawn, not photographed.</summary>
    public bool Synthetic { get; init; }
}

/// <summary>Whether a table's accuracy falls with its cost, and where it does not.</summary>
internal static class Table14Order
{
    private const int MostNamed = 3;

    /// <summary>Pairs of rows of which the cheaper one is the more accurate: what was found, in a sentence each.</summary>
    public static IReadOnlyList<string> Exceptions(Table14Result result) =>
    [
        .. from dear in result.Lines
           from cheap in result.Lines
           where cheap.Cost.MultAdds < dear.Cost.MultAdds && cheap.Tar > dear.Tar
           select InvariantText.Of(
               $"{cheap.Label} ({Percent(cheap.Tar)}, {Images(result, cheap)} images) beats {dear.Label} ({Percent(dear.Tar)}, {Images(result, dear)}) at "
                   + $"{(double)cheap.Cost.MultAdds / dear.Cost.MultAdds:0.00} of its mult-adds; {Overlap(cheap, dear)}"),
    ];

    /// <summary>The finding as one sentence.</summary>
    public static string Sentence(Table14Result result)
    {
        var measured = result.Lines.Where(l => l.Tar is not null).ToList();
        var exceptions = Exceptions(result);
        bool ties = measured.Select(l => l.Tar).Distinct().Count() < measured.Count;
        return measured.Count < 2 ? ""
            : exceptions.Count == 0 ? ties ? "No row beats a dearer one; some are equal." : "Accuracy falls with mult-adds in every pair of rows."
            : $"Accuracy falls with mult-adds but for {exceptions.Count} of {measured.Count * (measured.Count - 1) / 2} pairs of rows: "
                + $"{string.Join("; ", exceptions.Take(MostNamed))}{(exceptions.Count > MostNamed ? $"; and {exceptions.Count - MostNamed} more" : "")}.";
    }

    private static string Images(Table14Result result, Table14Line line) =>
        InvariantText.Of($"{(line.Training.Images + Table14Notes.Before(result, line)) / 1000.0:#,0} thousand");

    private static string Overlap(Table14Line a, Table14Line b) =>
        a.TarInterval is not [var low, _] || b.TarInterval is not [_, var high] ? "no intervals were taken"
            : low > high ? "their 95% intervals do not overlap" : "their 95% intervals overlap";
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
/// <param name="Student">The student.</param>
/// <param name="OnnxSha256">SHA-256 of the fp32 file that was timed.</param>
/// <param name="Int8Sha256">SHA-256 of the 8-bit file that was timed.</param>
/// <param name="LatencyMs">Median of one face with the fp32 file, milliseconds.</param>
/// <param name="Int8LatencyMs">The same with the 8-bit file.</param>
/// <param name="Speedup">The teacher's median by that of the fp32 file.</param>
/// <param name="Int8Speedup">The same of the 8-bit file.</param>
internal sealed record Table14StudentSpeed(
    string Student, string OnnxSha256, string Int8Sha256, double LatencyMs, double Int8LatencyMs, double Speedup, double Int8Speedup);
