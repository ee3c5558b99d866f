using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>Measures a student on the held-out faces, always at its full resolution.</summary>
internal sealed class ValidationPass : IDisposable
{
    private const int SpreadFaces = 256, MostSpread = 16_384;
    private readonly TrainingFaces _faces;
    private readonly ModelInputSpec _contract;
    private readonly Device _device;
    private readonly BatchReader _reader;
    private readonly IStudentMeasure? _measure;

    /// <summary>Prepares; faces are read when first measured.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="contract">What the student wants to see.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="device">Where the student lies.</param>
    /// <param name="measure">Measures the held-out people; null to measure nobody.</param>
    /// <param name="memory">Where decoded pictures are kept; null for the usual one.</param>
    public ValidationPass(
        TrainingFaces faces, ModelInputSpec contract, DistillOptions options, Device device, IStudentMeasure? measure = null, PictureMemory? memory = null)
    {
        ArgumentNullException.ThrowIfNull(contract);
        ArgumentNullException.ThrowIfNull(options);
        (_faces, _contract, _device, _measure) = (faces, contract, device, measure);
        _reader = new BatchReader(faces, contract.Size, options.Run.BatchSize, options.Run.Seed, mirror: false, memory);
    }

    /// <summary>Measures.</summary>
    /// <param name="model">The student; it is left in evaluation mode.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>Null where no faces are held out; not finite where the student is not.</returns>
    public ValidationResult? Measure(MobileNetV1 model, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(model);
        int count = _faces.Validation.Length;
        if (count == 0)
        {
            return null;
        }

        model.eval();
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var mean = tensor(_faces.Scaling.Mean, device: _device);
        double scale = _faces.Scaling.Scale;
        double loss = 0, cosine = 0, centred = 0;
        foreach (var batch in _reader.Validation(cancel))
        {
            using var step = NewDisposeScope();
            var input = StudentInput.Normalize(batch.Pixels.narrow(0, 0, batch.Count).to(_device), _contract);
            var target = batch.Targets.narrow(0, 0, batch.Count).to(_device);
            var output = model.forward(input);
            loss += SquaredDifference.Loss(output, target).item<float>() * batch.Count;
            centred += Cosines(output, target);
            cosine += Cosines(output.Times(scale).Plus(mean), target.Times(scale).Plus(mean));
        }

        return new ValidationResult(loss / count, cosine / count, centred / count);
    }

    /// <summary>Measures how well the student tells the held-out people apart.</summary>
    /// <param name="model">The student; it is left in evaluation mode.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>Null where nobody is measured; no number where the student gives none.</returns>
    public PeopleTar? MeasurePeople(MobileNetV1 model, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (_measure is null)
        {
            return null;
        }

        var people = _faces.HeldOut;
        var images = _faces.Faces.Dataset.Images;
        var set = new EmbeddingSet(
            "student", _faces.Dimension, Embedded(model, people.Measured, cancel), [.. people.Measured.Select(i => images[i].Path)], people.Identities);
        return set.Values.All(float.IsFinite) ? _measure.Measure(set, cancel) : new PeopleTar(double.NaN, double.NaN);
    }

    /// <summary>How far the student's embeddings lie from one another, beside the teacher's of the same faces.</summary>
    /// <param name="model">The student; it is left in evaluation mode.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>Measured on held-out faces; on training faces where fewer than two are held out. Without a teacher, by the embeddings alone.</returns>
    public EmbeddingSpread? Spread(MobileNetV1 model, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(model);
        int[] faces = _faces.Validation.Length >= 2 ? Thinned(_faces.Validation)
            : [.. SeededChoice.Permutation(_faces.Training.Length, seed: 0, epoch: -3).Take(SpreadFaces).Select(i => _faces.Training[i])]; // of many people
        float[] own = Embedded(model, faces, cancel), teacher = _faces.Embeddings(faces);
        int dimension = _faces.Dimension;
        return teacher.AsSpan().ContainsAnyExcept(0f)
            ? EmbeddingSpread.Of(own, dimension, EmbeddingSpread.VarianceOf(teacher, dimension), "the teacher's on the same faces")
            : EmbeddingSpread.OfUnits(own, dimension);
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    // At most so many, from the whole list.
    private static int[] Thinned(int[] faces) => faces.Length <= MostSpread ? faces
        : [.. Enumerable.Range(0, MostSpread).Select(i => faces[(long)i * faces.Length / MostSpread])];

    // float32 [faces, D] in the teacher's space.
    private float[] Embedded(MobileNetV1 model, int[] faces, CancellationToken cancel)
    {
        model.eval();
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var mean = tensor(_faces.Scaling.Mean, device: _device);
        double scale = _faces.Scaling.Scale;
        var values = new float[(long)faces.Length * _faces.Dimension];
        int done = 0;
        foreach (var batch in _reader.Plain(faces, cancel))
        {
            using var step = NewDisposeScope();
            var input = StudentInput.Normalize(batch.Pixels.narrow(0, 0, batch.Count).to(_device), _contract);
            var output = model.forward(input).Times(scale).Plus(mean).cpu().contiguous();
            output.data<float>().CopyTo(values.AsSpan(done, batch.Count * _faces.Dimension));
            done += batch.Count * _faces.Dimension;
        }

        return values;
    }

    private static double Cosines(Tensor a, Tensor b) => nn.functional.cosine_similarity(a, b, dim: 1).sum().item<float>();
}
