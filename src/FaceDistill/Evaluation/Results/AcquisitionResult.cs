using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Results;

/// <summary>Photos of the measured people in which no face was found: no pair of theirs is scored, which flatters every rate.</summary>
/// <param name="Photos">The photos, with those that gave no face.</param>
/// <param name="NotAcquired">Those that gave none (failures to acquire, ISO/IEC 19795-1).</param>
/// <param name="GenuinePairs">Pairs of one person among all of them.</param>
/// <param name="TarAtFar">True accept rate by false accept rate ("1e-4") where each pair with such a photo counts as rejected; null as that of the
/// model.</param>
public sealed record AcquisitionResult(int Photos, int NotAcquired, long GenuinePairs, IReadOnlyDictionary<string, double?> TarAtFar)
{
    /// <summary>Counts them.</summary>
    /// <param name="set">The model's embeddings, with what gave no face.</param>
    /// <param name="people">The people who are measured; null for all.</param>
    /// <param name="measured">What was measured on all pairs of the photos that gave a face.</param>
    /// <returns>Null where every photo gave one, or the protocol measures no rate.</returns>
    internal static AcquisitionResult? Of(EmbeddingSet set, IReadOnlySet<string>? people, ModelResult measured)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(measured);
        string[] lost =
        [
            .. set.Skipped.Where(s => s.Reason != AlignmentManifest.NotAPicture).Select(s => FaceDataset.IdentityOf(s.Path))
                .Where(identity => identity.Length > 0 && people?.Contains(identity) != false),
        ];
        if (lost.Length == 0 || measured.TarAtFar is not { } tars)
        {
            return null;
        }

        string[] found = [.. set.Identities.Where(identity => identity.Length > 0 && people?.Contains(identity) != false)];
        long pairs = found.Concat(lost).CountBy(identity => identity, StringComparer.Ordinal).Sum(person => (long)person.Value * (person.Value - 1) / 2);
        return new AcquisitionResult(found.Length + lost.Length, lost.Length, pairs,
            tars.ToDictionary(t => t.Key, t => t.Value is { } tar && pairs > 0 ? tar * measured.GenuinePairs / pairs : (double?)null, StringComparer.Ordinal));
    }

    /// <summary>The same in words.</summary>
    /// <param name="name">The model's name.</param>
    internal string Words(string name)
    {
        string far = FarTargets.Label(EvaluationResult.RetentionFar);
        var rate = TarAtFar.GetValueOrDefault(far) is { } tar
            ? (far, tar)
            : TarAtFar.Where(t => t.Value is not null).Select(t => (t.Key, t.Value!.Value)).LastOrDefault();
        return InvariantText.Of($"{NotAcquired} of {Photos} photos were not acquired: no face was found in them, and no pair of theirs is scored")
            + (rate.Item1 is null ? "" : InvariantText.Of($"; where these count as rejected, the TAR of {name} at FAR {rate.Item1} is {rate.Item2:0.00%}"));
    }
}
