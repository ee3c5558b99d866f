using TorchSharp;

namespace FaceDistill.Distillation;

/// <summary>The run's curves for TensorBoard, in the folder "tensorboard" of a run folder; log.csv holds the same figures.</summary>
public static class TensorBoardLog
{
    /// <summary>The folder's name in a run folder.</summary>
    public const string FolderName = "tensorboard";

    /// <summary>Adds one epoch.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="log">The epoch.</param>
    public static void Add(string folder, EpochLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var writer = torch.utils.tensorboard.SummaryWriter(Path.Combine(folder, FolderName), createRunName: false);
        (string Tag, double? Value)[] values =
        [
            ("loss/training", log.Loss), ("loss/held-out", log.ValidationLoss), ("cosine/held-out", log.ValidationCosine),
            ("cosine/held-out centred", log.CentredCosine), ("people/held-out TAR", log.PeopleTar), ("training/learning rate", log.LearningRate),
            ("training/gradient norm", log.GradientNorm), ("training/resolution", log.Resolution), ("training/images a second", log.ImagesPerSecond),
        ];
        foreach (var (tag, value) in values)
        {
            if (value is { } number)
            {
                writer.add_scalar(tag, (float)number, log.Epoch);
            }
        }
    }
}
