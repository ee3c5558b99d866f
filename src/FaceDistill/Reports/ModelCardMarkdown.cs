using System.Text;
using FaceDistill.Files;
using FaceDistill.Students;

namespace FaceDistill.Reports;

/// <summary>A model card for people.</summary>
internal static class ModelCardMarkdown
{
    private const string Unknown = "not known to FaceDistill; find out before you use the model";
    /// <summary>The false accept rates that a card tells.</summary>
    internal static readonly string[] Fars = ["1e-3", "1e-4", "1e-5"];


    private static readonly string[] PointNames =
        ["eye at the image's left", "eye at its right", "nose tip", "mouth corner at the left", "mouth corner at the right"];

    /// <summary>The text of MODEL_CARD.md.</summary>
    public static string Of(ModelCard card)
    {
        ArgumentNullException.ThrowIfNull(card);
        var text = new StringBuilder(ModelCardHub.Of(card)).Append('\n');
        Line(text, $"# {card.File}");
        Line(text, $"");
        string how = card.Teacher.Name == FaceDistill.Students.StudentDescription.NoTeacher ? "trained by identities" : "distilled from " + card.Teacher.Name;
        Line(text, $"A face-embedding student, {card.Student}, {how} by FaceDistill {card.Version}, {card.Made:yyyy-MM-dd}.");
        Use(text, card);
        Origin(text, card);
        Interface(text, card);
        Accuracy(text, card);
        Thresholds(text, card);
        Verification(text, card);
        return text.ToString();
    }

    private static void Use(StringBuilder text, ModelCard card)
    {
        Heading(text, "Intended use and limits");
        Line(text, $"- For comparing two aligned face pictures: the cosine of their embeddings is the score; accept at or above a threshold.");
        Line(text, $"- It does not find or align faces, tells nothing about whether a picture is of a living person, and is not to be the only ground of a "
            + $"decision about anybody.");
        Line(text, $"- An embedding identifies a person: have the consent of those whose pictures are embedded, and store embeddings like the pictures "
            + $"themselves.");
        Line(text, $"- Accuracy and thresholds hold for pictures like those of the test named below. It was not measured how they differ between groups of "
            + $"people; measure that on your own pictures.");
        if (card.Origins.Any(o => o.Research))
        {
            Line(text, $"- **For research only: it started from {StudentOrigin.Short(card.Origins)}.**");
        }

        if (card.Unfinished is { } at)
        {
            Line(text, $"- **Its training is unfinished: {at}.**");
        }

        if (card.Synthetic)
        {
            Line(text, $"- **Trained on drawn faces: it is of no use on photographs of people.**");
        }
    }

    private static void Origin(StringBuilder text, ModelCard card)
    {
        Heading(text, "Teacher, data and licences");
        Line(text, $"| | licence | source |");
        Line(text, $"|---|---|---|");
        Line(text, $"| teacher {Of(card.Teacher.Name)} | {Of(card.Teacher.Licence ?? Unknown)} | {Of(card.Teacher.Source ?? "not known")} |");
        foreach (var origin in card.Origins)
        {
            Line(text, $"| start {Of(origin.Name)} | {Of(origin.Licence ?? "that of its own teacher and data")} | {Of(origin.Source)} |");
        }

        foreach (var data in card.Data)
        {
            Line(text, $"| data {Of(data.Name)} | {Of(data.Licence ?? Unknown)} | {Of(data.Source ?? "not known")} |");
        }

        Line(text, $"");
        Line(text, $"The student is derived from all of these; their terms may bind it. It started from {StudentOrigin.Short(card.Origins)}.");
        Heading(text, "Recipe");
        var recipe = card.Recipe;
        string people = recipe.HeldOut.People > 0 ? InvariantText.Of($" and all faces of {recipe.HeldOut.People} people") : "";
        Line(text, $"{card.TrainingFaces} faces, {100 * recipe.HeldPart:0.##}%{people} held out; {card.Epochs} of {recipe.Run.Epochs} epochs, batch "
            + $"{recipe.Run.BatchSize}, {ShownText.Words(recipe.Optimizer.Kind)}, learning rate {recipe.Optimizer.LearningRate}, "
            + $"weight decay {recipe.Optimizer.WeightDecay}, "
            + $"head {ShownText.Words(recipe.Student.Head)}, mirror {(recipe.Targets.Mirror ? "yes" : "no")}, "
            + $"views {recipe.Targets.Views} where augmented, seed {recipe.Run.Seed}, "
            + $"{ShownText.Words(recipe.Run.Precision)}. All options: {card.File}.card.json.");
        Line(text, $"{card.MultAdds / 1e6:0.0} M mult-adds, {card.Parameters / 1e6:0.00} M parameters.");
    }

    private static void Interface(StringBuilder text, ModelCard card)
    {
        Heading(text, "Input and output");
        Line(text, $"- Input: {card.Input.Tensor}, {card.Input.ColorOrder}. {card.Input.Scaling}");
        Line(text, $"- Alignment: template {card.Input.Template}. A similarity transform (rotation, one scale, shift) brings the five points nearest to "
            + $"these, in pixels x, y of the input picture:");
        foreach (var (name, point) in PointNames.Zip(card.Input.Points))
        {
            Line(text, $"  - {name}: {point[0]:0.000}, {point[1]:0.000}");
        }

        Line(text, $"- Output: {card.Output}");
    }

