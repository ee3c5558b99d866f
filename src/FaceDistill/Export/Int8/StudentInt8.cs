using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using OpenCvSharp;

namespace FaceDistill.Export.Int8;

/// <summary>
/// Quantises a student to 8 bits after training: every allowed combination of range method, equalisation and bias correction is built and measured against the
/// float32 student's
/// embeddings on faces that the ranges were not measured on, and the best one is kept.
/// </summary>
internal sealed class StudentInt8 : IDisposable
{
    private readonly Int8Options _options;
    private readonly FoldedStudent _student;
    private readonly List<Mat> _calibration;
    private readonly List<Mat> _selection;
    private readonly float[] _expected;
    private readonly double _variance;
    private readonly EmbeddingSpread? _spread;
    private readonly ActivationRange _input;

    /// <summary>Reads the faces and embeds those to choose by.</summary>
    /// <param name="checkpoint">The student.</param>
    /// <param name="faces">Aligned faces of training data, spread evenly over which calibration and selection faces are taken; never of test people.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="FaceDistillException">An option is out of range, or there are too few faces.</exception>
    public StudentInt8(StudentCheckpoint checkpoint, AlignedFaces faces, Int8Options options)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Validated();
        _student = FoldedStudent.Of(checkpoint);
        _input = ActivationRange.OfPictures(checkpoint.Description.Contract);
        int images = faces.Dataset.Images.Count, wanted = Math.Min(images, options.CalibrationFaces + options.SelectionFaces);
        if (images < 32)
        {
            throw new FaceDistillException(
                $"int8 needs at least 32 faces to measure its ranges on, and {faces.Dataset.Root} has {images}; name more with --calibration");
        }

