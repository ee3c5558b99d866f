using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Views;
using static TorchSharp.torch;

namespace FaceDistill.Training.Starts;

/// <summary>
/// A wide network and the narrow one that is made of it, layer by layer on the same faces. A pointwise layer that lost inputs is fitted by least squares: from
/// what the narrow network gives it, so that the errors of the layers before are made good as far as they can be, to what the wide one computes (He, Zhang and
/// Sun, "Channel pruning for accelerating very deep neural networks", 2017). Batch norms get the running moments of the narrow network.
/// </summary>
internal sealed class StartPair : IDisposable
{
    // Holds a fitted filter to the wide one's where the faces say little; a part of the channels' mean variance.
    private const double Ridge = 1e-3;
    private readonly Dictionary<string, Tensor> _wideWeights;
    private readonly Dictionary<string, Tensor> _weights;
    private readonly MobileNetV1Architecture _from;
    private readonly MobileNetV1Architecture _to;
    private readonly StudentStart _source;
    private readonly bool _refit;
    private readonly Activations _wide; // of the wide network; after Next without the ReLU

    /// <summary>Begins at the pictures.</summary>
    /// <param name="source">The wide network.</param>
    /// <param name="target">The narrow one.</param>
    /// <param name="faces">Faces at the narrow one's resolution.</param>
    /// <param name="refit">Whether pointwise layers are fitted.</param>
    public StartPair(StudentStart source, MobileNetV1 target, StartFaces faces, bool refit)
    {
        (_source, _refit, _from, _to) = (source, refit, source.Architecture, target.Architecture);
        (_wideWeights, _weights) = (source.Model.state_dict(), target.state_dict());
        (_wide, Narrow) = (faces.Inputs(), faces.Inputs());
    }

    /// <summary>The narrow network's values after the last fitted layer; the caller disposes them.</summary>
    public Activations Narrow { get; }

    /// <summary>Takes the wide network through a layer.</summary>
    /// <param name="i">The layer.</param>
    public void Next(int i)
    {
        if (i > 0)
        {
            _wide.Replace(x => x.relu());
        }

        var (filters, bias) = StartLayers.Folded(_wideWeights, _from.Backbone[i]);
        using (filters)
        {
            var linear = _from.Backbone[i] with { Relu = false };
            _wide.Replace(x => StartLayers.Finish(linear, StartLayers.Convolve(linear, x, filters), bias));
        }
    }

    /// <summary>The outputs of a layer from which the next pointwise layer's output, or after the last the embedding, can best be computed.</summary>
    /// <param name="i">The layer.</param>
    /// <param name="keep">How many.</param>
    public int[] Choose(int i, int keep)
    {
        using var scope = NewDisposeScope();
        if (i + 2 >= _from.Backbone.Count)
        {
            using var last = _wide.Map(x => x.relu());
            return Chosen(Covariances.Of(last.Batches).Covariance, EmbeddingMatrix(), keep);
        }

        var (depthwise, pointwise) = (_from.Backbone[i + 1], _from.Backbone[i + 2]);
        var (filters, bias) = StartLayers.Folded(_wideWeights, depthwise);
        using var values = _wide.Map(x => StartLayers.Finish(depthwise, StartLayers.Convolve(depthwise, x.relu(), filters), bias));
        var (matrix, _) = StartLayers.Folded(_wideWeights, pointwise);
        return Chosen(Covariances.Of(values.Batches).Covariance, matrix.flatten(1), keep);
    }

    /// <summary>Fits a layer that was copied, and takes the narrow network through it.</summary>
    /// <param name="i">The layer.</param>
    /// <param name="inputs">The wide layer's inputs that were kept.</param>
    /// <param name="outputs">Its outputs that were kept.</param>
    public void Fit(int i, int[] inputs, int[] outputs)
    {
        var (wide, narrow) = (_from.Backbone[i], _to.Backbone[i]);
        bool fits = _refit && wide.Groups == 1 && inputs.Length < wide.In;
        var (factor, shift) = fits ? Solve(wide, narrow, inputs, outputs) : ([], []);
        var filters = _weights[$"{narrow.Name}.weight"];
        Narrow.Replace(x => StartLayers.Convolve(narrow, x, filters));
        if (fits)
        {
            StartLayers.PutNorm(_weights, narrow, Narrow.Moments(), factor, shift);
        }
        else
        {
            StartLayers.PutMoments(_weights, narrow, Narrow.Moments());
        }

        Narrow.Replace(x => StartLayers.Normalize(_weights, narrow, x));
    }

    /// <inheritdoc/>
    public void Dispose() => _wide.Dispose();

