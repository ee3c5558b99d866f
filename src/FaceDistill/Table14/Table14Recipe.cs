using System.Text.Json;
using System.Text.Json.Serialization;
using FaceDistill.Evaluation;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;

namespace FaceDistill.Table14;

/// <summary>
/// A table's recipe file: one teacher, one set of faces, one way of training, and the students that become its rows. What a recipe leaves
/// out has its default; the table's folder keeps the resolved one.
/// </summary>
internal sealed record Table14Recipe
{
    /// <summary>Where the schema is, for editors.</summary>
    [JsonPropertyName("$schema")]
    public string? Schema { get; init; }

    /// <summary>What the recipe is for, in a sentence.</summary>
    public string? About { get; init; }

    /// <summary>The command that uses it.</summary>
    public string? Command { get; init; }

    /// <summary>How long the training of all rows takes, and was measured to take, in minutes.</summary>
    public double? ExpectedMinutes { get; init; }

    /// <summary>The teacher's card, a name or a .json file. Default dlib-resnet.</summary>
    public string Teacher { get; init; } = "dlib-resnet";

    /// <summary>The training faces: folders or data sets' names.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>A list of pictures that never train, in any row (<see cref="FaceDistill.Datasets.ExclusionList"/>); null for none.</summary>
    public string? Exclude { get; init; }

    /// <summary>The test faces, of other people: a folder or a data set's name.</summary>
    public required string Test { get; init; }

    /// <summary>The protocols; the first gives the table's accuracy at 1e-4 and is all-pairs or lfw-view1-test. Default lfw-view1-test and
    /// lfw-10fold.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [Evaluator.LfwView1Test, Evaluator.LfwTenFold];

    /// <summary>How every row is trained; a row's own student, epochs, learning rate and start stand in place of these.</summary>
    public required DistillOptions Options { get; init; }

    /// <summary>The students, in the order in which they are trained: a row may start from one before it.</summary>
    public required IReadOnlyList<Table14RecipeRow> Rows { get; init; }

    /// <summary>The training without a teacher that some rows are compared with; null for none.</summary>
    public Table14RecipeBaseline? Baseline { get; init; }

    /// <summary>How often each file has its turn when latencies are measured, 1 to 100,000. Default 25.</summary>
    public int BenchRounds { get; init; } = 25;

    /// <summary>
    /// The smallest cosine between an 8-bit embedding and the student's that is allowed of any face, above 0 and at most 1. Default null: the format's own.
    /// </summary>
    public double? Int8MinCosine { get; init; }

    /// <summary>The schema of these files, as eval/recipes/table14.schema.json holds it.</summary>
    public static string SchemaText() => RecipeSchema.TextOf(typeof(Table14Recipe), "FaceDistill recipe of a table");

