using FaceDistill.Kernels;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Kernels;

public sealed class StudentConvolutionTests
{
    // 512 to 1,024 channels ended the process on processors with AVX-512 and without AMX; odd channels came out wrong there.
    public static TheoryData<int, int, int, bool> Pointwise
    {
        get
        {
            var data = new TheoryData<int, int, int, bool>();
            foreach (var (inputs, outputs, side) in new[]
                { (512, 1024, 5), (512, 1024, 4), (512, 1024, 3), (256, 1024, 3), (3, 6, 32), (6, 13, 16), (26, 51, 4) })
            {
                data.Add(inputs, outputs, side, false);
                data.Add(inputs, outputs, side, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Pointwise))]
    public void A_convolution_of_1_x_1_and_its_gradients_are_those_of_double_precision(int inputs, int outputs, int side, bool channelsLast)
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var drawn = randn([4, inputs, side, side], generator: generator);
        drawn = channelsLast ? drawn.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : drawn;
        var weights = randn([outputs, inputs, 1, 1], generator: generator) / Math.Sqrt(inputs);
        var towards = randn([4, outputs, side, side], generator: generator);
        (Tensor Value, Tensor Input, Tensor Weight) Of(ScalarType type, bool? product)
        {
            var (x, w) = (drawn.to(type).detach().requires_grad_(), weights.to(type).detach().requires_grad_());
            var value = product is null && type == ScalarType.Float64 ? einsum("nihw,oi->nohw", x, w.reshape(outputs, inputs))
                : StudentConvolution.Apply(x, w, product: product);
            (value * towards.to(type)).sum().backward();
            return (value.to(ScalarType.Float64), x.grad!.to(ScalarType.Float64), w.grad!.to(ScalarType.Float64));
        }

        var wanted = Of(ScalarType.Float64, null);
        foreach (bool? product in new bool?[] { null, true })
        {
            Close(wanted, Of(ScalarType.Float32, product), 1e-5);
            Close(wanted, Of(ScalarType.BFloat16, product), 2e-2);
        }
    }

    [Theory]
    [InlineData(3, 2, 1, 1)]
    [InlineData(3, 1, 1, 16)]
    [InlineData(3, 2, 1, 16)]
    [InlineData(1, 2, 0, 1)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(1, 1, 0, 16)]
    public void Others_are_those_of_torch(int kernel, int stride, int padding, int groups)
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var (x, w) = (randn([2, 16, 9, 9], generator: generator), randn([16, 16 / groups, kernel, kernel], generator: generator));
        var wanted = nn.functional.conv2d(x, w, strides: [stride, stride], padding: [padding, padding], groups: groups);
        Assert.True(wanted.equal(StudentConvolution.Apply(x, w, stride, padding, groups, product: true)).all().item<bool>());
    }

    private static void Close((Tensor Value, Tensor Input, Tensor Weight) wanted, (Tensor Value, Tensor Input, Tensor Weight) made, double part)
    {
        foreach (var (w, m) in new[] { (wanted.Value, made.Value), (wanted.Input, made.Input), (wanted.Weight, made.Weight) })
        {
            Assert.Equal(w.shape, m.shape);
            Assert.InRange((w - m).abs().max().item<double>() / w.abs().max().item<double>(), 0, part);
        }
    }
}