    // Each row keeps the length that copying gave it, by which a step of training is large or small; the norm behind makes up for it.
    private (double[] Factor, double[] Shift) Solve(ConvLayer wide, ConvLayer narrow, int[] inputs, int[] outputs)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var (folded, _) = StartLayers.Folded(_wideWeights, wide);
        using var ins = tensor(inputs.Select(v => (long)v).ToArray());
        using var outs = tensor(outputs.Select(v => (long)v).ToArray());
        var prior = folded.flatten(1).index_select(0, outs).index_select(1, ins).to(ScalarType.Float64);
        var covariances = Covariances.Of(Narrow.Batches, _wide.Batches.Select(z => z.index_select(1, outs)));
        var (matrix, offset) = covariances.Solve(prior, Ridge);
        var filters = _weights[$"{narrow.Name}.weight"];
        double[] copied = Lengths(filters.detach().flatten(1).to(ScalarType.Float64)), fitted = Lengths(matrix);
        double[] factor = [.. copied.Zip(fitted, (c, f) => c > 0 && f > 0 ? f / c : 1)];
        filters.copy_((matrix / tensor(factor, [factor.Length, 1])).to(ScalarType.Float32).reshape(filters.shape));
        return (factor, offset.data<double>().ToArray());
    }

    private static double[] Lengths(Tensor rows) => rows.Squared().sum(dim: 1).sqrt().contiguous().data<double>().ToArray();

    private static int[] Chosen(Tensor covariance, Tensor matrix, int keep)
    {
        var cross = covariance.mm(matrix.to(ScalarType.Float64).t()).contiguous();
        return GreedyChannels.Choose(covariance.contiguous().data<double>().ToArray(), cross.data<double>().ToArray(), (int)covariance.shape[0], keep);
    }

    // [D, features]: what the embedding takes of a channel, over the whole map; all channels alike where there is no embedding.
    private Tensor EmbeddingMatrix()
    {
        if (_source.Scaling is null)
        {
            return eye(_from.Features, dtype: ScalarType.Float64);
        }

        var matrix = _wideWeights["embedding.weight"].detach();
        if (_from.HeadConvolution is not { } head)
        {
            return matrix.clone();
        }

        var (filters, _) = StartLayers.Folded(_wideWeights, head);
        return matrix * filters.sum([1, 2, 3]).unsqueeze(0);
    }
}

/// <summary>
/// Some hundred training faces on which a start is measured and fitted. How many the resolution decides, so that the positions of a
/// layer's map are about as many at each, and so is the memory that they take.
/// </summary>
internal sealed class StartFaces
{
    private const int Usual = 512; // at 96 pixels: 4,608 positions of the last map, for at most 1,024 channels
    private const int Batch = 32;
    private readonly TrainingFaces _faces;
    private readonly int[] _order;
    private readonly PlainBatches _reader;
    private readonly long _seed;

    /// <summary>Chooses the faces.</summary>
    /// <param name="faces">The run's faces.</param>
    /// <param name="contract">What the student wants to see.</param>
    /// <param name="seed">Decides which.</param>
    public StartFaces(TrainingFaces faces, ModelInputSpec contract, long seed)
    {
        TorchNative.EnsureLoaded();
        (_faces, Contract, _seed) = (faces, contract, seed);
        _order = [.. SeededChoice.Permutation(faces.Training.Length, seed, epoch: -2).Select(i => faces.Training[i])];
        _reader = new PlainBatches(faces, new FacePixels(faces.Faces, contract.Size), mirror: false, seed);
    }

    /// <summary>What the student wants to see.</summary>
    public ModelInputSpec Contract { get; }

    /// <summary>The same at another resolution.</summary>
    /// <param name="size">Pixels a side.</param>
    public StartFaces At(int size) => size == Contract.Size ? this : new StartFaces(_faces, Contract with { Size = size }, _seed);

    /// <summary>Faces that layers are measured on.</summary>
    public int Count => Math.Min(_order.Length, Usual * 96 * 96 / (Contract.Size * Contract.Size));

    /// <summary>The faces as a network's input; the caller disposes them.</summary>
    /// <exception cref="FaceDistillException">A face cannot be read.</exception>
    public Activations Inputs() => new([.. _order.Take(Count).Chunk(Batch).Select(indices =>
    {
        var (input, targets) = Read(indices);
        targets.Dispose();
        return input;
    })]);

    /// <summary>Faces and targets in batches; the caller disposes the tensors.</summary>
    /// <param name="count">The number of faces; fewer where the run has fewer.</param>
    /// <returns>float32 [n, 3, r, r] and float32 [n, D].</returns>
    /// <exception cref="FaceDistillException">A face cannot be read.</exception>
    public IEnumerable<(Tensor Input, Tensor Targets)> Batches(int count) => _order.Take(count).Chunk(Batch).Select(Read);

    private (Tensor Input, Tensor Targets) Read(int[] indices)
    {
        using var scope = NewDisposeScope();
        using var batch = new TrainingBatch(indices.Length, Contract.Size, _faces.Dimension);
        batch.Begin(indices, _faces.PersonLabels);
        try
        {
            _reader.Fill(batch, 0, indices, (0, indices.Length), CancellationToken.None);
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            throw first;
        }

        return (StudentInput.Normalize(batch.Pixels, Contract).DetachFromDisposeScope(), batch.Targets.clone().DetachFromDisposeScope());
    }
}
