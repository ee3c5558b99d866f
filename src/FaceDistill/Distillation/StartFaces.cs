using FaceDistill.Faces;
using FaceDistill.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

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

    /// <summary>Chooses the faces.</summary>
    /// <param name="faces">The run's faces.</param>
    /// <param name="contract">What the student wants to see.</param>
    /// <param name="seed">Decides which.</param>
    public StartFaces(TrainingFaces faces, FaceContract contract, long seed)
    {
        TorchNative.EnsureLoaded();
        (_faces, Contract) = (faces, contract);
        _order = [.. SeededChoice.Permutation(faces.Training.Length, seed, epoch: -2).Select(i => faces.Training[i])];
        _reader = new PlainBatches(faces, new FacePixels(faces.Faces, contract.Size), mirror: false, seed);
    }

    /// <summary>What the student wants to see.</summary>
    public FaceContract Contract { get; }

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
        batch.Begin(indices, _faces.People);
        try
        {
            _reader.Fill(batch, 0, indices, CancellationToken.None);
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            throw first;
        }

        return (FaceTensor.Normalize(batch.Pixels, Contract).DetachFromDisposeScope(), batch.Targets.clone().DetachFromDisposeScope());
    }
}
