using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Students;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;

namespace FaceDistill.Jobs;

/// <summary>Fetches and verifies data sets; the synthetic one is drawn instead.</summary>
internal sealed class DatasetPull : IDisposable
{
    // As many people and pictures as the quickstart draws; aligned for the default teacher.
    private const int Identities = 60, ImagesPerIdentity = 40;
    private readonly Downloader _downloader = new();
    private readonly DatasetPuller _puller;
    private readonly AssetFinder _finder;

    /// <summary>Makes a puller.</summary>
    /// <param name="finder">Where data sets are looked for and put.</param>
    public DatasetPull(AssetFinder finder)
    {
        _finder = finder;
        _puller = new DatasetPuller(finder, _downloader, new AssetPuller(finder, _downloader, new NpmPackage()));
    }

    /// <summary>What is on this machine of a data set.</summary>
    public DatasetStatus Status(string name) => _puller.Status(DatasetCard.Load(name));

    /// <summary>The same, where a missing or wrong file is an error.</summary>
    /// <exception cref="FaceDistillException">What is wrong, and the remedy.</exception>
    public DatasetStatus Verify(string name)
    {
        var card = DatasetCard.Load(name);
        var status = _puller.Verify(card);
        const int drawn = Identities * ImagesPerIdentity;
        bool whole = !card.Synthetic || (AlignmentManifest.IsComplete(status.Folder!) && FaceDataset.List(status.Folder!).Images.Count == drawn);
        return whole ? status : throw new FaceDistillException(
            $"{status.Folder} does not hold the {drawn} faces of {name}: its drawing was broken off, or faces were taken out; run '"
                + $"{card.AllFiles.PullCommand}'");
    }

    /// <summary>Fetches what is missing of a data set, or draws the synthetic one.</summary>
    /// <exception cref="FaceDistillException">It is to be brought by hand, or cannot be fetched.</exception>
    public DatasetStatus Pull(string name, JobContext job)
    {
        var card = DatasetCard.Load(name);
        if (!card.Synthetic)
        {
            return _puller.PullAsync(card, job).GetAwaiter().GetResult();
        }

        SyntheticDataset.Write(
            Path.Combine(_finder.DatasetCache, card.Name), new DrawnPeople(Identities, ImagesPerIdentity, 1), AlignmentTemplate.Dlib, AlignedFrame.Default,
            job);
        return Verify(name);
    }

    /// <inheritdoc/>
    public void Dispose() => _downloader.Dispose();
}

/// <summary>Fetches and verifies the models that cards name: teachers, the face detector, and backbones that students start from.</summary>
internal sealed class ModelPull(AssetFinder finder)
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

        if (EnsembleCard.Is(name))
        {
            var ensemble = EnsembleCard.Load(name);
            return (ensemble.Description, ensemble.Licence);
        }

        var (card, _) = TeacherCard.Load(name);
        return (card.Description, card.Licence);
    }

    /// <summary>What of a card's files is on this machine.</summary>
    public IReadOnlyList<AssetStatus> Status(string name)
    {
        if (Members(name) is { } members)
        {
            return [.. members.SelectMany(Status)];
        }

        using var downloader = new Downloader();
        return new AssetPuller(finder, downloader, new NpmPackage()).Status(Files(name));
    }

    /// <summary>Fetches what is missing, verifies it, and converts it where the card says so.</summary>
    /// <returns>The paths of the model's files; the one that is run last.</returns>
    /// <exception cref="FaceDistillException">A file cannot be fetched or is not the right one; the message says what to do.</exception>
    public IReadOnlyList<string> Pull(string name, JobContext job)
    {
        if (Members(name) is { } members)
        {
            return [.. members.SelectMany(m => Pull(m, job))];
        }

        using var downloader = new Downloader();
        var puller = new AssetPuller(finder, downloader, new NpmPackage());
        puller.PullAsync(Files(name), job).GetAwaiter().GetResult();
        return Verify(name);
    }

    /// <summary>Checks the files' hashes, and that the model loads and runs; of a backbone, that it has the layers.</summary>
    /// <returns>The paths of the model's files; the one that is run last.</returns>
    /// <exception cref="FaceDistillException">A file is missing or not the right one, or the model does not run.</exception>
    public IReadOnlyList<string> Verify(string name)
    {
        if (Members(name) is { } members)
        {
            return [.. members.SelectMany(Verify)];
        }

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
        using var teacher = new OnnxEmbedder(card.Name, model, card.Contract, card.Dimension, OnnxProviders.Cpu).Seeing();
        return [.. paths.Where(p => p != model), model];
    }

    private static bool IsDetector(string name) => Cards.Names(Cards.Detectors).Contains(name);

    // The teachers of an ensemble; null for any other card.
    private static string[]? Members(string name) => !IsDetector(name) && !BackboneCard.Is(name) && EnsembleCard.Is(name)
        ? EnsembleCard.Load(name).Ensemble
        : null;

    private static AssetSet Files(string name) => IsDetector(name) ? DetectorCard.Files(name)
        : BackboneCard.Is(name) ? BackboneCard.Load(name).Files : TeacherCard.Load(name).Files;
}
