using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Stores;
using FaceDistill.Teachers;
using FaceDistill.Tests.Datasets;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Tests.Stores;

/// <summary>Faces, and a teacher whose embeddings have a place of their own in the cache.</summary>
public abstract class EmbeddedFaces : IDisposable
{
    protected const int Faces = 70; // two whole batches of 32 and a remainder
    private protected static EmbeddedView[] Both { get; } = [EmbeddedView.Of(FaceView.Original), EmbeddedView.Of(FaceView.Mirrored)];
    private protected readonly TempFolder _folder = new();
    private protected readonly IEmbedder _teacher;
    private protected readonly Named _named;

    protected EmbeddedFaces()
    {
        _teacher = TeacherCard.Open(TinyTeacher.Write(_folder["teacher"]), new AssetFinder([], [], _folder["cache"]));
        _named = new Named(_teacher, $"tiny-{Path.GetFileName(_folder.Path)}"); // embeddings of its own in the cache
    }

    public void Dispose()
    {
        foreach (var view in Both)
        {
            string kept = new EmbeddingCache(_named, AlignedFrame.Of(64, 0), view.Name).Folder;
            if (Directory.Exists(kept))
            {
                Directory.Delete(kept, recursive: true);
            }
        }

        _teacher.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected AlignedFaces Aligned(int count)
    {
        Pictures.Fill(_folder["faces"], count, 1, 64);
        new AlignmentManifest(1, "dlib", 64, 0, "user", "", true).Write(_folder["faces"]);
        return AlignedFaces.Open(_folder["faces"]);
    }

    private protected sealed class Named(IEmbedder model, string name) : IEmbedder
    {
        public bool Broken { get; init; }

        public Action<int>? Embedded { get; init; }

        public string Name => name;

        public string Hash => model.Hash + name;

        public ModelInputSpec Contract => model.Contract;

        public int Dimension => model.Dimension;

        public void Embed(float[] faces, int count, Span<float> embeddings)
        {
            lock (model)
            {
                Embedded?.Invoke(count);
            }

            model.Embed(faces, count, embeddings);
            embeddings[^1] = Broken ? float.NaN : embeddings[^1];
        }

        public void Dispose()
        {
        }
    }
}
