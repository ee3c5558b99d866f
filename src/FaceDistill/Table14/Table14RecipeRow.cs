using System.Text.Json.Serialization;
using FaceDistill.Evaluation;
using FaceDistill.Files;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;

namespace FaceDistill.Table14;

/// <summary>A second test of a table.</summary>
internal sealed record Table14RecipeTest
{
    /// <summary>The faces, of people who train in no row: a folder or a data set's name.</summary>
    public required string Data { get; init; }

    /// <summary>Its protocol: all-pairs or lfw-view1-test. Default all-pairs.</summary>
    public string Protocol { get; init; } = Evaluator.AllPairs;
}

/// <summary>One student of a table.</summary>
internal sealed record Table14RecipeRow
{
    /// <summary>The end of the name of a row that does not begin with random weights.</summary>
    internal const string StartEnding = "-start";

    /// <summary>The student, for example mobilenet-v1:0.5@96.</summary>
    public required string Student { get; init; }

    /// <summary>Its passes over the faces; null for those of the options.</summary>
    public int? Epochs { get; init; }

    /// <summary>Its highest learning rate; null for that of the options.</summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// What it starts from, of the same or a greater width: a backbone's card, or an earlier row by its student, and where that stands there twice by its name
    /// (mobilenet-v1:1.0@128-start, mobilenet-v1:1.0@128-random), or an exported .onnx file with its card; null for random weights.
    /// </summary>
    public string? Init { get; init; }

    /// <summary>What its training was predicted to take before it began, minutes; null to measure a few steps of it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ExpectedMinutes { get; init; }

    /// <summary>Its seed; null for that of the options.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Seed { get; init; }

    /// <summary>How many seeds it is trained with, 1 to 100, from the first one up, each a row of its own; null for one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Seeds { get; init; }

    /// <summary>The row's name: the student, then "-start" where it does not begin with random weights, then "-seedN" where it has its own.</summary>
    [JsonIgnore]
    public string Name => Student + (Init is null ? "" : StartEnding) + (Seed is { } seed ? InvariantText.Of($"-seed{seed}") : "");

    /// <summary>A row's or a student's name without what all share: 0.5@96-start, shallow-0.5@96. Its run folder is called so.</summary>
    public static string Short(string name)
    {
        const string All = "mobilenet-v1";
        return name.StartsWith(All, StringComparison.Ordinal) ? name[(All.Length + 1)..].Replace(':', '-') : name;
    }
}

/// <summary>What a table's rows are compared with: the same students trained by identities alone, without a teacher (ArcFace).</summary>
internal sealed record Table14RecipeBaseline
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
        return options with
        {
            Student = options.Student with { Init = null },
            Loss = Loss,
            Run = options.Run with { Epochs = Epochs },
            Targets = options.Targets with { Mode = TargetMode.Cached, MixUp = 0 },
            HeldOut = options.HeldOut with { Patience = 0 },
        };
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
