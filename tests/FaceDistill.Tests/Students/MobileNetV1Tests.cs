using FaceDistill.Formats;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Students;

public sealed class MobileNetV1Tests
{
    // Independent of the product's layer list: Howard et al. 2017, table 1, written out.
    private static readonly (int Out, int Stride)[] PaperBlocks =
        [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)];

    [Theory]
    [InlineData("mobilenet-v1:1.0@224", 567.7)]
    [InlineData("mobilenet-v1:1.0@160", 289.65)]
    [InlineData("mobilenet-v1:1.0@128", 185.4)]
    [InlineData("mobilenet-v1:0.75@128", 106.0)]
    [InlineData("mobilenet-v1:0.75@160", 165.6)]
    [InlineData("mobilenet-v1:0.33@96", null)]
    [InlineData("mobilenet-v1:0.25@96", null)]
    public void Mult_adds_equal_a_count_by_hand(string name, double? millions)
    {
        var spec = StudentSpec.Parse(name);
        long counted = StudentCost.Of(new MobileNetV1Architecture(spec, HeadKind.Gap, 128)).MultAddsBackbone;
        int Width(int channels) => Math.Max(8, (int)(channels * spec.Width));
        long size = spec.Resolution / 2, channels = Width(32), expected = size * size * 27 * channels;
        foreach (var (full, stride) in PaperBlocks)
        {
            size /= stride;
            expected += (size * size * 9 * channels) + (size * size * channels * Width(full));
            channels = Width(full);
        }

        Assert.Equal(expected, counted);
        if (millions is { } known)
        {
            Assert.Equal(known, counted / 1e6, 0.05);
        }
    }

    [Theory]
    [InlineData("mobilenet-v1:1.0@96", 3.34)]
    [InlineData("mobilenet-v1:0.75@128", 1.91)]
    public void Parameters_are_those_of_the_design(string name, double millions) => Assert.Equal(
        millions, StudentCost.Of(new MobileNetV1Architecture(StudentSpec.Parse(name), HeadKind.Gap, 128)).Parameters / 1e6, 0.005);

    [Theory]
    [InlineData("mobilenet-v1:0.5@96", HeadKind.Gap)]
    [InlineData("mobilenet-v1:0.33@64", HeadKind.Gdc)]
    [InlineData("mobilenet-v1-conv:0.33@80", HeadKind.Gdc)]
    [InlineData("mobilenet-v1-shallow:0.33@112", HeadKind.Gap)]
    public void Parameters_are_those_of_the_network(string name, HeadKind head)
    {
        var architecture = new MobileNetV1Architecture(StudentSpec.Parse(name), head, 128);
        using var model = new MobileNetV1(architecture);
        Assert.Equal(model.parameters().Sum(p => p.numel()), StudentCost.Of(architecture).Parameters);
    }

    [Theory]
    [InlineData("mobilenet-v1:0.33@64", HeadKind.Gap)]
    [InlineData("mobilenet-v1:0.33@160", HeadKind.Gdc)]
    [InlineData("mobilenet-v1:0.01@224", HeadKind.Gdc)] // every layer at its least width
    [InlineData("mobilenet-v1:0.75@128", HeadKind.Gap)]
    [InlineData("mobilenet-v1:1.0@96", HeadKind.Gdc)]
    [InlineData("mobilenet-v1:0.5@112", HeadKind.Gdc)]
    [InlineData("mobilenet-v1-conv:0.33@96", HeadKind.Gdc)]
    [InlineData("mobilenet-v1-shallow:0.5@80", HeadKind.Gap)]
    public void Mult_adds_are_those_of_the_maps_that_torch_computes(string name, HeadKind head)
    {
        var architecture = new MobileNetV1Architecture(StudentSpec.Parse(name), head, 40);
        using var model = new MobileNetV1(architecture);
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        long expected = 0;
        var x = ones(1, 3, architecture.Spec.Resolution, architecture.Spec.Resolution);
        foreach (var (_, module) in model.named_children())
        {
            if (module is TorchSharp.Modules.Conv2d conv)
            {
                x = conv.forward(x);
                expected += x.numel() * conv.weight!.numel() / conv.weight.shape[0];
            }
            else if (module is TorchSharp.Modules.Linear linear)
            {
                x = linear.forward(x.mean([2, 3]));
                expected += linear.weight!.numel();
            }
        }

        Assert.Equal(new long[] { 1, 40 }, x.shape); // every layer was met, in order
        Assert.Equal(expected, StudentCost.Of(architecture).MultAdds);
    }

    [Theory]
    [InlineData(HeadKind.Gap)]
    [InlineData(HeadKind.Gdc)]
    public void Channels_last_gives_the_plain_layouts_embeddings(HeadKind head)
    {
        using var model = new MobileNetV1(new MobileNetV1Architecture(new StudentSpec(0.33, 96), head, 40), seed: 4);
        model.train(); // batch norms with the batch's own statistics: without training, the others let the signal fade
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var generator = new Generator(9);
        var plain = randn([4, 3, 96, 96], generator: generator);
        var last = plain.clone();
        MobileNetV1.ToChannelsLast(last);
        Tensor[] embeddings = [model.forward(last), model.forward(plain)];
        foreach (var weight in model.parameters().Where(p => p.dim() == 4))
        {
            weight.set_(weight.detach().contiguous());
        }

        var expected = model.forward(plain);
        Assert.True(expected.abs().max().item<float>() > 0.01);
        Assert.All(embeddings, e => Assert.InRange((e - expected).abs().max().item<float>(), 0, 1e-4f * expected.abs().max().item<float>()));
    }

    public static TheoryData<int> Resolutions => new(Enumerable.Range(4, 11).Select(n => 16 * n));

    [Theory]
    [MemberData(nameof(Resolutions))]
    public void Every_resolution_gives_embeddings(int resolution) => Assert.All(Enum.GetValues<HeadKind>(), head =>
    {
        using var model = new MobileNetV1(new MobileNetV1Architecture(new StudentSpec(0.25, resolution), head, 40));
        model.eval();
        using var scope = NewDisposeScope();
        var embeddings = model.forward(ones(3, 3, resolution, resolution));
        Assert.Equal(new long[] { 3, 40 }, embeddings.shape);
        Assert.True(embeddings.isfinite().all().item<bool>());
        Assert.True(embeddings.abs().sum().item<float>() > 0);
    });

    [Theory]
    [InlineData(HeadKind.Gap, 96, 0)]
    [InlineData(HeadKind.Gdc, 96, 9)]    // a 3 x 3 map, one weight a place and channel
    [InlineData(HeadKind.Gdc, 224, 49)]
    public void The_head_costs_what_it_multiplies(HeadKind head, int resolution, int places)
    {
        var cost = StudentCost.Of(new MobileNetV1Architecture(new StudentSpec(0.5, resolution), head, 128));
        Assert.Equal((512 * places) + (512 * 128), cost.MultAdds - cost.MultAddsBackbone);
        int norm = head == HeadKind.Gdc ? 2 * 512 : 0;
        Assert.Equal((512 * places) + norm + (512 * 128) + 128, cost.Parameters - cost.ParametersBackbone);
    }

    [Fact]
    public void The_seed_decides_the_weights_whatever_else_torch_draws()
    {
        var architecture = new MobileNetV1Architecture(new StudentSpec(0.25, 64), HeadKind.Gdc, 16);
        using var a = new MobileNetV1(architecture, seed: 5);
        using var noise = randn(100);
        using var b = new MobileNetV1(architecture, seed: 5);
        using var c = new MobileNetV1(architecture, seed: 6);
        Assert.Equal(Weights(a), Weights(b));
        Assert.NotEqual(Weights(a), Weights(c));
    }

    [Fact]
    public void Channels_last_changes_nothing_but_the_layout()
    {
        TorchNativeLoaded();
        using var scope = NewDisposeScope();
        var plain = arange(2 * 3 * 4 * 5, dtype: ScalarType.Float32).reshape(2, 3, 4, 5);
        var last = plain.clone();
        MobileNetV1.ToChannelsLast(last);
        Assert.Equal(1, last.stride(1));
        Assert.True(last.eq(plain).all().item<bool>());
    }

    [Theory]
    [InlineData("mobilenet-v1:0.75@128")]
    [InlineData("mobilenet-v1:1.0@224")]
    [InlineData("mobilenet-v1:0.3333@64")]
    [InlineData("mobilenet-v1:0.0001@64")]
    [InlineData("mobilenet-v1-conv:0.5@112")]
    [InlineData("mobilenet-v1-shallow:1.0@80")]
    public void A_student_is_written_as_it_is_read(string name) => Assert.Equal(name, StudentSpec.Parse(name).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("mobilenet-v2:1.0@128")]
    [InlineData("mobilenet-v1:0@128")]
    [InlineData("mobilenet-v1:1.01@128")]
    [InlineData("mobilenet-v1:0,5@128")]
    [InlineData("mobilenet-v1:0.5@100")]
    [InlineData("mobilenet-v1:0.5@32")]
    [InlineData("mobilenet-v1:0.5@256")]
    [InlineData("mobilenet-v1:0.5@99999999999999")]
    [InlineData("mobilenet-v1:0.5.5@96")]
    [InlineData("mobilenet-v1:0.33333@96")] // a fifth digit would be lost in the student's name
    [InlineData("mobilenet-v1:0.00001@96")]
    [InlineData("mobilenet-v1:.5@96")]
    [InlineData("mobilenet-v1:0.5@96\n")]
    [InlineData(" mobilenet-v1:0.5@96")]
    public void Other_names_are_refused(string name) =>
        Assert.Contains(name, Assert.Throws<FaceDistillException>(() => StudentSpec.Parse(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_papers_third_student_is_taken_for_resolution_160()
    {
        Assert.Equal(166, PaperTable.Of(new StudentSpec(0.75, 160))!.MillionMultAdds);
        Assert.Equal(108, PaperTable.Of(new StudentSpec(0.75, 128))!.MillionMultAdds);
        Assert.Null(PaperTable.Of(new StudentSpec(0.5, 96)));
    }

    [Fact]
    public void The_papers_rows_are_as_printed_and_near_their_counts()
    {
        Assert.Equal([83, 79.4, 78.3, 75.2, 72.5], PaperTable.Rows.Select(r => r.AccuracyPercent));
        Assert.Equal([1600, 286, 185, 166, 108], PaperTable.Rows.Select(r => r.MillionMultAdds));
        Assert.Equal([7.5, 4.9, 5.5, 3.4, 3.8], PaperTable.Rows.Select(r => r.MillionParameters));
        Assert.Null(PaperTable.Rows[0].Student);
        Assert.All(PaperTable.Rows.Skip(1), row =>
        {
            double counted = StudentCost.Of(new MobileNetV1Architecture(row.Student!, HeadKind.Gap, 128)).MultAddsBackbone / 1e6;
            Assert.InRange(counted / row.MillionMultAdds, 0.98, 1.02);
        });
    }

    private static void TorchNativeLoaded() => FaceDistill.Kernels.TorchNative.EnsureLoaded();

    private static float[] Weights(MobileNetV1 model) => [.. model.parameters().SelectMany(p => p.contiguous().data<float>().ToArray())];
}
