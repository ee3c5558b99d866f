using System.Numerics;

namespace FaceDistill.Datasets;

/// <summary>How the hair of the head is cut.</summary>
internal enum SyntheticHairStyle
{
    Bald, Buzz, Receding, Short, SidePart, Fringe, Bob, Long, PulledBack, Curly,
}

/// <summary>What grows on the lower face.</summary>
internal enum SyntheticBeardStyle
{
    None, Stubble, Moustache, Goatee, Full,
}

/// <summary>Hair and beard of a synthetic identity; lengths in face units, colours RGB 0 to 255.</summary>
internal sealed class SyntheticHairTraits
{
    private static readonly SyntheticHairStyle[] Masculine =
    [
        SyntheticHairStyle.Bald, SyntheticHairStyle.Buzz, SyntheticHairStyle.Receding, SyntheticHairStyle.Short,
        SyntheticHairStyle.Short, SyntheticHairStyle.SidePart, SyntheticHairStyle.Curly, SyntheticHairStyle.Fringe,
    ];

    private static readonly SyntheticHairStyle[] Feminine =
    [
        SyntheticHairStyle.Bob, SyntheticHairStyle.Long, SyntheticHairStyle.Long, SyntheticHairStyle.PulledBack,
        SyntheticHairStyle.Curly, SyntheticHairStyle.Fringe, SyntheticHairStyle.SidePart, SyntheticHairStyle.Bob,
    ];

    // Blond, light brown, red-brown, brown, dark brown, black.
    private static readonly Vector3[] Colours =
        [new(205, 170, 112), new(152, 112, 70), new(140, 72, 38), new(92, 62, 42), new(52, 37, 30), new(28, 24, 25)];

    public SyntheticHairTraits(SyntheticRandom random, float masculine, float age, float tone)
    {
        Style = masculine > 0.5f ? Masculine[random.Below(Masculine.Length)] : Feminine[random.Below(Feminine.Length)];
        float place = (1.1f * tone) + random.Between(-0.3f, 0.8f);
        Vector3 colour = SyntheticRandom.Pick(Colours, place);
        float grey = Math.Clamp((2.6f * (age - 0.62f)) + random.Bell(0, 0.2f), 0f, 0.9f);
        Colour = Vector3.Lerp(colour, new(188, 186, 184), grey);
        BrowColour = Vector3.Lerp(colour * 0.72f, new(150, 148, 146), grey * 0.5f);
        Hairline = random.Bell(-0.93f, 0.085f) - (Style == SyntheticHairStyle.Receding ? 0.25f : 0f);
        Part = random.Chance(0.5f) ? 1 : -1;
        Volume = random.Bell(0.2f, 0.05f);
        Beard = masculine > 0.5f && random.Chance(0.55f)
            ? (SyntheticBeardStyle)(1 + random.Below(4))
            : SyntheticBeardStyle.None;
        BeardWeight = random.Between(0.35f, 0.9f);
        Seed = random.Next();
    }

    public SyntheticHairStyle Style { get; }
    public Vector3 Colour { get; }
    public Vector3 BrowColour { get; }

    /// <summary>Where the hair begins over the middle of the forehead.</summary>
    public float Hairline { get; }

    /// <summary>The side of the parting: 1 or -1.</summary>
    public int Part { get; }

    /// <summary>How far the hair stands off the skull.</summary>
    public float Volume { get; }

    public SyntheticBeardStyle Beard { get; }

    /// <summary>How opaque the beard is, 0 to 1.</summary>
    public float BeardWeight { get; }

    /// <summary>The strands lie the same way in every picture of the person.</summary>
    public ulong Seed { get; }
}
