using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Training.Starts;

/// <summary>What a student can start from: another student, in its run folder or exported, or a published backbone made into one.</summary>
internal sealed class StudentStart : IDisposable
{
    private StudentStart(MobileNetV1 model, string name, string path, IReadOnlyList<StudentOrigin> origins) =>
        (Model, Name, Path, Origins) = (model, name, path, origins);

    /// <summary>The network, on the CPU, in evaluation mode.</summary>
    public MobileNetV1 Model { get; }

    /// <summary>The student, or the backbone's card, for messages.</summary>
    public string Name { get; }

    /// <summary>The file, or the backbone's card, for messages.</summary>
    public string Path { get; }

    /// <summary>What a student that starts from it started from, the nearest first.</summary>
    public IReadOnlyList<StudentOrigin> Origins { get; }

    /// <summary>The layers.</summary>
    public MobileNetV1Architecture Architecture => Model.Architecture;

    /// <summary>How its embeddings come into its teacher's space; null for a backbone, which has neither head nor embedding layer.</summary>
    public TargetScaling? Scaling { get; private init; }

    /// <summary>Whether its batch norms were folded away, and made anew of what its filters give on faces: these have then lengths of no training.</summary>
    public bool WasFolded { get; private init; }

    /// <summary>The run folder; null for a backbone and for an exported file, which may lie anywhere.</summary>
    public string? Folder { get; private init; }

    /// <summary>The SHA-256 of its teacher; null for a backbone.</summary>
    public string? TeacherHash { get; private init; }

    /// <summary>A finished student, with its averaged weights where its run averages.</summary>
    /// <exception cref="FaceDistillException">The checkpoint is damaged.</exception>
    public static StudentStart Of(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        string student = checkpoint.Description.Student;
        string folder = System.IO.Path.GetDirectoryName(checkpoint.Path) is { Length: > 0 } parent ? parent : checkpoint.Path;
        var (teacher, data) = StartTerms.Of(checkpoint);
        var nearest = StudentOrigin.Of(student, folder, checkpoint.Origins, teacher, data);
        return new StudentStart(checkpoint.LoadModel(), student, checkpoint.Path, [nearest, .. checkpoint.Origins])
        {
            Scaling = checkpoint.Scaling,
            Folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(checkpoint.Path)),
            TeacherHash = checkpoint.Description.TeacherHash,
        };
    }

    /// <summary>A backbone as a student that computes the same.</summary>
    /// <param name="backbone">The backbone.</param>
    /// <param name="faces">Training faces at the student's resolution.</param>
    public static StudentStart Of(Backbone backbone, StartFaces faces)
    {
        var (architecture, card) = (backbone.Architecture(faces.Contract.Size), backbone.Card);
        var model = Unfolded(architecture, architecture.Backbone, layer => backbone.Layer(layer, faces.Contract), faces);
        return new StudentStart(model, $"the backbone {card.Name}", card.Name, [StudentOrigin.Of(card)]) { WasFolded = true };
    }

    /// <summary>An exported student as one with batch norms that computes the same, but for the rounding of activations in 8 bits.</summary>
    /// <param name="exported">The student.</param>
    /// <param name="faces">Training faces.</param>
    public static StudentStart Of(ExportedStudent exported, StartFaces faces)
    {
        var architecture = exported.Architecture;
        var model = Unfolded(architecture, architecture.Convolutions, exported.Layer, faces.At(architecture.Spec.Resolution));
        var weights = model.state_dict();
        StartLayers.Put(weights["embedding.weight"], exported.EmbeddingWeights);
        StartLayers.Put(weights["embedding.bias"], exported.EmbeddingBias);
        return new StudentStart(model, exported.Origins[0].Name, exported.Path, exported.Origins)
        {
            Scaling = TargetScaling.None(architecture.Dimension),
            TeacherHash = exported.TeacherHash,
            WasFolded = true,
        };
    }

    // The batch norms get the mean and variance of each convolution's output on training faces, with our padding and ReLU, and weights and biases that undo
    // them; from there on they train like any other.
    private static MobileNetV1 Unfolded(
        MobileNetV1Architecture architecture, IEnumerable<ConvLayer> layers, Func<ConvLayer, BackboneLayer> folded, StartFaces faces)
    {
        var model = new MobileNetV1(architecture);
        var weights = model.state_dict();
        using var activations = faces.Inputs();
        foreach (var layer in layers)
        {
            var (values, bias) = folded(layer);
            var filters = weights[$"{layer.Name}.weight"];
            StartLayers.Put(filters, values);
            activations.Replace(x => StartLayers.Convolve(layer, x, filters));
            StartLayers.PutNorm(weights, layer, activations.Moments(), [.. bias.Select(_ => 1.0)], [.. bias.Select(b => (double)b)]);
            activations.Replace(x => StartLayers.Finish(layer, x, bias));
        }

        model.eval();
        return model;
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();
}
