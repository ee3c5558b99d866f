namespace FaceDistill;

/// <summary>
/// An error whose message is one clear line for the person at the command line: it names the file, the row
/// where there is one, and the remedy. The command line prints the message and exits with 1.
/// </summary>
public sealed class FaceDistillException : Exception
{
    /// <summary>Makes the error from its one line.</summary>
    public FaceDistillException(string message) : base(message) { }

    /// <summary>Makes the error from its one line and the cause, which only <c>--verbose</c> shows.</summary>
    public FaceDistillException(string message, Exception cause) : base(message, cause) { }
}
