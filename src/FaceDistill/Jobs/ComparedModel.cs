using System.Text.Json;
using System.Text.Json.Serialization;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Jobs;

/// <summary>A photo whose face was embedded.</summary>
/// <param name="Path">The photo's file.</param>
/// <param name="Face">The face that was taken.</param>
public sealed record ComparedPhoto(string Path, FaceInPhoto Face);

/// <summary>By what faces were compared, and what is known of its similarities.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Model">The model argument: the file, the run folder or teacher:CARD.</param>
/// <param name="Far">The false accept rate at which a verdict is given.</param>
/// <param name="Threshold">The least similarity that is accepted at that rate; null where it is not known.</param>
/// <param name="HalfOfImpostors">What half of all pairs of two people reach: similarities of many models are far above 0 for strangers too; null where that
/// is not known.</param>
public sealed record Comparison(string Name, string Model, double Far, float? Threshold, float? HalfOfImpostors)
{
    /// <summary>Why no verdict is given, and what would measure it; null where one is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NoVerdict { get; init; }
}

/// <summary>The model of a comparison, with the thresholds that were measured of it.</summary>
internal sealed class ComparedModel : IDisposable
{
    private const double Far = 1e-4;
    private readonly IReadOnlyList<StudentThreshold> _thresholds;
    private readonly IReadOnlyList<string> _warnings; // what speaks against the model's use

    private ComparedModel(
        IEmbedder model, FaceEmbedder embedder, IReadOnlyList<StudentThreshold> thresholds, Comparison about, IReadOnlyList<string> warnings) =>
        (Model, Embedder, _thresholds, About, _warnings) = (model, embedder, thresholds, about, warnings);

    /// <summary>The model, which <see cref="Embedder"/> holds.</summary>
    public IEmbedder Model { get; }

    /// <summary>Embeds photos with it.</summary>
    public FaceEmbedder Embedder { get; }

    /// <summary>What is told of it.</summary>
    public Comparison About { get; }

    /// <summary>Opens a model.</summary>
    /// <param name="argument">A model argument; null for <see cref="DefaultStudent"/>.</param>
    /// <param name="finder">Finds a teacher's files, and the face detector.</param>
    /// <param name="device">Where a run folder's student computes.</param>
    /// <param name="provider">Where ONNX Runtime computes a teacher or an exported file.</param>
    /// <param name="job">Told of a file of an earlier version, and where the CPU takes another's place.</param>
    /// <exception cref="FaceDistillException">It is no model, or the face detector is not on this machine.</exception>
    public static ComparedModel Open(string? argument, AssetFinder finder, string device, string provider, JobContext job)
    {
        string named = argument ?? DefaultStudent.Find();
        string detector = DetectorCard.FindModel(finder);
        var (thresholds, remedy) = Thresholds(named, job);
        var model = ModelArgument.Open(named, finder, device, job, provider);
        float? At(double far) => thresholds.FirstOrDefault(t => Math.Abs(t.Far - far) < far * 1e-9)?.Threshold;
        var about = new Comparison(model.Name, named, Far, At(Far), At(0.5))
        {
            NoVerdict = At(Far) is not null ? null
                : thresholds.Count == 0 ? $"nothing that was measured says how alike two people are to {model.Name}: {remedy}"
                : InvariantText.Of($"the {thresholds[0].ImpostorPairs:N0} pairs of two people on which {model.Name} was measured are too few for FAR ")
                    + $"{FarTargets.Label(Far)}: {remedy}",
        };
        return new ComparedModel(model, FaceEmbedder.Of(model, named, detector, thresholds), thresholds, about,
            [.. new[] { Drawn(named, model.Name), ModelArgument.IsRun(named) ? RunStudent.UnfinishedWarning(named) : null }.OfType<string>()]);
    }

    /// <summary>Whether a similarity is accepted; null where that is not known.</summary>
    public bool? Same(float similarity) => About.Threshold is { } threshold ? similarity >= threshold : null;

    /// <summary>The false accept rate of a similarity; null where nothing was measured.</summary>
    public FalseAcceptEstimate? Rate(float similarity) => float.IsNaN(similarity) ? null : FalseAcceptCurve.At(_thresholds, similarity);

    /// <summary>Embeds a photo's face.</summary>
    public (float[] Embedding, ComparedPhoto Photo) Embed(string photo)
    {
        float[] embedding = Embedder.EmbedPhoto(photo, out var face);
        return Array.Exists(embedding, v => v != 0) ? (embedding, new ComparedPhoto(photo, face))
            : throw new FaceDistillException($"{About.Name} gives {photo} an embedding of zeros, which is like nothing: take another model");
    }

    /// <summary>What is to be known of photos, each with its name.</summary>
    public IReadOnlyList<string> Warnings(params IEnumerable<ComparedPhoto> photos) =>
    [
        .. _warnings,
        .. photos.SelectMany(photo => photo.Face.Warnings.Select(w => $"{photo.Path}: {w}")),
    ];

    /// <inheritdoc/>
    public void Dispose() => Embedder.Dispose();

    // Those that a file carries, or that the run folder's evaluations on strangers give; and how to get some.
    private static (IReadOnlyList<StudentThreshold> Thresholds, string Remedy) Thresholds(string argument, JobContext job)
    {
        if (ModelArgument.IsTeacher(argument))
        {
            return ([], $"'{Hints.Command} evaluate --model {argument} --data DIR --wide' measures it and prints thresholds, which a card does not keep; "
                + $"that takes {FarTargets.Enough(Far)}");
        }

        if (ModelArgument.IsRun(argument))
        {
            var checkpoint = RunStudent.Open(argument, job);
            var rows = ExportEvaluation.Noted(argument, checkpoint.Hash, checkpoint.Description.Teacher);
            return (ExportEvaluation.Thresholds(rows, fileOnly: false, noted: false).Thresholds,
                $"measure it on people whom it was not trained on, with '{Hints.Command} evaluate --model {argument} --data DIR --protocol all-pairs'; "
                    + $"that takes {FarTargets.Enough(Far)}");
        }

        return (File.Exists(argument) ? StudentThresholds.Of(ModelArgument.Metadata(argument), argument) : [],
            $"export it from its run again, with '{Hints.Command} export --model RUN --output FILE --evaluate --data DIR', DIR holding people whom it was not "
            + $"trained on; that takes {FarTargets.Enough(Far)}");
    }

    // A run says it, and the card beside an exported file.
    private static string? Drawn(string argument, string name)
    {
        string card = argument + ExportedModel.CardEnding;
        bool drawn = ModelArgument.IsRun(argument) ? RunInfo.In(argument) && RunInfo.Read(argument).Synthetic
            : File.Exists(card) && SaysDrawn(card);
        return drawn ? $"{name} was trained on drawn faces: of photos its similarity says nothing" : null;
    }

    private static bool SaysDrawn(string card)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(card));
            return document.RootElement.TryGetProperty("synthetic", out var drawn) && drawn.ValueKind == JsonValueKind.True;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read the model card {card}: {e.Message.Split('\n')[0]}; mend it or delete it", e);
        }
    }
}
