using System.Numerics;
using System.Runtime.InteropServices;
using OpenCvSharp;

namespace FaceDistill.Synthetic;

/// <summary>
/// Lights the flat drawing: Lambert shading and a soft highlight of a relief of smooth bumps, tints of the skin, then
/// gain, contrast, colour balance and sensor noise.
/// </summary>
internal sealed class SyntheticLight(SyntheticIdentity person, SyntheticView view, SyntheticProjection projection)
{
    // The maps are smooth, so one value for 2 x 2 pixels is enough.
    private const int Step = 2;
    private readonly Bump[] relief = Relief(person).ToArray();
    private readonly Tint[] tints = Tints(person).ToArray();
    private readonly Vector3 light = projection.ToHead(view.Light);

    /// <summary>A Gaussian hill: centre, deviations, height, in face units.</summary>
    private readonly record struct Bump(float X, float Y, float WidthX, float WidthY, float Height);

    /// <summary>A Gaussian patch whose colour is multiplied by 1 + Colour (RGB).</summary>
    private readonly record struct Tint(float X, float Y, float WidthX, float WidthY, Vector3 Colour);

    /// <summary>Lights a picture (BGR, 8 bits) in place; <paramref name="canvasScale"/> is canvas pixels per picture pixel.</summary>
    public void Apply(Mat picture, float canvasScale)
    {
        using Mat coarse = Map(picture.Size(), canvasScale);
        using var map = new Mat();
        Cv2.Resize(coarse, map, picture.Size(), interpolation: InterpolationFlags.Linear);
        Span<Vector4> factors = MemoryMarshal.Cast<float, Vector4>(map.AsSpan<float>());
        Span<byte> bytes = picture.AsSpan<byte>();
        var random = new SyntheticRandom(view.Seed, 9);
        Vector4 balance = new(view.Balance.Z, view.Balance.Y, view.Balance.X, 0);
        float offset = 118 * (1 - view.Contrast);
        float noise = view.Noise * 1.7320508f / 32768f;
        for (int i = 0; i < factors.Length; i++)
        {
            Vector4 factor = factors[i];
            Span<byte> pixel = bytes.Slice(3 * i, 3);
            Vector4 value = new Vector4(pixel[0], pixel[1], pixel[2], 0) * factor;
            value = (value + new Vector4(factor.W)) * balance * (view.Gain * view.Contrast);

            // Uniform noise of the deviation asked for: one draw serves the three channels.
            ulong bits = random.Next();
            pixel[0] = Byte(value.X + offset + (noise * (short)bits));
            pixel[1] = Byte(value.Y + offset + (noise * (short)(bits >> 16)));
            pixel[2] = Byte(value.Z + offset + (noise * (short)(bits >> 32)));
        }
    }

    /// <summary>For each cell the factors of B, G and R, and the highlight in grey levels.</summary>
    private Mat Map(Size size, float canvasScale)
    {
        var map = new Mat((size.Height + Step - 1) / Step, (size.Width + Step - 1) / Step, MatType.CV_32FC4);
        Span<Vector4> cells = MemoryMarshal.Cast<float, Vector4>(map.AsSpan<float>());
        float pitch = Step * canvasScale;
        int columns = map.Cols;
        for (int i = 0; i < cells.Length; i++)
        {
            cells[i] = Cell(projection.Unplace(new Vector2((i % columns) + 0.5f, (i / columns) + 0.5f) * pitch));
        }

        return map;
    }

