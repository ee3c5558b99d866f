namespace FaceDistill.Pipeline;

/// <summary>Which table to make.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Command">What was typed, for the reports, without the rows.</param>
/// <param name="Output">The table's folder.</param>
/// <param name="Rows">The students of the rows to run; none for all. Rows that are finished stand in the table in any case.</param>
public sealed record Table14Request(Table14Recipe Recipe, string Command, string Output, IReadOnlyList<string> Rows);
