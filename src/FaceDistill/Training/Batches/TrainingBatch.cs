using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training.Batches;

/// <summary>Host memory of one step, filled on the reader's threads and used again and again.</summary>
public sealed class TrainingBatch : IDisposable
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
    internal void Begin(int[] faces, long[] people)
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
