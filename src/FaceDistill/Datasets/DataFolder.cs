using System.Text.Json.Serialization;
using FaceDistill.Assets;
using FaceDistill.Faces;

namespace FaceDistill.Datasets;

/// <summary>A data set on this disk: where its pictures lie, and where its protocol files (pairs.txt and the like) do.</summary>
/// <param name="Root">The data set's folder, with its protocol files.</param>
/// <param name="Images">The folder of the pictures: the root itself, or its sub-folder "images".</param>
public sealed record DataFolder(string Root, string Images)
{
    /// <summary>A list of people (LFW's format) whose pictures alone belong to the data set; null for all.</summary>
    public string? People { get; init; }

    /// <summary>A list of pictures that do not belong to it (<see cref="ExclusionList"/>); null for none.</summary>
    public string? Exclude { get; init; }

    /// <summary>The data set's name in such a list: that of its folder.</summary>
    [JsonIgnore]
    public string Name => Path.GetFileName(Root);

    /// <summary>Finds a data set from what the user typed: a folder, or the name of a data set's card.</summary>
    /// <exception cref="FaceDistillException">There is neither such a folder nor such a data set on this machine.</exception>
    public static DataFolder Resolve(string folderOrName, AssetFinder finder)
    {
        ArgumentNullException.ThrowIfNull(folderOrName);
        ArgumentNullException.ThrowIfNull(finder);
        if (Directory.Exists(folderOrName))
        {
            return Of(folderOrName);
        }

        bool card = folderOrName.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || Cards.Names(Cards.Datasets).Contains(folderOrName);
        return card
            ? Of(DatasetCard.Load(folderOrName), finder)
            : throw new FaceDistillException(
                $"no folder {folderOrName}, and no data set of that name; there are {string.Join(", ", Cards.Names(Cards.Datasets))}");
    }

    private static DataFolder Of(DatasetCard card, AssetFinder finder)
    {
        string root = finder.FindDataset(card);
        if (card.People is null)
        {
            return Of(root);
        }

        string people = Path.Combine(root, card.People);
        return File.Exists(people) ? Of(root) with { People = people }
            : throw new FaceDistillException($"data set {card.Name} needs {people}; see the card of {card.Of}");
    }

    /// <summary>A folder as a data set: where it has a sub-folder "images" and no picture of its own, the pictures are there.</summary>
    public static DataFolder Of(string folder)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string images = Path.Combine(root, "images");
        bool inside = Directory.Exists(images) && !AlignmentManifest.In(root) && !Directory.EnumerateFiles(root).Any(PictureFile.IsPicture);
        return new DataFolder(root, inside ? images : root);
    }
}