    private static void Accuracy(StringBuilder text, ModelCard card)
    {
        Heading(text, "Accuracy");
        if (card.Accuracy.Count == 0)
        {
            Line(text, $"None was measured. 'facedistill export --model RUN --format {card.Format} --output {card.File} --evaluate --data DATA' measures it "
                + $"and makes the file anew; give --preprocess and --normalize where it was made with them.");
            return;
        }

        Line(text, $"TAR, with 95% intervals in brackets where identities were resampled; a dash where the protocol gives none or the impostor pairs are "
            + $"too few.");
        Line(text, $"");
        Line(text, $"| model | test | genuine pairs | impostor pairs | {string.Join(" | ", Fars.Select(f => "TAR at " + f))} | 10-fold | retention at 1e-4 |");
        Line(text, $"|---|---|---|---|{string.Concat(Fars.Select(_ => "---|"))}---|---|");
        foreach (var row in card.Accuracy)
        {
            var m = row.Result;
            string fold = m.TenFoldAccuracy is null ? "-" : $"{Percent(m.TenFoldAccuracy)} ± {Percent(m.TenFoldStandardError)}";
            Line(text, $"| {Of(row.Model)} | {Of(row.Test)}{(row.Seen ? " (*)" : "")} | {m.GenuinePairs:N0} | {m.ImpostorPairs:N0} | "
                + $"{string.Join(" | ", Fars.Select(f => Tar(row, f)))} | {fold} | {Percent(m.RetentionAt1e4)} |");
        }

        if (card.Accuracy.Any(r => r.Seen))
        {
            Line(text, $"");
            Line(text, $"(*) The training faces hold, or may hold, people of this test: the figure says little of strangers.");
        }

        if (card.Accuracy.Any(r => r.Drawn))
        {
            Line(text, $"");
            Line(text, $"**The faces of {string.Join(", ", card.Accuracy.Where(r => r.Drawn).Select(r => r.Data).Distinct())} are drawn, of people who do not "
                + $"exist: what was measured on them tells whether the parts work together, and nothing of photographs.**");
        }
    }

    private static void Thresholds(StringBuilder text, ModelCard card)
    {
        Heading(text, "Thresholds");
        if (card.Thresholds.Count == 0)
        {
            string missing = card.MissingThresholds ?? "none was measured";
            Line(text, $"{char.ToUpperInvariant(missing[0])}{missing[1..]}.");
            return;
        }

        Line(text, $"On the cosine of two embeddings; accept at or above.");
        Line(text, $"");
        Line(text, $"| FAR | threshold | protocol | impostor pairs |");
        Line(text, $"|---|---|---|---|");
        foreach (var t in card.Thresholds)
        {
            Line(text, $"| {FaceDistill.Embeddings.FarTargets.Label(t.Far)} | {t.Threshold:0.000000} | {t.Protocol} | {t.ImpostorPairs:N0} |");
        }

        if (card.MissingThresholds is { } without)
        {
            Line(text, $"");
            Line(text, $"{char.ToUpperInvariant(without[0])}{without[1..]}.");
        }
    }

    private static void Verification(StringBuilder text, ModelCard card)
    {
        var v = card.Verification;
        Heading(text, "Verification");
        Line(text, $"Against the student in TorchSharp on {v.Faces} aligned faces, before the file was put in place: largest difference of a value "
            + $"{v.MaxAbsDifference:0.0e+0}; cosine {Spread(v.Cosine)}; less the common mean {Spread(v.CentredCosine)}.");
        if (v.Int8 is { } q)
        {
            Line(text, $"\n8 bits: ranges by {ShownText.Words(q.Method)} on {q.CalibrationFaces} aligned training faces, channels "
                + $"{(q.Equalized ? "equalised between layers" : "as trained")}, biases {(q.BiasCorrected ? "corrected" : "as trained")}, in float32 "
                + $"{(q.Float32Layers.Count == 0 ? "no layer but the embedding's arithmetic" : string.Join(", ", q.Float32Layers))}; chosen of "
                + $"{q.Tried.Count} ways on {q.SelectionFaces} other faces, where the error added is {100 * q.Error:0.00}% of the embeddings' variance.");
        }

        Heading(text, "Files");
        Line(text, $"- {card.File}: {card.Format}{(card.OperatorSet is { } set ? InvariantText.Of($", opset {set}") : "")}, {card.Bytes} bytes, "
            + $"SHA-256 {card.Sha256}");
        foreach (var part in card.Companions)
        {
            Line(text, $"- {part.Name}, which belongs to it: {part.Bytes} bytes, SHA-256 {part.Sha256}");
        }

        if (card.TeacherSha256.Length > 0)
        {
            Line(text, $"- teacher {Of(card.Teacher.Name)}: SHA-256 {card.TeacherSha256}");
        }
    }

    private static string Of(string? value) => MarkdownText.Of(value);

    private static string Spread(FaceDistill.Export.CosineSpread? s) =>
        s is null
            ? "not measured"
            : InvariantText.Of($"{s.Mean:0.000000} on average, 5th percentile {s.Percentile5:0.000000}, smallest {s.Min:0.000000}");

    private static string Tar(ModelCardAccuracy row, string far)
    {
        if (row.Result.TarAtFar?.GetValueOrDefault(far) is not { } tar)
        {
            return "-";
        }

        return row.Result.TarInterval95AtFar?.GetValueOrDefault(far) is { } range
            ? InvariantText.Of($"{100 * tar:0.00}% ({100 * range[0]:0.00}-{100 * range[1]:0.00})") : Percent(tar);
    }

    private static string Percent(double? part) => part is null ? "-" : InvariantText.Of($"{100 * part:0.00}%");

    private static void Heading(StringBuilder text, string heading) => text.Append("\n## ").Append(heading).Append("\n\n");

    private static void Line(StringBuilder text, ShownTemplate line) => text.Append(line.ToString()).Append('\n');
}
