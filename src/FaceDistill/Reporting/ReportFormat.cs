using FaceDistill.Evaluation;

namespace FaceDistill.Reporting;

/// <summary>How figures stand in an evaluation's report; the same in each of its files for people.</summary>
internal static class ReportFormat
{
    /// <summary>The rate that decides in FaceDistill, as in JSON keys.</summary>
    public static readonly string DecidingFar = FarTargets.Label(EvaluationResult.RetentionFar);

    /// <summary>A fraction as a percentage with two decimals; "-" for none.</summary>
    public static string Percent(double? part) => part is { } value ? FormattableString.Invariant($"{100 * value:0.00}%") : "-";

    /// <summary>An interval of fractions in percent, without the sign; empty for none.</summary>
    public static string Range(IReadOnlyList<double>? interval) =>
        interval is [var low, var high] ? FormattableString.Invariant($"{100 * low:0.00}-{100 * high:0.00}") : "";

    /// <summary>" (95%: low-high)", or nothing.</summary>
    public static string Bracket(IReadOnlyList<double>? interval) => interval is null ? "" : $" (95%: {Range(interval)})";

    /// <summary>A count in groups of three digits.</summary>
    public static string Count(long count) => FormattableString.Invariant($"{count:#,0}");

    /// <summary>A count with its noun, which takes an s unless the count is one.</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A score with four decimals; "-" for none.</summary>
    public static string Score(float? score) => score is { } value ? FormattableString.Invariant($"{value:0.0000}") : "-";

    /// <summary>The metrics besides those by rate: name, what it is, how it reads; without those that no model has.</summary>
    public static IReadOnlyList<(string Key, string Name, Func<ModelJson, string> Text)> Metrics(EvaluationJson result)
    {
        (string Key, string Name, Func<ModelJson, double?> Value, Func<ModelJson, string> Text)[] all =
        [
            ("retentionAt1e-4", "Retention at 1e-4", m => m.RetentionAt1e4, m => Percent(m.RetentionAt1e4) + (m.RetentionInterval95At1e4 is null ? "" : $" ({Range(m.RetentionInterval95At1e4)})")),
            ("tenFoldAccuracy", "10-fold accuracy", m => m.TenFoldAccuracy, m => m.TenFoldAccuracy is null ? "-" : $"{Percent(m.TenFoldAccuracy)} ± {Percent(m.TenFoldStandardError)}"),
            ("eer", "EER", m => m.Eer, m => Percent(m.Eer)),
            ("auc", "AUC", m => m.Auc, m => Number(m.Auc, "0.000000")),
            ("dPrime", "d'", m => m.DPrime, m => Number(m.DPrime, "0.000")),
            ("minDcf", "minDCF", m => m.MinDcf, m => Number(m.MinDcf, "0.0000")),
            ("rank1", "Rank-1", m => m.Rank1, m => Percent(m.Rank1)),
            ("multAdds", "M mult-adds", m => m.MultAdds, m => Number(m.MultAdds / 1e6, "0.0")),
            ("parameters", "M parameters", m => m.Parameters, m => Number(m.Parameters / 1e6, "0.00")),
        ];
        return [.. all.Where(metric => result.Models.Any(m => metric.Value(m) is not null)).Select(metric => (metric.Key, metric.Name, metric.Text))];
    }

    /// <summary>All rates that some model was asked for, in their order.</summary>
    public static IReadOnlyList<string> Fars(EvaluationJson result) => [.. result.Models.SelectMany(m => m.TarAtFar?.Keys ?? []).Distinct()];

    private static string Number(double? value, string format) => value?.ToString(format, System.Globalization.CultureInfo.InvariantCulture) ?? "-";
}
