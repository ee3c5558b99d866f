using System.Text;
using FaceDistill.Assets;
using FaceDistill.Files;
using FaceDistill.Students;

namespace FaceDistill.Reports;

/// <summary>
/// The YAML between two lines of "---" with which a MODEL_CARD.md begins: what the Hugging Face Hub reads of a README.md (hub-docs, modelcard.md). The
/// figures are those of the card's own measurements; where none was made there are none.
/// </summary>
internal static class ModelCardHub
{
    private const string Task = "image-feature-extraction"; // the Hub's name of the task whose result is an embedding

    /// <summary>The lines, both "---" among them.</summary>
    public static string Of(ModelCard card)
    {
        ArgumentNullException.ThrowIfNull(card);
        var yaml = new StringBuilder("---\n");
        yaml.Append("library_name: facedistill\n");
        // No licence of the Hub's list can be told from the cards' words. The Hub wants a link to a file of this name, which who publishes writes.
        yaml.Append("license: other\nlicense_name: ").Append(IsRestricted(card) ? "research-only-see-teacher-and-data" : "see-teacher-and-data");
        yaml.Append("\nlicense_link: LICENSE.md\n");
        yaml.Append("pipeline_tag: ").Append(Task).Append('\n');
        List(yaml, "tags", Tags(card));
        // A folder of this machine tells the Hub nothing: those that have a card, of which their source is known.
        List(yaml, "datasets", card.Data.Where(d => d.Source is not null).Select(d => d.Name).Intersect(Cards.Names(Cards.Datasets)));
        Results(yaml, card);
        return yaml.Append("---\n").ToString();
    }

    private static bool IsRestricted(ModelCard card) => card.Origins.Any(o => o.Research)
        || card.Data.Append(card.Teacher).Select(s => s.Licence).Concat(card.Origins.Select(o => o.Licence)).Any(ModelCardSource.IsRestricted);

    private static IEnumerable<string> Tags(ModelCard card)
    {
        string[] format = card.Format.Split('-'); // onnx-int8: the runtime, and how it is rounded
        string[] general = ["face-recognition", "face-verification", "face-embeddings", "mobilenet"];
        string[] distilled = card.TeacherSha256.Length > 0 ? ["knowledge-distillation"] : [];
        return [.. general, .. distilled, .. format, .. card.Synthetic ? ["synthetic-faces"] : Array.Empty<string>()];
    }

    // Of this file; where that was not measured, of the student that it agrees with to rounding (only formats of which that holds keep its thresholds). Figures
    // of people who were trained on, which say little of strangers, stand in the text alone.
    private static IEnumerable<ModelCardAccuracy> Rows(ModelCard card)
    {
        var own = card.Accuracy.Where(a => a.Model == ModelCardAccuracy.ThisFile).ToList();
        bool keeps = FaceDistill.Export.ExportFormat.Named(card.Format).KeepsThresholds;
        return (own.Count > 0 || !keeps ? own : card.Accuracy.Where(a => a.Model == ModelCardAccuracy.Torch)).Where(a => !a.Seen);
    }

    private static void Results(StringBuilder yaml, ModelCard card)
    {
        var measured = Rows(card).Select(row => (Row: row, Metrics: Metrics(row).ToList())).Where(m => m.Metrics.Count > 0).ToList();
        if (measured.Count == 0)
        {
            return;
        }

        yaml.Append("model-index:\n- name: ").Append(Quoted(card.File)).Append("\n  results:\n");
        foreach (var (row, metrics) in measured)
        {
            yaml.Append("  - task:\n      type: ").Append(Task).Append("\n      name: face verification\n    dataset:\n      type: ");
            yaml.Append(Quoted(row.Data)).Append("\n      name: ").Append(Quoted(row.Test)).Append("\n    metrics:\n");
            foreach (var (type, name, value, more) in metrics)
            {
                yaml.Append(InvariantText.Of($"    - type: {type}\n      name: {name}\n      value: {value:0.0000}\n"));
                yaml.Append(more);
            }
        }
    }

    // Rates are parts of 1, as the Hub's own accuracy is.
    private static IEnumerable<(string Type, string Name, double Value, string More)> Metrics(ModelCardAccuracy row)
    {
        var m = row.Result;
        foreach (string far in ModelCardMarkdown.Fars)
        {
            if (m.TarAtFar?.GetValueOrDefault(far) is not { } tar)
            {
                continue;
            }

            string interval = m.TarInterval95AtFar?.GetValueOrDefault(far) is { } range
                ? InvariantText.Of($"        interval_95: [{range[0]:0.0000}, {range[1]:0.0000}]\n") : "";
            yield return ($"tar_at_far_{far}", $"TAR at FAR {far}", tar, InvariantText.Of(
                $"      args:\n        far: {InvariantNumber.Of(far):0.0######}\n        genuine_pairs: {m.GenuinePairs}\n")
                + InvariantText.Of($"        impostor_pairs: {m.ImpostorPairs}\n") + interval);
        }

        if (m.TenFoldAccuracy is { } fold)
        {
            yield return ("accuracy", "10-fold accuracy", fold, "");
        }
    }

    private static void List(StringBuilder yaml, string key, IEnumerable<string> items)
    {
        string lines = string.Concat(items.Select(item => $"- {Quoted(item)}\n"));
        yaml.Append(lines.Length == 0 ? "" : $"{key}:\n{lines}");
    }

    /// <summary>A text as YAML reads it back whatever is in it: between single quotes, its own doubled; what is not to be shown as \uXXXX.</summary>
    internal static string Quoted(string text) => $"'{ShownText.Of(text).Replace("'", "''", StringComparison.Ordinal)}'";
}
