using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FaceDistill.Students;

/// <summary>How eight values of a tensor become float32 and back.</summary>
internal unsafe interface IEight
{
    /// <summary>The values from an index on.</summary>
    static abstract Vector256<float> Load(void* values, long index);

    /// <summary>Writes the values from an index on.</summary>
    static abstract void Store(Vector256<float> eight, void* values, long index);
}

/// <summary>float32.</summary>
internal readonly unsafe struct Float32 : IEight
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(void* values, long index) => Vector256.Load((float*)values + index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> eight, void* values, long index) => eight.Store((float*)values + index);
}

/// <summary>bfloat16: the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16 : IEight
{
    /// <summary>Whether the processor has the instructions.</summary>
    public static bool Supported => Avx2.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(void* values, long index) =>
        Vector256.ShiftLeft(Avx2.ConvertToVector256Int32((ushort*)values + index), 16).AsSingle();

    /// <summary>Rounds to the nearest, ties to even, as torch does; what is no number stays none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> eight, void* values, long index)
    {
        var bits = eight.AsUInt32();
        var rounded = (bits + Vector256.Create(0x7fffu) + ((bits >>> 16) & Vector256<uint>.One)) >>> 16;
        Sse41.PackUnsignedSaturate(rounded.GetLower().AsInt32(), rounded.GetUpper().AsInt32()).Store((ushort*)values + index);
    }
}
