using System.Text.Json;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaceDistill.Training.Checkpoints;

/// <summary>
/// One file with everything of a run: weights, their moving average, the finished student's batch-norm statistics, optimizer state, target scaling, options and
/// progress (safetensors; the texts are JSON in its metadata). Written whole or not at all, so that a killed run leaves the last whole one.
/// </summary>
public sealed class StudentCheckpoint
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "checkpoint.safetensors";

    private const string ModelPrefix = "model.";
    private const string AveragePrefix = "average.";
    private const string StatisticsPrefix = "statistics.";
    private const string LossPrefix = "loss.";
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

    /// <summary>What the student started from, the nearest first; empty for random weights.</summary>
    public IReadOnlyList<StudentOrigin> Origins => Description.Origins
        ?? (Options.Student.Init is { } init ? [new StudentOrigin("of an earlier version, which did not note more", StudentOrigin.Student, null, init, false)]
            : []);

    /// <summary>How the network's output comes into the teacher's space.</summary>
    public TargetScaling Scaling { get; }

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The network.</param>
    /// <param name="optimizer">Its optimizer; null for a student that is not trained further.</param>
    /// <param name="scaling">How targets were scaled.</param>
    /// <param name="description">The student.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="state">How far the run is.</param>
    /// <param name="average">The moving average of the weights; null without one.</param>
    /// <param name="beside">What is trained beside the network, by the loss; null for nothing.</param>
    /// <param name="estimated">The student with the batch-norm statistics that it is exported with; null where they are the network's (or the average's)
    /// own.</param>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(
        string path, MobileNetV1 model, IStudentOptimizer? optimizer, TargetScaling scaling, StudentDescription description, DistillOptions options,
        TrainingState state, EmaWeights? average = null, nn.Module? beside = null, MobileNetV1? estimated = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(scaling);
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, SafeTensor> { [TargetMean] = SafeTensor.Of(scaling.Mean, scaling.Mean.Length) };
        void Add(string prefix, IEnumerable<(string Name, Tensor Tensor)> named)
        {
            foreach (var (name, tensor) in named)
            {
                tensors[prefix + name] = TensorBytes.Of(tensor);
            }
        }

        Add(ModelPrefix, Named(model));
        Add(AveragePrefix, average is null ? [] : Named(average.Model));
        Add(StatisticsPrefix, estimated is null ? [] : Named(estimated).Where(t => IsStatistic(t.Name)));
        Add(LossPrefix, beside?.state_dict().Select(t => (t.Key, t.Value)) ?? []);
        Add(OptimizerPrefix, optimizer?.Tensors() ?? []);
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string>
        {
            ["format"] = "facedistill-checkpoint-1",
            ["description"] = Text(description),
            ["options"] = Text(options),
            ["state"] = Text(state),
            ["optimizerSteps"] = Text(optimizer?.Steps ?? 0),
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

    /// <summary>
    /// The student's weights, averaged where the run averages, and its batch norms' statistics, estimated where they were, float32, by their names in the
    /// network; a copy.
    /// </summary>
    /// <exception cref="FaceDistillException">There is no such tensor, or it has another type or shape.</exception>
    public float[] Weight(string name, params long[] shape) => Shaped(StudentName(name), "F32", shape).Floats();

    /// <summary>Makes the student, with averaged weights where the run averages, on the CPU, in evaluation mode; the caller disposes it.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public MobileNetV1 LoadModel()
    {
        var model = new MobileNetV1(Description.Architecture());
        try
        {
            Restore(StudentName, Named(model));
            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Puts the checkpoint's weights, not averaged, into a network of the same architecture, to train on.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public void RestoreModel(MobileNetV1 model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Restore(ModelPrefix, Named(model));
    }

    /// <summary>Puts the checkpoint's averaged weights back.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public void RestoreAverage(EmaWeights average)
    {
        ArgumentNullException.ThrowIfNull(average);
        Restore(AveragePrefix, Named(average.Model));
    }

    /// <summary>Puts back what was trained beside the network.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public void RestoreBeside(nn.Module beside)
    {
        ArgumentNullException.ThrowIfNull(beside);
        Restore(LossPrefix, beside.state_dict().Select(t => (t.Key, t.Value)));
    }

    /// <summary>Puts the checkpoint's state into an optimizer.</summary>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public void RestoreOptimizer(IStudentOptimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        optimizer.Steps = OptimizerSteps;
        Restore(OptimizerPrefix, optimizer.Tensors());
    }

    private string StudentName(string name) =>
        (IsStatistic(name) && Has(StatisticsPrefix) ? StatisticsPrefix : Has(AveragePrefix) ? AveragePrefix : ModelPrefix) + name;

    private bool Has(string prefix) => _tensors.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));

    private static bool IsStatistic(string name) =>
        name.EndsWith(".running_mean", StringComparison.Ordinal) || name.EndsWith(".running_var", StringComparison.Ordinal);

    private static IEnumerable<(string Name, Tensor Tensor)> Named(MobileNetV1 model) => model.state_dict().Select(t => (t.Key, t.Value));

    private SafeTensor Shaped(string name, string type, long[] shape)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
        {
            throw new FaceDistillException($"{Path} lacks the tensor {name}");
        }

        return tensor.Type == type && tensor.Shape.SequenceEqual(shape) ? tensor : throw new FaceDistillException(
            $"{Path}: {name} is {tensor.Type} [{string.Join(", ", tensor.Shape)}] where {type} [{string.Join(", ", shape)}] is expected");
    }

    private void Restore(string prefix, IEnumerable<(string Name, Tensor Tensor)> targets) => Restore(name => prefix + name, targets);

    private void Restore(Func<string, string> stored, IEnumerable<(string Name, Tensor Tensor)> targets)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, tensor) in targets)
        {
            TensorBytes.CopyTo(Shaped(stored(name), TensorBytes.TypeOf(tensor), tensor.shape), tensor);
        }
    }

    private static string Text<T>(T value) => JsonSerializer.Serialize(value, JsonFile.Options);
}
