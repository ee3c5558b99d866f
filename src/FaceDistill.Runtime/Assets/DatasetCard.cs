using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>How a data set's pictures lie in its folder.</summary>
internal enum DatasetLayout
{
    /// <summary>One sub-folder a person.</summary>
    IdentityFolders,

    /// <summary>All pictures in one folder, without identities.</summary>
    Flat,
}

/// <summary>A data set's card (datasets/NAME.json).</summary>
/// <param name="Name">The card's name; also the name of the data set's folder.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Licence">The terms of use.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Layout">How the pictures lie.</param>
/// <param name="Images">The sub-folder that holds the pictures; empty for the data set's root.</param>
/// <param name="Synthetic">Whether FaceDistill draws the faces itself.</param>
/// <param name="Archive">The archive that holds the pictures; null where nothing can be fetched.</param>
/// <param name="ArchiveFolder">The archive's folder that becomes <paramref name="Images"/>; empty for all of the archive.</param>
/// <param name="Files">Further files of the data set's root, for example lists of pairs.</param>
/// <param name="Manual">What the user is to do where there is no archive.</param>
/// <param name="Of">The card of the data set that this one is a part of; null for a data set of its own.</param>
/// <param name="People">For a part: the file in the whole set's folder that lists its people.</param>
internal sealed record DatasetCard(
    string Name,
    string Description,
    string Licence,
    string Source,
    DatasetLayout Layout,
    string Images,
    bool Synthetic,
    Asset? Archive = null,
    string ArchiveFolder = "",
    Asset[]? Files = null,
    string? Manual = null,
    string? Of = null,
    string? People = null)
{
    private AssetSet? _allFiles;

    /// <summary>Reads a card and checks it.</summary>
    /// <param name="nameOrPath">A shipped card's name, or the path of the user's own.</param>
    /// <exception cref="FaceDistillException">There is no such card or it is malformed; the message names card and field.</exception>
    public static DatasetCard Load(string nameOrPath)
    {
        var text = Cards.ReadText(Cards.Datasets, nameOrPath);
        var card = JsonFile.Parse<DatasetCard>(text.Text, text.Origin);
        string? wrong = card.Images.Length > 0 && !Asset.IsPlainName(card.Images) ? "\"images\" is to be one folder's name, or empty"
            : card.ArchiveFolder.Length > 0 && !Asset.IsPlainName(card.ArchiveFolder) ? "\"archiveFolder\" is to be one folder's name, or empty"
            : card.Archive is null == string.IsNullOrEmpty(card.Manual) ? "exactly one of \"archive\" and \"manual\" is to be there"
            : card.Of is null != card.People is null ? "\"of\" and \"people\" come together"
            : (card.Of is not null && !Asset.IsPlainName(card.Of)) || (card.People is not null && !Asset.IsPlainName(card.People))
                ? "\"of\" and \"people\" are to be plain names"
            : card.Archive is not null && !ArchiveUnpacker.CanUnpack(card.Archive.File) ? $"the archive '{card.Archive.File}' is no .tgz, .tar.gz, .tar or .zip"
            : card.Files?.FirstOrDefault(f => f.Source.Npm is not null || f.Source.Path is not null) is { } other
                ? $"\"files\": '{other.File}' comes by \"url\" or \"manual\"; npm and path are for the archive"
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException($"{text.Origin}: {wrong}");
        }

        card._allFiles = new AssetSet(text, card.Name, [.. card.Archive is null ? [] : new[] { card.Archive }, .. card.Files ?? []]);
        return card;
    }

    /// <summary>The archive (where there is one) and the further files, checked; set by <see cref="Load"/>.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public AssetSet AllFiles => _allFiles ?? throw new InvalidOperationException("a data set's card is read with Load");

    /// <summary>The folder of the pictures in a data set's folder.</summary>
    public string ImagesIn(string folder) => Images.Length == 0 ? folder : Path.Combine(folder, Images);
}

/// <summary>What is on this machine of a data set.</summary>
/// <param name="Name">The card's name.</param>
/// <param name="Folder">The data set's folder; null when it is missing.</param>
/// <param name="Pictures">Files in its folder of pictures, all sub-folders included.</param>
/// <param name="Files">The further files of the card.</param>
/// <param name="Note">How to get the data set where it is missing; null otherwise.</param>
internal sealed record DatasetStatus(string Name, string? Folder, int Pictures, IReadOnlyList<AssetStatus> Files, string? Note);
