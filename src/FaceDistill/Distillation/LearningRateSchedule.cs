namespace FaceDistill.Distillation;

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
public readonly record struct LearningRateSchedule(ScheduleKind Kind, double Peak, double WarmupSteps, long TotalSteps)
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
