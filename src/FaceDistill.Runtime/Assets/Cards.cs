using System.Reflection;
using FaceDistill.Files;

namespace FaceDistill.Assets;

/// <summary>
/// The cards that FaceDistill ships (embedded in this assembly from teachers/, teachers/detectors/, teachers/backbones/ and datasets/), and
/// the user's own: wherever a card's name is taken, a path to a .json file is taken too.
/// </summary>
public static class Cards
{
    /// <summary>The kind of teachers' cards.</summary>
    public const string Teachers = "teachers";

    /// <summary>The kind of face detectors' cards.</summary>
    public const string Detectors = "detectors";

    /// <summary>The kind of cards of published backbones, which students start from.</summary>
    public const string Backbones = "backbones";

    /// <summary>The kind of data sets' cards.</summary>
    public const string Datasets = "datasets";

    private const string Extension = ".json";

    private static readonly Assembly Home = typeof(Cards).Assembly;

    /// <summary>The names of the shipped cards of a kind, in ordinal order.</summary>
    public static IReadOnlyList<string> Names(string kind) =>
    [
        .. Home.GetManifestResourceNames()
            .Where(n => n.StartsWith(kind + "/", StringComparison.Ordinal) && n.EndsWith(Extension, StringComparison.Ordinal))
            .Select(n => n[(kind.Length + 1)..^Extension.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>A card's text.</summary>
    /// <param name="kind">"teachers", "detectors", "backbones" or "datasets".</param>
    /// <param name="nameOrPath">A shipped card's name, or the path of a .json file.</param>
    /// <exception cref="FaceDistillException">There is no such card or the file cannot be read.</exception>
    public static CardText ReadText(string kind, string nameOrPath)
    {
        if (nameOrPath.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
        {
            return ReadUsers(kind, nameOrPath);
        }

        using var stream = Home.GetManifestResourceStream($"{kind}/{nameOrPath}{Extension}")
            ?? throw new FaceDistillException(
                $"no card '{nameOrPath}' among {kind}; there are {string.Join(", ", Names(kind))}, or give the path of your own card (.json)");
        using var reader = new StreamReader(stream);
        return new CardText(kind, reader.ReadToEnd(), $"card {kind}/{nameOrPath}{Extension}", null);
    }

    /// <summary>A card's text as an object.</summary>
    /// <exception cref="FaceDistillException">There is no such card, or its text does not fit; the message names it and the line.</exception>
    public static T Read<T>(string kind, string nameOrPath)
    {
        var card = ReadText(kind, nameOrPath);
        return JsonFile.Parse<T>(card.Text, card.Origin);
    }

    private static CardText ReadUsers(string kind, string path)
    {
        try
        {
            return new CardText(kind, File.ReadAllText(path), path, Path.GetDirectoryName(Path.GetFullPath(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read the card {path}: {e.Message}", e);
        }
    }
}

/// <summary>A card as text.</summary>
/// <param name="Kind">"teachers", "detectors" or "datasets".</param>
/// <param name="Text">The JSON.</param>
/// <param name="Origin">Where it is from, for messages: "card teachers/NAME.json" or the user's path.</param>
/// <param name="Folder">The folder of a user's own card; null for one that FaceDistill ships.</param>
public sealed record CardText(string Kind, string Text, string Origin, string? Folder);

/// <summary>A face detector's card (teachers/detectors/NAME.json).</summary>
/// <param name="Name">The card's name.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Licence">The model's licence.</param>
/// <param name="Source">Where the model comes from.</param>
/// <param name="Assets">The model's files; the first is the one that the detector loads.</param>
public sealed record DetectorCard(string Name, string Description, string Licence, string Source, Asset[] Assets)
{
    /// <summary>The detector that FaceDistill aligns with.</summary>
    public const string Default = "yunet";

    /// <summary>Reads a detector's card and gives its files.</summary>
    /// <exception cref="FaceDistillException">There is no such card or it is malformed.</exception>
    public static AssetSet Files(string nameOrPath = Default)
    {
        var text = Cards.ReadText(Cards.Detectors, nameOrPath);
        var card = JsonFile.Parse<DetectorCard>(text.Text, text.Origin);
        return card.Assets.Length > 0 ? new AssetSet(text, card.Name, card.Assets)
            : throw new FaceDistillException($"{text.Origin}: no asset is named");
    }

    /// <summary>The path of the default detector's model.</summary>
    /// <exception cref="FaceDistillException">It is not on this machine, or is not the right file.</exception>
    public static string FindModel(AssetFinder finder)
    {
        ArgumentNullException.ThrowIfNull(finder);
        var files = Files();
        return finder.Find(files, files.Assets[0]);
    }
}
