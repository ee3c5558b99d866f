using System.Numerics;

namespace FaceDistill.Synthetic;

/// <summary>Paints eyes, brows, nose and mouth, and knows where the five landmarks of the person are.</summary>
internal sealed class SyntheticFeaturePainter(SyntheticCanvas canvas, SyntheticIdentity person, SyntheticView view)
{
    /// <summary>Left eye, right eye, nose tip, left and right mouth corner (left in the image first), in face units.</summary>
    public static Vector2[] Landmarks(SyntheticIdentity person, SyntheticView view)
    {
        (float x, float y) = MouthCorner(person, view);
        return
        [
            new(-person.Eyes.HalfSpacing, 0), new(person.Eyes.HalfSpacing, 0), new(0, person.Nose.TipY), new(-x, y), new(x, y),
        ];
    }

    public void Eye(int side)
    {
        SyntheticIdentity.EyeTraits eyes = person.Eyes;
        float open = Math.Max(0.025f, eyes.Opening * (1 - view.EyesNarrow) * (1 - (0.2f * Math.Max(0, view.Smile))));
        Vector2 P(float u, float v) => EyePoint(side, u * eyes.HalfWidth, v);
        Vector2[] upper = [P(-1, 0.02f), P(-0.55f, -0.72f * open), P(0, -open), P(0.55f, -0.8f * open), P(1, -0.01f)];
        Vector2[] lower = [P(-1, 0.02f), P(-0.5f, 0.5f * open), P(0, 0.75f * open), P(0.55f, 0.62f * open), P(1, -0.01f)];
        canvas.Band(new(232, 226, 220), upper, lower);
        Vector2 iris = EyePoint(side, 0, -0.012f) + view.Gaze;
        canvas.Ellipse(eyes.Iris * 0.55f, iris, 0.1f, 0.1f);
        canvas.Ellipse(eyes.Iris, iris, 0.083f, 0.083f);
        canvas.Ellipse(new(14, 12, 12), iris, 0.042f, 0.042f);
        canvas.Ellipse(new(245, 245, 245), iris + new Vector2(0.04f * MathF.Sign(view.Light.X), -0.04f), 0.016f, 0.016f);

        // Skin over the part of the iris that the lids hide.
        canvas.Band(person.Skin * 0.93f, upper, [P(-1, -0.03f), P(-0.55f, -open - 0.07f),
            P(0, -open - 0.11f), P(0.55f, -open - 0.07f), P(1, -0.06f)]);
        canvas.Band(person.Skin * 0.95f, lower, [P(-1, 0.03f), P(-0.5f, open + 0.06f),
            P(0, open + 0.1f), P(0.55f, open + 0.06f), P(1, 0.03f)]);
        float lash = eyes.Lash;
        canvas.Band(new(26, 20, 18), upper, [P(-1, 0.01f), P(-0.55f, (-0.72f * open) - (0.5f * lash)),
            P(0, -open - lash), P(0.55f, (-0.8f * open) - lash), P(1.1f, -0.02f - lash)]);
        canvas.Stroke(person.Skin * 0.62f, 0.014f, lower);
        canvas.Stroke(
            person.Skin * 0.68f, 0.018f,
            P(-0.95f, -0.35f * eyes.Crease), P(-0.5f, (-0.75f * open) - eyes.Crease),
            P(0.1f, -open - eyes.Crease - 0.01f), P(0.7f, (-0.72f * open) - eyes.Crease), P(1.1f, -0.03f));
        canvas.Ellipse(new Vector3(0.85f, 0.6f, 0.58f) * person.Skin, P(-0.97f, 0.02f), 0.022f, 0.016f);
    }

    public void Brow(int side)
    {
        SyntheticIdentity.BrowTraits brow = person.Brows;
        float length = brow.Outer - brow.Inner;
        Vector2 At(float t, float above)
        {
            float y = brow.Y - view.BrowRaise - (brow.Tilt * 2 * (t - 0.5f)) - (brow.Arch * 4 * t * (1 - t) * (0.4f + (0.6f * t)));
            return new(side * (brow.Inner + (length * t)), y - above);
        }

        Vector2[] Edge(float sign) =>
        [
            At(0, sign * 0.75f * brow.Thickness), At(0.25f, sign * brow.Thickness), At(0.55f, sign * 0.85f * brow.Thickness),
            At(0.8f, sign * 0.5f * brow.Thickness), At(1, 0),
        ];
        Vector3 colour = Vector3.Lerp(person.Skin, person.Hair.BrowColour, 0.78f);
        canvas.Band(colour, Edge(0.6f), Edge(-0.6f));
        var random = new SyntheticRandom(person.Hair.Seed, 5);
        for (int hair = 0; hair < 16; hair++)
        {
            float t = random.Between(0, 0.9f);
            float reach = brow.Thickness * (1 - (0.6f * t));
            canvas.Stroke(
                person.Hair.BrowColour * random.Between(0.7f, 1.3f), 0.012f,
                At(t, -0.65f * reach), At(Math.Min(1, t + 0.1f), random.Between(0.2f, 0.8f) * reach));
        }
    }

