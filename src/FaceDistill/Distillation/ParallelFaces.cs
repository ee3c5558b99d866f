using OpenCvSharp;

namespace FaceDistill.Distillation;

/// <summary>Runs the faces of a batch on all cores.</summary>
internal static class ParallelFaces
{
    /// <summary>Runs.</summary>
    /// <param name="count">How many faces, or parts of a batch.</param>
    /// <param name="body">What is done for each.</param>
    /// <param name="stop">Stops between them.</param>
    /// <exception cref="AggregateException">One of them failed.</exception>
    public static void Run(int count, Action<int> body, CancellationToken stop)
    {
        Cv2.SetNumThreads(1); // the faces are the parallel work
        Parallel.For(0, count, new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = Environment.ProcessorCount }, body);
    }
}
