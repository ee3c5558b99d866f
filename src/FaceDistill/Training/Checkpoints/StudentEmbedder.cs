using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training.Checkpoints;

/// <summary>A trained student run by TorchSharp: embeddings in the teacher's own space.</summary>
internal sealed class StudentEmbedder : IEmbedder
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
        : this(Loaded(checkpoint), checkpoint.Scaling, checkpoint.Description.Contract, checkpoint.Path, checkpoint.Hash, name, device)
    {
    }

    /// <summary>Takes a student that is loaded already.</summary>
    /// <param name="model">In evaluation mode; disposed with this.</param>
    /// <param name="scaling">How its output comes into the teacher's space.</param>
    /// <param name="contract">What it wants to see.</param>
    /// <param name="path">The file that it is from.</param>
    /// <param name="hash">What the file is known by.</param>
    /// <param name="name">The name shown in tables.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    public StudentEmbedder(MobileNetV1 model, TargetScaling scaling, ModelInputSpec contract, string path, string hash, string name, string device)
    {
        ArgumentNullException.ThrowIfNull(model);
        _device = TorchDevice.Resolve(device);
        (_model, _scaling, Contract, _path, Hash, Name) = (model, scaling, contract, path, hash, name);
        _model.to(_device);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public ModelInputSpec Contract { get; }

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
        OnnxEmbedder.Finish(embeddings[..(count * Dimension)], Dimension, Contract.NormalizeOutput, _path);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private static MobileNetV1 Loaded(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        return checkpoint.LoadModel();
    }
}

/// <summary>The student that a run folder stands for when it is exported or evaluated.</summary>
internal static class RunStudent
{
    /// <summary>The name of the best epoch's student in a run folder: weights only, no training state.</summary>
    public const string BestFileName = "student.best.safetensors";

    /// <summary>How far a run is that has not ended: "epoch 5 of 40"; null for a finished one.</summary>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="FaceDistillException">Its checkpoint is missing or damaged.</exception>
    public static string? Unfinished(string folder)
    {
        var run = StudentCheckpoint.Read(Path.Combine(folder, StudentCheckpoint.FileName));
        return run.State.IsFinished(run.Options.Run.Epochs) ? null : $"epoch {run.State.Epoch} of {run.Options.Run.Epochs}";
    }

    /// <summary>The same as a warning: "RUN is unfinished: epoch 5 of 40".</summary>
    /// <param name="folder">The run folder, as the user named it.</param>
    /// <exception cref="FaceDistillException">Its checkpoint is missing or damaged.</exception>
    public static string? UnfinishedWarning(string folder) => Unfinished(folder) is { } at ? $"{folder} is unfinished: {at}" : null;

    /// <summary>
    /// Reads the best student, or the last one where the run was told to keep the last (<see cref="HeldOutOptions.Keep"/>) or held out nothing
    /// to choose by. Its weights are the averaged ones where the run averages.
    /// </summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="job">Told where the file could not be verified (<see cref="StudentCheckpoint.Note"/>); null to tell nobody.</param>
    /// <exception cref="FaceDistillException">A file is missing, damaged, no checkpoint of FaceDistill, or the best student's is of another run.</exception>
    public static StudentCheckpoint Open(string folder, JobContext? job = null)
    {
        var kept = StudentCheckpoint.Read(Path.Combine(folder, StudentCheckpoint.FileName));
        if (kept.Options.HeldOut.Keep == KeepKind.Best && kept.State.Best is not null)
        {
            var last = kept.Description;
            kept = StudentCheckpoint.Read(Path.Combine(folder, BestFileName));
            if (JsonFile.Serialize(kept.Description with { Origins = null }) != JsonFile.Serialize(last with { Origins = null }))
            {
                throw new FaceDistillException(
                    $"{kept.Path} is not of the run of {StudentCheckpoint.FileName} beside it: bring back the one that was there");
            }
        }

        if (kept.Note is { } note)
        {
            job?.Say?.Invoke(note);
        }

        return kept;
    }
}
