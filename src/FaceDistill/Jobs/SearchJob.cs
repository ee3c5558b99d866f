using System.Text.Json.Serialization;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>Whom to search, and where.</summary>
/// <param name="Probe">A photo.</param>
/// <param name="Gallery">A folder of photos or of aligned faces, a data set's name, or an embedding store of the same model.</param>
public sealed record SearchRequest(string Probe, string Gallery)
{
    /// <summary>A model argument; null for the best student that was measured and kept.</summary>
    public string? Model { get; init; }

    /// <summary>How many of the gallery's faces to name, the most alike first.</summary>
    public int Top { get; init; } = 10;

    /// <summary>The template that the user says the gallery's pictures are aligned to; null to go by alignment.json.</summary>
    public string? Aligned { get; init; }

    /// <summary>Where a run folder's student computes.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Where ONNX Runtime computes a teacher or an exported file: cpu, cuda, directml, openvino, coreml, or auto, as in
    /// <see cref="FaceEmbedder.Load"/>.</summary>
    public string Provider { get; init; } = OnnxProviders.Auto;
}

/// <summary>A face of the gallery.</summary>
/// <param name="Rank">1 for the most alike.</param>
/// <param name="Picture">Its path in the gallery.</param>
/// <param name="Person">Whom it shows; empty where the gallery does not say.</param>
/// <param name="Similarity">The cosine of the two embeddings, -1 to 1.</param>
/// <param name="Same">Whether that is accepted as one person at <see cref="Comparison.Far"/>; null where no threshold is known.</param>
/// <param name="FalseAcceptRate">The false accept rate at which this one pair would just be accepted; null where nothing was measured.</param>
/// <param name="ExpectedByChance">How many of the gallery's faces would be as alike to somebody who is not in it: the rate times the gallery's faces, or at
/// most so many; null where no rate is known.</param>
public sealed record SearchHit(
    int Rank, string Picture, string Person, float Similarity, bool? Same, FalseAcceptEstimate? FalseAcceptRate, double? ExpectedByChance)
{
    /// <summary>Whether it is the very photo that was searched.</summary>
    public bool SamePhoto { get; init; }
}

/// <summary>Who of a gallery is most like a face.</summary>
/// <param name="Gallery">The gallery.</param>
/// <param name="Faces">How many faces it has.</param>
/// <param name="People">How many people they show, as far as it says.</param>
/// <param name="By">The model, and what is known of it.</param>
/// <param name="Probe">The face that was searched.</param>
/// <param name="Hits">The most alike, from the first.</param>
public sealed record SearchResult(string Gallery, int Faces, int People, Comparison By, ComparedPhoto Probe, IReadOnlyList<SearchHit> Hits)
{
    /// <summary>How many of the gallery's faces are accepted at <see cref="Comparison.Far"/> by chance, for somebody who is not in it; null where no threshold
    /// is known.</summary>
    public double? ExpectedByChance { get; init; }

    /// <summary>What the similarities may say less for; null where there is nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Warnings { get; init; }
}

/// <summary>Searches a photo's face among the faces of a folder or a store.</summary>
public sealed class SearchJob(AssetFinder finder)
{
    /// <summary>Searches.</summary>
    /// <exception cref="FaceDistillException">The photo shows no face, the gallery has none or holds another model's embeddings, or the model is
    /// none.</exception>
    public SearchResult Run(SearchRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Top < 1)
        {
            throw new FaceDistillException($"--top is at least 1, not {request.Top}");
        }

        ComparedPhotos.Check([request.Probe]);
        var data = IsStore(request.Gallery) ? null : DataFolder.Resolve(request.Gallery, finder);
        using var model = ComparedModel.Open(request.Model, finder, request.Device, request.Provider, job);
        var store = data is null ? Store(request, model) : null;
        var (probe, photo) = model.Embed(request.Probe); // before hours of embedding
        var set = store is not null ? store.ReadAll(EmbeddedView.NameOf(FaceView.Original), job)
            : new FaceEmbeddings(model.Model, new FaceSource(finder).Open(data!, model.Model.Contract.Template, request.Aligned, job))
                .Of(FaceView.Original, job);
        return new SearchResult(request.Gallery, set.Count, set.Identities.Where(i => i.Length > 0).Distinct().Count(), model.About, photo,
            Hits(request, model, probe, set, job.Cancel))
        {
            ExpectedByChance = model.About.Threshold is null ? null : model.About.Far * set.Count,
            Warnings = model.Warnings(photo) is { Count: > 0 } warnings ? warnings : null,
        };
    }

    private static SearchHit[] Hits(SearchRequest request, ComparedModel model, float[] probe, EmbeddingSet set, CancellationToken cancel)
    {
        var similarities = new float[set.Count];
        for (int i = 0; i < similarities.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            similarities[i] = FaceEmbedder.Similarity(probe, set.Row(i));
        }

        var content = ContentHash.OfFile(request.Probe);
        bool Same(int i) => (set.Photos is { } photos && photos[i] == content) || (set.Faces is { } faces && faces[i] == content);
        return [.. Enumerable.Range(0, set.Count).OrderByDescending(i => similarities[i]).ThenBy(i => set.Paths[i], StringComparer.Ordinal).Take(request.Top)
            .Select((i, rank) =>
            {
                var rate = model.Rate(similarities[i]);
                return new SearchHit(rank + 1, set.Paths[i], set.Identities[i], similarities[i], model.Same(similarities[i]), rate,
                    rate is null ? null : (rate.Rate ?? (rate.AtLeast == 0 ? rate.AtMost : rate.AtLeast)) * set.Count) { SamePhoto = Same(i) };
            })];
    }

    private static bool IsStore(string gallery) => File.Exists(Path.Combine(gallery, EmbeddingStoreManifest.FileName));

    // Similarities of two models' embeddings mean nothing, whatever their lengths.
    private static EmbeddingStore Store(SearchRequest request, ComparedModel model)
    {
        if (request.Aligned is not null)
        {
            throw new FaceDistillException($"--aligned is about pictures, and {request.Gallery} is a store of embeddings: leave it out");
        }

        var store = EmbeddingStore.Open(request.Gallery);
        string other = store.Key.Teacher == model.Model.Name ? $"another model that is called {store.Key.Teacher} too" : store.Key.Teacher;
        string its = Cards.Names(Cards.Teachers).Contains(store.Key.Teacher) ? $"give --model teacher:{store.Key.Teacher}" : "name its model with --model";
        string photos = EmbeddingSource.Of(request.Gallery)?.Data ?? "DIR";
        return store.Key.TeacherHash == EmbeddingCache.ModelHash(model.Model) ? store
            : throw new FaceDistillException($"{request.Gallery} holds embeddings of {other}, which do not compare with those of {model.Model.Name}: "
                + $"{its}, or search in the photos (--gallery {photos})");
    }
}

/// <summary>What is looked at in photos before a model is opened.</summary>
internal static class ComparedPhotos
{
    /// <summary>Refuses what is no file.</summary>
    /// <exception cref="FaceDistillException">It is missing, or a folder.</exception>
    public static void Check(IEnumerable<string> photos)
    {
        foreach (string photo in photos.Where(photo => !File.Exists(photo)))
        {
            throw new FaceDistillException($"{photo} is {(Directory.Exists(photo) ? "a folder" : "not there")}; give a photo's file");
        }
    }

    /// <summary>A line where two photos are one.</summary>
    public static IEnumerable<string> SameFile(string a, string b) =>
        ContentHash.OfFile(a) == ContentHash.OfFile(b) ? [$"{a} and {b} are the same picture"] : [];
}
