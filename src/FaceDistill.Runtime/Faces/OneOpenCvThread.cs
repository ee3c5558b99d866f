using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>
/// While one is held, OpenCV computes on the calling thread: the pictures are the parallel work. Its number of threads is the whole process's: the last one
/// that is let go of sets back what the first found.
/// </summary>
internal sealed class OneOpenCvThread : IDisposable
{
    private static readonly Lock s_gate = new();
    private static int s_held, s_found;
    private bool _released;

    private OneOpenCvThread()
    {
        OpenCvNative.EnsureLoaded();
        lock (s_gate)
        {
            if (s_held++ == 0)
            {
                s_found = Cv2.GetNumThreads();
                Cv2.SetNumThreads(1);
            }
        }
    }

    /// <summary>Holds OpenCV to one thread until it is disposed.</summary>
    public static OneOpenCvThread Hold() => new();

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (s_gate)
        {
            if (!_released && --s_held == 0)
            {
                Cv2.SetNumThreads(s_found);
            }

            _released = true;
        }
    }
}
