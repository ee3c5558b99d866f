using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Students;
using FaceDistill.Teachers;

namespace FaceDistill.Pipeline;

/// <summary>Fetches and verifies the models that cards name: teachers, the face detector, and backbones that students start from.</summary>
public sealed class ModelPull(AssetFinder finder)
{
    /// <summary>The shipped cards of teachers, detectors and backbones.</summary>
    public static IReadOnlyList<string> AllNames { get; } = [.. Cards.Names(Cards.Teachers), .. Cards.Names(Cards.Detectors), .. Cards.Names(Cards.Backbones)];

    /// <summary>What a card says of its model.</summary>
    public static (string Description, string Licence) About(string name)
    {
        if (IsDetector(name))
        {
            var detector = Cards.Read<DetectorCard>(Cards.Detectors, name);
            return (detector.Description, detector.Licence);
        }

        if (BackboneCard.Is(name))
        {
            var (backbone, _) = BackboneCard.Load(name);
            return (backbone.Description, backbone.Licence);
        }

        var (card, _) = TeacherCard.Load(name);
        return (card.Description, card.Licence);
    }

    /// <summary>What of a card's files is on this machine.</summary>
    public IReadOnlyList<AssetStatus> Status(string name)
    {
        using var downloader = new Downloader();
        return new AssetPuller(finder, downloader, new NpmPackage()).Status(Files(name));
    }

    /// <summary>Fetches what is missing, verifies it, and converts it where the card says so.</summary>
    /// <returns>The paths of the model's files; the one that is run last.</returns>
    /// <exception cref="FaceDistillException">A file cannot be fetched or is not the right one; the message says what to do.</exception>
    public IReadOnlyList<string> Pull(string name, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        using var downloader = new Downloader();
        var puller = new AssetPuller(finder, downloader, new NpmPackage());
        puller.PullAsync(Files(name), progress, cancel).GetAwaiter().GetResult();
        return Verify(name);
    }

    /// <summary>Checks the files' hashes, and that the model loads and runs; of a backbone, that it has the layers.</summary>
    /// <returns>The paths of the model's files; the one that is run last.</returns>
    /// <exception cref="FaceDistillException">A file is missing or not the right one, or the model does not run.</exception>
    public IReadOnlyList<string> Verify(string name)
    {
        var files = Files(name);
        List<string> paths = [.. files.Assets.Select(a => finder.Find(files, a))];
        if (IsDetector(name))
        {
            using var detector = new FaceDetector(paths[0]);
            return paths;
        }

        if (BackboneCard.Is(name))
        {
            BackboneCard.Open(name, finder); // reads every layer
            return paths;
        }

        var (card, _) = TeacherCard.Load(name);
        string model = card.FindModel(finder, files);
        using var teacher = new OnnxTeacher(card.Name, model, card.Contract, card.Dimension);
        return [.. paths.Where(p => p != model), model];
    }

    private static bool IsDetector(string name) => Cards.Names(Cards.Detectors).Contains(name);

    private static AssetSet Files(string name) => IsDetector(name) ? DetectorCard.Files(name)
        : BackboneCard.Is(name) ? BackboneCard.Load(name).Files : TeacherCard.Load(name).Files;
}
