using System.Numerics;

namespace FaceDistill.Synthetic;

/// <summary>Paints hair behind and in front of the head, beard and glasses.</summary>
internal sealed class SyntheticHairPainter(SyntheticCanvas canvas, SyntheticIdentity person)
{
    private readonly SyntheticHairTraits hair = person.Hair;
    private readonly float width = person.Head.HalfWidth;

    /// <summary>Long hair falls behind the neck and beside the face.</summary>
    public void Behind()
    {
        if (hair.Style is not (SyntheticHairStyle.Long or SyntheticHairStyle.Bob))
        {
            return;
        }

        float end = hair.Style == SyntheticHairStyle.Long ? 3.2f : 1.75f;
        float wide = width + hair.Volume + 0.08f;
        canvas.Lift = -0.5f;
        canvas.Blob(
            hair.Colour * 0.7f,
            new(0, -2f), new(wide * 0.8f, -1.5f), new(wide, -0.4f), new(wide + 0.05f, 0.7f),
            new(wide - 0.02f, end - 0.2f), new(wide * 0.6f, end),
            new(-wide * 0.6f, end), new(-wide + 0.02f, end - 0.2f), new(-wide - 0.05f, 0.7f), new(-wide, -0.4f), new(-wide * 0.8f, -1.5f));
        canvas.Lift = 0;
    }

    /// <summary>The hair over skull and forehead, as a band between its outer edge and the hairline, with strands.</summary>
    public void Front()
    {
        if (hair.Style == SyntheticHairStyle.Bald)
        {
            return;
        }

        (float volume, float temple) = hair.Style switch
        {
            SyntheticHairStyle.Buzz => (0.04f, 0.05f),
            SyntheticHairStyle.Receding => (0.06f, 0.1f),
            SyntheticHairStyle.Short => (0.6f * hair.Volume, 0.15f),
            SyntheticHairStyle.PulledBack => (0.08f, -0.2f),
            SyntheticHairStyle.Curly => (1.7f * hair.Volume, 0.45f),
            SyntheticHairStyle.Long => (hair.Volume, 1.9f),
            SyntheticHairStyle.Bob => (hair.Volume, 1.35f),
            _ => (hair.Volume, 0.2f),
        };
        Vector2[] outer = Outer(volume, temple);
        Vector2[] inner = Inner(temple);
        Vector3 fill = hair.Style == SyntheticHairStyle.Buzz ? Vector3.Lerp(person.Skin, hair.Colour, 0.7f) : hair.Colour;
        canvas.Band(fill, outer, inner);
        if (hair.Style == SyntheticHairStyle.Curly)
        {
            Curls(outer, inner);
        }
        else if (hair.Style != SyntheticHairStyle.Buzz)
        {
            Strands(outer, inner);
        }
    }

    private Vector2[] Outer(float volume, float temple)
    {
        float wide = width + (0.75f * volume);
        return
        [
            new(-wide, temple), new(-wide - 0.02f, -0.4f), new(-0.88f * wide, -1.25f),
            new(-0.5f * wide, -1.72f - volume), new(0, -1.8f - volume),
            new(0.5f * wide, -1.72f - volume), new(0.88f * wide, -1.25f), new(wide + 0.02f, -0.4f), new(wide, temple),
        ];
    }

    /// <summary>The hairline from the left temple to the right one; as many points as <see cref="Outer"/> gives.</summary>
    private Vector2[] Inner(float temple)
    {
        float line = hair.Hairline;
        float side = person.Head.Forehead * width;
        float[] heights = hair.Style switch
        {
            SyntheticHairStyle.Fringe => [-0.5f, -0.46f, -0.42f, -0.46f, -0.5f],
            SyntheticHairStyle.SidePart => hair.Part > 0
                ? [line + 0.3f, line + 0.1f, line - 0.05f, line - 0.15f, line + 0.05f]
                : [line + 0.05f, line - 0.15f, line - 0.05f, line + 0.1f, line + 0.3f],
            SyntheticHairStyle.Long or SyntheticHairStyle.Bob => [line + 0.32f, line, line - 0.3f, line, line + 0.32f],
            SyntheticHairStyle.Receding => [line - 0.25f, line - 0.3f, line + 0.12f, line - 0.3f, line - 0.25f],
            _ => [line + 0.08f, line - 0.02f, line + 0.02f, line - 0.02f, line + 0.08f],
        };
        float low = Math.Min(temple, 1.6f);
        float curtain = temple > 1 ? 0.86f : 0.97f;
        return
        [
            new(-curtain * width, low), new(-0.96f * side, -0.3f), new(-0.9f * side, heights[0]),
            new(-0.5f * side, heights[1]), new(0, heights[2]),
            new(0.5f * side, heights[3]), new(0.9f * side, heights[4]), new(0.96f * side, -0.3f), new(curtain * width, low),
        ];
    }

    private void Strands(Vector2[] outer, Vector2[] inner)
    {
        List<Vector2> from = SyntheticCanvas.Smooth(outer, closed: false);
        List<Vector2> to = SyntheticCanvas.Smooth(inner, closed: false);
        var random = new SyntheticRandom(hair.Seed, 6);
        for (int i = 0; i < 80; i++)
        {
            // Strands run along the band, drifting from one edge to the other as combed hair does.
            int start = random.Below(from.Count - 8);
            int end = start + 4 + random.Below(4);
            float a = random.Between(0.05f, 0.95f);
            float b = Math.Clamp(a + random.Between(-0.25f, 0.25f), 0.05f, 0.95f);
            int middle = (start + end) / 2;
            canvas.Stroke(
                hair.Colour * random.Between(0.78f, 1.16f), 0.024f,
                Vector2.Lerp(from[start], to[start], a), Vector2.Lerp(from[middle], to[middle], (a + b) / 2),
                Vector2.Lerp(from[end], to[end], b));
        }
    }

    private void Curls(Vector2[] outer, Vector2[] inner)
    {
        List<Vector2> from = SyntheticCanvas.Smooth(outer, closed: false);
        List<Vector2> to = SyntheticCanvas.Smooth(inner, closed: false);
        var random = new SyntheticRandom(hair.Seed, 7);
        for (int i = 0; i < 110; i++)
        {
            int at = random.Below(from.Count);
            Vector2 centre = Vector2.Lerp(from[at], to[at], random.Between(-0.03f, 1.03f));
            float radius = random.Between(0.05f, 0.11f);
            canvas.Ellipse(hair.Colour * random.Between(0.78f, 1.16f), centre, radius, radius);
        }
    }
}