        EmbeddingSpread.RequireDifferent(faces, "--calibration");
        int selected = Math.Clamp((int)((long)wanted * options.SelectionFaces / (options.CalibrationFaces + options.SelectionFaces)), 16, wanted - 16);
        var chosen = Enumerable.Range(0, wanted).Select(i => faces.ReadView((int)((long)i * images / wanted), checkpoint.Description.Contract.Size)).ToList();
        // Interleaved, so that both kinds come from every part of the data.
        var forSelection = Enumerable.Range(0, selected).Select(i => (int)((long)i * wanted / selected)).ToHashSet();
        _selection = [.. chosen.Where((_, i) => forSelection.Contains(i))];
        _calibration = [.. chosen.Where((_, i) => !forSelection.Contains(i))];
        using var torch = new StudentEmbedder(checkpoint, "student", "cpu");
        _expected = Embed(torch);
        _variance = EmbeddingSpread.VarianceOf(_expected, torch.Dimension);
        _spread = EmbeddingSpread.Of(_expected, checkpoint);
    }

    /// <summary>Chooses and builds.</summary>
    /// <param name="cancel">Stops between measurements.</param>
    /// <returns>The graph, without metadata, and what was chosen.</returns>
    /// <exception cref="FaceDistillException">The student, or every way of quantising it, gives all faces nearly the same embedding
    /// (<see cref="EmbeddingSpread"/>).</exception>
    public (OnnxGraph Graph, Int8Report Report) Build(CancellationToken cancel)
    {
        var (student, plan, report) = Choose(cancel);
        return (Int8Graph.Build(student, plan), report);
    }

    /// <summary>Chooses, for a format that builds the graph itself.</summary>
    /// <param name="cancel">Stops between measurements.</param>
    /// <returns>The student, equalised or not, its plan, and what was chosen.</returns>
    /// <exception cref="FaceDistillException">As <see cref="Build"/>.</exception>
    public (FoldedStudent Student, Int8Plan Plan, Int8Report Report) Choose(CancellationToken cancel)
    {
        // Any ranges fit a student that gives every face the same embedding.
        _spread?.Require("no 8-bit file is made: the student", "train it for more epochs or on more faces, or lower --learning-rate");
        var tried = new List<(Int8Trial Trial, Quality Quality, FoldedStudent Student, Int8Plan Plan)>();
        foreach (bool equalize in Choices(_options.Equalize))
        {
            var student = _student;
            if (equalize)
            {
                student = _student.Copy();
                ChannelEqualization.Apply(student);
            }

            var seen = StudentCalibration.Measure(student, _calibration, cancel);
            foreach (var method in _options.Method is { } one ? [one] : Enum.GetValues<CalibrationMethod>())
            {
                foreach (bool correct in Choices(_options.CorrectBias))
                {
                    cancel.ThrowIfCancellationRequested();
                    var plan = PlanOf(student, seen, method, correct);
                    var quality = Measure(student, plan);
                    tried.Add((new Int8Trial(method, equalize, correct, quality.Error), quality, student, plan));
                }
            }
        }

        var best = tried.MinBy(t => t.Quality.Order);
        var (final, (error, spread)) = WithFloat32Layers(best.Student, best.Plan, best.Quality, cancel);
        spread?.Require($"no 8-bit file is made: the best of {tried.Count} ways", "leave more layers in float32 (--float32-layers), or export as onnx-fp16");
        return (best.Student, final, new Int8Report(best.Trial.Method, best.Trial.Equalized, best.Trial.BiasCorrected,
            [.. final.Float32Layers.Order(StringComparer.Ordinal)], error, _calibration.Count, _selection.Count, [.. tried.Select(t => t.Trial)]));
    }

    /// <inheritdoc/>
    public void Dispose() => _calibration.Concat(_selection).ToList().ForEach(f => f.Dispose());

    private static bool[] Choices(bool? asked) => asked is { } one ? [one] : [false, true];

    private Int8Plan PlanOf(FoldedStudent student, IReadOnlyDictionary<string, ActivationStatistics> seen, CalibrationMethod method, bool correct)
    {
        var ranges = seen.ToDictionary(s => s.Key, s => s.Key == "input" ? _input : ActivationRange.Of(s.Value, method), StringComparer.Ordinal);
        var biases = new Dictionary<string, float[]>(StringComparer.Ordinal);
        string source = "input";
        foreach (var layer in student.Layers)
        {
            var mean = seen[source];
            biases[layer.Layer.Name] = correct ? BiasCorrection.Corrected(layer, ChannelWeights.Of(layer), mean.Mean) : layer.Bias;
            source = layer.Layer.Name;
        }

        return new Int8Plan(ranges, biases, new HashSet<string>());
    }

    // One after the other the layer whose return to float32 helps most, while it takes away a tenth of the error.
    private (Int8Plan Plan, Quality Quality) WithFloat32Layers(FoldedStudent student, Int8Plan plan, Quality quality, CancellationToken cancel)
    {
        for (int kept = 0; kept < Math.Min(_options.MaxFloat32Layers, student.Layers.Count); kept++)
        {
            var without = student.Layers.Select(l => l.Layer.Name).Where(name => !plan.Float32Layers.Contains(name)).Select(name =>
            {
                cancel.ThrowIfCancellationRequested();
                var candidate = plan with { Float32Layers = plan.Float32Layers.Append(name).ToHashSet() };
                return (Plan: candidate, Quality: Measure(student, candidate));
            }).MinBy(c => c.Quality.Order);
            if (without.Quality.Error > 0.9 * quality.Error)
            {
                break;
            }

            (plan, quality) = without;
        }

        return (plan, quality);
    }

    // A candidate that is dead comes after all that are not. (The squared difference of a dead one is 0.81 of the variance at least: living ones are hardly
    // ever worse.)
    private readonly record struct Quality(double Error, EmbeddingSpread? Spread)
    {
        public (bool Dead, double Error) Order => (Spread is { IsDead: true }, Error);
    }

    // Squared difference to the float32 embeddings over their squared difference from their mean, and the spread beside theirs.
    private Quality Measure(FoldedStudent student, Int8Plan plan)
    {
        string folder = Leftovers.TemporaryFolder("int8"), file = Path.Combine(folder, "student.onnx");
        try
        {
            OnnxWriter.Write(Int8Graph.Build(student, plan), file);
            using var model = new OnnxEmbedder("int8", file, student.Description.Contract, student.Description.Dimension, OnnxProviders.Cpu);
            float[] actual = Embed(model);
            double difference = actual.Zip(_expected, (a, b) => Math.Pow((double)a - b, 2)).Sum() / _selection.Count;
            return new Quality(difference / _variance, EmbeddingSpread.Of(actual, student.Description.Dimension, _variance, "the float32 student's"));
        }
        finally
        {
            Leftovers.Delete(folder);
        }
    }

    private float[] Embed(IEmbedder model)
    {
        const int batch = 32;
        int values = model.Contract.Values;
        var rows = new float[_selection.Count * model.Dimension];
        for (int at = 0; at < _selection.Count; at += batch)
        {
            int count = Math.Min(batch, _selection.Count - at);
            var input = new float[count * values];
            for (int i = 0; i < count; i++)
            {
                FaceTensor.Fill(_selection[at + i], model.Contract, input.AsSpan(i * values, values));
            }

            model.Embed(input, count, rows.AsSpan(at * model.Dimension, count * model.Dimension));
        }

        return rows;
    }
}
