using System.Globalization;
using System.Text;
using FaceDistill.Evaluation;
using FaceDistill.Formats;

namespace FaceDistill.Reporting;

/// <summary>An evaluation as comma-separated rows: one a model and rate (of false accepts, or of false alarms in identification); one a model where the protocol has no rates.</summary>
public static class EvaluationReportCsv
{
    private const string Header =
        "protocol,model,images,genuinePairs,impostorPairs,far,tar,tarLow95,tarHigh95,threshold,falseAccepts,retentionAt1e-4,tenFoldAccuracy,tenFoldStandardError,multAdds,rank1,rank5,dir,verificationRate,verificationRateDeviation,identificationRate,identificationRateDeviation";

    /// <summary>The text of report.csv; rates are fractions, and what there is not is empty.</summary>
    public static string Of(EvaluationJson result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var text = new StringBuilder(Header).Append('\n');
        foreach (var m in result.Models)
        {
            var keys = m.TarAtFar?.Keys ?? m.Identification?.OpenSet.DirAtFar.Keys ?? [];
            foreach (string? far in keys.Any() ? keys.Cast<string?>() : [null])
            {
                var interval = far is null ? null : m.TarInterval95AtFar?.GetValueOrDefault(far);
                object?[] row =
                [
                    result.Protocol, m.Name, m.Images, m.GenuinePairs, m.ImpostorPairs, far, far is null ? null : m.TarAtFar?.GetValueOrDefault(far), interval?[0], interval?[1],
                    far is null ? null : m.ThresholdAtFar?.GetValueOrDefault(far), far is null ? null : m.FalseAcceptsAtFar?.GetValueOrDefault(far),
                    m.RetentionAt1e4, m.TenFoldAccuracy, m.TenFoldStandardError, m.MultAdds,
                    m.Identification?.Rank1 ?? m.Rank1, m.Identification?.Rank5, far is null ? null : m.Identification?.OpenSet.DirAtFar.GetValueOrDefault(far),
                    m.Blufr?.VerificationRate.Mean, m.Blufr?.VerificationRate.StandardDeviation, m.Blufr?.IdentificationRate.Mean, m.Blufr?.IdentificationRate.StandardDeviation,
                ];
                text.AppendJoin(',', row.Select(value => Csv.Field(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""))).Append('\n');
            }
        }

        return text.ToString();
    }
}
