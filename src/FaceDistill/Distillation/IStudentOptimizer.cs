using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>An optimizer over one network's weights, with its inner state open to the checkpoint.</summary>
public interface IStudentOptimizer : IDisposable
{
    /// <summary>Steps made.</summary>
    long Steps { get; set; }

    /// <summary>All weights and all gradients, each in one block.</summary>
    FlatWeights Weights { get; }

    /// <summary>The state between two steps, float32, named by parameter; views of the optimizer's own memory.</summary>
    IEnumerable<(string Name, Tensor Tensor)> Tensors();

    /// <summary>Forgets the gradients.</summary>
    void ZeroGradients();

    /// <summary>Makes one step.</summary>
    /// <param name="learningRate">The step's rate.</param>
    void Step(double learningRate);
}
