using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Teachers;

/// <summary>A teacher's card (teachers/NAME.json).</summary>
/// <param name="Name">The card's name.</param>
/// <param name="Description">One sentence.</param>
/// <param name="Licence">The terms of the weights.</param>
/// <param name="Source">Where the weights come from.</param>
/// <param name="Assets">The files to get.</param>
/// <param name="Model">The name of the ONNX file that is run.</param>
/// <param name="Contract">What the model wants to see.</param>
/// <param name="Dimension">The embedding's length; null to take the model's own.</param>
/// <param name="Convert">How the ONNX file is made from the assets: "dlib-resnet"; null where it is one of them.</param>
internal sealed record TeacherCard(
    string Name,
    string Description,
    string Licence,
    string Source,
    Asset[] Assets,
    string Model,
    ModelInputSpec Contract,
    int? Dimension = null,
    string? Convert = null)
{
    private const string DlibConversion = "dlib-resnet";
    private static readonly string[] Endings = [".json", ".bin"]; // what the conversion reads: manifest and weights

    /// <summary>Reads a card and checks it.</summary>
    /// <param name="nameOrPath">A shipped card's name, or the path of the user's own.</param>
    /// <exception cref="FaceDistillException">There is no such card or it is malformed; the message names card and field.</exception>
    public static (TeacherCard Card, AssetSet Files) Load(string nameOrPath)
    {
        var text = Cards.ReadText(Cards.Teachers, nameOrPath);
        var card = JsonFile.Parse<TeacherCard>(text.Text, text.Origin);
        card.Contract.Validated(text.Origin);
        var files = new AssetSet(text, card.Name, card.Assets);
        string? wrong = card.Convert is not (null or DlibConversion) ? $"no conversion '{card.Convert}'; there is {DlibConversion}"
            : card.Convert is null && card.Assets.All(a => a.File != card.Model) ? $"the model '{card.Model}' is not among the assets"
            : card.Convert is not null && !Endings.All(e => card.Assets.Count(a => a.File.EndsWith(e, StringComparison.Ordinal)) == 1)
                ? $"{card.Convert} is made from one {string.Join(" and one ", Endings)} file among the assets"
            : card.Convert is not null && !Asset.IsPlainName(card.Model) ? $"\"model\" is to be a plain file name, not '{card.Model}'"
            : null;
        return wrong is null ? (card, files) : throw new FaceDistillException($"{text.Origin}: {wrong}");
    }

    /// <summary>Finds the ONNX file, converting it once into the cache where the card says so.</summary>
    /// <exception cref="FaceDistillException">An asset is missing or has the wrong hash; the message says what to do.</exception>
    public string FindModel(AssetFinder finder, AssetSet files)
    {
        ArgumentNullException.ThrowIfNull(finder);
        ArgumentNullException.ThrowIfNull(files);
        if (Convert is null)
        {
            return finder.Find(files, files.Assets.Single(a => a.File == Model));
        }

        if (finder.LocateDerived(files, Model) is { } converted)
        {
            return converted;
        }

        string Find(string ending) => finder.Find(files, files.Assets.Single(a => a.File.EndsWith(ending, StringComparison.Ordinal)));
        string target = finder.CachePath(files, Model);
        DlibResNetConverter.Convert(Find(Endings[0]), Find(Endings[1]), target);
        return target;
    }

    /// <summary>Opens a teacher by its card.</summary>
    /// <exception cref="FaceDistillException">The card, its files or the model are not right; the message says what to do.</exception>
    public static OnnxEmbedder Open(string nameOrPath, AssetFinder finder)
    {
        var (card, files) = Load(nameOrPath);
        return new OnnxEmbedder(card.Name, card.FindModel(finder, files), card.Contract, card.Dimension).Seeing();
    }
}
