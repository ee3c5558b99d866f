namespace FaceDistill.Distillation;

/// <summary>
/// Learning rate: a linear rise over the warm-up, then half a cosine down to zero (Loshchilov and Hutter, "SGDR", 2017, without restarts).
/// </summary>
/// <param name="Peak">The highest rate.</param>
/// <param name="WarmupSteps">Steps of the rise.</param>
/// <param name="TotalSteps">Steps in all.</param>
public readonly record struct CosineSchedule(double Peak, double WarmupSteps, long TotalSteps)
{
    /// <summary>The rate of a step, counted from 0.</summary>
    public double At(long step)
    {
        if (step < WarmupSteps)
        {
            return Peak * (step + 1) / (WarmupSteps + 1);
        }

        double part = (step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
        return Peak * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, part)));
    }
}
