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
        : this(Loaded(checkpoint), checkpoint.Scaling, checkpoint.Description.Contract, checkpoint.Path, name, device)
    {
    }

    /// <summary>Takes a student that is loaded already.</summary>
    /// <param name="model">In evaluation mode; disposed with this.</param>
    /// <param name="scaling">How its output comes into the teacher's space.</param>
    /// <param name="contract">What it wants to see.</param>
    /// <param name="path">The file that it is from.</param>
    /// <param name="name">The name shown in tables.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    public StudentEmbedder(MobileNetV1 model, TargetScaling scaling, FaceContract contract, string path, string name, string device)
    {
        ArgumentNullException.ThrowIfNull(model);
        _device = TorchDevice.Resolve(device);
        (_model, _scaling, Contract, _path, Name) = (model, scaling, contract, path, name);
        Hash = FileHash.Sha256(path);
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
        var output = _model.forward(input).Multiply(_scaling.Scale).Add(tensor(_scaling.Mean, device: _device));
        output.cpu().contiguous().data<float>().CopyTo(embeddings);
        OnnxTeacher.Finish(embeddings[..(count * Dimension)], Dimension, Contract.NormalizeOutput, _path);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private static MobileNetV1 Loaded(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        return checkpoint.LoadModel();
    }
}
