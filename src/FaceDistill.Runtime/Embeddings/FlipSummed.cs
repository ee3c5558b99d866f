using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Faces;

namespace FaceDistill.Embeddings;

/// <summary>
/// A model whose embedding of a face is that of the face plus that of its mirror image, both as the model gives them, and brought to unit length afterwards
/// where the contract normalises: the flip test of InsightFace (recognition/arcface_torch/eval/verification.py), AdaFace and others.
/// </summary>
/// <remarks>It has a hash of its own, so that caches, stores and notes never take one for the other.</remarks>
internal sealed class FlipSummed : IEmbedder, IFedByOne
{
    private const string Ending = " (flip-summed)";

    private readonly IEmbedder _model;

    /// <summary>Takes hold of a model, and frees it with itself.</summary>
    public FlipSummed(IEmbedder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("flip-summed 1|" + model.Hash)));
    }

    /// <summary>Whether a model, or a store of its embeddings, is flip-summed by its name.</summary>
    public static bool Is(string name) => name.EndsWith(Ending, StringComparison.Ordinal);

    /// <inheritdoc/>
    public string Name => _model.Name + Ending;

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public ModelInputSpec Contract => _model.Contract;

    /// <inheritdoc/>
    public int Dimension => _model.Dimension;

    /// <inheritdoc/>
    public int FacesAtOnce => (_model as IFedByOne)?.FacesAtOnce ?? 0;

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        ArgumentNullException.ThrowIfNull(faces);
        var sum = embeddings[..(count * Dimension)];
        Raw(faces, count, sum);
        var mirrored = new float[sum.Length];
        Raw(Mirrored(faces.AsSpan(0, count * Contract.Values)), count, mirrored);
        TensorPrimitives.Add(sum, mirrored, sum);
        OnnxEmbedder.Finish(sum, Dimension, Contract.NormalizeOutput, Name);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    // Students and teachers without normalizeOutput give theirs as they are.
    private void Raw(float[] faces, int count, Span<float> embeddings)
    {
        if (_model is OnnxEmbedder onnx)
        {
            onnx.EmbedRaw(faces, count, embeddings);
        }
        else
        {
            _model.Embed(faces, count, embeddings);
        }
    }

    private float[] Mirrored(ReadOnlySpan<float> faces)
    {
        int size = Contract.Size, pixel = Contract.Layout == TensorLayout.Nchw ? 1 : 3, row = size * pixel;
        var mirrored = new float[faces.Length];
        for (int start = 0; start < faces.Length; start += row)
        {
            for (int x = 0; x < size; x++)
            {
                faces.Slice(start + (x * pixel), pixel).CopyTo(mirrored.AsSpan(start + ((size - 1 - x) * pixel)));
            }
        }

        return mirrored;
    }
}
