using OpenCvSharp;

namespace FaceDistill.Tests.Datasets;

/// <summary>Drawn picture files for tests that need files, not faces.</summary>
internal static class Pictures
{
    /// <summary>Writes random pixels, lossless where the ending says so; makes the folder.</summary>
    public static string Noise(string path, int width, int height, int seed = 1)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var picture = new Mat(height, width, MatType.CV_8UC3);
        var pixels = new byte[height * width * 3];
        new Random(seed).NextBytes(pixels);
        System.Runtime.InteropServices.Marshal.Copy(pixels, 0, picture.Data, pixels.Length);
        Assert.True(Cv2.ImWrite(path, picture));
        return path;
    }

    /// <summary>A folder of square pictures p0/0.png, p0/1.png, p1/0.png, ...</summary>
    public static void Fill(string folder, int people, int each, int side)
    {
        for (int i = 0; i < people * each; i++)
        {
            Noise(Path.Combine(folder, $"p{i / each}", $"{i % each}.png"), side, side, i);
        }
    }
}
