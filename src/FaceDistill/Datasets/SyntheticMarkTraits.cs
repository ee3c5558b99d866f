using System.Numerics;

namespace FaceDistill.Datasets;

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
