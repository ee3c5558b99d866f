namespace FaceDistill.Assets;

/// <summary>The files that one card names, checked; what <see cref="AssetFinder"/> and <see cref="AssetPuller"/> work on.</summary>
public sealed class AssetSet
{
    /// <summary>Takes a card's files.</summary>
    /// <param name="card">The card they are written in.</param>
    /// <param name="name">The card's name.</param>
    /// <param name="assets">The files.</param>
    /// <exception cref="FaceDistillException">The name or a file's entry is malformed, or a file is named twice.</exception>
    public AssetSet(CardText card, string name, IReadOnlyList<Asset> assets)
    {
        if (!Asset.IsPlainName(name))
        {
            throw new FaceDistillException($"{card.Origin}: \"name\" is to be letters, digits, '.', '_' and '-', not '{name}'");
        }

        string? twice = assets.GroupBy(a => a.File, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1)?.Key;
        if (twice is not null)
        {
            throw new FaceDistillException($"{card.Origin}: file '{twice}' is named twice");
        }

        (Card, Name) = (card, name);
        Assets = [.. assets.Select(a => a.Validated(card.Origin))];
    }

    /// <summary>The card.</summary>
    public CardText Card { get; }

    /// <summary>The card's name; also the name of its folder in the cache.</summary>
    public string Name { get; }

    /// <summary>The files.</summary>
    public IReadOnlyList<Asset> Assets { get; }

    /// <summary>What the user types to get the files.</summary>
    public string PullCommand =>
        $"facedistill {(Card.Kind == Cards.Datasets ? "datasets" : "teachers")} pull {(Card.Folder is null ? Name : Card.Origin)}";
}
