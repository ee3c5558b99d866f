using FaceDistill.Faces;
using FaceDistill.Native;
using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>Measures a student on the held-out faces, always at its full resolution.</summary>
public sealed class ValidationPass : IDisposable
{
    private readonly TrainingFaces _faces;
    private readonly FaceContract _contract;
    private readonly Device _device;
    private readonly BatchReader _reader;

    /// <summary>Prepares; faces are read when first measured.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="contract">What the student wants to see.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="device">Where the student lies.</param>
    public ValidationPass(TrainingFaces faces, FaceContract contract, DistillOptions options, Device device)
    {
        ArgumentNullException.ThrowIfNull(contract);
        ArgumentNullException.ThrowIfNull(options);
        (_faces, _contract, _device) = (faces, contract, device);
        _reader = new BatchReader(faces, contract.Size, options.BatchSize, options.Seed, mirror: false);
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
            var input = FaceTensor.Normalize(batch.Pixels.narrow(0, 0, batch.Count).to(_device), _contract);
            var target = batch.Targets.narrow(0, 0, batch.Count).to(_device);
            var output = model.forward(input);
            loss += SquaredDifference.Loss(output, target).item<float>() * batch.Count;
            centred += Cosines(output, target);
            cosine += Cosines(output.Times(scale).Plus(mean), target.Times(scale).Plus(mean));
        }

        return new ValidationResult(loss / count, cosine / count, centred / count);
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private static double Cosines(Tensor a, Tensor b) => nn.functional.cosine_similarity(a, b, dim: 1).sum().item<float>();
}
