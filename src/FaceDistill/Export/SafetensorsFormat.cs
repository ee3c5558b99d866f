using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using static TorchSharp.torch;

namespace FaceDistill.Export;

/// <summary>safetensors for PyTorch: see <see cref="StudentSafetensors"/>.</summary>
internal sealed class SafetensorsFormat : ExportFormat
{
    /// <inheritdoc/>
    public override string Name => "safetensors";

    /// <inheritdoc/>
    public override string Ending => StudentSafetensors.Ending;

    internal override string RunBy => ", in the training's scaling; PyTorch loads it (samples/pytorch)";

    /// <inheritdoc/>
    public override bool HasProcessing => false;

    /// <inheritdoc/>
    public override double MinCosine => 0.9999;

    /// <inheritdoc/>
    internal override PreparedExport Prepare(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new PreparedExport((path, thresholds) => StudentSafetensors.Write(context.Checkpoint, path, thresholds));
    }
}

/// <summary>
/// A student as safetensors for PyTorch: the network's own state_dict, batch norms not folded, so that it can be trained on; with
/// target_mean [D] and target_scale [] that bring the output into the teacher's space (output * scale + mean). Convolutions stand as
/// [out, in / groups, kernel, kernel], the linear layer as [out, in]. samples/pytorch/student.py loads it.
/// </summary>
internal static class StudentSafetensors
{
    /// <summary>How such a file's name ends.</summary>
    public const string Ending = ".safetensors";

    private const string TargetMean = "target_mean";
    private const string TargetScale = "target_scale";

    /// <summary>Whether a path's name ends like such a file's.</summary>
    public static bool Is(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="checkpoint">The student.</param>
    /// <param name="path">The file.</param>
    /// <param name="thresholds">Its measured thresholds; empty for none.</param>
    /// <exception cref="FaceDistillException">The checkpoint is damaged, or the file cannot be written.</exception>
    public static void Write(StudentCheckpoint checkpoint, string path, IReadOnlyList<StudentThreshold> thresholds)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(thresholds);
        using var model = checkpoint.LoadModel(); // first of all: it loads torch
        using var scope = NewDisposeScope();
        var tensors = model.state_dict().ToDictionary(t => t.Key, t => TensorBytes.Of(t.Value));
        tensors[TargetMean] = SafeTensor.Of(checkpoint.Scaling.Mean, checkpoint.Scaling.Mean.Length);
        tensors[TargetScale] = SafeTensor.Of([checkpoint.Scaling.Scale]);
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" }; // what PyTorch's loaders of the format look for
        StudentMetadata.Write(metadata, checkpoint.Description, new GraphPrePostprocessing());
        if (thresholds.Count > 0)
        {
            metadata[StudentThreshold.MetadataKey] = StudentThreshold.Text(thresholds);
        }

        SafetensorsFile.Write(path, tensors, metadata);
    }

    /// <summary>Opens such a file, run by TorchSharp.</summary>
    /// <param name="path">The file.</param>
    /// <param name="device">auto, cpu or cuda.</param>
    /// <param name="job">Told where the file, of an earlier version, has no checksum; null to tell nobody.</param>
    /// <exception cref="FaceDistillException">It is missing, damaged or changed, lacks a tensor, or FaceDistill did not export it.</exception>
    public static StudentEmbedder Open(string path, string device, JobContext? job = null)
    {
        var (tensors, metadata) = SafetensorsFile.Read(path, out string hash);
        var contract = ExportedModel.InputSpec(metadata, path);
        var architecture = StudentMetadata.Architecture(metadata, path) ?? throw new FaceDistillException($"{path} does not say which student it holds");
        if (contract.Size != architecture.Spec.Resolution)
        {
            throw new FaceDistillException($"{path} is damaged: {architecture.Spec} does not take the {contract.Size} pixels that its contract says");
        }

        if (!metadata.ContainsKey(SafetensorsFile.ChecksumKey))
        {
            job?.Say?.Invoke($"{path} is of an earlier version and carries no checksum: that it is as it was written is not verified");
        }

        SafeTensor Shaped(string name, string type, long[] shape) =>
            tensors.TryGetValue(name, out var tensor) && tensor.Type == type && tensor.Shape.SequenceEqual(shape) ? tensor
            : throw new FaceDistillException($"{path}: {name} is not there as {type} [{string.Join(", ", shape)}]");
        var scaling = new TargetScaling(Shaped(TargetMean, "F32", [architecture.Dimension]).Floats(), Shaped(TargetScale, "F32", []).Floats()[0]);
        var model = new MobileNetV1(architecture);
        try
        {
            using var scope = NewDisposeScope();
            foreach (var (name, tensor) in model.state_dict())
            {
                TensorBytes.CopyTo(Shaped(name, TensorBytes.TypeOf(tensor), tensor.shape), tensor);
            }

            model.eval();
            return new StudentEmbedder(model, scaling, contract, path, hash, $"{architecture.Spec} ({Path.GetFileName(path)})", device);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
