using System.Runtime.InteropServices;
using FaceDistill.Cluster;
using static TorchSharp.torch;

namespace FaceDistill.Training.Batches;

/// <summary>Some of the parts of every batch: those that one process computes.</summary>
/// <param name="FirstPart">The first of them, from 0.</param>
/// <param name="Count">How many.</param>
/// <param name="Whole">How many parts a batch has.</param>
internal readonly record struct BatchParts(int FirstPart, int Count, int Whole)
{
    /// <summary>The only part of an undivided batch.</summary>
    public static BatchParts All { get; } = new(0, 1, 1);

    /// <summary>A process's share of the parts: as even as there can be; all of them where there is one process.</summary>
    /// <param name="whole">In how many parts a batch is computed.</param>
    /// <param name="ranks">Who computes them; null for this process alone.</param>
    /// <exception cref="FaceDistillException">There are fewer parts than ranks.</exception>
    public static BatchParts Of(int whole, Ranks? ranks)
    {
        if (whole < ranks?.Count)
        {
            throw new FaceDistillException(
                $"a batch of {whole} part{(whole == 1 ? "" : "s")} has no work for {ranks.Count} ranks: give --replicas {ranks.Count} or more "
                + $"(and a larger --batch-size where a part would have few faces), or start fewer ranks");
        }

        return Of(whole, ranks?.Rank ?? 0, ranks?.Count ?? 1);
    }

    /// <summary>Another process's share.</summary>
    /// <param name="whole">As above.</param>
    /// <param name="rank">The process, from 0.</param>
    /// <param name="ranks">How many there are; no more than parts.</param>
    public static BatchParts Of(int whole, int rank, int ranks)
    {
        int first = (int)((long)whole * rank / ranks), end = (int)((long)whole * (rank + 1) / ranks);
        return new BatchParts(first, end - first, whole);
    }

    /// <summary>The place in a batch of the first face of one of them; of <see cref="Count"/>, the place after the last face of all.</summary>
    public int First(int faces, int part) => (int)((long)faces * (FirstPart + part) / Whole);

    /// <summary>The places in a batch of the faces of all of them.</summary>
    public (int First, int Count) Faces(int faces) => (First(faces, 0), First(faces, Count) - First(faces, 0));
}

/// <summary>Host memory of one step, filled on the reader's threads and used again and again.</summary>
internal sealed class TrainingBatch : IDisposable
{
    internal TrainingBatch(int capacity, int size, int dimension)
    {
        Pixels = empty(new long[] { capacity, size, size, 3 }, ScalarType.Byte).DetachFromDisposeScope();
        Targets = empty(new long[] { capacity, dimension }, ScalarType.Float32).DetachFromDisposeScope();
        Labels = empty(new long[] { capacity }, ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <summary>uint8 [capacity, size, size, 3], RGB; the first <see cref="Count"/> faces are valid.</summary>
    public Tensor Pixels { get; }

    /// <summary>float32 [capacity, D], centred and scaled; the first <see cref="Count"/> rows are valid.</summary>
    public Tensor Targets { get; }

    /// <summary>int64 [capacity]: the person, -1 where not known; the first <see cref="Count"/> are valid.</summary>
    public Tensor Labels { get; }

    /// <summary>Sets the number of faces and who they are.</summary>
    /// <param name="faces">The faces' places in their list.</param>
    /// <param name="people">The person of each face of the list; -1 where not known.</param>
    internal void Begin(int[] faces, int[] people)
    {
        Count = faces.Length;
        var labels = MemoryMarshal.Cast<byte, long>(Labels.bytes);
        for (int i = 0; i < faces.Length; i++)
        {
            labels[i] = people[faces[i]];
        }
    }

    /// <summary>The picture of face i: uint8 [size, size, 3], RGB.</summary>
    internal Span<byte> PixelsOf(int i)
    {
        int bytes = (int)(Pixels.numel() / Pixels.shape[0]);
        return Pixels.bytes.Slice(i * bytes, bytes);
    }

    /// <summary>The target of face i: float32 [D].</summary>
    internal Span<float> TargetOf(int i)
    {
        int dimension = (int)Targets.shape[1];
        return MemoryMarshal.Cast<byte, float>(Targets.bytes).Slice(i * dimension, dimension);
    }

    /// <summary>The number of faces.</summary>
    public int Count { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pixels.Dispose();
        Targets.Dispose();
        Labels.Dispose();
    }
}
