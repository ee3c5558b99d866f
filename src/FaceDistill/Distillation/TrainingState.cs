namespace FaceDistill.Distillation;

/// <summary>One finished epoch.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean training loss: the part of the variance not explained.</param>
/// <param name="ValidationLoss">The same on the held-out faces; null without any.</param>
/// <param name="ValidationCosine">Mean cosine between student and teacher on the held-out faces, in the teacher's space; null without any.</param>
/// <param name="LearningRate">The rate of the epoch's last step.</param>
/// <param name="Seconds">Time of the epoch.</param>
/// <param name="ImagesPerSecond">Training faces a second, validation not counted.</param>
public sealed record EpochLog(int Epoch, double Loss, double? ValidationLoss, double? ValidationCosine, double LearningRate, double Seconds, double ImagesPerSecond)
{
    /// <summary>Mean cosine of the centred embeddings on the held-out faces, by which the best epoch is chosen; null without any.</summary>
    public double? CentredCosine { get; init; }

    /// <summary>Mean norm of the gradients before clipping.</summary>
    public double GradientNorm { get; init; }

    /// <summary>The side of the training pictures in pixels.</summary>
    public int Resolution { get; init; }
}

/// <summary>The epoch whose student agrees best with the teacher.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="CentredCosine">Its mean centred cosine on the held-out faces.</param>
public sealed record BestEpoch(int Epoch, double CentredCosine);

/// <summary>How far a run is.</summary>
/// <param name="Epoch">The running epoch, from 0; equal to the number of epochs when finished.</param>
/// <param name="Step">Steps done in the running epoch.</param>
/// <param name="LossSum">Sum of the running epoch's step losses.</param>
/// <param name="Log">The finished epochs.</param>
public sealed record TrainingState(int Epoch, int Step, double LossSum, IReadOnlyList<EpochLog> Log)
{
    /// <summary>Sum of the running epoch's gradient norms.</summary>
    public double GradientNormSum { get; init; }

    /// <summary>Time of the running epoch's steps so far, also before an interruption.</summary>
    public double Seconds { get; init; }

    /// <summary>The best epoch so far; null before the first, or without held-out faces.</summary>
    public BestEpoch? Best { get; init; }

    /// <summary>Whether the run ended before its last epoch because it no longer improved.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>Takes up a finished epoch: its log, whether it is the best, and whether patience has run out.</summary>
    /// <param name="log">The epoch.</param>
    /// <param name="patience">Epochs without improvement after which the run ends; 0 for never.</param>
    public TrainingState After(EpochLog log, int patience)
    {
        ArgumentNullException.ThrowIfNull(log);
        var best = log.CentredCosine is { } cosine && !(cosine <= Best?.CentredCosine) ? new BestEpoch(log.Epoch, cosine) : Best;
        return new TrainingState(Epoch + 1, 0, 0, [.. Log, log])
        {
            Best = best,
            StoppedEarly = patience > 0 && best is not null && log.Epoch - best.Epoch >= patience,
        };
    }
}
