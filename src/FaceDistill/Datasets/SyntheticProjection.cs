using System.Numerics;
using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Datasets;

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
