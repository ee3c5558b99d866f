using FaceDistill.Faces;
using FaceDistill.Teachers;

namespace FaceDistill.Distillation;

/// <summary>A teacher seen through a projector: what a student with a shorter embedding learns from while it trains.</summary>
/// <param name="teacher">The teacher; not disposed here.</param>
/// <param name="projector">The map from its space.</param>
public sealed class ProjectedTeacher(IEmbedder teacher, Projector projector) : IEmbedder
{
    /// <inheritdoc/>
    public string Name => teacher.Name;

    /// <inheritdoc/>
    public string Hash => teacher.Hash;

    /// <inheritdoc/>
    public FaceContract Contract => teacher.Contract;

    /// <inheritdoc/>
    public int Dimension => projector.To;

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        var whole = new float[count * teacher.Dimension];
        teacher.Embed(faces, count, whole);
        projector.Apply(whole, count, embeddings);
    }

    /// <summary>Nothing of its own to free.</summary>
    public void Dispose()
    {
    }
}
