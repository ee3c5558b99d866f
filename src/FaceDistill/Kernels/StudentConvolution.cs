using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace FaceDistill.Kernels;

/// <summary>A convolution without bias, that of torch but for one case.</summary>
/// <remarks>
/// oneDNN 3.7, which libtorch 2.10 carries, is wrong about convolutions of 1 x 1 on processors with AVX-512 and without AMX. Seen on an EPYC of Zen 5: of
/// 512 inputs and 1,024 outputs, as in every student of width 1.0, it divides by zero (brg_blocking_t::est_eff_1x1), which ends the process, and a student
/// of width 0.1 came out wrong by hundredths. By its source the division is the same on others that choose these kernels (PyTorch issue 177227 is of that
/// kind). With the channels innermost such a convolution is a matrix product of the positions, which is right there and was faster where it was measured.
/// </remarks>
internal static class StudentConvolution
{
    private const int Avx512F = 1 << 16, AmxTile = 1 << 24; // CPUID leaf 7, EBX and EDX

    /// <summary>Whether convolutions of 1 x 1 are matrix products on this machine: the processor is asked, as oneDNN does, and not .NET, which can be told to
    /// leave AVX-512 out.</summary>
    public static bool IsProduct { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
        && X86Base.CpuId(7, 0) is var found && (found.Ebx & Avx512F) != 0
        && (found.Edx & AmxTile) == 0;

    /// <summary>Computes it.</summary>
    /// <param name="x">[N, in, H, W] of any layout and device; fastest with the channels innermost.</param>
    /// <param name="filters">[out, in / groups, k, k], of the type of <paramref name="x"/>.</param>
    /// <param name="stride">In both directions.</param>
    /// <param name="padding">Zeros at each border.</param>
    /// <param name="groups">Groups of channels.</param>
    /// <param name="product">Whether 1 x 1 is a matrix product; null for what is right on this machine.</param>
    /// <returns>[N, out, H', W'], with the channels innermost where it is a product.</returns>
    public static Tensor Apply(Tensor x, Tensor filters, long stride = 1, long padding = 0, long groups = 1, bool? product = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(filters);
        bool pointwise = filters.shape is [_, _, 1, 1] && stride == 1 && padding == 0 && groups == 1;
        return pointwise && x.device_type == TorchSharp.DeviceType.CPU && (product ?? IsProduct)
            ? nn.functional.linear(x.permute(0, 2, 3, 1), filters.reshape(filters.shape[0], filters.shape[1])).permute(0, 3, 1, 2)
            : nn.functional.conv2d(x, filters, strides: [stride, stride], padding: [padding, padding], groups: groups);
    }
}
