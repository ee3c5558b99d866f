using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Native;
using FaceDistill.Students;
using FaceDistill.Teachers;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>A trained student run by TorchSharp: embeddings in the teacher's own space.</summary>
public sealed class StudentEmbedder : IEmbedder
{
    private readonly MobileNetV1 _model;
    private readonly TargetScaling _scaling;
    private readonly Device _device;
    private readonly string _path;

    /// <summary>Loads a student from its checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="name">The name shown in tables.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    public StudentEmbedder(StudentCheckpoint checkpoint, string name, string device)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        _device = TorchDevice.Resolve(device);
        (Name, _path, Contract, _scaling) = (name, checkpoint.Path, checkpoint.Description.Contract, checkpoint.Scaling);
        Hash = FileHash.Sha256(checkpoint.Path);
        _model = checkpoint.LoadModel();
        _model.to(_device);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public FaceContract Contract { get; }

    /// <inheritdoc/>
    public int Dimension => _scaling.Mean.Length;

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        int size = Contract.Size;
        var input = tensor(faces, [count, 3, size, size], device: _device);
        using var scale = _scaling.Scale.ToScalar(); // named, so that it lives until the call is done
        var output = _model.forward(input).mul_(scale).add_(tensor(_scaling.Mean, device: _device));
        output.cpu().contiguous().data<float>().CopyTo(embeddings);
        OnnxTeacher.Finish(embeddings[..(count * Dimension)], Dimension, Contract.NormalizeOutput, _path);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}
