using System.Diagnostics;
using FaceDistill.Students;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Optimizers;
using static TorchSharp.torch;

namespace FaceDistill.Benchmarks;

/// <summary>Forward, backward and optimizer on one batch that already lies in memory.</summary>
internal sealed class BareStep : IDisposable
{
    private readonly MobileNetV1 _model;
    private readonly AdamWState _optimizer;
    private readonly Tensor _input;
    private readonly Tensor _target;

    public BareStep(TrainCase test, HeadKind head, ScalarType type = ScalarType.Float32)
    {
        _model = new MobileNetV1(test.Architecture(head), seed: 1);
        _model.train();
        _model.TrainingType = type;
        _optimizer = new AdamWState(_model, 1e-4);
        int size = test.Spec.Resolution;
        using var generator = new Generator(1);
        _input = randn([test.Batch, size, size, 3], generator: generator).permute(0, 3, 1, 2);
        _target = randn([test.Batch, TrainCase.Dimension], generator: generator);
        Batch = test.Batch;
    }

    public int Batch { get; }

    /// <summary>Seconds of each part of one step.</summary>
    public (double Forward, double Backward, double Optimizer) Once()
    {
        using var scope = NewDisposeScope();
        long start = Stopwatch.GetTimestamp();
        var loss = SquaredDifference.Loss(_model.forward(_input), _target);
        double forward = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _optimizer.ZeroGradients();
        loss.backward();
        double backward = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _optimizer.Step(1e-3);
        double all = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (forward, backward - forward, all - backward);
    }

    /// <summary>Images a second: the best of several rounds, since any other process on the machine slows a round.</summary>
    public double ImagesPerSecond(double secondsARound, int rounds)
    {
        for (int i = 0; i < 3; i++)
        {
            Once();
        }

        double best = 0;
        for (int round = 0; round < rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            int steps = 0;
            do
            {
                Once();
                steps++;
            }
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < secondsARound);
            best = Math.Max(best, steps * Batch / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    public void Dispose()
    {
        _input.Dispose();
        _target.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
    }
}
