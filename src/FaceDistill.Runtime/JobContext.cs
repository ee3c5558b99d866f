namespace FaceDistill;

/// <summary>How far a long piece of work is; the receiver works out rate and time left.</summary>
/// <param name="Stage">What is being done, for example "aligning".</param>
/// <param name="Done">Units finished.</param>
/// <param name="Total">Units in all; 0 when unknown.</param>
/// <param name="Unit">What is counted, for example "images" or "bytes".</param>
/// <param name="Note">A short figure to show beside it, for example a loss.</param>
public readonly record struct WorkProgress(string Stage, long Done, long Total, string Unit, string? Note = null)
{
    /// <summary>Which part of the job this is, for example "2 of 4"; null for a job of one part.</summary>
    public string? Part { get; init; }

    /// <summary>How many seconds the parts after this one take at least, by what was measured here; null where nothing is known of them.</summary>
    public double? SecondsAfter { get; init; }
}

/// <summary>Whom a long piece of work tells what it does, and who stops it.</summary>
/// <param name="Say">Told in whole lines what a user should know; null for nobody.</param>
/// <param name="Progress">Told how far the work is; null for nobody.</param>
/// <param name="Cancel">Stops the work between two units; what is whole by then stays.</param>
public sealed record JobContext(Action<string>? Say = null, IProgress<WorkProgress>? Progress = null, CancellationToken Cancel = default)
{
    /// <summary>Nobody is told, and nobody stops it.</summary>
    public static JobContext None { get; } = new();

    // Of a job within another: how many of the other's parts come before, and how many there are in all.
    private (int Before, int Of)? Around { get; init; }

    /// <summary>The job for one of its parts: what is reported says which one it is.</summary>
    /// <param name="number">The part's number, from 1.</param>
    /// <param name="of">How many parts there are.</param>
    /// <param name="secondsAfter">How long the parts after it take at least; null where nothing was measured that tells.</param>
    public JobContext Part(int number, int of, double? secondsAfter = null)
    {
        (number, of) = Around is { } around ? (around.Before + number, around.Of) : (number, of);
        var progress = Progress is null ? null : new OfPart(Progress, FormattableString.Invariant($"{number} of {of}"), secondsAfter);
        return this with { Progress = progress, Around = null };
    }

    /// <summary>The job for another job, whose parts are some of this one's.</summary>
    /// <param name="before">How many parts come before the other job's.</param>
    /// <param name="of">How many parts there are in all.</param>
    public JobContext Within(int before, int of) => this with { Around = (before, of) };

    // A part of a part: "2 of 9, 3 of 4"; what is deeper is left out.
    private sealed class OfPart(IProgress<WorkProgress> told, string part, double? after) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => told.Report(value with
        {
            Part = value.Part is null ? part : $"{part}, {value.Part.Split(", ")[0]}",
            SecondsAfter = value.SecondsAfter is null && after is null ? null : (value.SecondsAfter ?? 0) + (after ?? 0),
        });
    }
}
