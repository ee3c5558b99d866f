using System.Globalization;
using System.Text;
using FaceDistill.Files;
using FaceDistill.Training.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;

namespace FaceDistill.Training;

/// <summary>log.csv of a run folder: one row an epoch.</summary>
internal static class TrainingLogFile
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "log.csv";

    /// <summary>Writes all finished epochs.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string folder, IReadOnlyList<EpochLog> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var text = new StringBuilder(
            "epoch,loss,validation_loss,validation_cosine,validation_centred_cosine,gradient_norm,resolution,learning_rate,seconds,images_per_second,"
            + "people_tar,people_far\n");
        foreach (var e in log)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{e.Epoch},{e.Loss:0.00000},{e.ValidationLoss:0.00000},{e.ValidationCosine:0.00000},{e.CentredCosine:0.00000},{e.GradientNorm:0.0000},"
                    + $"{e.Resolution},{e.LearningRate:0.000000},{e.Seconds:0.0},{e.ImagesPerSecond:0},{e.PeopleTar:0.00000},{e.PeopleFar:0.####e-0}\n");
        }

        AtomicFile.WriteText(Path.Combine(folder, FileName), text.ToString());
    }
}

/// <summary>The run's curves for TensorBoard, in the folder "tensorboard" of a run folder: one file a run; log.csv holds the same figures.</summary>
/// <param name="folder">The run folder.</param>
internal sealed class TensorBoardLog(string folder)
{
    /// <summary>The folder's name in a run folder.</summary>
    public const string FolderName = "tensorboard";

    private SummaryWriter? _writer; // made by the first epoch; it holds no file open between two figures

    /// <summary>Adds one epoch.</summary>
    public void Add(EpochLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        _writer ??= torch.utils.tensorboard.SummaryWriter(Path.Combine(folder, FolderName), createRunName: false);
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
                _writer.add_scalar(tag, (float)number, log.Epoch);
            }
        }
    }
}
