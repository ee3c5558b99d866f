using System.Globalization;

namespace FaceDistill.Attack;

/// <summary>Totals, failures and the table of all cases.</summary>
/// <param name="Results">In the cases' order.</param>
/// <param name="Time">How long it took.</param>
internal sealed record AttackReport(IReadOnlyList<CaseResult> Results, TimeSpan Time)
{
    private static readonly Verdict[] Verdicts = Enum.GetValues<Verdict>();

    /// <summary>How many cases failed.</summary>
    public int Failed => Results.Count(r => r.Verdict == Verdict.Failed);

    /// <summary>Prints totals by group, then every case that did not simply hold.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine($"{"group",-10}{"cases",7}{string.Concat(Verdicts.Select(v => $"{Name(v),10}"))}{"seconds",10}");
        foreach (var group in Results.GroupBy(r => r.Group))
        {
            Line(output, group.Key, [.. group]);
        }

        Line(output, "all", [.. Results]);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"in {Time.TotalMinutes:0.0} minutes"));
        foreach (var verdict in new[] { Verdict.Skipped, Verdict.Noise, Verdict.Excepted, Verdict.Failed })
        {
            foreach (var result in Results.Where(r => r.Verdict == verdict))
            {
                output.WriteLine($"{Name(verdict)}: {result.Group}: {result.Name}");
                output.WriteLine($"    facedistill {result.Command}");
                output.WriteLine($"    exit {result.Exit}: {Clean(result.Why)}");
            }
        }

        foreach (var (group, name, _) in Exceptions.All.Where(e => Results.Any(r => r.Group == e.Group && r.Name == e.Name && r.Verdict == Verdict.Held)))
        {
            output.WriteLine($"no exception any more: {group}: {name} holds; take it out of Exceptions");
        }
    }

    /// <summary>Writes the table of all cases.</summary>
    public void WriteCsv(string path)
    {
        using var writer = new StreamWriter(path);
        writer.WriteLine("group,case,command,exit,class,why");
        foreach (var r in Results)
        {
            writer.WriteLine(string.Join(',', new[] { r.Group, r.Name, r.Command, r.Exit, r.Class, Clean(r.Why) }.Select(Quoted)));
        }
    }

    private static void Line(TextWriter output, string name, CaseResult[] results) => output.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{name,-10}{results.Length,7}{string.Concat(Verdicts.Select(v => $"{results.Count(r => r.Verdict == v),10}"))}{results.Sum(r => r.Seconds),10:0}"));

    private static string Name(Verdict verdict) => verdict.ToString().ToLowerInvariant();

    private static string Clean(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);

    private static string Quoted(string field) => field.AsSpan().IndexOfAny(",\"\n\r") < 0
        ? field
        : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
