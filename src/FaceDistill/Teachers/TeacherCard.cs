using System.Text;
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
    private const string HashEnding = ".sha256";
    private static readonly string[] Endings = [".json", ".bin"]; // what the conversion reads: manifest and weights

    /// <summary>Reads a card and checks it.</summary>
    /// <param name="nameOrPath">A shipped card's name, or the path of the user's own.</param>
    /// <exception cref="FaceDistillException">There is no such card or it is malformed; the message names card and field.</exception>
    public static (TeacherCard Card, AssetSet Files) Load(string nameOrPath)
    {
        var text = Cards.ReadText(Cards.Teachers, nameOrPath);
        if (EnsembleCard.Is(text))
        {
            throw new FaceDistillException($"{text.Origin} is an ensemble of teachers, which no one file stands for; name one of its members here");
        }

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
    /// <remarks>
    /// A converted file's name tells what it was made of and by which converter, so that another card of the same name has another one, and the file
    /// beside it (.sha256) what it held then: what was altered since is made again in the cache, and refused elsewhere.
    /// </remarks>
    /// <exception cref="FaceDistillException">An asset is missing or has the wrong hash, or a converted file was altered; the message says what to
    /// do.</exception>
    public string FindModel(AssetFinder finder, AssetSet files)
    {
        ArgumentNullException.ThrowIfNull(finder);
        ArgumentNullException.ThrowIfNull(files);
        if (Convert is null)
        {
            var model = files.Assets.Single(a => a.File == Model);
            string path = finder.Find(files, model);
            foreach (string beside in OnnxModelFiles.Of(path).Skip(1))
            {
                var listed = files.Assets.FirstOrDefault(a => finder.Locate(files, a) is { } at && Path.GetFullPath(at) == beside);
                if (listed is null && model.Sha256 is not null)
                {
                    throw new FaceDistillException($"{path} keeps weights in {beside}, whose SHA-256 {files.Card.Origin} does not name; add it to its assets, "
                        + "or save the model as one file");
                }

                _ = listed is null ? beside : finder.Find(files, listed);
            }

            return path;
        }

        string Find(string ending) => finder.Find(files, files.Assets.Single(a => a.File.EndsWith(ending, StringComparison.Ordinal)));
        string manifest = Find(Endings[0]), weights = Find(Endings[1]);
        string made = $"{Convert} {DlibResNetConverter.Version} {FileHash.Sha256(manifest)} {FileHash.Sha256(weights)}";
        string name = $"{Path.GetFileNameWithoutExtension(Model)}-{ContentHash.Of(Encoding.UTF8.GetBytes(made)).ToString()[..16]}.onnx";
        if (finder.LocateDerived(files, name) is { } converted)
        {
            string record = converted + HashEnding;
            if (File.Exists(record) && File.ReadAllText(record).Trim() == FileHash.Sha256(converted))
            {
                return converted;
            }

            if (converted != finder.CachePath(files, name))
            {
                throw new FaceDistillException($"{converted} is not what was converted from {Name}'s files (its {record} says otherwise, or is missing); "
                    + "delete both, and it is converted again");
            }
        }

        string target = finder.DerivedPath(files, name);
        DlibResNetConverter.Convert(manifest, weights, target);
        AtomicFile.WriteText(target + HashEnding, FileHash.Sha256(target) + "\n");
        return target;
    }

    /// <summary>Opens a teacher by its card, or several by that of their ensemble.</summary>
    /// <param name="nameOrPath">The card's name or path.</param>
    /// <param name="finder">Finds the files.</param>
    /// <param name="provider">Where it is computed: one of <see cref="OnnxProviders.Names"/>.</param>
    /// <param name="say">Told where the CPU takes another's place.</param>
    /// <exception cref="FaceDistillException">The card, its files, the model or the provider are not right; the message says what to do.</exception>
    public static IEmbedder Open(string nameOrPath, AssetFinder finder, string provider = OnnxProviders.Cpu, Action<string>? say = null)
    {
        if (EnsembleCard.Is(nameOrPath))
        {
            return EnsembleTeacher.Open(nameOrPath, finder, provider, say);
        }

        var (card, files) = Load(nameOrPath);
        return new OnnxEmbedder(card.Name, card.FindModel(finder, files), card.Contract, card.Dimension, provider, say).Seeing();
    }
}
