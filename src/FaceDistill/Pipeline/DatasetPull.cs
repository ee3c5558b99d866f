using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;

namespace FaceDistill.Pipeline;

/// <summary>Fetches and verifies data sets; the synthetic one is drawn instead.</summary>
public sealed class DatasetPull : IDisposable
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
    public DatasetStatus Verify(string name) => _puller.Verify(DatasetCard.Load(name));

    /// <summary>Fetches what is missing of a data set, or draws the synthetic one.</summary>
    /// <exception cref="FaceDistillException">It is to be brought by hand, or cannot be fetched.</exception>
    public DatasetStatus Pull(string name, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var card = DatasetCard.Load(name);
        if (!card.Synthetic)
        {
            return _puller.PullAsync(card, progress, cancel).GetAwaiter().GetResult();
        }

        SyntheticDataset.Write(Path.Combine(_finder.DatasetCache, card.Name), Identities, ImagesPerIdentity, AlignmentTemplate.Dlib,
            AlignedFrame.Of(FaceSource.DefaultSize, FaceSource.DefaultMargin), seed: 1, progress, cancel);
        return Verify(name);
    }

    /// <inheritdoc/>
    public void Dispose() => _downloader.Dispose();
}
