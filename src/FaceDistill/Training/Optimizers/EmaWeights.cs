using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training.Optimizers;

/// <summary>
/// The exponential moving average of a student's weights and of its batch norms' running means and variances (Polyak averaging;
/// Tarvainen and Valpola, "Mean teachers are better role models", 2017). It is what is measured, kept as best, exported and evaluated.
/// </summary>
internal sealed class EmaWeights : IDisposable
{
    private readonly List<(Tensor Average, Tensor Now)> _averaged = [];
    private readonly List<(Tensor Average, Tensor Now)> _counted = [];
    private readonly double _decay;

    /// <summary>Begins at the network's present weights.</summary>
    /// <param name="model">The network that is trained, on its device.</param>
    /// <param name="decay">The part of the average that stays at each step, above 0 and below 1.</param>
    /// <param name="device">The network's device.</param>
    public EmaWeights(MobileNetV1 model, double decay, Device device)
    {
        ArgumentNullException.ThrowIfNull(model);
        _decay = decay;
        Model = new MobileNetV1(model.Architecture);
        Model.to(device);
        Model.eval();
        var now = model.state_dict();
        foreach (var (name, average) in Model.state_dict())
        {
            (average.is_floating_point() ? _averaged : _counted).Add((average.DetachFromDisposeScope(), now[name].DetachFromDisposeScope()));
        }

        Restart();
    }

    /// <summary>The network with the averaged weights, in evaluation mode.</summary>
    public MobileNetV1 Model { get; }

    /// <summary>
    /// The decay after so many steps: the smaller of the full one and (1 + steps) / (10 + steps), so that the random first weights are soon
    /// forgotten (the rule of TensorFlow's ExponentialMovingAverage).
    /// </summary>
    /// <param name="decay">The full decay.</param>
    /// <param name="steps">Steps made, this one included.</param>
    public static double DecayAt(double decay, long steps) => Math.Min(decay, (1.0 + steps) / (10 + steps));

    /// <summary>Sets the average to the network's present weights.</summary>
    public void Restart()
    {
        using var frozen = no_grad();
        foreach (var (average, now) in _averaged.Concat(_counted))
        {
            average.copy_(now);
        }
    }

    /// <summary>Moves the average towards the network's weights after a step.</summary>
    /// <param name="steps">Steps made, this one included.</param>
    public void Update(long steps)
    {
        using var frozen = no_grad();
        double decay = DecayAt(_decay, steps);
        foreach (var (average, now) in _averaged)
        {
            average.Multiply(decay).Add(now, 1 - decay);
        }

        foreach (var (average, now) in _counted)
        {
            average.copy_(now);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();
}
