using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Teachers;
using OpenCvSharp;

namespace FaceDistill.Export;

/// <summary>
/// Quantises a student to 8 bits after training: every allowed combination of range method, equalisation and bias correction is built and measured against the float32 student's
/// embeddings on faces that the ranges were not measured on, and the best one is kept.
/// </summary>
public sealed class StudentInt8 : IDisposable
{
    private readonly Int8Options _options;
    private readonly FoldedStudent _student;
    private readonly List<Mat> _calibration;
    private readonly List<Mat> _selection;
    private readonly float[] _expected;

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
        int images = faces.Dataset.Images.Count, wanted = Math.Min(images, options.CalibrationFaces + options.SelectionFaces);
        if (images < 32)
        {
            throw new FaceDistillException($"int8 needs at least 32 faces to measure its ranges on, and {faces.Dataset.Root} has {images}; name more with --data");
        }

        int selected = Math.Max(16, (int)((long)wanted * options.SelectionFaces / (options.CalibrationFaces + options.SelectionFaces)));
        var chosen = Enumerable.Range(0, wanted).Select(i => faces.ReadView((int)((long)i * images / wanted), checkpoint.Description.Contract.Size)).ToList();
        // Interleaved, so that both kinds come from every part of the data.
        var forSelection = Enumerable.Range(0, selected).Select(i => (int)((long)i * wanted / selected)).ToHashSet();
        _selection = [.. chosen.Where((_, i) => forSelection.Contains(i))];
        _calibration = [.. chosen.Where((_, i) => !forSelection.Contains(i))];
        using var torch = new StudentEmbedder(checkpoint, "student", "cpu");
        _expected = Embed(torch);
    }

    /// <summary>Chooses and builds.</summary>
    /// <param name="cancel">Stops between measurements.</param>
    /// <returns>The graph, without metadata, and what was chosen.</returns>
    public (OnnxGraph Graph, Int8Report Report) Build(CancellationToken cancel)
    {
        var tried = new List<(Int8Trial Trial, FoldedStudent Student, Int8Plan Plan)>();
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
                    tried.Add((new Int8Trial(method, equalize, correct, Error(student, plan)), student, plan));
                }
            }
        }

        var best = tried.MinBy(t => t.Trial.Error);
        var (final, error) = WithFloat32Layers(best.Student, best.Plan, best.Trial.Error, cancel);
        return (Int8Graph.Build(best.Student, final), new Int8Report(best.Trial.Method, best.Trial.Equalized, best.Trial.BiasCorrected,
            [.. final.Float32Layers.Order(StringComparer.Ordinal)], error, _calibration.Count, _selection.Count, [.. tried.Select(t => t.Trial)]));
    }

    /// <inheritdoc/>
    public void Dispose() => _calibration.Concat(_selection).ToList().ForEach(f => f.Dispose());

    private static bool[] Choices(bool? asked) => asked is { } one ? [one] : [false, true];

    private Int8Plan PlanOf(FoldedStudent student, IReadOnlyDictionary<string, ActivationStatistics> seen, CalibrationMethod method, bool correct)
    {
        // The input's range is known: pictures fill it.
        var ranges = seen.ToDictionary(s => s.Key, s => ActivationRange.Of(s.Value, s.Key == "input" ? CalibrationMethod.MinMax : method), StringComparer.Ordinal);
        var biases = new Dictionary<string, float[]>(StringComparer.Ordinal);
        string source = "input";
        foreach (var layer in student.Layers)
        {
            var mean = seen[source];
            biases[layer.Layer.Name] = correct ? BiasCorrection.Corrected(layer, ChannelWeights.Of(layer.Weights, layer.Layer.Out, _options.ReduceRange), mean.Mean) : layer.Bias;
            source = layer.Layer.Name;
        }

        return new Int8Plan(ranges, biases, new HashSet<string>(), _options.ReduceRange);
    }

    // One after the other the layer whose return to float32 helps most, while it takes away a tenth of the error.
    private (Int8Plan Plan, double Error) WithFloat32Layers(FoldedStudent student, Int8Plan plan, double error, CancellationToken cancel)
    {
        for (int kept = 0; kept < _options.MaxFloat32Layers; kept++)
        {
            var without = student.Layers.Select(l => l.Layer.Name).Where(name => !plan.Float32Layers.Contains(name)).Select(name =>
            {
                cancel.ThrowIfCancellationRequested();
                var candidate = plan with { Float32Layers = plan.Float32Layers.Append(name).ToHashSet() };
                return (Plan: candidate, Error: Error(student, candidate));
            }).MinBy(c => c.Error);
            if (without.Plan is null || without.Error > 0.9 * error)
            {
                break;
            }

            (plan, error) = without;
        }

        return (plan, error);
    }

    // Squared difference to the float32 embeddings over their squared difference from their mean.
    private double Error(FoldedStudent student, Int8Plan plan)
    {
        string file = Path.GetTempFileName();
        try
        {
            OnnxWriter.Write(Int8Graph.Build(student, plan), file);
            using var model = new OnnxTeacher("int8", file, student.Description.Contract, student.Description.Dimension);
            float[] actual = Embed(model);
            int dimension = student.Description.Dimension, count = _selection.Count;
            double difference = 0, variance = 0;
            for (int d = 0; d < dimension; d++)
            {
                double mean = Enumerable.Range(0, count).Average(i => (double)_expected[(i * dimension) + d]);
                for (int i = d; i < _expected.Length; i += dimension)
                {
                    difference += Math.Pow(actual[i] - _expected[i], 2);
                    variance += Math.Pow(_expected[i] - mean, 2);
                }
            }

            // A student that gives every face the same embedding has no variance: then any difference is all of it.
            return variance > 0 ? difference / variance : difference > 0 ? 1 : 0;
        }
        finally
        {
            File.Delete(file);
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
