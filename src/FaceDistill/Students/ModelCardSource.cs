using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Teachers;

namespace FaceDistill.Students;

/// <summary>A teacher or a data set in a model card.</summary>
/// <param name="Name">Its name, or its folder.</param>
/// <param name="Licence">Its terms; null where FaceDistill has no card that says them.</param>
/// <param name="Source">Where it comes from; null where that is not known.</param>
internal sealed record ModelCardSource(string Name, string? Licence, string? Source)
{
    private static readonly string[] Restricting = ["research", "non-commercial", "noncommercial", "-nc"];

    /// <summary>Whether terms, in a card's words, allow research only, or nothing commercial.</summary>
    /// <param name="licence">The terms; null for none that are known.</param>
    public static bool IsRestricted(string? licence) =>
        licence is not null && Array.Exists(Restricting, word => licence.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>A teacher with its licence; without one where its card is not at hand: what lies under the card's path may be another's by now.</summary>
    /// <param name="name">Its name, or <see cref="StudentDescription.NoTeacher"/>.</param>
    /// <param name="argument">Its card, as the user named it.</param>
    /// <exception cref="FaceDistillException">The card is malformed.</exception>
    public static ModelCardSource OfTeacher(string name, string argument)
    {
        if (name == StudentDescription.NoTeacher)
        {
            return new ModelCardSource(name, "none: trained by identities alone", "none");
        }

        if (!IsCard(Cards.Teachers, argument))
        {
            return new ModelCardSource(name, null, null);
        }

        var (found, licence, source) = EnsembleCard.Is(argument) && EnsembleCard.Load(argument) is var ensemble
            ? (ensemble.Name, ensemble.Licence, ensemble.Source)
            : TeacherCard.Load(argument).Card is var card ? (card.Name, card.Licence, card.Source) : default;
        return found == name ? new ModelCardSource(name, licence, source) : new ModelCardSource(name, null, null);
    }

    /// <summary>Training data with their licence, from the card of a data set; a folder that is none of one has none.</summary>
    /// <param name="argument">A folder or a data set's name, as the user named it; a part as "FOLDER (LIST)".</param>
    /// <param name="finder">Finds data sets.</param>
    /// <param name="place">The folder itself, where the argument may be from another working folder; null where it is not known.</param>
    /// <exception cref="FaceDistillException">A card is malformed, or a folder of aligned faces was not finished.</exception>
    public static ModelCardSource OfData(string argument, AssetFinder finder, string? place = null)
    {
        string folder = place ?? PartOf(argument) ?? argument;
        string? name = IsCard(Cards.Datasets, argument) ? argument : Cards.Names(Cards.Datasets).FirstOrDefault(n => IsFolderOf(n, folder, finder));
        if (name is null)
        {
            bool drawn = AlignmentManifest.In(folder) && AlignmentManifest.Read(folder).IsDrawn;
            return drawn ? new ModelCardSource(argument, "MIT, as FaceDistill", "drawn by FaceDistill from a seed") : new ModelCardSource(argument, null, null);
        }

        var found = DatasetCard.Load(name);
        var whole = found.Of is { } of ? DatasetCard.Load(of) : found; // a part has the terms of the whole
        return new ModelCardSource(found.Name + (PartOf(argument) is { } part ? argument[part.Length..] : ""), whole.Licence, whole.Source);
    }

    private static bool IsCard(string kind, string argument) =>
        Cards.Names(kind).Contains(argument) || (argument.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(argument));

    private static string? PartOf(string argument) => argument.EndsWith(')') && argument.LastIndexOf(" (", StringComparison.Ordinal) is > 0 and var at
        ? argument[..at]
        : null;

    // A folder is a card's data set where FaceDistill would look for it there.
    private static bool IsFolderOf(string card, string folder, AssetFinder finder) =>
        DatasetCard.Load(card) is { Of: null } dataset && finder.LocateDataset(dataset) is { } found
            && Path.GetFullPath(found) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}
