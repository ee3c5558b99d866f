using FaceDistill.Students;

namespace FaceDistill.Distillation;

/// <summary>One step of what a student started from.</summary>
/// <param name="Name">A backbone card's name, or the student's, for example mobilenet-v1:1.0@96.</param>
/// <param name="Kind">"backbone" or "student".</param>
/// <param name="Licence">The terms of a backbone's weights; null for a student, whose run says them.</param>
/// <param name="Source">Where a backbone's weights come from, or the student's run folder or file as it was named.</param>
/// <param name="Research">Whether what starts from it is for research only.</param>
public sealed record StudentOrigin(string Name, string Kind, string? Licence, string Source, bool Research)
{
    /// <summary>The kind of a published backbone.</summary>
    public const string Backbone = "backbone";

    /// <summary>The kind of another run's student.</summary>
    public const string Student = "student";

    /// <summary>What a student without origins started from.</summary>
    public const string Random = "random weights";

    internal static StudentOrigin Of(BackboneCard card) => new(card.Name, Backbone, card.Licence, card.Source, card.Research);

    /// <summary>One line: what a student started from, and what that started from.</summary>
    /// <param name="origins">The nearest first; empty for random weights.</param>
    public static string Text(IReadOnlyList<StudentOrigin> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        return origins.Count == 0 ? Random : string.Join(", which started from ", origins.Select(
            o => o.Kind == Backbone ? $"the backbone {o.Name} ({o.Licence})" : $"the student {o.Name} of {o.Source}"));
    }

    /// <summary>The same without sources and terms, for a table's cell: "mobilenet-v1:1.0@96, faceres (research)".</summary>
    /// <param name="origins">The nearest first; empty for random weights.</param>
    public static string Short(IReadOnlyList<StudentOrigin> origins)
    {
        ArgumentNullException.ThrowIfNull(origins);
        return origins.Count == 0 ? Random : string.Join(" from ", origins.Select(o => o.Research ? $"{o.Name} (research)" : o.Name));
    }
}
