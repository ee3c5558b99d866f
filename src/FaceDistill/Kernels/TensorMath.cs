using FaceDistill.Formats;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Kernels;

/// <summary>
/// All arithmetic of tensors with numbers. TorchSharp makes a native scalar of every number, also of those that it fills in itself (the factor 1 of
/// <c>a + b</c>, <c>add_(b)</c> and <c>add(1)</c>, the exponent of <c>square()</c>), and keeps none alive during the native call: a garbage collection
/// at that moment frees a number in use, and the call fails or computes with another one. Here every scalar outlives its call. Nothing else in FaceDistill may
/// make one; a test reads the compiled program and names whoever does.
/// </summary>
internal static class TensorMath
{
    // Held by the type, so never collected.
    private static readonly Scalar One = Kept(1);
    private static readonly Scalar Two = Kept(2);

    /// <summary>a + b, a new tensor.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a + b, a new tensor.</summary>
    public static Tensor Plus(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.add(number, One);
    }

    /// <summary>a - b, a new tensor.</summary>
    public static Tensor Minus(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.sub(number);
    }

    /// <summary>a b, a new tensor.</summary>
    public static Tensor Times(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.mul(number);
    }

    /// <summary>a / b, a new tensor.</summary>
    public static Tensor Over(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.div(number);
    }

    /// <summary>a^2, a new tensor.</summary>
    public static Tensor Squared(this Tensor a) => a.pow(Two);

    /// <summary>a where it lies between two numbers, else the nearer of them; a new tensor.</summary>
    public static Tensor Between(this Tensor a, double least, double most)
    {
        using var low = least.ToScalar();
        using var high = most.ToScalar();
        return a.clamp(low, high);
    }

    /// <summary>Whether each value is greater than a number: a new tensor of truth values.</summary>
    public static Tensor IsAbove(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.gt(number);
    }

    /// <summary>Whether each value is a number or greater: a new tensor of truth values.</summary>
    public static Tensor IsAtLeast(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.ge(number);
    }

    /// <summary>a += b.</summary>
    public static Tensor Add(this Tensor a, Tensor b) => a.add_(b, One);

    /// <summary>a += factor b.</summary>
    public static Tensor Add(this Tensor a, Tensor b, double factor)
    {
        using var number = factor.ToScalar();
        return a.add_(b, number);
    }

    /// <summary>a += b.</summary>
    public static Tensor Add(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.add_(number, One);
    }

    /// <summary>a += 1; also of whole numbers, which take no floating-point one.</summary>
    public static Tensor Increment(this Tensor a) => a.add_(One, One);

    /// <summary>a -= b.</summary>
    public static Tensor Subtract(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.sub_(number);
    }

    /// <summary>a *= b.</summary>
    public static Tensor Multiply(this Tensor a, double b)
    {
        using var number = b.ToScalar();
        return a.mul_(number);
    }

    /// <summary>a += factor b c.</summary>
    public static Tensor AddProduct(this Tensor a, Tensor b, Tensor c, double factor)
    {
        using var number = factor.ToScalar();
        return a.addcmul_(b, c, number);
    }

    /// <summary>a += factor b / c.</summary>
    public static Tensor AddQuotient(this Tensor a, Tensor b, Tensor c, double factor)
    {
        using var number = factor.ToScalar();
        return a.addcdiv_(b, c, number);
    }

    private static Scalar Kept(int value)
    {
        TorchNative.EnsureLoaded();
        return value.ToScalar();
    }
}

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
