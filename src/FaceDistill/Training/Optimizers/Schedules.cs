namespace FaceDistill.Training.Optimizers;

/// <summary>How the learning rate falls after its rise.</summary>
public enum ScheduleKind
{
    /// <summary>Half a cosine down to 0 (Loshchilov and Hutter, "SGDR", 2017, without restarts).</summary>
    Cosine,

    /// <summary>A straight line down to 0 (for example Defazio et al., "Optimal linear decay learning rate schedules", 2023).</summary>
    Linear,

    /// <summary>Constant, then a straight line down to 0 over the last third ("warm-up, stable, decay", Hu et al., "MiniCPM", 2024).</summary>
    Wsd,
}

/// <summary>Learning rate: a linear rise over the warm-up, then the schedule's fall to zero.</summary>
/// <param name="Kind">How it falls.</param>
/// <param name="Peak">The highest rate.</param>
/// <param name="WarmupSteps">Steps of the rise.</param>
/// <param name="TotalSteps">Steps in all.</param>
internal readonly record struct LearningRateSchedule(ScheduleKind Kind, double Peak, double WarmupSteps, long TotalSteps)
{
    private const double DecayPart = 1.0 / 3;

    /// <summary>The rate of a step, counted from 0.</summary>
    public double At(long step)
    {
        if (step < WarmupSteps)
        {
            return Peak * (step + 1) / (WarmupSteps + 1);
        }

        double part = Math.Min(1, (step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps));
        return Peak * Kind switch
        {
            ScheduleKind.Cosine => 0.5 * (1 + Math.Cos(Math.PI * part)),
            ScheduleKind.Linear => 1 - part,
            _ => Math.Min(1, (1 - part) / DecayPart),
        };
    }
}

/// <summary>
/// Progressive resolution (Tan and Le, "EfficientNetV2", 2021): the first half of the epochs is shared equally by the multiples of 32 pixels
/// from a part of the student's resolution up, the second half, and the last epoch always, is trained at the resolution itself. Small pictures cost
/// less, and what they teach is kept.
/// </summary>
/// <param name="Full">The student's resolution in pixels.</param>
/// <param name="Start">The part of it to start from, above 0 and at most 1; 1 is always the full resolution.</param>
/// <param name="Epochs">Epochs in all.</param>
internal readonly record struct ResolutionSchedule(int Full, double Start, int Epochs)
{
    private const int Multiple = 32; // the network halves its maps five times
    private const double LowPart = 0.5;

    /// <summary>The resolution of an epoch, from 0, in pixels.</summary>
    public int At(int epoch)
    {
        int lowest = Math.Min(Full, (int)Math.Ceiling(Full * Start / Multiple) * Multiple);
        int stages = (Full - lowest) / Multiple;
        double part = epoch / (Epochs * LowPart);
        return part >= 1 || epoch == Epochs - 1 ? Full : lowest + (Multiple * (int)(part * stages));
    }
}
