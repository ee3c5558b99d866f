namespace FaceDistill.Attack;

/// <summary>Cases that do not hold and stay so, each with its reason. Nothing else may fail.</summary>
internal static class Exceptions
{
    private const string OneDnn =
        "sometimes: where memory for its machine code is refused, libtorch's oneDNN throws out of a function that must not, and C++ ends the "
        + "process (dnnl::error: could not create a primitive) before .NET is asked; distill --resume goes on";

    /// <summary>The table.</summary>
    public static IReadOnlyList<(string Group, string Name, string Reason)> All { get; } =
    [
        ("onnx", "endless Loop", "whether a network ends cannot be told beforehand; a signal ends the process"),
        ("memory", "distill RLIMIT_DATA 700 MB", OneDnn),
        ("memory", "distill RLIMIT_DATA 400 MB", OneDnn),
    ];

    /// <summary>Why a case may fail; null where it may not.</summary>
    public static string? Reason(string group, string name) => All.FirstOrDefault(e => e.Group == group && e.Name == name).Reason;
}
