using FaceDistill.Distillation;

namespace FaceDistill.Pipeline;

/// <summary>What a table's rows are compared with: the same students trained by identities alone, without a teacher (ArcFace).</summary>
public sealed record Table14RecipeBaseline
{
    /// <summary>The rows that have one.</summary>
    public required IReadOnlyList<string> Students { get; init; }

    /// <summary>The training faces, in a sub-folder for each person: folders or data sets' names.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>Passes over these faces.</summary>
    public required int Epochs { get; init; }

    /// <summary>The loss; ArcFace alone. Default ArcFace with its own scale and margin.</summary>
    public LossOptions Loss { get; init; } = new() { Squared = 0, ArcFace = 1 };

    /// <summary>The options of the training without a teacher, otherwise as with it.</summary>
    /// <param name="options">A row's.</param>
    public DistillOptions OptionsOf(DistillOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { Epochs = Epochs, Loss = Loss, Init = null, Targets = TargetMode.Cached, MixUp = 0, Patience = 0 };
    }

    /// <summary>What is wrong with it; null where nothing is.</summary>
    /// <param name="options">The table's options.</param>
    /// <exception cref="FaceDistillException">An option is out of its range.</exception>
    internal string? Wrong(DistillOptions options)
    {
        string? wrong = Loss.IsDistilled ? "the baseline's loss looks at the teacher; give it \"squared\": 0 and no other loss than arcFace"
            : Data.Count == 0 || Data.Any(string.IsNullOrWhiteSpace) ? "the baseline needs training faces: baseline.data"
            : Students.Count == 0 ? "the baseline names no row: baseline.students"
            : null;
        OptionsOf(options).Validated();
        return wrong;
    }
}
