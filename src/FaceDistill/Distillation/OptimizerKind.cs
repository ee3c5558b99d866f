using System.Text.Json.Serialization;

namespace FaceDistill.Distillation;

/// <summary>What turns gradients into steps.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW, see <see cref="AdamWState"/>.</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,

    /// <summary>Muon for matrices and AdamW for the rest, see <see cref="MuonState"/>.</summary>
    Muon,

    /// <summary>Stochastic gradient descent with Nesterov's momentum, see <see cref="NesterovState"/>.</summary>
    Sgd,
}
