using System.Numerics;
using OpenCvSharp;

namespace FaceDistill.Synthetic;

/// <summary>Paints what lies behind and around the features: background, clothes, neck, ears, the face itself and its marks.</summary>
internal sealed class SyntheticHeadPainter(SyntheticCanvas canvas, SyntheticIdentity person, SyntheticView view)
{
    /// <summary>Fills the picture with a soft, random background: an out-of-focus room rather than a studio wall.</summary>
    public static void Background(Mat picture, ulong seed)
    {
        var random = new SyntheticRandom(seed, 3);
        using var small = new Mat(8, 8, MatType.CV_8UC3);
        Vector3 colour = new(random.Between(30, 225), random.Between(30, 225), random.Between(30, 225));
        colour = Vector3.Lerp(colour, new((colour.X + colour.Y + colour.Z) / 3), random.Between(0.5f, 0.95f));
        float brightness = 0;
        Span<byte> bytes = small.AsSpan<byte>();
        for (int i = 0; i < bytes.Length; i++)
        {
            // Patches differ in brightness more than in hue.
            brightness = i % 3 == 0 ? random.Bell(0, 22) : brightness;
            float channel = (i % 3) switch { 0 => colour.Z, 1 => colour.Y, _ => colour.X };
            bytes[i] = (byte)Math.Clamp(channel + brightness + random.Bell(0, 4), 0, 255);
        }

        Cv2.Resize(small, picture, picture.Size(), interpolation: InterpolationFlags.Cubic);
    }

    /// <summary>Half the width of the face's outline from the skull's top to the chin, with its y, from top to bottom.</summary>
    public static Vector2[] Outline(SyntheticIdentity.HeadTraits head) =>
    [
        new(0.45f * head.HalfWidth, -1.72f),
        new(0.80f * head.HalfWidth, -1.42f),
        new(head.Forehead * head.HalfWidth, -0.85f),
        new(0.97f * head.HalfWidth, -0.25f),
        new(head.HalfWidth * 0.99f, head.CheekY),
        new(((0.55f * head.Jaw) + 0.45f) * head.HalfWidth, (head.CheekY + head.JawY) * 0.52f),
        new(head.Jaw * head.HalfWidth, head.JawY),
        new(((0.5f * head.Jaw) + (0.5f * head.Chin)) * head.HalfWidth, ((head.ChinY + head.JawY) * 0.5f) + 0.03f),
        new(head.Chin * head.HalfWidth, head.ChinY - 0.05f),
    ];

    public void NeckAndClothes()
    {
        var random = new SyntheticRandom(view.Seed, 4);
        float width = person.Head.Jaw * person.Head.HalfWidth * (0.78f + (0.14f * person.Masculine));
        Vector3 shade = person.Skin * 0.66f;
        canvas.Fill(shade, [new(-width, 0.9f), new(width, 0.9f), new(width, 2.2f),
            new(width + 0.5f, 3f), new(-width - 0.5f, 3f), new(-width, 2.2f)]);
        Vector3 cloth = new(random.Between(15, 230), random.Between(15, 230), random.Between(15, 230));
        float collar = random.Between(2.05f, 2.35f);
        canvas.Fill(cloth, [new(-width - 0.02f, collar), new(0, collar + 0.3f), new(width + 0.02f, collar),
            new(2.5f, collar + 0.5f), new(2.5f, 4), new(-2.5f, 4), new(-2.5f, collar + 0.5f)]);
    }

    public void EarsAndFace()
    {
        for (int side = -1; side <= 1; side += 2)
        {
            var ear = new Vector2(side * person.Head.HalfWidth * 1.01f, 0.2f);
            canvas.Ellipse(person.Skin * 0.9f, ear, person.Head.Ears, 0.33f);
            canvas.Ellipse(person.Skin * 0.72f, ear + new Vector2(side * person.Head.Ears * 0.35f, 0), person.Head.Ears * 0.35f, 0.2f);
        }

        canvas.Blob(person.Skin, Ring());
    }

    public void Marks()
    {
        foreach (Vector2 freckle in person.Marks.Freckles)
        {
            canvas.Ellipse(person.Skin * new Vector3(0.84f, 0.76f, 0.7f), freckle, 0.016f, 0.014f);
        }

        foreach (Vector2 mole in person.Marks.Moles)
        {
            canvas.Ellipse(person.Skin * 0.45f, mole, 0.026f, 0.026f);
        }
    }

    /// <summary>Folds from nose to mouth, on the forehead, and under the eyes; deeper with age, smile and raised brows.</summary>
    public void Folds()
    {
        float depth = person.Marks.Folds;
        Vector3 Crease(float amount) => person.Skin * (1 - (0.26f * Math.Clamp(amount, 0, 1)));
        for (int side = -1; side <= 1; side += 2)
        {
            float mouth = side * person.Mouth.HalfWidth;
            canvas.Stroke(
                Crease((0.7f * depth) + (0.35f * Math.Max(0, view.Smile))), 0.035f,
                new(side * (person.Nose.HalfWidth + 0.07f), person.Nose.TipY + 0.02f),
                new((mouth * 1.22f) - (side * 0.02f), (person.Nose.TipY + person.Mouth.Y) * 0.52f),
                new(mouth * 1.36f, person.Mouth.Y + (0.1f * depth)));
            float eye = side * person.Eyes.HalfSpacing;
            canvas.Stroke(
                Crease(0.15f + (0.7f * depth)), 0.03f,
                new(eye - (side * 0.2f), 0.13f), new(eye, 0.21f), new(eye + (side * 0.2f), 0.16f));
        }

        for (int line = 0; depth > 0.5f && line < 3; line++)
        {
            float y = -0.58f - (0.12f * line);
            canvas.Stroke(Crease((depth - 0.4f) + (4 * view.BrowRaise)), 0.02f, new(-0.5f, y + 0.02f),
                new(0, y - 0.02f), new(0.5f, y + 0.02f));
        }
    }

    private Vector2[] Ring()
    {
        Vector2[] half = Outline(person.Head);
        var ring = new Vector2[(2 * half.Length) + 1];
        for (int i = 0; i < half.Length; i++)
        {
            ring[i] = half[i];
            ring[^(i + 1)] = new(-half[i].X, half[i].Y);
        }

        ring[half.Length] = new(0, person.Head.ChinY);
        return ring;
    }
}
