using FaceDistill.Evaluation;

namespace FaceDistill.Reporting;

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
public sealed record Table14Result(
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
