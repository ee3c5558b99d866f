namespace FaceDistill;

/// <summary>How far a long piece of work is; the receiver works out rate and time left.</summary>
/// <param name="Stage">What is being done, for example "aligning".</param>
/// <param name="Done">Units finished.</param>
/// <param name="Total">Units in all; 0 when unknown.</param>
/// <param name="Unit">What is counted, for example "images" or "bytes".</param>
/// <param name="Note">A short figure to show beside it, for example a loss.</param>
public readonly record struct WorkProgress(string Stage, long Done, long Total, string Unit, string? Note = null);

/// <summary>Whom a long piece of work tells what it does, and who stops it.</summary>
/// <param name="Say">Told in whole lines what a user should know; null for nobody.</param>
/// <param name="Progress">Told how far the work is; null for nobody.</param>
/// <param name="Cancel">Stops the work between two units; what is whole by then stays.</param>
public sealed record JobContext(Action<string>? Say = null, IProgress<WorkProgress>? Progress = null, CancellationToken Cancel = default)
{
    /// <summary>Nobody is told, and nobody stops it.</summary>
    public static JobContext None { get; } = new();
}
