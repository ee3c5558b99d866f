using System.Text.Json;
using FaceDistill.Formats;
using FaceDistill.Students;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>
/// One file with everything of a run: weights, optimizer state, target scaling, options and progress (safetensors; the texts are
/// JSON in its metadata). Written whole or not at all, so that a killed run leaves the last whole one.
/// </summary>
public sealed class StudentCheckpoint
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "checkpoint.safetensors";

    private const string ModelPrefix = "model.";
    private const string OptimizerPrefix = "optimizer.";
    private const string TargetMean = "target.mean";
    private readonly Dictionary<string, SafeTensor> _tensors;

    private StudentCheckpoint(string path, Dictionary<string, SafeTensor> tensors, StudentDescription description, DistillOptions options, TrainingState state)
    {
        (Path, _tensors, Description, Options, State) = (path, tensors, description, options, state);
        Scaling = new TargetScaling(Shaped(TargetMean, "F32", [description.Dimension]).Floats(), description.TargetScale);
    }

    /// <summary>The file that it was read from.</summary>
    public string Path { get; }

    /// <summary>What the student is.</summary>
    public StudentDescription Description { get; }

    /// <summary>The run's options.</summary>
    public DistillOptions Options { get; }

    /// <summary>How far the run is.</summary>
    public TrainingState State { get; }

    /// <summary>How the network's output comes into the teacher's space.</summary>
    public TargetScaling Scaling { get; }

    /// <summary>Writes a checkpoint.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(
        string path, MobileNetV1 model, AdamWState optimizer, TargetScaling scaling, StudentDescription description, DistillOptions options, TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(scaling);
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, SafeTensor> { [TargetMean] = SafeTensor.Of(scaling.Mean, scaling.Mean.Length) };
        foreach (var (name, tensor) in model.state_dict())
        {
            tensors[ModelPrefix + name] = Save(tensor);
        }

        foreach (var (name, tensor) in optimizer.Tensors())
        {
            tensors[OptimizerPrefix + name] = Save(tensor);
        }

        SafetensorsFile.Write(path, tensors, new Dictionary<string, string>
        {
            ["format"] = "facedistill-checkpoint-1",
            ["description"] = Text(description),
            ["options"] = Text(options),
            ["state"] = Text(state),
            ["optimizerSteps"] = Text(optimizer.Steps),
        });
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FaceDistillException">The file is missing, damaged, or no checkpoint of FaceDistill.</exception>
    public static StudentCheckpoint Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new FaceDistillException($"no checkpoint {path}; is this a folder that 'facedistill distill' made?");
        }

        var (tensors, metadata) = SafetensorsFile.Read(path);
        if (metadata.GetValueOrDefault("format") != "facedistill-checkpoint-1")
        {
            throw new FaceDistillException($"{path} is a safetensors file, but no checkpoint of FaceDistill");
        }

        try
        {
            T Json<T>(string key) => JsonSerializer.Deserialize<T>(metadata.GetValueOrDefault(key) ?? "null", JsonFile.Options)
                ?? throw new JsonException($"{key} is missing");
            return new StudentCheckpoint(path, tensors, Json<StudentDescription>("description"), Json<DistillOptions>("options"), Json<TrainingState>("state"))
            {
                OptimizerSteps = Json<long>("optimizerSteps"),
            };
        }
        catch (JsonException e)
        {
            throw new FaceDistillException($"{path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Steps that the optimizer has made.</summary>
    public long OptimizerSteps { get; private init; }

    /// <summary>The weights as written, float32, by their names in the network; a copy.</summary>
    /// <exception cref="FaceDistillException">There is no such tensor, or it has another type or shape.</exception>
    public float[] Weight(string name, params long[] shape) => Shaped(ModelPrefix + name, "F32", shape).Floats();

    /// <summary>Makes the network with the checkpoint's weights, on the CPU, in evaluation mode; the caller disposes it.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public MobileNetV1 LoadModel()
    {
        var model = new MobileNetV1(Description.Architecture());
        try
        {
            RestoreModel(model);
            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Puts the checkpoint's weights into a network of the same architecture.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public void RestoreModel(MobileNetV1 model)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in model.state_dict())
        {
            Restore(ModelPrefix + name, tensor);
        }
    }

    /// <summary>Puts the checkpoint's state into an optimizer.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public void RestoreOptimizer(AdamWState optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        using var scope = NewDisposeScope();
        optimizer.Steps = OptimizerSteps;
        foreach (var (name, tensor) in optimizer.Tensors())
        {
            Restore(OptimizerPrefix + name, tensor);
        }
    }

    private SafeTensor Shaped(string name, string type, long[] shape)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
        {
            throw new FaceDistillException($"{Path} lacks the tensor {name}");
        }

        return tensor.Type == type && tensor.Shape.SequenceEqual(shape) ? tensor : throw new FaceDistillException(
            $"{Path}: {name} is {tensor.Type} [{string.Join(", ", tensor.Shape)}] where {type} [{string.Join(", ", shape)}] is expected");
    }

    private void Restore(string name, Tensor target)
    {
        var source = Shaped(name, TypeOf(target), target.shape);
        using var frozen = no_grad();
        using var values = empty(source.Shape, target.dtype);
        source.Data.CopyTo(values.bytes);
        target.copy_(values);
    }

    private static SafeTensor Save(Tensor tensor)
    {
        using var host = tensor.detach().cpu().contiguous();
        return new SafeTensor(TypeOf(host), host.shape, host.bytes.ToArray());
    }

    // A network has float32 weights and one 64-bit counter a batch norm, nothing else.
    private static string TypeOf(Tensor tensor) => tensor.dtype == ScalarType.Int64 ? "I64" : "F32";

    private static string Text<T>(T value) => JsonSerializer.Serialize(value, JsonFile.Options);
}
