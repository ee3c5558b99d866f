using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Training.Options;

/// <summary>Which views of a face train, each with the teacher's embedding of the same view.</summary>
public sealed record TargetOptions
{
    /// <summary>Whether each face is mirrored in half of its appearances, with the teacher's embedding of the mirrored face as target. Default true.</summary>
    public bool Mirror { get; init; } = true;

    /// <summary>How much the views that train differ from the aligned face; each with the teacher's embedding of the same view. Default none.</summary>
    public AugmentOptions Augment { get; init; } = AugmentOptions.None;

    /// <summary>Whether the teacher embeds augmented views beforehand or while the student trains. Default cached.</summary>
    [JsonPropertyName("targets")]
    public TargetMode Mode { get; init; }

    /// <summary>With cached targets, how many augmented views of each face the teacher embeds, 1 to 256. Default 8.</summary>
    public int Views { get; init; } = 8;

    /// <summary>Alpha of MixUp's beta distribution, 0 (none) to 10; with live targets only. Default 0.</summary>
    public double MixUp { get; init; }

    /// <summary>Whether training shows other views than the aligned and the mirrored face.</summary>
    [JsonIgnore]
    public bool IsAugmented => Mode == TargetMode.Live || Augment != AugmentOptions.None;

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public TargetOptions Validated()
    {
        Augment.Validated();
        string? wrong = Views is < 1 or > 256 ? $"the cached views of a face are 1 to 256, not {Views}"
            : !(MixUp is >= 0 and <= 10) ? InvariantText.Of($"MixUp's alpha is 0 to 10, not {MixUp}")
            : MixUp > 0 && Mode != TargetMode.Live ? "MixUp needs live targets: no embedding made beforehand fits a blend; give --targets live"
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}

/// <summary>Where the target of a changed picture comes from.</summary>
public enum TargetMode
{
    /// <summary>The teacher embedded each view beforehand; training draws the same views again.</summary>
    Cached,

    /// <summary>The teacher embeds each view while the student trains, so that no view comes twice.</summary>
    Live,
}

/// <summary>Views of the training faces beyond the aligned and the mirrored one, with the teacher's embedding of each of them.</summary>
/// <param name="Options">How much views differ.</param>
/// <param name="Mirror">Whether half of the views are mirrored.</param>
/// <param name="Seed">Decides the views.</param>
internal sealed record AugmentedTargets(AugmentOptions Options, bool Mirror, long Seed)
{
    /// <summary>For <see cref="TargetMode.Cached"/>: the teacher's embeddings of view 0, 1, ..., each in the faces' order; empty for live ones.</summary>
    public IReadOnlyList<IEmbeddingRows> Cached { get; init; } = [];

    /// <summary>For <see cref="TargetMode.Live"/>: the teacher; null for cached targets.</summary>
    public IEmbedder? Teacher { get; init; }

    /// <summary>For live targets: alpha of MixUp's beta distribution; 0 for pictures of one face each.</summary>
    public double MixUp { get; init; }

    /// <summary>The parameters of one view of one face.</summary>
    /// <param name="view">The cached view's number, or the epoch.</param>
    /// <param name="face">The face's <see cref="FaceDistill.Datasets.FaceImage.Key"/>.</param>
    public ViewParameters View(int view, long face) => ViewParameters.Draw(Options, Mirror, Seed, view, face);

    /// <summary>A cached view's name in a store: it tells everything that decides the picture.</summary>
    /// <param name="view">Its number, from 0.</param>
    public string Name(int view)
    {
        string keys = InvariantText.Of($"{Mirror} {Seed} {ViewParameters.Version}");
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(JsonFile.Serialize(Options) + keys));
        return InvariantText.Of($"augmented-{Convert.ToHexStringLower(hash)[..12]}-{view}");
    }

    /// <summary>A cached view as the teacher embeds it.</summary>
    /// <param name="view">Its number, from 0.</param>
    public EmbeddedView Embedded(int view) => new(Name(view), (aligned, frame, face, size) => new ViewRenderer(frame).Render(aligned, View(view, face), size));
}
