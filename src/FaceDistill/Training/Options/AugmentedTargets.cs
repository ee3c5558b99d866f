using System.Security.Cryptography;
using System.Text;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Training.Options;

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
public sealed record AugmentedTargets(AugmentOptions Options, bool Mirror, long Seed)
{
    /// <summary>For <see cref="TargetMode.Cached"/>: the teacher's embeddings of view 0, 1, ..., each in the faces' order; empty for live ones.</summary>
    public IReadOnlyList<EmbeddingSet> Cached { get; init; } = [];

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
