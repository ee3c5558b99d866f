using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training;

public sealed class ReplicasTests
{
    private const int Faces = 7, Dimension = 8;
    private static readonly MobileNetV1Architecture Architecture = new(new StudentSpec(0.25, 64), HeadKind.Gdc, Dimension);

    // The parts one after the other through one network that is put back between them, with torch's own sum of the losses' gradients.
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    public void Gradients_and_moments_are_those_of_the_parts_one_after_the_other(int count, bool eachFace)
    {
        TorchNative.EnsureLoaded();
        int threads = get_num_threads();
        set_num_threads(1); // an untrained network magnifies what another order of summation rounds otherwise
        try
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(5);
            using var model = new MobileNetV1(Architecture, seed: 2);
            using var weights = new FlatWeights(model);
            using var replicas = new Replicas(model, weights, BatchParts.Of(count, null));
            model.train();
            for (int step = 0; step < 2; step++)
            {
                var input = randn([Faces, 64, 64, 3], generator: generator).permute(0, 3, 1, 2);
                var target = randn([Faces, Dimension], generator: generator);
                Tensor Loss(Tensor outputs, Tensor targets) => SquaredDifference.Loss(outputs, targets)
                    .Plus(eachFace ? CosineDistance.Loss(outputs, targets) : RelationalDistance.Loss(outputs, targets));
                int[] first = [.. Enumerable.Range(0, count + 1).Select(r => Faces * r / count)];

                var twins = Enumerable.Range(0, count).Select(_ => Twin(model)).ToList();
                var whole = cat([.. twins.Select((twin, r) => twin.forward(input.narrow(0, first[r], first[r + 1] - first[r])))]);
                var expected = Loss(whole, target);
                expected.backward();

                weights.ZeroGradients();
                float loss = replicas.Run(Faces, (from, number) => input.narrow(0, from, number), target, Loss, eachFace);
                Assert.Equal(expected.item<float>(), loss, 1e-4f);
                foreach (var (name, parameter) in model.named_parameters())
                {
                    var sum = twins.Select(t => t.named_parameters().First(p => p.name == name).parameter.grad!).Aggregate((a, b) => a.Plus(b));
                    Assert.True((parameter.grad! - sum).norm().item<float>() <= 1e-4 * sum.norm().item<float>() + 1e-6, name);
                }

                foreach (var (name, buffer) in model.named_buffers().Where(b => b.buffer.is_floating_point()))
                {
                    var mean = stack(twins.Select(t => t.named_buffers().First(b => b.name == name).buffer)).mean([0]);
                    Assert.True((buffer - mean).abs().max().item<float>() < 1e-5, name);
                }

                using var frozen = no_grad();
                weights.Values.Add(weights.Gradients, -0.01); // the copies see what an optimizer does
                twins.ForEach(t => t.Dispose());
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_fails_in_a_part_is_thrown_and_the_next_step_works(bool eachFace)
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var model = new MobileNetV1(Architecture, seed: 2);
        using var weights = new FlatWeights(model);
        using var replicas = new Replicas(model, weights, BatchParts.Of(2, null));
        model.train();
        weights.ZeroGradients();
        int threads = get_num_threads();
        foreach (int bad in new[] { 0, 2 })
        {
            var error = Assert.Throws<FaceDistillException>(() => replicas.Run(4,
                (first, number) => first == bad ? throw new FaceDistillException($"part {first}") : zeros(number, 3, 64, 64), zeros(4, Dimension), (o, _) =>
                    o.Squared().mean(), eachFace));
            Assert.Equal($"part {bad}", error.Message);
            Assert.Equal(threads, get_num_threads());
        }

        Assert.True(float.IsFinite(replicas.Run(4, (_, number) => zeros(number, 3, 64, 64), zeros(4, Dimension), (o, _) => o.Squared().mean(), eachFace)));
    }

    [Fact]
    public void There_are_as_many_as_threads_unless_a_part_had_too_few_faces()
    {
        TorchNative.EnsureLoaded();
        int threads = get_num_threads();
        Assert.Equal(1, Replicas.Usual(63, DeviceType.CPU));
        Assert.Equal(Math.Min(2, threads), Replicas.Usual(64, DeviceType.CPU));
        Assert.Equal(Math.Min(128, threads), Replicas.Usual(4096, DeviceType.CPU));
        Assert.Equal(1, Replicas.Usual(64, DeviceType.CUDA));
    }

    private static MobileNetV1 Twin(MobileNetV1 model)
    {
        using var frozen = no_grad();
        var twin = new MobileNetV1(Architecture);
        var state = twin.state_dict();
        foreach (var (name, tensor) in model.state_dict())
        {
            state[name].copy_(tensor);
        }

        twin.train();
        return twin;
    }
}