    private Vector4 Cell(Vector2 face)
    {
        float radius = projection.RadiusSquared(face);
        float inside = Math.Clamp((1.5f - radius) / 0.45f, 0f, 1f);
        if (inside == 0)
        {
            return new(1, 1, 1, 0);
        }

        float halfWidth = person.Head.HalfWidth * 1.06f;

        // Beyond the outline the slope stays what it is there, or hair and background would fall into a dark halo.
        float steep = -1.5f * person.Head.Depth * Math.Min(1, 0.88f / MathF.Sqrt(Math.Max(radius, 0.1f)));
        float slopeX = steep * face.X / (halfWidth * halfWidth);
        float slopeY = steep * (face.Y - 0.1f) / (1.85f * 1.85f);
        foreach (Bump bump in relief)
        {
            float x = (face.X - bump.X) / bump.WidthX;
            float y = (face.Y - bump.Y) / bump.WidthY;
            float height = bump.Height * MathF.Exp(-0.5f * ((x * x) + (y * y)));
            slopeX -= height * x / bump.WidthX;
            slopeY -= height * y / bump.WidthY;
        }

        Vector3 normal = Vector3.Normalize(new(-slopeX, -slopeY, 1));
        float lambert = Math.Max(0, Vector3.Dot(normal, light));
        float shade = view.Ambient + ((1 - view.Ambient) * 1.12f * lambert);
        Vector3 halfway = Vector3.Normalize(light + Vector3.UnitZ);
        float shine = Math.Max(0, Vector3.Dot(normal, halfway));
        shine *= shine;
        shine *= shine;
        shine *= shine;
        Vector3 factor = new(shade);
        foreach (Tint tint in tints)
        {
            float x = (face.X - tint.X) / tint.WidthX;
            float y = (face.Y - tint.Y) / tint.WidthY;
            factor *= Vector3.One + (tint.Colour * MathF.Exp(-0.5f * ((x * x) + (y * y))));
        }

        factor = Vector3.Lerp(Vector3.One, factor, inside);
        return new(factor.Z, factor.Y, factor.X, inside * (1 - view.Ambient) * 26 * shine * shine);
    }

    private static List<Bump> Relief(SyntheticIdentity person)
    {
        SyntheticIdentity.NoseTraits nose = person.Nose;
        float mouth = person.Mouth.Y;
        List<Bump> bumps =
        [
            new(0, 0.12f, nose.Bridge, 0.32f, nose.Hump),
            new(0, nose.TipY - 0.02f, 0.55f * nose.HalfWidth, 0.12f, 0.13f + (0.15f * nose.Height)),
            new(0, mouth, 0.36f, 0.17f, 0.08f),
            new(0, mouth + 0.26f, 0.22f, 0.07f, -0.035f),
            new(0, person.Head.ChinY - 0.22f, 0.7f * person.Head.Chin, 0.14f, 0.09f),
        ];
        for (int side = -1; side <= 1; side += 2)
        {
            bumps.Add(new(side * 0.8f * nose.HalfWidth, nose.TipY + 0.02f, 0.08f, 0.08f, 0.045f));
            bumps.Add(new(side * person.Eyes.HalfSpacing, -0.04f, 0.26f, 0.15f, -person.Eyes.Depth));
            bumps.Add(new(side * 0.7f, person.Head.CheekY + 0.12f, 0.26f, 0.2f, person.Head.Cheekbones));
            bumps.Add(new(side * 0.45f, -0.3f, 0.36f, 0.1f, 0.02f + (0.05f * person.Masculine)));
            bumps.Add(new(side * 0.5f, mouth - 0.1f, 0.08f, 0.24f, -0.03f * person.Marks.Folds));
        }

        return bumps;
    }

    private static List<Tint> Tints(SyntheticIdentity person)
    {
        float blush = person.Marks.Blush;
        float stubble = person.Hair.Beard == SyntheticBeardStyle.Stubble ? 0.3f * person.Hair.BeardWeight : 0;
        List<Tint> tints =
        [
            new(0, person.Nose.TipY + 0.2f, 0.2f, 0.06f, new(-0.16f)),
            new(0, person.Mouth.Y + 0.27f, 0.2f, 0.06f, new(-0.12f)),
            new(0, person.Head.ChinY + 0.3f, 0.6f, 0.2f, new(-0.25f)),
            new(0, person.Head.ChinY - 0.2f, 0.5f, 0.3f, new(-stubble)),
            new(0, person.Mouth.Y - 0.2f, 0.32f, 0.08f, new(-stubble)),
        ];
        for (int side = -1; side <= 1; side += 2)
        {
            float eye = side * person.Eyes.HalfSpacing;
            tints.Add(new(side * 0.65f, 0.6f, 0.26f, 0.2f, new(0.02f, -blush, -0.8f * blush)));
            tints.Add(new(eye, -0.05f, 0.3f, 0.17f, new Vector3(-0.8f, -1f, -0.9f) * person.Eyes.Shadow));
            tints.Add(new(side * 0.17f, -0.05f, 0.09f, 0.14f, new Vector3(-0.7f, -0.9f, -0.9f) * person.Eyes.Shadow));
            tints.Add(new(side * 0.68f * person.Head.HalfWidth, person.Head.JawY + 0.1f, 0.26f, 0.32f, new(-stubble)));
        }

        return tints;
    }

    private static byte Byte(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);
}
