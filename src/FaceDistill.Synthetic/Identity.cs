using System.Numerics;

namespace FaceDistill.Synthetic;

/// <summary>
/// What stays the same in every picture of one synthetic person. Lengths are in face units: 1 is the mean distance
/// between the eye centres (about 63 mm), the origin is midway between them, x to the right of the image, y down.
/// Colours are RGB, 0 to 255. Means follow common facial proportions; deviations are wider than a population's, so
/// that a network made for photographs can tell the drawings apart.
/// </summary>
internal sealed class SyntheticIdentity
{
    private static readonly Vector3[] SkinTones =
        [new(247, 217, 200), new(234, 193, 166), new(214, 164, 130), new(178, 125, 92), new(133, 89, 64), new(88, 58, 45)];

    private static readonly Vector3[] IrisColours =
        [new(105, 140, 170), new(110, 135, 110), new(125, 105, 65), new(95, 60, 35), new(52, 34, 24), new(38, 25, 20)];

    public SyntheticIdentity(ulong seed, int identity)
    {
        var random = new SyntheticRandom(seed, 1, (ulong)identity);
        Masculine = random.Chance(0.5f) ? random.Bell(0.85f, 0.12f) : random.Bell(0.15f, 0.12f);
        Age = random.Uniform();
        Tone = random.Uniform();
        Skin = SyntheticRandom.Pick(SkinTones, Tone)
            + new Vector3(random.Bell(0, 5), random.Bell(0, 3), random.Bell(-2, 4));
        Head = new(random, Masculine);
        Eyes = new(random, Masculine, SyntheticRandom.Pick(IrisColours, (0.6f * Tone) + random.Between(-0.1f, 0.5f)));
        Brows = new(random, Masculine);
        Nose = new(random, Masculine, Tone);
        Mouth = new(random, Masculine, Tone, Skin);
        Hair = new(random, Masculine, Age, Tone);
        Marks = new(random, Age, Tone);
    }

    /// <summary>0 (feminine) to 1 (masculine), about; two clusters.</summary>
    public float Masculine { get; }

    /// <summary>0 (young adult) to 1 (old).</summary>
    public float Age { get; }

    /// <summary>Skin tone from 0 (light) to 1 (dark).</summary>
    public float Tone { get; }

    public Vector3 Skin { get; }
    public HeadTraits Head { get; }
    public EyeTraits Eyes { get; }
    public BrowTraits Brows { get; }
    public NoseTraits Nose { get; }
    public MouthTraits Mouth { get; }
    public SyntheticHairTraits Hair { get; }
    public SyntheticMarkTraits Marks { get; }

    internal sealed class HeadTraits(SyntheticRandom random, float masculine)
    {
        public float HalfWidth { get; } = random.Bell(1.07f + (0.05f * masculine), 0.07f);
        public float Forehead { get; } = random.Bell(0.90f, 0.045f);
        public float Jaw { get; } = random.Bell(0.76f + (0.09f * masculine), 0.065f);
        public float JawY { get; } = random.Bell(1.12f, 0.08f);
        public float Chin { get; } = random.Bell(0.30f + (0.13f * masculine), 0.07f);
        public float ChinY { get; } = random.Bell(1.76f + (0.07f * masculine), 0.10f);
        public float CheekY { get; } = random.Bell(0.35f, 0.08f);
        public float Cheekbones { get; } = random.Bell(0.08f, 0.045f);
        public float Depth { get; } = random.Bell(1.0f, 0.08f);
        public float Ears { get; } = random.Bell(0.13f, 0.045f);
    }

    internal sealed class EyeTraits(SyntheticRandom random, float masculine, Vector3 iris)
    {
        public float HalfSpacing { get; } = random.Bell(0.5f, 0.025f);
        public float HalfWidth { get; } = random.Bell(0.235f, 0.022f);
        public float Opening { get; } = random.Bell(0.098f - (0.012f * masculine), 0.018f);
        public float Tilt { get; } = random.Bell(0.05f, 0.075f);
        public float Crease { get; } = random.Bell(0.07f, 0.025f);
        public float Lash { get; } = Math.Max(0.01f, random.Bell(0.036f - (0.016f * masculine), 0.009f));
        public float Depth { get; } = random.Bell(0.11f, 0.045f);
        public float Shadow { get; } = random.Bell(0.15f, 0.07f);
        public Vector3 Iris { get; } = iris;
    }