    /// <summary>Reads a recipe. Where it names SGD and no learning rate or weight decay, those are SGD's usual ones.</summary>
    /// <exception cref="FaceDistillException">The file is missing, or a key is unknown, of a wrong type or out of its range; the message names it.</exception>
    public static Table14Recipe Read(string path)
    {
        try
        {
            var recipe = JsonFile.Read<Table14Recipe>(path);
            return (recipe with { Options = Recipe.WithUsual(recipe.Options, JsonFile.Read<JsonElement>(path).GetProperty("options")) }).Validated();
        }
        catch (FaceDistillException e) when (!e.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new FaceDistillException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The options that a row is trained with.</summary>
    /// <param name="row">A row of this recipe.</param>
    /// <param name="folderOf">The run folder of the student that it starts from.</param>
    public DistillOptions OptionsOf(Table14RecipeRow row, Func<string, string> folderOf)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(folderOf);
        var options = Options.From(row.Init is null || BackboneCard.Is(row.Init) ? row.Init : folderOf(row.Init));
        return options with
        {
            Student = options.Student with { Name = row.Student },
            Run = options.Run with { Epochs = row.Epochs ?? Options.Run.Epochs },
            Optimizer = options.Optimizer with { LearningRate = row.LearningRate ?? options.Optimizer.LearningRate },
        };
    }

    /// <summary>Only some of the rows.</summary>
    /// <param name="students">Their students; none for all.</param>
    /// <exception cref="FaceDistillException">The recipe has no such row.</exception>
    public Table14Recipe Of(IReadOnlyList<string> students)
    {
        ArgumentNullException.ThrowIfNull(students);
        string? unknown = students.FirstOrDefault(s => !Rows.Any(r => r.Student == s));
        return unknown is not null
            ? throw new FaceDistillException($"the recipe has no row '{unknown}'; it has {string.Join(", ", Rows.Select(r => r.Student))}")
            : students.Count == 0 ? this
            : this with { Rows = [.. Rows.Where(r => students.Contains(r.Student))] };
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="FaceDistillException">One is out of its range; the message names it.</exception>
    public Table14Recipe Validated()
    {
        string? wrong = Rows.Count == 0 || Rows.Any(r => r is null) ? "a table has at least one row, and no empty one"
            : Data.Count == 0 || Data.Any(string.IsNullOrWhiteSpace) ? "a table needs training faces: data"
            : string.IsNullOrWhiteSpace(Test) ? "a table needs test faces: test"
            : Protocols.Count == 0 || !Evaluator.AllPairsProtocols.Contains(Protocols[0])
                ? $"the first protocol is {string.Join(" or ", Evaluator.AllPairsProtocols)}"
            : Protocols.FirstOrDefault(p => !Evaluator.Protocols.Contains(p)) is { } protocol
                ? $"no protocol '{protocol}'; there are {string.Join(", ", Evaluator.Protocols)}"
            : BenchRounds is < 1 or > 100_000 ? $"benchRounds are 1 to 100000, not {BenchRounds}"
            : Int8MinCosine is { } cosine && !(cosine is > 0 and <= 1) ? InvariantText.Of($"int8MinCosine is above 0 and at most 1, not {cosine}")
            : Options.Run.Minutes is not null ? "the rows of a table are given epochs, not minutes: leave options.minutes out"
            : Options.Student.Init is not null ? "a row of a table names its own start: leave options.init out"
            : Rows.GroupBy(r => r.Student).FirstOrDefault(g => g.Count() > 1)?.Key is { } twice ? $"{twice} stands twice among the rows"
            : Baseline?.Students.FirstOrDefault(s => !Rows.Any(r => r.Student == s)) is { } foreign ? $"the baseline's {foreign} is not among the rows"
            : null;
        for (int i = 0; i < Rows.Count && wrong is null; i++)
        {
            wrong = Wrong(Rows[i], Rows.Take(i));
            OptionsOf(Rows[i], name => name).Validated();
        }

        wrong ??= Baseline?.Wrong(Options);
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }

    private static string? Wrong(Table14RecipeRow row, IEnumerable<Table14RecipeRow> before)
    {
        StudentSpec.Parse(row.Student);
        bool backbone = row.Init is not null && BackboneCard.Is(row.Init);
        return row.Init is null ? null
            : !backbone && !before.Any(r => r.Student == row.Init)
                ? $"{row.Student} starts from {row.Init}, which is no row before it and no backbone's card"
            : WeightTransfer.Misfit(backbone ? new StudentSpec(BackboneCard.Load(row.Init).Card.Width, 224) : StudentSpec.Parse(row.Init), row.Student)
                is { } wrong ? $"{row.Student} starts from {row.Init}, which is {wrong}"
            : null;
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

/// <summary>One student of a table.</summary>
internal sealed record Table14RecipeRow
{
    /// <summary>The student, for example mobilenet-v1:0.5@96.</summary>
    public required string Student { get; init; }

    /// <summary>Its passes over the faces; null for those of the options.</summary>
    public int? Epochs { get; init; }

    /// <summary>Its highest learning rate; null for that of the options.</summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// The student of an earlier row, or a backbone's card, of the same or a greater width, whose weights it starts with; null for random weights.
    /// </summary>
    public string? Init { get; init; }
}
