namespace FaceDistill.Distillation;

/// <summary>
/// Progressive resolution (Tan and Le, "EfficientNetV2", 2021): the first half of the epochs is shared equally by the multiples of 32 pixels
/// from a part of the student's resolution up, the second half is trained at the resolution itself. Small pictures cost less, and what
/// they teach is kept.
/// </summary>
/// <param name="Full">The student's resolution in pixels, a multiple of 32.</param>
/// <param name="Start">The part of it to start from, above 0 and at most 1; 1 is always the full resolution.</param>
/// <param name="Epochs">Epochs in all.</param>
public readonly record struct ResolutionSchedule(int Full, double Start, int Epochs)
{
    private const int Multiple = 32; // the network halves its maps five times
    private const double LowPart = 0.5;

    /// <summary>The resolution of an epoch, from 0, in pixels.</summary>
    public int At(int epoch)
    {
        int lowest = Math.Min(Full, (int)Math.Ceiling(Full * Start / Multiple) * Multiple);
        int stages = (Full - lowest) / Multiple;
        double part = epoch / (Epochs * LowPart);
        return part >= 1 ? Full : lowest + (Multiple * (int)(part * stages));
    }
}
