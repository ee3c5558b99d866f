using System.Numerics;

namespace FaceDistill.Datasets;

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