    internal sealed class BrowTraits(SyntheticRandom random, float masculine)
    {
        public float Y { get; } = random.Bell(-0.36f + (0.07f * masculine), 0.045f);
        public float Thickness { get; } = Math.Max(0.02f, random.Bell(0.055f + (0.045f * masculine), 0.024f));
        public float Tilt { get; } = random.Bell(-0.015f, 0.045f);
        public float Arch { get; } = random.Bell(0.09f - (0.04f * masculine), 0.035f);
        public float Inner { get; } = random.Bell(0.19f, 0.04f);
        public float Outer { get; } = random.Bell(0.84f, 0.05f);
    }

    internal sealed class NoseTraits(SyntheticRandom random, float masculine, float tone)
    {
        public float TipY { get; } = random.Bell(0.565f + (0.02f * masculine), 0.055f);
        public float HalfWidth { get; } = random.Bell(0.23f + (0.025f * masculine) + (0.06f * tone), 0.035f);
        public float Bridge { get; } = random.Bell(0.10f, 0.022f);
        public float Height { get; } = random.Bell(0.36f, 0.06f);
        public float Hump { get; } = random.Bell(0.13f, 0.05f);
    }

    internal sealed class MouthTraits(SyntheticRandom random, float masculine, float tone, Vector3 skin)
    {
        public float Y { get; } = random.Bell(1.115f, 0.05f);
        public float HalfWidth { get; } = random.Bell(0.41f, 0.045f);
        public float Upper { get; } = Math.Max(0.025f, random.Bell(0.072f - (0.022f * masculine) + (0.03f * tone), 0.022f));
        public float Lower { get; } = Math.Max(0.035f, random.Bell(0.112f - (0.022f * masculine) + (0.03f * tone), 0.026f));
        public float Bow { get; } = random.Bell(0.35f, 0.2f);

        /// <summary>Redder and darker than the skin; on some feminine faces painted.</summary>
        public Vector3 Colour { get; } = random.Chance(0.45f * (1 - masculine))
            ? Vector3.Lerp(skin, new(random.Between(130, 200), random.Between(25, 75), random.Between(45, 95)), 0.65f)
            : skin * new Vector3(random.Bell(0.87f, 0.04f), random.Bell(0.66f, 0.05f), random.Bell(0.68f, 0.05f));
    }
}

/// <summary>Glasses, moles, freckles and folds of a synthetic identity.</summary>
internal sealed class SyntheticMarkTraits
{
    public SyntheticMarkTraits(SyntheticRandom random, float age, float tone)
    {
        Glasses = random.Chance(0.22f) ? 1 + random.Below(3) : 0;
        float dark = random.Between(0, 1);
        GlassesColour = dark < 0.6f ? new Vector3(30, 28, 30) : new(random.Between(60, 150), random.Between(40, 90), 50);
        GlassesThickness = random.Between(0.03f, 0.065f);
        Moles = new Vector2[random.Chance(0.4f) ? 1 + random.Below(3) : 0];
        for (int i = 0; i < Moles.Length; i++)
        {
            Moles[i] = new(random.Between(-0.8f, 0.8f), random.Between(0.3f, 1.5f));
        }

        Freckles = new Vector2[random.Chance(0.3f * (1 - tone)) ? 45 : 0];
        for (int i = 0; i < Freckles.Length; i++)
        {
            Freckles[i] = new(random.Bell(0, 0.42f), random.Bell(0.38f, 0.15f));
        }

        Folds = Math.Clamp(age + random.Bell(0, 0.15f), 0f, 1f);
        Blush = random.Between(0.02f, 0.16f);
    }

    /// <summary>0 none, 1 round, 2 rectangular, 3 upswept.</summary>
    public int Glasses { get; }

    public Vector3 GlassesColour { get; }
    public float GlassesThickness { get; }
    public Vector2[] Moles { get; }
    public Vector2[] Freckles { get; }

    /// <summary>Depth of the folds beside the nose, on the forehead and under the eyes, 0 to 1.</summary>
    public float Folds { get; }

    /// <summary>Redness of the cheeks.</summary>
    public float Blush { get; }
}

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
