using System.Numerics;
using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Synthetic;

/// <summary>
/// Carries points of a synthetic face into the picture: depth of the head, turn and nod, parallel projection, and then
/// what a real aligner does, the least-squares similarity from the (jittered) five points to the template.
/// </summary>
internal sealed class SyntheticProjection
{
    private readonly SyntheticIdentity identity;
    private readonly float sinYaw, cosYaw, sinPitch, cosPitch;
    private readonly Vector2 spin;
    private readonly Vector2 shift;

    public SyntheticProjection(SyntheticIdentity identity, SyntheticView view, Vector2[] landmarks, ReadOnlySpan<Point2f> template)
    {
        this.identity = identity;
        (sinYaw, cosYaw) = MathF.SinCos(view.Yaw);
        (sinPitch, cosPitch) = MathF.SinCos(view.Pitch);
        var from = new Point2f[landmarks.Length];
        for (int i = 0; i < from.Length; i++)
        {
            Vector2 found = Turn(landmarks[i], 0) + view.Jitter[i];
            from[i] = new(found.X, found.Y);
        }

        SimilarityTransform fit = SimilarityTransform.Fit(from, template);
        spin = new((float)fit.A, (float)fit.B);
        shift = new((float)fit.Tx, (float)fit.Ty);
    }

    /// <summary>Pixels a face unit takes.</summary>
    public float Scale => spin.Length();

    /// <summary>From face units to picture coordinates; <paramref name="lift"/> is extra height over the face's surface.</summary>
    public Vector2 Place(Vector2 face, float lift = 0)
    {
        Vector2 p = Turn(face, lift);
        return new Vector2((spin.X * p.X) - (spin.Y * p.Y), (spin.Y * p.X) + (spin.X * p.Y)) + shift;
    }

    /// <summary>The inverse of <see cref="Place"/> on the surface, by fixed-point iteration.</summary>
    public Vector2 Unplace(Vector2 picture)
    {
        Vector2 d = (picture - shift) / spin.LengthSquared();
        var target = new Vector2((spin.X * d.X) + (spin.Y * d.Y), (spin.X * d.Y) - (spin.Y * d.X));
        Vector2 at = target;
        for (int i = 0; i < 4; i++)
        {
            float z = Depth(at);
            at = new((target.X - (z * sinYaw)) / cosYaw, (target.Y + (((z * cosYaw) - (at.X * sinYaw)) * sinPitch)) / cosPitch);
        }

        return at;
    }

    /// <summary>A direction given in camera axes, in the axes of the turned head.</summary>
    public Vector3 ToHead(Vector3 direction)
    {
        float y = (direction.Y * cosPitch) + (direction.Z * sinPitch);
        float z1 = (direction.Z * cosPitch) - (direction.Y * sinPitch);
        return new((direction.X * cosYaw) - (z1 * sinYaw), y, (direction.X * sinYaw) + (z1 * cosYaw));
    }

    /// <summary>Distance of a point of the head from its centre, squared, where 1 is the outline.</summary>
    public float RadiusSquared(Vector2 face)
    {
        float x = face.X / (identity.Head.HalfWidth * 1.06f);
        float y = (face.Y - 0.1f) / 1.85f;
        return (x * x) + (y * y);
    }

    private float Depth(Vector2 face)
    {
        float x = face.X / 0.2f;
        float y = (face.Y - identity.Nose.TipY) / 0.28f;
        float nose = identity.Nose.Height * MathF.Exp(-(x * x) - (y * y));
        return Math.Max(identity.Head.Depth * (1 - RadiusSquared(face)), -0.5f) + nose;
    }

    private Vector2 Turn(Vector2 face, float lift)
    {
        float z = Depth(face) + lift;
        float x = (face.X * cosYaw) + (z * sinYaw);
        float z1 = (z * cosYaw) - (face.X * sinYaw);
        return new(x, (face.Y * cosPitch) - (z1 * sinPitch));
    }
}

/// <summary>What differs between two pictures of one synthetic person: pose, expression, light, camera, background.</summary>
internal sealed class SyntheticView
{
    public SyntheticView(ulong seed, int identity, int index)
    {
        var random = new SyntheticRandom(seed, 2, (ulong)identity, (ulong)index);
        Yaw = random.Bell(0, 0.2f);
        Pitch = random.Bell(0, 0.11f);
        for (int i = 0; i < Jitter.Length; i++)
        {
            Jitter[i] = new(random.Bell(0, 0.022f), random.Bell(0, 0.022f));
        }

        Smile = random.Bell(0.3f, 0.4f);
        MouthOpen = Math.Max(0, random.Between(-0.6f, 1f));
        EyesNarrow = random.Between(-0.15f, 0.35f);
        BrowRaise = random.Bell(0, 0.022f);
        Gaze = new(random.Bell(0, 0.025f), random.Bell(0, 0.012f));
        Light = Vector3.Normalize(new(random.Bell(0, 0.55f), random.Bell(-0.35f, 0.3f), 1f));
        Ambient = random.Between(0.35f, 0.7f);
        Gain = random.Bell(1.02f, 0.13f);
        Contrast = random.Bell(1f, 0.1f);
        float warmth = random.Bell(0, 0.05f);
        Balance = new(1 + warmth, 1 + random.Bell(0, 0.012f), 1 - warmth);
        Blur = Math.Max(0, random.Between(-0.5f, 1.1f));
        Noise = random.Between(1f, 5f);
        Seed = random.Next();
    }

    /// <summary>Turn to the side, radians; positive shows more of the face's left half in the image.</summary>
    public float Yaw { get; }

    /// <summary>Nod, radians; positive looks up.</summary>
    public float Pitch { get; }

    /// <summary>Errors of the imagined landmark detector at the five points, in face units.</summary>
    public Vector2[] Jitter { get; } = new Vector2[5];

    /// <summary>Corners of the mouth, from -1 (down) to 1.5 (up), about.</summary>
    public float Smile { get; }

    /// <summary>0 (closed) to 1.</summary>
    public float MouthOpen { get; }

    public float EyesNarrow { get; }
    public float BrowRaise { get; }

    /// <summary>Shift of the irises in face units.</summary>
    public Vector2 Gaze { get; }

    /// <summary>Unit vector to the light: x right, y down, z to the camera.</summary>
    public Vector3 Light { get; }

    /// <summary>Share of the light that has no direction.</summary>
    public float Ambient { get; }

    public float Gain { get; }
    public float Contrast { get; }

    /// <summary>Factors of the three channels, RGB.</summary>
    public Vector3 Balance { get; }

    /// <summary>Deviation of the blur in output pixels of a 112-pixel picture.</summary>
    public float Blur { get; }

    /// <summary>Deviation of the sensor noise in grey levels.</summary>
    public float Noise { get; }

    /// <summary>Seeds background, clothes and noise.</summary>
    public ulong Seed { get; }
}
