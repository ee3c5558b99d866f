using System.Text.Json.Serialization;
using FaceDistill.Stores;

namespace FaceDistill.Training.Checkpoints;

/// <summary>One finished epoch.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean training loss: the part of the variance not explained.</param>
/// <param name="ValidationLoss">The same on the held-out faces; null without any.</param>
/// <param name="ValidationCosine">Mean cosine between student and teacher on the held-out faces, in the teacher's space; null without any.</param>
/// <param name="LearningRate">The rate of the epoch's last step.</param>
/// <param name="Seconds">Time of the epoch.</param>
public sealed record EpochLog(int Epoch, double Loss, double? ValidationLoss, double? ValidationCosine, double LearningRate, double Seconds)
{
    /// <summary>Training faces a second, validation not counted.</summary>
    [JsonRequired]
    public double ImagesPerSecond { get; init; }

    /// <summary>
    /// Mean cosine of the centred embeddings on the held-out faces, by which the best epoch is chosen where no people are measured; null without any.
    /// </summary>
    public double? CentredCosine { get; init; }

    /// <summary>
    /// The part of the held-out people's genuine pairs that is accepted at <see cref="PeopleFar"/>, 0 to 1, by which the best epoch is chosen; null where
    /// nobody is measured.
    /// </summary>
    public double? PeopleTar { get; init; }

    /// <summary>The false accept rate of <see cref="PeopleTar"/>; null where nobody is measured.</summary>
    public double? PeopleFar { get; init; }

    /// <summary>Mean norm of the gradients before clipping.</summary>
    public double GradientNorm { get; init; }

    /// <summary>The side of the training pictures in pixels.</summary>
    public int Resolution { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="Epoch">The running epoch, from 0; equal to the number of epochs when finished.</param>
/// <param name="Step">Steps done in the running epoch.</param>
/// <param name="LossSum">Sum of the running epoch's step losses.</param>
/// <param name="Log">The finished epochs.</param>
internal sealed record TrainingState(int Epoch, int Step, double LossSum, IReadOnlyList<EpochLog> Log)
{
    /// <summary>Sum of the running epoch's gradient norms.</summary>
    public double GradientNormSum { get; init; }

    /// <summary>Time of the running epoch's steps so far, also before an interruption.</summary>
    public double Seconds { get; init; }

    /// <summary>The best epoch so far; null before the first, or where nothing is held out.</summary>
    public BestEpoch? Best { get; init; }

    /// <summary>Whether the run ended before its last epoch because it no longer improved.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>Whether nothing is left to train.</summary>
    /// <param name="epochs">The run's epochs.</param>
    public bool IsFinished(int epochs) => StoppedEarly || Epoch >= epochs;

    /// <summary>Checks what every run's state is.</summary>
    /// <param name="epochs">The run's epochs.</param>
    /// <returns>The state itself.</returns>
    /// <exception cref="FaceDistillException">It is that of no run; the message says why.</exception>
    public TrainingState Validated(int epochs)
    {
        string? wrong = Epoch < 0 || Epoch > epochs ? $"epoch {Epoch} of {epochs}"
            : Step < 0 ? $"step {Step}"
            : Log.Count != Epoch || Log.Where((log, i) => log.Epoch != i + 1).Any() ? $"{Epoch} epochs are done, and its log is of {Log.Count} others"
            : Best is { } best && (best.Epoch < 1 || best.Epoch > Epoch) ? $"the best epoch is {best.Epoch} of {Epoch}"
            : !double.IsFinite(LossSum + GradientNormSum) || !(Seconds >= 0) ? "its sums are no numbers"
            : null;
        return wrong is null ? this : throw new FaceDistillException($"the run's progress is none: {wrong}");
    }

    /// <summary>Refuses more steps in the running epoch than one has.</summary>
    /// <param name="steps">Steps of an epoch of the run's faces.</param>
    /// <param name="path">The checkpoint, for the message.</param>
    /// <exception cref="FaceDistillException">There are more.</exception>
    public void RequireStep(int steps, string path)
    {
        if (Step > steps)
        {
            throw new FaceDistillException(
                $"{path} is damaged: step {Step} of {steps} in an epoch of these faces; bring back a copy, or choose another --output");
        }
    }

    /// <summary>The log of the running epoch, whose steps are done; without rate, time and resolution.</summary>
    /// <param name="validation">How near the student is to its teacher; null without held-out faces.</param>
    /// <param name="people">How well it tells the held-out people apart; null without any.</param>
    public EpochLog Measured(ValidationResult? validation, PeopleTar? people) =>
        new(Epoch + 1, LossSum / Step, validation?.Loss, validation?.Cosine, LearningRate: 0, Seconds: 0)
        {
            CentredCosine = validation?.CentredCosine,
            PeopleTar = people?.Tar,
            PeopleFar = people?.Far,
            GradientNorm = GradientNormSum / Step,
        };

    /// <summary>Takes up a finished epoch: its log, whether it is the best, and whether patience has run out.</summary>
    /// <param name="log">The epoch.</param>
    /// <param name="patience">Epochs without improvement after which the run ends; 0 for never.</param>
    public TrainingState After(EpochLog log, int patience)
    {
        ArgumentNullException.ThrowIfNull(log);
        var best = BestEpoch.Of(log) is { } candidate && candidate.Beats(Best) ? candidate : Best;
        return new TrainingState(Epoch + 1, 0, 0, [.. Log, log])
        {
            Best = best,
            StoppedEarly = patience > 0 && best is not null && log.Epoch - best.Epoch >= patience,
        };
    }
}

/// <summary>How well embeddings tell held-out people apart.</summary>
/// <param name="Tar">The part of the pairs of one person that is accepted, 0 to 1; not a number where an embedding is none.</param>
/// <param name="Far">The part of the pairs of two people that may be accepted.</param>
internal sealed record PeopleTar(double Tar, double Far);

/// <summary>Measures a student's embeddings of the held-out people, by which the best epoch is chosen. The rooms after this one know how.</summary>
internal interface IStudentMeasure
{
    /// <summary>Measures.</summary>
    /// <param name="set">Embeddings in the teacher's space, finite, each with its person's name. The faces are the same in each call.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    PeopleTar Measure(EmbeddingSet set, CancellationToken cancel);
}

/// <summary>How near a student is to its teacher on the held-out faces; no labels are needed.</summary>
/// <param name="Loss">The part of the teacher's variance that is not explained.</param>
/// <param name="Cosine">Mean cosine of the embeddings as they are. High by chance where embeddings share a large mean (0.88 between strangers for
/// dlib-resnet).</param>
/// <param name="CentredCosine">Mean cosine of the embeddings less the training faces' mean: 0 by chance. The best epoch is chosen by it where no people are
/// measured (<see cref="PeopleTar"/>).</param>
internal sealed record ValidationResult(double Loss, double Cosine, double CentredCosine)
{
    /// <summary>Whether the student's embeddings are numbers.</summary>
    public bool IsFinite => double.IsFinite(Loss + Cosine + CentredCosine);
}
