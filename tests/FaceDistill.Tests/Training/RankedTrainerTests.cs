using FaceDistill.Cluster;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Tests.Cluster;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Training;

public sealed class RankedTrainerTests(TinyRun tiny) : IClassFixture<TinyRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    private static DistillOptions Options(OptimizerKind kind, double arcFace = 0) => TinyRun.Options with
    {
        Optimizer = TinyRun.Options.Optimizer with { Kind = kind, LearningRate = 2e-3 },
        Loss = TinyRun.Options.Loss with { Distance = 0.1, ArcFace = arcFace },
        Run = TinyRun.Options.Run with { Epochs = 2, Replicas = 4 },
    };

    // Parts are summed in pairs on any number of ranks, so on 2 and 4 of them the curve is the same to the last digit; on 3 an untrained network magnifies what
    // another order of summation rounds. A loss that looks at pairs of faces, and one with weights of its own, which all ranks train alike.
    [Theory]
    [InlineData(OptimizerKind.Muon, 2, 0)]
    [InlineData(OptimizerKind.Muon, 4, 0)]
    [InlineData(OptimizerKind.AdamW, 3, 0.01)]
    public void The_curve_is_that_of_one_process(OptimizerKind kind, int ranks, double arcFace)
    {
        var options = Options(kind, arcFace);
        var expected = ThreadRanks.Run(1, _ => Trained(null, "alone", options).State)[0];
        var states = ThreadRanks.Run(ranks, r => Trained(r, "together", options).State);
        Assert.All(states, s => Assert.Equal(2, s.Log.Count));
        foreach (var (one, many) in expected.Log.Zip(states[0].Log))
        {
            Assert.Equal(one.Loss, many.Loss, (ranks == 3 ? 1e-2 : 1e-9) * one.Loss);
            Assert.Equal(one.ValidationLoss!.Value, many.ValidationLoss!.Value, (ranks == 3 ? 3e-2 : 1e-9) * one.ValidationLoss.Value);
        }

        Assert.All(states, s => Assert.Equal(states[0].Log[^1].Loss, s.Log[^1].Loss)); // as the first one told
        var (single, together) = (RunStudent.Open(_folder["alone"]), RunStudent.Open(_folder["together"]));
        Assert.Equal(single.Options.Run.Replicas, together.Options.Run.Replicas);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_run_goes_on_with_any_number_of_ranks(int later)
    {
        var options = Options(OptimizerKind.Muon);
        var whole = ThreadRanks.Run(2, r => Trained(r, "whole", options).State)[0];
        Assert.ThrowsAny<OperationCanceledException>(() => ThreadRanks.Run(2, r => Trained(r, "parted", options, stop: 9).State));
        var resumed = later == 1
            ? ThreadRanks.Run(1, _ => Trained(null, "parted", options, resume: true).State)[0]
            : ThreadRanks.Run(later, r => Trained(r, "parted", options, resume: true).State)[0];
        Assert.Equal(whole.Log[^1].Loss, resumed.Log[^1].Loss, 1e-9 * whole.Log[^1].Loss);
    }

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        var few = Options(OptimizerKind.AdamW) with { Run = TinyRun.Options.Run with { Replicas = 2 } };
        Assert.Contains("--replicas 3", Assert.Throws<FaceDistillException>(() => ThreadRanks.Run(3, r => Trained(r, "few", few).State)).Message,
            StringComparison.Ordinal);
        var timed = Options(OptimizerKind.AdamW) with { Run = TinyRun.Options.Run with { Replicas = 2, Minutes = 1 } };
        Assert.Contains("--epochs", Assert.Throws<FaceDistillException>(() => ThreadRanks.Run(2, r => Trained(r, "timed", timed).State)).Message,
            StringComparison.Ordinal);

        // Before anything is aligned or embedded, too.
        Assert.Contains("--replicas 3", Assert.Throws<FaceDistillException>(
            () => ThreadRanks.Run(3, r => { RankedRun.Require(few.Run, r, begun: null); return 0; })).Message, StringComparison.Ordinal);
        Assert.Contains("--epochs", Assert.Throws<FaceDistillException>(
            () => ThreadRanks.Run(2, r => { RankedRun.Require(timed.Run, r, begun: null); return 0; })).Message, StringComparison.Ordinal);
        ThreadRanks.Run(2, r => { RankedRun.Require(timed.Run, r, begun: timed.Run); return 0; }); // a run that goes on was measured
        var two = few.Run with { Replicas = 2 }; // which it keeps, so that more is no remedy
        Assert.StartsWith("the run began with 2 parts a batch, which it keeps: start 2 ranks or fewer", Assert.Throws<FaceDistillException>(
            () => ThreadRanks.Run(3, r => { RankedRun.Require(few.Run with { Replicas = null }, r, begun: two); return 0; })).Message,
            StringComparison.Ordinal);

        // Two machines, each with a folder of its own.
        using (var begun = tiny.Trainer(_folder["first-1"], Options(OptimizerKind.AdamW)))
        {
            begun.Run(JobContext.None);
        }

        var apart = Assert.Throws<FaceDistillException>(() =>
            ThreadRanks.Run(2, r => Trained(r, $"first-{r.Rank}", Options(OptimizerKind.AdamW), resume: true).State));
        Assert.Contains("rank 1 finds another checkpoint", apart.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PrecisionMode.Bf16, PrecisionMode.Bf16, PrecisionMode.Bf16)]
    [InlineData(PrecisionMode.Bf16, PrecisionMode.Fp32, PrecisionMode.Fp32)]
    [InlineData(PrecisionMode.Fp32, PrecisionMode.Bf16, PrecisionMode.Fp32)]
    public void Ranks_train_in_bfloat16_where_all_of_them_choose_it(PrecisionMode first, PrecisionMode other, PrecisionMode expected)
    {
        var agreed = ThreadRanks.Run(3, r =>
        {
            var decided = TinyRun.Options.Run with { Precision = r.Rank == 2 ? other : first, Replicas = 3 + r.Rank };
            return new RankedRun(r, student: null!).Agreed(decided, new TrainingState(0, 0, 0, []));
        });
        Assert.All(agreed, a => Assert.Equal((expected, 3), (a.Precision, a.Replicas)));
    }

    [Fact]
    public void Every_face_and_every_matrix_is_somebodys()
    {
        TorchNative.EnsureLoaded();
        using var model = new MobileNetV1(new MobileNetV1Architecture(new StudentSpec(0.5, 96), HeadKind.Gdc, 128));
        using var weights = new FlatWeights(model);
        foreach (int ranks in new[] { 1, 2, 3, 5 })
        {
            var shares = MuonState.Shares(weights.Matrices, ranks);
            Assert.Equal(weights.Matrices.Select(m => m.Name).Order(), shares.SelectMany(s => s).Select(m => m.Name).Order());
            foreach (int faces in new[] { 7, 64 })
            {
                var places = ThreadRanks.Run(ranks, r => BatchParts.Of(6, r).Faces(faces)).SelectMany(p => Enumerable.Range(p.First, p.Count));
                Assert.Equal(Enumerable.Range(0, faces), places);
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    private (TrainingState State, Ranks? Ranks) Trained(Ranks? ranks, string folder, DistillOptions options, bool resume = false, int stop = 0)
    {
        using var trainer = tiny.Trainer(_folder[folder], options, ranks: ranks);
        if (resume && File.Exists(trainer.CheckpointPath))
        {
            trainer.Resume(StudentCheckpoint.Read(trainer.CheckpointPath));
        }

        // Only the first rank is cancelled; the launcher ends the others.
        using var cancel = new CancellationTokenSource();
        var job = stop == 0 || !ranks!.IsFirst ? JobContext.None : new JobContext(Progress: new AtStep(stop, cancel.Cancel), Cancel: cancel.Token);
        return (trainer.Run(job), ranks);
    }

    private sealed class AtStep(int step, Action then) : IProgress<WorkProgress>
    {
        private int _steps;

        public void Report(WorkProgress value)
        {
            if (value.Stage == "training" && ++_steps == step)
            {
                then();
            }
        }
    }
}
