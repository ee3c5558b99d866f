namespace FaceDistill.Attack;

/// <summary>Cases that do not hold and stay so, each with its reason. Nothing else may fail.</summary>
internal static class Exceptions
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<(string Group, string Name, string Reason)> All { get; } =
    [
        ("onnx", "endless Loop", "whether a network ends cannot be told beforehand; a signal ends the process"),
    ];

    /// <summary>Why a case may fail; null where it may not.</summary>
    public static string? Reason(string group, string name) => All.FirstOrDefault(e => e.Group == group && e.Name == name).Reason;
}
