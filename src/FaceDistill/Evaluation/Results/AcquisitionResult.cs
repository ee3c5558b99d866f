using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Results;

/// <summary>Photos of the measured people in which no face was found: no pair of theirs is scored, which flatters every rate.</summary>
/// <param name="Photos">The photos, with those that gave no face.</param>
/// <param name="NotAcquired">Those that gave none (failures to acquire, ISO/IEC 19795-1).</param>
/// <param name="GenuinePairs">Pairs of one person among all of them; null where the protocol does not score all pairs.</param>
/// <param name="TarAtFar">True accept rate by false accept rate ("1e-4") where each pair with such a photo counts as rejected; null as that of the
/// model.</param>
public sealed record AcquisitionResult(int Photos, int NotAcquired, long? GenuinePairs, IReadOnlyDictionary<string, double?> TarAtFar)
{
    /// <summary>Counts them.</summary>
    /// <param name="set">The embeddings that were measured, with those of their data's files that gave no face.</param>
    /// <param name="person">Whom a file shows, by its path; empty where that is not known.</param>
    /// <param name="measured">What was measured of the photos that gave one.</param>
    /// <param name="rates">Whether the protocol scores all pairs, so that rates with the others can be told.</param>
    /// <returns>Null where every photo gave one.</returns>
    internal static AcquisitionResult? Of(EmbeddingSet set, Func<string, string> person, ModelResult measured, bool rates)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(measured);
        string[] lost =
        [
            .. set.Skipped.Where(s => s.Reason != AlignmentManifest.NotAPicture).Select(s => person(s.Path))
                .Where(identity => identity.Length > 0),
        ];
        if (lost.Length == 0)
        {
            return null;
        }

        var tars = (rates ? measured.TarAtFar : null) ?? new Dictionary<string, double?>();
        string[] found = [.. set.Identities.Where(identity => identity.Length > 0)];
        long pairs = found.Concat(lost).CountBy(identity => identity, StringComparer.Ordinal).Sum(person => (long)person.Value * (person.Value - 1) / 2);
        return new AcquisitionResult(found.Length + lost.Length, lost.Length, rates ? pairs : null,
            tars.ToDictionary(t => t.Key, t => t.Value is { } tar && pairs > 0 ? tar * measured.GenuinePairs / pairs : (double?)null, StringComparer.Ordinal));
    }

    /// <summary>Photos that show several faces, of which one was measured; null where nobody counted.</summary>
    /// <param name="set">The model's embeddings of the photos that are measured.</param>
    internal static int? Several(EmbeddingSet set) => set.SeveralFaces is not { } several ? null : set.Paths.Count(several.Contains);

    /// <summary>The same in words: a line for each number of photos that gave no face, with the rates of the models that it is so for.</summary>
    /// <param name="models">All models that were measured.</param>
    internal static IEnumerable<string> Words(IReadOnlyList<ModelResult> models) =>
        from model in models
        where model.Acquisition is not null
        group model by (model.Acquisition!.NotAcquired, model.Acquisition.Photos) into alike
        let rates = alike.Select(Rate).OfType<string>().ToList()
        select InvariantText.Of($"no face was found in {alike.Key.NotAcquired} of the {alike.Key.Photos} photos, and no pair of theirs is counted")
            + (rates.Count == 0 ? "" : $"; where these pairs count as rejected, {string.Join(" and ", rates)}");

    // At the rate that decides, or else at the smallest that was measured.
    private static string? Rate(ModelResult model)
    {
        string far = FarTargets.Label(EvaluationResult.RetentionFar);
        var tars = model.Acquisition!.TarAtFar;
        far = tars.GetValueOrDefault(far) is not null ? far : tars.Where(t => t.Value is not null).Select(t => t.Key).MinBy(InvariantNumber.Of) ?? "";
        return far.Length == 0 ? null : InvariantText.Of($"the TAR of {model.Name} at FAR {far} is {tars[far]:0.00%}");
    }
}
