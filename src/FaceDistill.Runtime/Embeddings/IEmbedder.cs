using FaceDistill.Faces;

namespace FaceDistill.Embeddings;

/// <summary>A model that turns aligned faces into embeddings: a teacher, an exported student or a student in training.</summary>
public interface IEmbedder : IDisposable
{
    /// <summary>The name shown in tables.</summary>
    string Name { get; }

    /// <summary>SHA-256 of the model, in hexadecimal digits: two models of one hash give the same embeddings.</summary>
    string Hash { get; }

    /// <summary>What the model wants to see.</summary>
    ModelInputSpec Contract { get; }

    /// <summary>D, the embedding's length.</summary>
    int Dimension { get; }

    /// <summary>Embeds a batch of faces; may be called from several threads at once.</summary>
    /// <param name="faces">float32, [count, Contract.Values], filled by <see cref="FaceTensor.Fill"/>.</param>
    /// <param name="count">The number of faces.</param>
    /// <param name="embeddings">Receives float32 [count, Dimension], of unit length where the contract normalises the output.</param>
    /// <exception cref="FaceDistillException">The model fails, or gives NaN or infinity.</exception>
    void Embed(float[] faces, int count, Span<float> embeddings);
}

/// <summary>A model that may be computed by a device of its own, which one thread keeps busy with large batches.</summary>
internal interface IFedByOne
{
    /// <summary>How many faces a batch is to have; 0 where each calling thread computes its own.</summary>
    int FacesAtOnce { get; }
}
