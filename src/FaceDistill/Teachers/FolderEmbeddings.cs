using System.Security.Cryptography;
using System.Text;
using FaceDistill.Datasets;

namespace FaceDistill.Teachers;

/// <summary>
/// Embeddings of faces chosen from one folder or several. Each folder is embedded whole, into a store of its own, so that another choice of
/// faces or another company of folders computes nothing again.
/// </summary>
public sealed class FolderEmbeddings
{
    private const int ViewsAtOnce = 4; // a store each: more views later leave the earlier ones as they are
    private readonly IEmbedder _model;
    private readonly AlignedFaces _faces;
    private readonly Dictionary<string, List<EmbeddingStore>> _stores = [];

    /// <summary>Prepares; nothing is embedded yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="faces">The faces whose embeddings are wanted.</param>
    public FolderEmbeddings(IEmbedder model, AlignedFaces faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        (_model, _faces) = (model, faces);
    }

    /// <summary>Images that were embedded now, over all folders and views; 0 where everything was there.</summary>
    public int Computed { get; private set; }

    /// <summary>The stores' folders.</summary>
    public IEnumerable<string> Folders => _stores.Values.SelectMany(s => s).Select(s => s.Folder).Distinct(StringComparer.Ordinal);

    /// <summary>SHA-256 of the folders' contents and of the faces chosen from them; after <see cref="Embed"/>.</summary>
    public string ImagesHash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
        _stores.Values.First().Select(s => s.Key.ImagesHash).Concat(_faces.Dataset.Images.Select(i => i.Name))))));

    /// <summary>Embeds what is not embedded yet.</summary>
    /// <param name="views">The views of each face.</param>
    /// <param name="progress">Told of every batch.</param>
    /// <param name="cancel">Stops between batches; the next run goes on after the last whole part.</param>
    /// <exception cref="FaceDistillException">A face or the model is not right.</exception>
    public void Embed(IReadOnlyList<EmbeddedView> views, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(views);
        foreach (var folder in _faces.Folders)
        {
            foreach (var some in views.Chunk(ViewsAtOnce))
            {
                var outcome = EmbeddingRun.Run(_model, folder, some, folder.Manifest.Source, null, progress, cancel);
                Computed += outcome.Computed;
                foreach (var view in some)
                {
                    _stores.TryAdd(view.Name, []);
                    _stores[view.Name].Add(outcome.Store);
                }
            }
        }
    }

    /// <summary>The embeddings of one view, in the faces' order.</summary>
    /// <param name="view">The name of a view that was embedded.</param>
    /// <param name="cancel">Stops between parts.</param>
    public EmbeddingSet Read(string view, CancellationToken cancel)
    {
        var images = _faces.Dataset.Images;
        var rows = new Dictionary<string, int>(images.Count, StringComparer.Ordinal);
        for (int i = 0; i < images.Count; i++)
        {
            rows.Add(Path.GetFullPath(_faces.Dataset.FullPath(images[i])), i); // one spelling: a joined path has other separators on Windows
        }

        int dimension = _model.Dimension;
        var values = new float[(long)images.Count * dimension];
        foreach (var (folder, store) in _faces.Folders.Zip(_stores[view]))
        {
            var set = store.ReadAll(view, null, cancel);
            for (int i = 0; i < set.Count; i++)
            {
                if (rows.Remove(Path.GetFullPath(Path.Combine(folder.Dataset.Root, set.Paths[i])), out int row))
                {
                    set.Row(i).CopyTo(values.AsSpan(row * dimension));
                }
            }
        }

        return rows.Count == 0 ? new EmbeddingSet(_model.Name, dimension, values, [.. images.Select(i => i.Path)], [.. images.Select(i => i.Identity)])
            : throw new InvalidOperationException($"{rows.Keys.First()} is in none of its folders");
    }
}
