using FaceDistill.Files;

namespace FaceDistill.Views;

/// <summary>
/// How much the views of a face differ from the aligned picture. Each face of each view gets its own draw; the teacher always sees the same
/// view as the student (Beyer et al., "Knowledge distillation: a good teacher is patient and consistent", 2022). Values of 0 switch a change off.
/// </summary>
public sealed record AugmentOptions
{
    /// <summary>No change.</summary>
    public static AugmentOptions None { get; } = new()
    {
        Shift = 0, Scale = 0, Rotation = 0, Brightness = 0, Contrast = 0, Gamma = 0, Colour = 0, Blur = 0, Jpeg = 0, Downscale = 0, Erase = 0,
    };

    /// <summary>The defaults, about twice.</summary>
    public static AugmentOptions Strong { get; } = new()
    {
        Shift = 0.07, Scale = 0.12, Rotation = 12, Brightness = 0.2, Contrast = 0.35, Gamma = 0.35, Colour = 0.4, Blur = 0.1, Jpeg = 0.1, Downscale = 0.2,
            Erase = 0.15,
    };

    /// <summary>Largest shift in each direction as a fraction of the side, 0 to 0.25. Default 0.04.</summary>
    public double Shift { get; init; } = 0.04;

    /// <summary>Largest change of size as a fraction, 0 to 0.5. Default 0.06.</summary>
    public double Scale { get; init; } = 0.06;

    /// <summary>Largest rotation in degrees, 0 to 45. Default 6.</summary>
    public double Rotation { get; init; } = 6;

    /// <summary>Largest change of brightness as a fraction of white, 0 to 0.5. Default 0.1.</summary>
    public double Brightness { get; init; } = 0.1;

    /// <summary>Largest change of contrast as a fraction, 0 to 0.8. Default 0.2.</summary>
    public double Contrast { get; init; } = 0.2;

    /// <summary>Largest logarithm of gamma, 0 to 1. Default 0.2.</summary>
    public double Gamma { get; init; } = 0.2;

    /// <summary>Probability of another hue (up to 15 degrees) and saturation (up to 30%), 0 to 1. Default 0.2.</summary>
    public double Colour { get; init; } = 0.2;

    /// <summary>Probability of a Gaussian blur of up to 1% of the side, 0 to 1. Default 0.05.</summary>
    public double Blur { get; init; } = 0.05;

    /// <summary>Probability of JPEG compression at quality 20 to 90, 0 to 1. Default 0.05.</summary>
    public double Jpeg { get; init; } = 0.05;

    /// <summary>Probability of shrinking by up to 4 and enlarging again, 0 to 1. Default 0.1.</summary>
    public double Downscale { get; init; } = 0.1;

    /// <summary>Probability that a rectangle of up to 2% to 10% of the area is grey (Zhong et al., "Random erasing", 2020), 0 to 1. Default 0.05.</summary>
    public double Erase { get; init; } = 0.05;

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public AugmentOptions Validated()
    {
        foreach (var (name, value, most) in new[]
        {
            ("shift", Shift, 0.25), ("scale", Scale, 0.5), ("rotation", Rotation, 45), ("brightness", Brightness, 0.5), ("contrast", Contrast, 0.8),
                ("gamma", Gamma, 1),
            ("colour", Colour, 1), ("blur", Blur, 1), ("JPEG", Jpeg, 1), ("downscale", Downscale, 1), ("erase", Erase, 1),
        })
        {
            if (!(value >= 0 && value <= most))
            {
                throw new FaceDistillException(InvariantText.Of($"the augmentation's {name} is 0 to {most}, not {value}"));
            }
        }

        return this;
    }
}
