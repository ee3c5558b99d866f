using FaceDistill.Formats;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>Tensors to bytes of a safetensors file and back.</summary>
internal static class TensorBytes
{
    /// <summary>A copy of a tensor, row-major.</summary>
    /// <param name="tensor">float32 or int64.</param>
    public static SafeTensor Of(Tensor tensor)
    {
        using var host = tensor.detach().cpu().contiguous();
        return new SafeTensor(TypeOf(host), host.shape, host.bytes.ToArray());
    }

    /// <summary>Copies the bytes into a tensor of the same shape and type, whatever its layout.</summary>
    public static void CopyTo(SafeTensor source, Tensor target)
    {
        using var frozen = no_grad();
        using var values = empty(source.Shape, target.dtype);
        source.Data.CopyTo(values.bytes);
        target.copy_(values);
    }

    /// <summary>The format's name of a tensor's type. A network has float32 weights and one 64-bit counter a batch norm, nothing else.</summary>
    public static string TypeOf(Tensor tensor) => tensor.dtype == ScalarType.Int64 ? "I64" : "F32";
}
