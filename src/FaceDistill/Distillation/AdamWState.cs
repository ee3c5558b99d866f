using FaceDistill.Students;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>
/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019) over a student's weights, without decay on batch
/// norms and biases, and with its inner state open to the checkpoint.
/// </summary>
public sealed class AdamWState : IDisposable
{
    private readonly AdamW _optimizer;
    private readonly List<(string Name, AdamW.State State)> _states;

    /// <summary>Makes the optimizer of a network that already lies on its device.</summary>
    public AdamWState(MobileNetV1 model, double weightDecay)
    {
        ArgumentNullException.ThrowIfNull(model);
        var named = model.named_parameters().ToList();
        var decayed = named.Where(p => p.parameter.dim() > 1).ToList();
        var plain = named.Where(p => p.parameter.dim() <= 1).ToList();
        _optimizer = optim.AdamW(
        [
            new AdamW.ParamGroup(decayed.Select(p => p.parameter), new AdamW.Options { weight_decay = weightDecay }),
            new AdamW.ParamGroup(plain.Select(p => p.parameter), new AdamW.Options { weight_decay = 0 }),
        ], lr: 0);
        var states = _optimizer.state_dict().State.Cast<AdamW.State>();
        _states = [.. decayed.Concat(plain).Select(p => p.name).Zip(states)];
    }

    /// <summary>Steps made.</summary>
    public long Steps
    {
        get => _states[0].State.step;
        set => _states.ForEach(s => s.State.step = value);
    }

    /// <summary>The first and second moments, by parameter; the optimizer's own tensors.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Tensors() => _states.SelectMany(s => new[]
    {
        (s.Name + ".exp_avg", s.State.exp_avg),
        (s.Name + ".exp_avg_sq", s.State.exp_avg_sq),
    });

    /// <summary>Forgets the gradients.</summary>
    public void ZeroGradients() => _optimizer.zero_grad();

    /// <summary>Makes one step.</summary>
    public void Step(double learningRate)
    {
        foreach (var group in _optimizer.ParamGroups)
        {
            group.LearningRate = learningRate;
        }

        _optimizer.step();
    }

    /// <inheritdoc/>
    public void Dispose() => _optimizer.Dispose();
}
