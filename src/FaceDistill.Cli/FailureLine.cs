using System.Runtime.InteropServices;

namespace FaceDistill.Cli;

/// <summary>The one line that a failure comes to.</summary>
public static class FailureLine
{
    /// <summary>The line: the message of what FaceDistill says itself, the machine's refusals in words, and "unexpected" for a fault of the program.</summary>
    public static string Of(Exception failure) => failure switch
    {
        FaceDistillException => failure.Message,
        _ when IsOutOfMemory(failure) => "out of memory: close other programs, raise the memory limit that this one runs under, or give it less at once "
            + "(distill: a lower --batch-size, or a smaller student)",
        IOException or UnauthorizedAccessException => $"the system refuses: {FirstLine(failure)}",
        _ => $"unexpected {failure.GetType().Name}: {FirstLine(failure)} (run again with --verbose for the details)",
    };

    // .NET's own exception, or what native libraries say: glibc's loader, libtorch's allocator, C++'s operator new (OpenCV, ONNX Runtime).
    private static bool IsOutOfMemory(Exception? failure)
    {
        string[] words = ["cannot allocate memory", "can't allocate memory", "failed to map segment", "not enough memory", "insufficient memory", "bad_alloc"];
        for (; failure is not null; failure = failure.InnerException)
        {
            bool native = failure is ExternalException or DllNotFoundException or TypeInitializationException or IOException or FaceDistillException;
            if (failure is OutOfMemoryException or InsufficientMemoryException
                || (native && words.Any(w => failure.Message.Contains(w, StringComparison.OrdinalIgnoreCase))))
            {
                return true;
            }
        }

        return false;
    }

    private static string FirstLine(Exception failure) => failure.Message.Split('\n')[0];
}
