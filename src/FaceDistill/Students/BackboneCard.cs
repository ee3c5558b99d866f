using System.Text.Json;
using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Formats;

namespace FaceDistill.Students;

/// <summary>The card of a published backbone that students start from (teachers/backbones/NAME.json).</summary>
/// <param name="Name">The card's name.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Licence">The terms of the weights.</param>
/// <param name="Source">Where the weights come from.</param>
/// <param name="Assets">The files: one .json (the model or its manifest) and one .bin.</param>
/// <param name="Layers">How the layers are called and folded: "keras-mobilenet-v1".</param>
/// <param name="ColorOrder">The order of the input's channels.</param>
/// <param name="Mean">What is subtracted from the channels of 0..255, in their order.</param>
/// <param name="Std">What the differences are divided by.</param>
/// <param name="Width">The width multiplier.</param>
/// <param name="Research">Whether what starts from it is for research only.</param>
internal sealed record BackboneCard(
    string Name, string Description, string Licence, string Source, Asset[] Assets, string Layers, ColorOrder ColorOrder, float[] Mean, float[] Std,
    double Width = 1, bool Research = false)
{
    private const string Keras = "keras-mobilenet-v1";
    private static readonly string[] Endings = [".json", ".bin"];

    /// <summary>Whether a name or path is that of a backbone's card.</summary>
    /// <exception cref="FaceDistillException">It is a path of a file that cannot be read or is no JSON.</exception>
    public static bool Is(string nameOrPath) => nameOrPath.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(nameOrPath)
        ? JsonFile.Read<JsonElement>(nameOrPath) is { ValueKind: JsonValueKind.Object } card && card.TryGetProperty("layers", out _)
        : Cards.Names(Cards.Backbones).Contains(nameOrPath);

    /// <summary>Reads a card and checks it.</summary>
    /// <param name="nameOrPath">A shipped card's name, or the path of the user's own.</param>
    /// <exception cref="FaceDistillException">There is no such card or it is malformed; the message names card and field.</exception>
    public static (BackboneCard Card, AssetSet Files) Load(string nameOrPath)
    {
        var text = Cards.ReadText(Cards.Backbones, nameOrPath);
        var card = JsonFile.Parse<BackboneCard>(text.Text, text.Origin);
        var files = new AssetSet(text, card.Name, card.Assets);
        string? wrong = card.Layers != Keras ? $"no layers '{card.Layers}'; there are {Keras}"
            : !Endings.All(e => card.Assets.Count(a => a.File.EndsWith(e, StringComparison.Ordinal)) == 1)
                ? $"{Keras} are read from one {string.Join(" and one ", Endings)} file among the assets"
            : card.Mean.Length != 3 || card.Std.Length != 3 ? "mean and std have three values each"
            : card.Mean.Any(m => !float.IsFinite(m)) || card.Std.Any(s => !float.IsFinite(s) || s <= 0) ? "mean is finite and std positive"
            : !(card.Width is > 0 and <= 1) ? FormattableString.Invariant($"the width is above 0 and at most 1, not {card.Width}")
            : null;
        return wrong is null ? (card, files) : throw new FaceDistillException($"{text.Origin}: {wrong}");
    }

    /// <summary>Reads the weights of a card.</summary>
    /// <param name="nameOrPath">A shipped card's name, or the path of the user's own.</param>
    /// <param name="finder">Finds the files.</param>
    /// <exception cref="FaceDistillException">The card or a file is missing, malformed or has the wrong hash; the message says what to do.</exception>
    public static Backbone Open(string nameOrPath, AssetFinder finder)
    {
        var (card, files) = Load(nameOrPath);
        string Find(string ending) => finder.Find(files, files.Assets.Single(a => a.File.EndsWith(ending, StringComparison.Ordinal)));
        return new Backbone(card, Find(Endings[0]), Find(Endings[1]));
    }
}