    public void Nose()
    {
        SyntheticIdentity.NoseTraits nose = person.Nose;
        for (int side = -1; side <= 1; side += 2)
        {
            Vector2 At(float x, float y) => new(side * x * nose.HalfWidth, nose.TipY + y);
            canvas.Stroke(person.Skin * 0.66f, 0.03f, At(0.88f, -0.11f), At(1.05f, 0), At(0.93f, 0.1f), At(0.66f, 0.105f));
            canvas.Blob(person.Skin * 0.34f, At(0.18f, 0.1f), At(0.48f, 0.065f), At(0.72f, 0.09f), At(0.5f, 0.115f));
            canvas.Stroke(person.Skin * 0.87f, 0.03f, new(side * nose.Bridge * 0.95f, -0.12f),
                new(side * nose.Bridge * 0.85f, 0.12f), At(0.5f, -0.14f));
        }

        canvas.Stroke(person.Skin * 0.7f, 0.022f, new(-0.3f * nose.HalfWidth, nose.TipY + 0.115f),
            new(0, nose.TipY + 0.14f), new(0.3f * nose.HalfWidth, nose.TipY + 0.115f));
    }

    public void Mouth()
    {
        (float x, float cornerY) = MouthCorner(person, view);
        SyntheticIdentity.MouthTraits mouth = person.Mouth;
        float open = 0.13f * view.MouthOpen;
        float thin = 1 - (0.22f * Math.Max(0, view.Smile));
        float middle = mouth.Y + (0.02f * view.Smile);
        Vector2 P(float u, float y) => new(u * x, middle + y);
        Vector2 left = new(-x, cornerY);
        Vector2 right = new(x, cornerY);
        float top = -mouth.Upper * thin;
        float bow = top * (1 - (0.45f * mouth.Bow));
        Vector2[] upperEdge = [left, P(-0.55f, 0.7f * top), P(-0.2f, top), P(0, bow), P(0.2f, top), P(0.55f, 0.7f * top), right];
        Vector2[] upperInner = [left, P(-0.5f, 0.005f), P(0, 0.012f), P(0.5f, 0.005f), right];
        Vector2[] lowerInner = [left, P(-0.5f, 0.01f + (0.8f * open)), P(0, 0.018f + open), P(0.5f, 0.01f + (0.8f * open)), right];
        float bottom = open + (mouth.Lower * thin);
        Vector2[] lowerEdge = [left, P(-0.55f, 0.78f * bottom), P(0, bottom), P(0.55f, 0.78f * bottom), right];
        canvas.Band(mouth.Colour * 1.06f, upperInner, lowerEdge);
        canvas.Band(new(70, 26, 28), upperInner, lowerInner);
        if (view.MouthOpen > 0.15f)
        {
            canvas.Band(new(228, 222, 210), [P(-0.7f, 0), P(0, 0.008f), P(0.7f, 0)],
                [P(-0.7f, 0.25f * open), P(0, 0.62f * open), P(0.7f, 0.25f * open)]);
        }

        canvas.Band(mouth.Colour * 0.9f, upperEdge, upperInner);
        canvas.Stroke(mouth.Colour * 0.5f, 0.016f, upperInner);
    }

    private Vector2 EyePoint(int side, float outward, float down)
    {
        float tilt = person.Eyes.Tilt;
        return new(side * (person.Eyes.HalfSpacing + outward + (tilt * down)), down - (tilt * outward));
    }

    private static (float X, float Y) MouthCorner(SyntheticIdentity person, SyntheticView view) =>
        (person.Mouth.HalfWidth * (1 + (0.13f * view.Smile) - (0.06f * view.MouthOpen)),
        person.Mouth.Y - (0.055f * view.Smile) + (0.04f * view.MouthOpen));
}
