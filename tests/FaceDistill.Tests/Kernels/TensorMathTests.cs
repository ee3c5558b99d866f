using FaceDistill.Formats;
using FaceDistill.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Kernels;

public sealed class TensorMathTests
{
    private static readonly TorchCalls Calls = new();

    [Fact]
    public void Nothing_but_it_makes_native_numbers()
    {
        var library = typeof(TensorMath).Assembly;
        Assert.Contains(library.GetReferencedAssemblies(), reference => reference.Name == "TorchSharp"); // else nothing is searched
        Assert.Empty(Calls.Forbidden(TorchCalls.TypesOf(library, typeof(TensorMath))));
    }

    // What the search above would miss if it could not find it here.
    [Theory]
    [InlineData(nameof(Mistakes.Sum), "Tensor.op_Addition(Tensor, Tensor)")]
    [InlineData(nameof(Mistakes.AddInPlace), "Tensor.add_(Tensor)")]
    [InlineData(nameof(Mistakes.AddOwned), "Tensor.add(Scalar)")]
    [InlineData(nameof(Mistakes.Square), "Tensor.square()")]
    [InlineData(nameof(Mistakes.Literal), "Scalar.op_Implicit(Int32)")]
    [InlineData(nameof(Mistakes.Operator), "Tensor.op_Multiply(Tensor, Double)")]
    [InlineData(nameof(Mistakes.Unnamed), "ScalarExtensionMethods.ToScalar(Double)")]
    [InlineData(nameof(Mistakes.InLambda), "Tensor.op_Addition(Tensor, Tensor)")]
    [InlineData(nameof(Mistakes.Leaky), "functional.leaky_relu(")]
    [InlineData(nameof(Mistakes.Norm), "BatchNorm.forward(Tensor)")]
    [InlineData(nameof(Mistakes.Factory), "BatchNorm.forward(Tensor)")]
    [InlineData(nameof(Mistakes.Optimizer), "SGD.step(")]
    public void Each_kind_of_mistake_is_found_and_named(string method, string says) =>
        Assert.Contains(Calls.Forbidden(TorchCalls.TypesOf(typeof(Mistakes).Assembly).Where(t => t == typeof(Mistakes) || t.DeclaringType == typeof(Mistakes))),
            line => line.Contains(method, StringComparison.Ordinal) && line.Contains(says, StringComparison.Ordinal));

    [Fact]
    public void It_computes_what_TorchSharp_does()
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        Tensor a = randn([40], generator: generator), b = randn([40], generator: generator), c = randn([40], generator: generator).abs().Plus(1);
        Same(a + b, a.Plus(b), a.clone().Add(b));
        Same(a + 0.3, a.Plus(0.3), a.clone().Add(0.3));
        Same(a - 0.3, a.Minus(0.3), a.clone().Subtract(0.3));
        Same(a * 0.3, a.Times(0.3), a.clone().Multiply(0.3));
        Same(a / 0.3, a.Over(0.3));
        Same(a.square(), a.Squared());
        Same(a.clamp(-0.5, 0.7), a.Between(-0.5, 0.7));
        Same(a.gt(0.1), a.IsAbove(0.1));
        Same(a.ge(0.1), a.IsAtLeast(0.1));
        Same(a.add(b, 0.3), a.clone().Add(b, 0.3));
        Same(a.addcmul(b, c, 0.3), a.clone().AddProduct(b, c, 0.3));
        Same(a.addcdiv(b, c, 0.3), a.clone().AddQuotient(b, c, 0.3));
    }

    [Fact]
    public void A_whole_number_is_counted_up()
    {
        TorchNative.EnsureLoaded();
        using var counter = zeros([], ScalarType.Int64);
        counter.Increment();
        counter.Increment();
        Assert.Equal(2, counter.item<long>());
    }

    private static void Same(Tensor expected, params Tensor[] actual) => Assert.All(actual, a => Assert.True(a.equal(expected).all().item<bool>()));

    /// <summary>What must not be written elsewhere; never run.</summary>
    private static class Mistakes
    {
        public static Tensor Sum(Tensor a, Tensor b) => a + b;

        public static Tensor AddInPlace(Tensor a, Tensor b) => a.add_(b);

        public static Tensor AddOwned(Tensor a, Scalar b) => a.add(b); // the factor 1 is made inside

        public static Tensor Square(Tensor a) => a.square();

        public static Tensor Literal(Tensor a) => a.mul_(2);

        public static Tensor Operator(Tensor a) => a * 0.5;

        public static Tensor Unnamed(Tensor a) => a.mul_(0.5.ToScalar());

        public static Func<Tensor, Tensor> InLambda(Tensor b) => a => a + b;

        public static Tensor Leaky(Tensor a) => nn.functional.leaky_relu(a, 0.1);

        public static Tensor Norm(BatchNorm2d norm, Tensor a) => norm.eps > 0 ? norm.forward(a) : a;

        public static nn.Module<Tensor, Tensor> Factory() => nn.BatchNorm2d(8);

        public static SGD Optimizer(nn.Module module) => torch.optim.SGD(module.parameters(), 0.1);
    }
}
