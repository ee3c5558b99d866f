using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using FaceDistill.Evaluation;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;

namespace FaceDistill.Table14;

/// <summary>
/// A table's recipe file: one teacher, one set of faces, one way of training, and the students that become its rows. What a recipe leaves
/// out has its default; the table's folder keeps the resolved one.
/// </summary>
internal sealed partial record Table14Recipe
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

    /// <summary>A second test of other people and other photos, which has a column of its own; null for none.</summary>
    public Table14RecipeTest? SecondTest { get; init; }

    /// <summary>How every row is trained; a row's own student, epochs, learning rate, seed and start stand in place of these.</summary>
    public required DistillOptions Options { get; init; }

    /// <summary>The students, in the order in which they are trained: a row may start from one before it. A student may stand there twice: from random
    /// weights and from a start.</summary>
    public required IReadOnlyList<Table14RecipeRow> Rows { get; init; }

    /// <summary>The training without a teacher that some rows are compared with; null for none.</summary>
    public Table14RecipeBaseline? Baseline { get; init; }

    /// <summary>How often each file has its turn when latencies are measured, 1 to 100,000. Default 25.</summary>
    public int BenchRounds { get; init; } = 25;

    /// <summary>
    /// The smallest cosine between an 8-bit embedding and the student's that is allowed of any face, above 0 and at most 1. Default null: the format's own.
    /// </summary>
    public double? Int8MinCosine { get; init; }

    private const string RandomEnding = "-random";
    private const int MostSeeds = 100;

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
    /// <param name="folderOf">The run folder of the row that it starts from.</param>
    /// <exception cref="FaceDistillException">It starts from no row before it.</exception>
    public DistillOptions OptionsOf(Table14RecipeRow row, Func<Table14RecipeRow, string> folderOf)
    {
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(folderOf);
        var options = Options.From(StartOf(row) is { } start ? folderOf(start) : row.Init);
        return options with
        {
            Student = options.Student with { Name = row.Student },
            Run = options.Run with { Epochs = row.Epochs ?? Options.Run.Epochs, Seed = row.Seed ?? Options.Run.Seed },
            Optimizer = options.Optimizer with { LearningRate = row.LearningRate ?? options.Optimizer.LearningRate },
        };
    }

    /// <summary>The row that a row starts from; null for random weights, a backbone and an exported student.</summary>
    /// <param name="row">A row of this recipe.</param>
    /// <exception cref="FaceDistillException">It names no row before it, or several.</exception>
    public Table14RecipeRow? StartOf(Table14RecipeRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Init is not { } init || BackboneCard.Is(init) || ExportedStudent.Is(init))
        {
            return null;
        }

        var found = Named(init, Rows.TakeWhile(r => r.Name != row.Name)).ToList();
        found = found.Exists(r => r.Seed is null) && !Pattern().Match(init).Groups["seed"].Success ? found.FindAll(r => r.Seed is null) : found;
        return found.Count switch
        {
            1 => found[0],
            0 => throw new FaceDistillException($"{row.Name} starts from {init}, which is no row before it, no backbone's card and no .onnx file"),
            _ => throw new FaceDistillException($"{row.Name} starts from {init}, and several rows before it are that student: name one of "
                + string.Join(", ", found.Select(r => r.Init is null ? $"{r.Student}{RandomEnding}{r.Name[r.Student.Length..]}" : r.Name))),
        };
    }

    /// <summary>Only some of the rows.</summary>
    /// <param name="names">Students, for all rows of each, or rows' names; none for all.</param>
    /// <exception cref="FaceDistillException">The recipe has no such row.</exception>
    public Table14Recipe Of(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        string? unknown = names.FirstOrDefault(n => !Named(n, Rows).Any());
        var wanted = names.SelectMany(n => Named(n, Rows)).Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        return unknown is not null
            ? throw new FaceDistillException($"the recipe has no row '{unknown}'; it has {string.Join(", ", Rows.Select(r => r.Name))}")
            : names.Count == 0 ? this
            : this with { Rows = [.. Rows.Where(r => wanted.Contains(r.Name))] };
    }

    /// <summary>Checks every value, and makes of a row with several seeds as many rows.</summary>
    /// <exception cref="FaceDistillException">One is out of its range; the message names it.</exception>
    public Table14Recipe Validated()
    {
        string? wrong = Rows.Count == 0 ? "a table has at least one row"
            : Data.Count == 0 || Data.Any(string.IsNullOrWhiteSpace) ? "a table needs training faces: data"
            : string.IsNullOrWhiteSpace(Test) ? "a table needs test faces: test"
            : SecondTest is { } second && string.IsNullOrWhiteSpace(second.Data) ? "the second test needs faces: secondTest.data"
            : new[] { Protocols.Count == 0 ? "" : Protocols[0], SecondTest?.Protocol ?? Evaluator.AllPairs }
                .Any(p => !Evaluator.AllPairsProtocols.Contains(p))
                ? $"the first protocol, and that of the second test, is {string.Join(" or ", Evaluator.AllPairsProtocols)}"
            : Protocols.FirstOrDefault(p => !Evaluator.Protocols.Contains(p)) is { } protocol
                ? $"no protocol '{protocol}'; there are {string.Join(", ", Evaluator.Protocols)}"
            : SecondTest is { } other && Table14Test.NameOf(other.Data) == Table14Test.NameOf(Test)
                ? $"both tests are called {Table14Test.NameOf(Test)}, and a table could not tell them apart; give one folder another name"
            : BenchRounds is < 1 or > 100_000 ? $"benchRounds are 1 to 100000, not {BenchRounds}"
            : Int8MinCosine is { } cosine && !(cosine is > 0 and <= 1) ? InvariantText.Of($"int8MinCosine is above 0 and at most 1, not {cosine}")
            : Options.Run.Minutes is not null ? "the rows of a table are given epochs, not minutes: leave options.minutes out"
            : Options.Student.Init is not null ? "a row of a table names its own start: leave options.init out"
            : Rows.FirstOrDefault(r => !(r.ExpectedMinutes is null or > 0)) is { } timed ? $"expectedMinutes are above 0 ({timed.Student})"
            : Rows.FirstOrDefault(r => r.Seeds is < 1 or > MostSeeds) is { } many ? $"seeds are 1 to {MostSeeds}, not {many.Seeds} ({many.Student})"
            : Baseline?.Students.FirstOrDefault(s => !Rows.Any(r => r.Student == s)) is { } foreign ? $"the baseline's {foreign} is not among the rows"
            : null;
        var recipe = wrong is null ? this with { Rows = [.. Rows.SelectMany(Expanded)] } : throw new FaceDistillException(wrong);
        wrong = recipe.Rows.GroupBy(r => (r.Student, Start: r.Init is not null, Seed: r.Seed ?? Options.Run.Seed))
            .FirstOrDefault(g => g.Count() > 1) is { } twice
            ? $"{twice.First().Name} stands twice among the rows{(twice.Key.Start ? "" : " from random weights")}" : null;
        foreach (var row in recipe.Rows.TakeWhile(_ => wrong is null))
        {
            wrong = recipe.Wrong(row);
            recipe.OptionsOf(row, start => start.Name).Validated();
        }

        wrong ??= Baseline?.Wrong(Options);
        return wrong is null ? recipe : throw new FaceDistillException(wrong);
    }

    private IEnumerable<Table14RecipeRow> Expanded(Table14RecipeRow row)
    {
        var one = row with { Student = StudentSpec.Parse(row.Student).ToString(), Seeds = null };
        long first = row.Seed ?? Options.Run.Seed;
        return Enumerable.Range(0, row.Seeds ?? 1).Select(i => i == 0 ? one : one with { Seed = first + i });
    }

    // A name is a student's, and may say which of its rows.
    private static IEnumerable<Table14RecipeRow> Named(string name, IEnumerable<Table14RecipeRow> rows)
    {
        var match = Pattern().Match(name);
        string start = match.Groups["start"].Value, seed = match.Groups["seed"].Value;
        return rows.Where(r => r.Student == match.Groups["student"].Value
            && (start.Length == 0 || start == (r.Init is null ? RandomEnding : Table14RecipeRow.StartEnding))
            && (seed.Length == 0 || seed == InvariantText.Of($"{r.Seed}")));
    }

    [GeneratedRegex("^(?<student>.*?)(?<start>-start|-random)?(-seed(?<seed>[0-9]+))?$")]
    private static partial Regex Pattern();

    private string? Wrong(Table14RecipeRow row)
    {
        if (row.Init is not { } init)
        {
            return null;
        }

        // A file is looked for when the row is made: a recipe is also read where its starts are not.
        var from = StartOf(row) is { } start ? StudentSpec.Parse(start.Student)
            : !ExportedStudent.Is(init) ? new StudentSpec(BackboneCard.Load(init).Card.Width, 224)
            : File.Exists(init) ? ExportedStudent.Read(init).Architecture.Spec : null;
        return from is not null && WeightTransfer.Misfit(from, row.Student) is { } wrong ? $"{row.Name} starts from {init}, which is {wrong}" : null;
    }
}
