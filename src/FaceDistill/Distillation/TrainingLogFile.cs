using System.Globalization;
using System.Text;
using FaceDistill.Formats;

namespace FaceDistill.Distillation;

/// <summary>log.csv of a run folder: one row an epoch.</summary>
public static class TrainingLogFile
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
                $"{e.Epoch},{e.Loss:0.00000},{e.ValidationLoss:0.00000},{e.ValidationCosine:0.00000},{e.CentredCosine:0.00000},{e.GradientNorm:0.0000},{e.Resolution},{e.LearningRate:0.000000},{e.Seconds:0.0},{e.ImagesPerSecond:0},{e.PeopleTar:0.00000},{e.PeopleFar:0.####e-0}\n");
        }

        AtomicFile.WriteText(Path.Combine(folder, FileName), text.ToString());
    }
}
