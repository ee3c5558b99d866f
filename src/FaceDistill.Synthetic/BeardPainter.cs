using System.Numerics;

namespace FaceDistill.Synthetic;

/// <summary>Paints the beard (before the mouth) and the glasses (last).</summary>
internal sealed class SyntheticBeardPainter(SyntheticCanvas canvas, SyntheticIdentity person)
{
    private readonly SyntheticHairTraits hair = person.Hair;

    public void Beard()
    {
        Vector3 colour = Vector3.Lerp(person.Skin, hair.BrowColour, hair.BeardWeight);
        switch (hair.Beard)
        {
            case SyntheticBeardStyle.Full:
                Jaw(colour);
                Moustache(colour);
                break;
            case SyntheticBeardStyle.Goatee:
                Chin(colour);
                Moustache(colour);
                break;
            case SyntheticBeardStyle.Moustache:
                Moustache(colour);
                break;
            default:
                break; // Stubble is a tint of the light, not a shape.
        }
    }

    public void Glasses()
    {
        if (person.Marks.Glasses == 0)
        {
            return;
        }

        canvas.Lift = 0.12f;
        Vector3 colour = person.Marks.GlassesColour;
        float thickness = person.Marks.GlassesThickness;
        float inner = 0;
        for (int side = -1; side <= 1; side += 2)
        {
            float x = person.Eyes.HalfSpacing + 0.03f;
            inner = x - 0.33f;
            Vector2 P(float u, float v) => new(side * (x + u), v + 0.04f);
            Vector2[] rim = person.Marks.Glasses switch
            {
                1 => [P(-0.33f, 0), P(-0.23f, -0.22f), P(0, -0.3f), P(0.23f, -0.22f),
                    P(0.33f, 0), P(0.23f, 0.22f), P(0, 0.3f), P(-0.23f, 0.22f)],
                2 => [P(-0.34f, -0.18f), P(0, -0.2f), P(0.36f, -0.19f), P(0.37f, 0),
                    P(0.34f, 0.2f), P(0, 0.22f), P(-0.31f, 0.19f), P(-0.34f, 0)],
                _ => [P(-0.34f, -0.1f), P(0, -0.22f), P(0.4f, -0.3f), P(0.4f, -0.05f), P(0.24f, 0.2f), P(-0.05f, 0.24f), P(-0.29f, 0.14f)],
            };
            canvas.Loop(colour, thickness, rim);
            canvas.Lift = 0;
            canvas.Stroke(colour, thickness, P(0.35f, -0.06f), new(side * person.Head.HalfWidth * 0.99f, -0.04f));
            canvas.Lift = 0.12f;
        }

        canvas.Stroke(colour, thickness, new(-inner, 0), new(0, -0.05f), new(inner, 0));
        canvas.Lift = 0;
    }

    private void Jaw(Vector3 colour)
    {
        Vector2[] outline = SyntheticHeadPainter.Outline(person.Head);
        int first = 4;
        int half = outline.Length - first;
        var outer = new Vector2[(2 * half) + 1];
        for (int i = 0; i < half; i++)
        {
            outer[i] = outline[first + i] * new Vector2(1.01f, 1);
            outer[^(i + 1)] = outer[i] * new Vector2(-1, 1);
        }

        outer[half] = new(0, person.Head.ChinY + 0.08f);
        float wide = person.Head.HalfWidth;
        float mouth = person.Mouth.Y;
        Vector2[] inner =
        [
            new(0.88f * wide, person.Head.CheekY), new(0.68f * wide, 0.85f),
            new(0.5f, mouth - 0.2f), new(0.3f, mouth + 0.05f), new(0, mouth + 0.1f),
            new(-0.3f, mouth + 0.05f), new(-0.5f, mouth - 0.2f), new(-0.68f * wide, 0.85f), new(-0.88f * wide, person.Head.CheekY),
        ];
        canvas.Band(colour, outer, inner);
        Bristles(SyntheticCanvas.Smooth(outer, closed: false), SyntheticCanvas.Smooth(inner, closed: false), colour);
    }

    private void Chin(Vector3 colour)
    {
        float mouth = person.Mouth.Y;
        float wide = person.Mouth.HalfWidth;
        canvas.Blob(
            colour,
            new(-wide, mouth + 0.08f), new(0, mouth + 0.2f), new(wide, mouth + 0.08f), new(0.85f * wide, person.Head.ChinY - 0.15f),
            new(0, person.Head.ChinY + 0.06f), new(-0.85f * wide, person.Head.ChinY - 0.15f));
    }

    private void Moustache(Vector3 colour)
    {
        float top = ((person.Nose.TipY + person.Mouth.Y) * 0.5f) + 0.06f;
        float wide = person.Mouth.HalfWidth + 0.06f;
        float mouth = person.Mouth.Y;
        Vector2[] upper = [new(-wide, mouth + 0.1f), new(-0.6f * wide, top + 0.08f),
            new(0, top), new(0.6f * wide, top + 0.08f), new(wide, mouth + 0.1f)];
        Vector2[] lower = [new(-wide - 0.04f, mouth + 0.14f), new(-0.6f * wide, mouth),
            new(0, mouth - 0.03f), new(0.6f * wide, mouth), new(wide + 0.04f, mouth + 0.14f)];
        canvas.Band(colour, upper, lower);
        Bristles(SyntheticCanvas.Smooth(upper, closed: false), SyntheticCanvas.Smooth(lower, closed: false), colour);
    }

    private void Bristles(List<Vector2> from, List<Vector2> to, Vector3 colour)
    {
        var random = new SyntheticRandom(hair.Seed, 8);
        for (int i = 0; i < 40; i++)
        {
            float t = random.Uniform();
            Vector2 a = from[(int)(t * from.Count)];
            Vector2 b = to[(int)(t * to.Count)];
            float at = random.Between(0, 0.75f);
            canvas.Stroke(colour * random.Between(0.72f, 1.22f), 0.014f, Vector2.Lerp(a, b, at),
                Vector2.Lerp(a, b, at + 0.25f) + new Vector2(0, 0.04f));
        }
    }
}
