using FaceDistill.Formats;

namespace FaceDistill.Assets;

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
}
