namespace FaceDistill;

/// <summary>How far a long piece of work is; the receiver works out rate and time left.</summary>
/// <param name="Stage">What is being done, for example "aligning".</param>
/// <param name="Done">Units finished.</param>
/// <param name="Total">Units in all; 0 when unknown.</param>
/// <param name="Unit">What is counted, for example "images" or "bytes".</param>
/// <param name="Note">A short figure to show beside it, for example a loss.</param>
public readonly record struct WorkProgress(string Stage, long Done, long Total, string Unit, string? Note = null);
