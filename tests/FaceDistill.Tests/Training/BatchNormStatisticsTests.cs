using FaceDistill.Faces;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using MathNet.Numerics.Statistics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training;

public sealed class BatchNormStatisticsTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    // 108 training faces in 6 batches: all of them, in whatever order.
    private static readonly DistillOptions Options = TinyRun.Options with { Run = TinyRun.Options.Run with { BatchSize = 18 } };

    [Fact]
    public void The_first_layers_moments_are_those_of_all_faces_at_once()
    {
        using var network = Network(Options);
        var faces = tiny.Training();
        using var statistics = Statistics(faces, Options);
        var settled = Snapshot(statistics.Estimate(network, default));
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        float[] values = ((Conv2d)network.named_children().Single(m => m.name == "conv0").module).forward(Pictures(faces, faces.Training)).permute(
            1, 0, 2, 3).contiguous().data<float>().ToArray();
        int each = values.Length / 8;
        for (int c = 0; c < 8; c++)
        {
            var (mean, variance) = values.Skip(c * each).Take(each).Select(v => (double)v).MeanVariance();
            Assert.Equal(mean, settled["conv0_bn.running_mean"][c], 1e-4 * Math.Sqrt(variance));
            Assert.Equal(variance, settled["conv0_bn.running_var"][c], 1e-4 * variance);
        }
    }

    [Theory]
    [InlineData(HeadKind.Gap)]
    [InlineData(HeadKind.Gdc)]
    public void With_one_batch_evaluation_gives_what_training_gives(HeadKind head)
    {
        var options = Options with { Student = Options.Student with { Head = head }, Run = Options.Run with { BatchSize = 108 } };
        using var network = Network(options);
        var faces = tiny.Training();
        using var statistics = Statistics(faces, options);
        var student = statistics.Estimate(network, default);
        Assert.False(student.training);
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var input = Pictures(faces, faces.Training);
        float[] evaluated = student.forward(input).data<float>().ToArray();
        network.train();
        float[] trained = network.forward(input).data<float>().ToArray();
        double spread = Math.Sqrt(trained.Select(v => (double)v).PopulationVariance());
        Assert.True(spread > 0.01, $"spread {spread}");
        double error = Math.Sqrt(evaluated.Zip(trained, (a, b) => Math.Pow(a - b, 2)).Average());
        Assert.InRange(error / spread, 0, 0.05); // the biased variance there, the unbiased one here, in every layer
    }

    [Fact]
    public void The_network_keeps_its_weights_and_its_running_statistics_and_a_second_estimate_is_the_same()
    {
        using var network = Network(Options);
        network.train();
        var before = Snapshot(network);
        using var statistics = Statistics(tiny.Training(), Options);
        var first = Snapshot(statistics.Estimate(network, default));
        using (no_grad())
        {
            using var other = new MobileNetV1(network.Architecture, seed: 9);
            statistics.Estimate(other, default);
        }

        Assert.Equal(first, Snapshot(statistics.Estimate(network, default)));
        Assert.Equal(before, Snapshot(network));
        Assert.True(network.training);
        Assert.All(first.Where(t => !t.Key.Contains("running", StringComparison.Ordinal)), t => Assert.Equal(before[t.Key], t.Value));
        Assert.All(first.Where(t => t.Key.EndsWith("running_var", StringComparison.Ordinal)), t => Assert.NotEqual(before[t.Key], t.Value));
    }

    [Fact]
    public void Cancelling_stops_between_batches()
    {
        using var network = Network(Options);
        using var statistics = Statistics(tiny.Training(), Options);
        Assert.ThrowsAny<OperationCanceledException>(() => statistics.Estimate(network, new CancellationToken(canceled: true)));
    }

    [Fact]
    public void A_run_of_few_steps_gives_a_student_that_lives_by_its_estimated_statistics_and_by_them_alone()
    {
        using var folder = new TempFolder();
        var options = TinyRun.Options with
        {
            Student = TinyRun.Options.Student with { Name = "mobilenet-v1:0.5@64", Head = HeadKind.Gdc },
            Run = TinyRun.Options.Run with { Epochs = 1 },
            Optimizer = TinyRun.Options.Optimizer with { Ema = 0 },
            HeldOut = TinyRun.Options.HeldOut with { Keep = KeepKind.Last },
        };
        using (var trainer = tiny.Trainer(folder.Path, options))
        {
            trainer.Run(JobContext.None); // 6 steps: 0.9^6 of the ones that running variances begin at is left
        }

        using var validation = new ValidationPass(tiny.Training(), RunStudent.Open(folder.Path).Description.Contract, options, CPU);
        using (var living = RunStudent.Open(folder.Path).LoadModel())
        {
            Assert.False(validation.Spread(living, default)!.IsDead);
        }

        DeadStudent.TakeRunningStatistics(folder.Path);
        using var dead = RunStudent.Open(folder.Path).LoadModel();
        var spread = validation.Spread(dead, default)!;
        Assert.True(spread.IsDead, $"{spread}");
        using var again = tiny.Trainer(folder.Path, options);
        again.Resume(StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]));
        Assert.Contains("nearly the same embedding", Assert.Throws<FaceDistillException>(() => again.Run(JobContext.None)).Message, StringComparison.Ordinal);
    }

    private static MobileNetV1 Network(DistillOptions options) =>
        new(new MobileNetV1Architecture(StudentSpec.Parse(options.Student.Name), options.Student.Head, 16), seed: 2);

    private static BatchNormStatistics Statistics(TrainingFaces faces, DistillOptions options) =>
        new(faces, new StudentDescription(options.Student.Name, options.Student.Head, 16, FaceTensor.StudentContract(64, "dlib"), "tiny", "hash"), options,
            CPU);

    private static Tensor Pictures(TrainingFaces faces, int[] indices)
    {
        var contract = FaceTensor.StudentContract(64, "dlib");
        var values = new float[indices.Length * contract.Values];
        for (int i = 0; i < indices.Length; i++)
        {
            using var face = faces.Faces.ReadView(indices[i], 64);
            FaceTensor.Fill(face, contract, values.AsSpan(i * contract.Values, contract.Values));
        }

        return tensor(values, [indices.Length, 3, 64, 64]);
    }

    private static Dictionary<string, float[]> Snapshot(MobileNetV1 network)
    {
        using var scope = NewDisposeScope();
        return network.state_dict().Where(t => t.Value.is_floating_point())
            .ToDictionary(t => t.Key, t => t.Value.detach().contiguous().data<float>().ToArray());
    }
}
