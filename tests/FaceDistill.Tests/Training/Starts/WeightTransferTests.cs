using FaceDistill.Faces;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;
using FaceDistill.Views;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Starts;

public sealed class WeightTransferTests : IDisposable
{
    private static readonly TargetScaling OldScaling = new([1, 2, 3, 4], 0.5f), NewScaling = new([0, 2, 4, 6], 2);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(HeadKind.Gap)]
    [InlineData(HeadKind.Gdc)]
    public void The_same_student_under_another_scaling_gives_the_same_embeddings_in_the_teachers_space(HeadKind head)
    {
        var description = Description("mobilenet-v1:0.25@64", head);
        var source = Source(description);
        using var target = new MobileNetV1(description.Architecture(), seed: 9);
        string line = Apply(source, description, NewScaling, target);
        Assert.Contains("with its embedding layer", line, StringComparison.Ordinal);
        using var original = source.LoadModel();
        target.eval();
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var faces = randn([3, 3, 64, 64], generator: generator);
        var before = (original.forward(faces) * OldScaling.Scale) + tensor(OldScaling.Mean);
        var after = (target.forward(faces) * NewScaling.Scale) + tensor(NewScaling.Mean);
        Assert.True((before - after).abs().max().item<float>() < 1e-4, "the embeddings changed");
    }

    [Fact]
    public void A_shorter_embedding_is_turned_to_the_new_axes_and_left_out_where_its_own_are_unknown()
    {
        const int teacher = 6;
        var description = Description("mobilenet-v1:0.25@64", HeadKind.Gap);
        var source = Source(description);
        using var target = new MobileNetV1(description.Architecture(), seed: 9);
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        Tensor Orthonormal(int rows, int columns) => linalg.qr(randn([columns, rows], generator: generator)).Q.t().contiguous(); // [rows, columns]
        var own = Orthonormal(4, teacher);
        var turned = Orthonormal(4, 4).mm(own); // other axes of the same space
        Projector Of(Tensor axes) => new(Values(axes), teacher, 4, 1);

        float[] before = Values(target.EmbeddingLayer.Weight);
        Assert.Contains("without its embedding layer, whose axes", Apply(source, description, NewScaling, target, Of(turned)), StringComparison.Ordinal);
        Assert.Equal(before, Values(target.EmbeddingLayer.Weight));

        Of(own).Write(_folder.Path, "teacher", "hash");
        Assert.EndsWith("with its embedding layer", Apply(source, description, NewScaling, target, Of(own)), StringComparison.Ordinal);
        using var plain = new MobileNetV1(description.Architecture(), seed: 9);
        Apply(source, description, NewScaling, plain);
        Assert.Equal(Values(plain.EmbeddingLayer.Weight), Values(target.EmbeddingLayer.Weight));
        Assert.Equal(Values(plain.EmbeddingLayer.Bias), Values(target.EmbeddingLayer.Bias));

        Assert.EndsWith("turned to other axes", Apply(source, description, NewScaling, target, Of(turned)), StringComparison.Ordinal);
        using var original = source.LoadModel();
        target.eval();
        var faces = randn([3, 3, 64, 64], generator: generator);
        var wanted = ((original.forward(faces) * OldScaling.Scale) + tensor(OldScaling.Mean)).mm(own); // in the teacher's space
        var made = ((target.forward(faces) * NewScaling.Scale) + tensor(NewScaling.Mean)).mm(turned);
        Assert.True((wanted - made).abs().max().item<float>() < 1e-4, "the embeddings changed");
    }

    [Fact]
    public void Of_a_wider_student_the_channels_with_the_largest_L1_norm_are_kept_in_their_order()
    {
        var wide = Description("mobilenet-v1:0.5@64", HeadKind.Gap);
        var narrow = Description("mobilenet-v1:0.25@64", HeadKind.Gap);
        var source = Source(wide);
        using var target = new MobileNetV1(narrow.Architecture(), seed: 9);
        Apply(source, narrow, OldScaling, target);
        using var scope = NewDisposeScope();
        var (a, b) = (source.LoadModel().state_dict(), target.state_dict());
        var first = Strongest(a["conv0.weight"], 8);
        var second = Strongest(a["pw1.weight"], 16);
        Assert.True(a["conv0.weight"].index_select(0, first).equal(b["conv0.weight"]).all().item<bool>());
        Assert.True(a["dw1.weight"].index_select(0, first).equal(b["dw1.weight"]).all().item<bool>());
        Assert.True(a["dw1_bn.running_var"].index_select(0, first).equal(b["dw1_bn.running_var"]).all().item<bool>());
        Assert.True(a["pw1.weight"].index_select(0, second).index_select(1, first).equal(b["pw1.weight"]).all().item<bool>());
        Assert.True(a["pw1_bn.bias"].index_select(0, second).equal(b["pw1_bn.bias"]).all().item<bool>());
        var last = Strongest(a["pw13.weight"], 256);
        Assert.True(a["embedding.weight"].index_select(1, last).allclose(b["embedding.weight"]));
    }

    [Fact]
    public void Another_teachers_embedding_layer_and_another_head_are_left_out_and_said()
    {
        var source = Source(Description("mobilenet-v1:0.25@64", HeadKind.Gap));
        var other = Description("mobilenet-v1:0.25@64", HeadKind.Gap) with { TeacherHash = "another" };
        using var target = new MobileNetV1(other.Architecture(), seed: 9);
        float[] before = Values(target.EmbeddingLayer.Weight);
        Assert.Contains("another teacher", Apply(source, other, NewScaling, target), StringComparison.Ordinal);
        Assert.Equal(before, Values(target.EmbeddingLayer.Weight));
        var gdc = Description("mobilenet-v1:0.25@64", HeadKind.Gdc);
        using var second = new MobileNetV1(gdc.Architecture(), seed: 9);
        Assert.Contains("without its head", Apply(source, gdc, NewScaling, second), StringComparison.Ordinal);
        Assert.Equal(source.Weight("pw13.weight", 256, 256, 1, 1), Values(second.state_dict()["pw13.weight"]));
    }

    [Fact]
    public void A_gdc_head_of_another_resolution_is_fitted_to_the_map_and_the_embedding_layer_goes_with_it()
    {
        var small = Description("mobilenet-v1:0.25@64", HeadKind.Gdc);
        var large = Description("mobilenet-v1:0.25@128", HeadKind.Gdc);
        var source = Source(small);
        using var target = new MobileNetV1(large.Architecture(), seed: 9);
        Assert.Contains("with its embedding layer", Apply(source, large, OldScaling, target), StringComparison.Ordinal);
        float[] fitted = Values(target.state_dict()["gdc.weight"]);
        Assert.Equal(PooledKernel.Resize(source.Weight("gdc.weight", 256, 1, 2, 2), 2, 4), fitted);
        Assert.Equal(source.Weight("embedding.weight", 4, 256), Values(target.EmbeddingLayer.Weight));
    }

    [Theory]
    [InlineData("mobilenet-v1:0.25@64", "mobilenet-v1:0.5@64", "mobilenet-v1:0.25@64, narrower than mobilenet-v1:0.5@64")]
    [InlineData("mobilenet-v1:0.25@64", "mobilenet-v1-shallow:0.25@64", "mobilenet-v1:0.25@64, another network than mobilenet-v1-shallow:0.25@64")]
    [InlineData("mobilenet-v1-conv:0.25@64", "mobilenet-v1-conv:0.2@64", "mobilenet-v1-conv:0.25@64, wider than mobilenet-v1-conv:0.2@64")]
    public void A_source_that_does_not_fit_is_refused(string from, string to, string says)
    {
        var source = Source(Description(from, HeadKind.Gap));
        var student = Description(to, HeadKind.Gap);
        using var target = new MobileNetV1(student.Architecture());
        Assert.Contains(says, Assert.Throws<FaceDistillException>(() => Apply(source, student, NewScaling, target)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mobilenet-v1-conv:0.25@64", "mobilenet-v1-conv:0.25@80")]
    [InlineData("mobilenet-v1-shallow:0.5@64", "mobilenet-v1-shallow:0.25@64")]
    public void The_papers_other_networks_start_from_their_own_kind(string from, string to)
    {
        var source = Source(Description(from, HeadKind.Gap));
        var student = Description(to, HeadKind.Gap);
        using var target = new MobileNetV1(student.Architecture());
        Assert.Contains("weights of", Apply(source, student, NewScaling, target), StringComparison.Ordinal);
    }

    [Fact]
    public void By_the_norms_weight_the_channels_with_the_largest_are_kept()
    {
        var narrow = Description("mobilenet-v1:0.25@64", HeadKind.Gap);
        var source = Source(Description("mobilenet-v1:0.5@64", HeadKind.Gap));
        using var target = new MobileNetV1(narrow.Architecture(), seed: 9);
        using (var start = StudentStart.Of(source))
        {
            WeightTransfer.Apply(start, narrow, OldScaling, target, By(ChannelRule.BatchNorm), faces: null);
        }

        using var scope = NewDisposeScope();
        var (a, b) = (source.LoadModel().state_dict(), target.state_dict());
        var kept = a["conv0_bn.weight"].abs().topk(8).indexes.sort().Values;
        Assert.True(a["dw1.weight"].index_select(0, kept).equal(b["dw1.weight"]).all().item<bool>());
    }

    private static string Apply(
        StudentCheckpoint source, StudentDescription description, TargetScaling scaling, MobileNetV1 target, Projector? projector = null)
    {
        using var start = StudentStart.Of(source);
        return WeightTransfer.Apply(start, description, scaling, target, By(ChannelRule.L1), faces: null, projector);
    }

    private static StudentOptions By(ChannelRule rule) => new() { Name = "", InitChannels = rule, InitRefit = false };

    private static Tensor Strongest(Tensor filters, int keep) => filters.abs().sum([1, 2, 3]).topk(keep).indexes.sort().Values;

    private static float[] Values(Tensor tensor)
    {
        using var host = tensor.detach().contiguous();
        return host.data<float>().ToArray();
    }

    private static StudentDescription Description(string student, HeadKind head) =>
        new(student, head, 4, FaceTensor.StudentContract(64, "dlib"), "teacher", "hash") { TargetScale = OldScaling.Scale };

    // Random weights, and running statistics that are not those of a new network.
    private StudentCheckpoint Source(StudentDescription description)
    {
        using var model = new MobileNetV1(description.Architecture(), seed: 3);
        using (no_grad())
        {
            using var generator = new Generator(8);
            foreach (var (name, tensor) in model.state_dict().Where(t => t.Key.Contains("_bn.", StringComparison.Ordinal) && t.Value.is_floating_point()))
            {
                tensor.uniform_(0.5, 1.5, generator);
            }
        }

        var run = new RunPosition(description, OldScaling, TinyRun.Options, new TrainingState(0, 0, 0, []));
        StudentCheckpoint.Write(_folder["source"], run, new TrainedStudent(model));
        return StudentCheckpoint.Read(_folder["source"]);
    }
}
