using System.Text.Json;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using static TorchSharp.torch;

namespace FaceDistill.Training.Checkpoints;

/// <summary>
/// One file with everything of a run: weights, their moving average, the finished student's batch-norm statistics, optimizer state, target scaling, options and
/// progress (safetensors; the texts are JSON in its metadata). Written whole or not at all, so that a killed run leaves the last whole one.
/// </summary>
internal sealed class StudentCheckpoint
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "checkpoint.safetensors";

    // The first format had no checksum.
    private const string Format = "facedistill-checkpoint-2", FormatBefore = "facedistill-checkpoint-1";
    private const string ModelPrefix = "model.";
    private const string AveragePrefix = "average.";
    private const string StatisticsPrefix = "statistics.";
    private const string LossPrefix = "loss.";
    private const string OptimizerPrefix = "optimizer.";
    private const string TargetMean = "target.mean";
    private const string CentresBefore = LossPrefix + "centres"; // of people by their folders' names, wherever these lie
    private readonly Dictionary<string, SafeTensor> _tensors;

    private StudentCheckpoint(string path, Dictionary<string, SafeTensor> tensors, StudentDescription description, DistillOptions options, TrainingState state)
    {
        (Path, _tensors, Description, Options, State) = (path, tensors, description, options, state);
        Scaling = new TargetScaling(Shaped(TargetMean, "F32", [description.Dimension]).Floats(), description.TargetScale);
    }

    /// <summary>The file that it was read from.</summary>
    public string Path { get; }

    /// <summary>SHA-256 of the file as it was when it was read; a run that goes on replaces it.</summary>
    public string Hash { get; private init; } = "";

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
    /// <param name="run">Whose student it is, and how far the run is.</param>
    /// <param name="student">The student's weights and what trains them.</param>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string path, RunPosition run, TrainedStudent student)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(student);
        var scaling = run.Scaling;
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, SafeTensor> { [TargetMean] = SafeTensor.Of(scaling.Mean, scaling.Mean.Length) };
        void Add(string prefix, IEnumerable<(string Name, Tensor Tensor)> named)
        {
            foreach (var (name, tensor) in named)
            {
                tensors[prefix + name] = TensorBytes.Of(tensor);
            }
        }

        Add(ModelPrefix, Named(student.Model));
        Add(AveragePrefix, student.Average is null ? [] : Named(student.Average.Model));
        Add(StatisticsPrefix, student.Estimated is null ? [] : Named(student.Estimated).Where(t => IsStatistic(t.Name)));
        Add(LossPrefix, student.ClassCentres?.state_dict().Select(t => (t.Key, t.Value)) ?? []);
        Add(OptimizerPrefix, student.Optimizer?.Tensors() ?? []);
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string>
        {
            ["format"] = Format,
            ["description"] = Text(run.Description),
            ["options"] = Text(run.Options),
            ["state"] = Text(run.State),
            ["optimizerSteps"] = Text(student.Optimizer?.Steps ?? 0),
        });
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FaceDistillException">The file is missing, damaged or changed, no checkpoint of FaceDistill, or says what cannot be of its student,
    /// its options or its progress; the message names the file.</exception>
    public static StudentCheckpoint Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new FaceDistillException($"no checkpoint {path}; is this a folder that '{Hints.Command} distill' made?");
        }

        var (tensors, metadata) = SafetensorsFile.Read(path, out string hash);
        string? format = metadata.GetValueOrDefault("format");
        bool checkedSum = metadata.ContainsKey(SafetensorsFile.ChecksumKey);
        if (format != FormatBefore && !(format == Format && checkedSum))
        {
            throw new FaceDistillException(
                $"{path} is a safetensors file, but no checkpoint of FaceDistill{(format == Format ? ": its checksum is missing" : "")}");
        }

        try
        {
            T Json<T>(string key) => JsonSerializer.Deserialize<T>(metadata.GetValueOrDefault(key) ?? "null", JsonFile.Options)
                ?? throw new JsonException($"{key} is missing");
            var (description, options) = (Json<StudentDescription>("description").Validated(), Json<DistillOptions>("options").Validated());
            return new StudentCheckpoint(path, tensors, description, options, Json<TrainingState>("state").Validated(options.Run.Epochs))
            {
                OptimizerSteps = Json<long>("optimizerSteps") is var steps and >= 0 ? steps : throw new JsonException("the optimizer's steps are below 0"),
                Hash = hash,
                Note = checkedSum ? null : $"{path} is of an earlier version and carries no checksum: that it is as it was written is not verified",
            };
        }
        catch (Exception e) when (e is JsonException || (e is FaceDistillException && !e.Message.StartsWith(path, StringComparison.Ordinal)))
        {
            throw new FaceDistillException($"{path} is damaged: {e.Message}; bring back a copy, or make it again", e);
        }
    }

    /// <summary>One line for the user where the file, of an earlier version, could not be verified; null for one that was.</summary>
    public string? Note { get; private init; }

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
            var names = Named(model).Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
            if (_tensors.Keys.FirstOrDefault(t => t.StartsWith(ModelPrefix, StringComparison.Ordinal) && !names.Contains(t[ModelPrefix.Length..])) is { } other)
            {
                throw new FaceDistillException(
                    $"{Path} is damaged: {Description.Student} with the head {Description.Head} has no {other[ModelPrefix.Length..]}");
            }

            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Puts everything back to train on: the weights, not averaged, and their average, the optimizer's state and what is trained beside, as far as
    /// the student has them.</summary>
    /// <param name="student">Of the same architecture; what it estimated is left.</param>
    /// <exception cref="FaceDistillException">A tensor is missing or has another shape.</exception>
    public void Restore(TrainedStudent student)
    {
        ArgumentNullException.ThrowIfNull(student);
        if (student.ClassCentres is not null && _tensors.ContainsKey(CentresBefore))
        {
            student = State.IsFinished(Options.Run.Epochs) ? student with { ClassCentres = null, Optimizer = null } : throw new FaceDistillException(
                $"{Path} is of an earlier version, which numbered ArcFace's people otherwise; finish the run with that one, or choose another --output");
        }

        Restore(name => ModelPrefix + name, Named(student.Model));
        if (student.Optimizer is { } optimizer)
        {
            optimizer.Steps = OptimizerSteps;
            Restore(name => OptimizerPrefix + name, optimizer.Tensors());
        }

        Restore(name => LossPrefix + name, student.ClassCentres?.state_dict().Select(t => (t.Key, t.Value)) ?? []);
        Restore(name => AveragePrefix + name, student.Average is null ? [] : Named(student.Average.Model));
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

/// <summary>A run between two steps, but for its student's weights.</summary>
/// <param name="Description">The student.</param>
/// <param name="Scaling">How targets were scaled.</param>
/// <param name="Options">The run's options.</param>
/// <param name="State">How far the run is.</param>
internal sealed record RunPosition(StudentDescription Description, TargetScaling Scaling, DistillOptions Options, TrainingState State);

/// <summary>A student's network and what trains it.</summary>
/// <param name="Model">The network.</param>
internal sealed record TrainedStudent(MobileNetV1 Model)
{
    /// <summary>Its optimizer; null for a student that is not trained further.</summary>
    public IStudentOptimizer? Optimizer { get; init; }

    /// <summary>The moving average of the weights; null without one.</summary>
    public EmaWeights? Average { get; init; }

    /// <summary>What is trained beside the network, by the loss; null for nothing.</summary>
    public nn.Module? ClassCentres { get; init; }

    /// <summary>The student with the batch-norm statistics that it is exported with; null where they are the network's (or the average's) own.</summary>
    public MobileNetV1? Estimated { get; init; }
}
