using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>
/// Estimates the means and variances of a student's batch norms anew, for the weights that it has: pooled over training faces that go through the network
/// in batches as in training (Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3, precise batch norm). The running ones, which training
/// keeps, begin at 0 and 1 and move by a tenth a step: after n steps 0.9^n of the beginning is left in them, and they are of weights that have gone since.
/// </summary>
/// <remarks>
/// The faces are always the same ones, at the student's full resolution, in float32, neither mirrored nor varied: as a finished student sees faces.
/// </remarks>
internal sealed class BatchNormStatistics : IDisposable
{
    /// <summary>
    /// How many faces are pooled at most: hundreds of thousands of values a channel in the early layers, 16 batches of 64, at 1 to 2% of an epoch of 25,000
    /// faces.
    /// </summary>
    public const int Faces = 1024;

    private readonly ModelInputSpec _contract;
    private readonly Device _device;
    private readonly BatchReader _reader;
    private readonly int[] _faces;
    private readonly Layer[] _layers;

    /// <summary>Prepares; faces are read when first needed.</summary>
    /// <param name="faces">Faces of which there is at least one batch to train on.</param>
    /// <param name="description">The student.</param>
    /// <param name="options">The run's options; the seed chooses the faces.</param>
    /// <param name="device">Where the student lies.</param>
    /// <param name="memory">Where decoded pictures are kept; null for the usual one.</param>
    public BatchNormStatistics(
        TrainingFaces faces, StudentDescription description, DistillOptions options, Device device, PictureMemory? memory = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(options);
        (_contract, _device) = (description.Contract, device);
        // Whole batches only, as in training.
        int batches = Math.Max(1, Math.Min(Faces, faces.Training.Length) / options.Run.BatchSize);
        _faces = [.. SeededChoice.Permutation(faces.Training.Length, options.Run.Seed, epoch: -2).Take(batches * options.Run.BatchSize)
            .Select(i => faces.Training[i])];
        _reader = new BatchReader(faces, description.Contract.Size, options.Run.BatchSize, options.Run.Seed, mirror: false, memory);
        Student = new MobileNetV1(description.Architecture());
        Student.to(device);
        var modules = Student.named_children().ToDictionary(m => m.name, m => m.module, StringComparer.Ordinal);
        _layers = [.. Student.Architecture.Convolutions.Select(c => new Layer((BatchNorm)modules[c.Name + "_bn"], c, options.Run.BatchSize))];
    }

    /// <summary>The network of the last <see cref="Estimate"/>.</summary>
    public MobileNetV1 Student { get; }

    /// <summary>Copies a network and estimates the copy's statistics.</summary>
    /// <param name="network">Neither its weights nor its running statistics are changed.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>The copy, <see cref="Student"/>, in evaluation mode; valid until the next call.</returns>
    public MobileNetV1 Estimate(MobileNetV1 network, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(network);
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        Student.CopyFrom(network);
        Array.ForEach(_layers, l => l.Clear());
        Student.train();
        foreach (var batch in _reader.Plain(_faces, cancel))
        {
            using var step = NewDisposeScope();
            Student.forward(StudentInput.Normalize(batch.Pixels.narrow(0, 0, batch.Count).to(_device), _contract));
            Array.ForEach(_layers, l => l.Add());
        }

        Student.eval();
        Array.ForEach(_layers, l => l.Finish());
        return Student;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        Student.Dispose();
    }

    private sealed class Layer
    {
        private readonly BatchNorm _norm;
        private readonly double[] _means;
        private readonly double[] _squaredMeans;
        private readonly double[] _variances;
        private readonly double _values; // of a channel in a batch
        private int _batches;

        public Layer(BatchNorm norm, ConvLayer convolution, int batchSize)
        {
            (_norm, _values) = (norm, (double)batchSize * convolution.OutSize * convolution.OutSize);
            _norm.Momentum = 1; // then a forward pass leaves the batch's own moments
            (_means, _squaredMeans, _variances) = (new double[convolution.Out], new double[convolution.Out], new double[convolution.Out]);
        }

        public void Clear()
        {
            Array.Clear(_means);
            Array.Clear(_squaredMeans);
            Array.Clear(_variances);
            _batches = 0;
        }

        public void Add()
        {
            float[] mean = _norm.RunningMean.cpu().data<float>().ToArray(), variance = _norm.RunningVariance.cpu().data<float>().ToArray();
            for (int c = 0; c < mean.Length; c++)
            {
                _means[c] += mean[c];
                _squaredMeans[c] += (double)mean[c] * mean[c];
                _variances[c] += variance[c] * (_values - 1) / _values; // torch keeps the unbiased one
            }

            _batches++;
        }

        public void Finish()
        {
            var (mean, variance) = (new float[_means.Length], new float[_means.Length]);
            double all = _batches * _values;
            for (int c = 0; c < mean.Length; c++)
            {
                double centre = _means[c] / _batches, between = Math.Max(0, (_squaredMeans[c] / _batches) - (centre * centre));
                mean[c] = (float)centre;
                variance[c] = (float)(((_variances[c] / _batches) + between) * all / (all - 1));
            }

            _norm.RunningMean.copy_(tensor(mean));
            _norm.RunningVariance.copy_(tensor(variance));
        }
    }
}
