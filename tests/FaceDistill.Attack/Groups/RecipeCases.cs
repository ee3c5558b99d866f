using System.Text.Json.Nodes;

namespace FaceDistill.Attack.Groups;

/// <summary>Recipes that are none, or whose values are out of their range: refused before any work, with the recipe's name.</summary>
internal static class RecipeCases
{
    private static readonly (string Name, string Text)[] Texts =
    [
        ("syntax error", "{\"options\": {\"student\": \"mobilenet-v1:0.25@64\",, }"), ("empty", ""), ("null", "null"), ("array", "[]"),
            ("binary", "\0\u0001\u0002\u007f"),
        ("unknown key", Recipe(r => r["evil"] = 1)), ("unknown option", Recipe(r => r["options"]!["evil"] = 1)),
        ("deep nesting", "{\"options\": " + new string('[', 100_000)), ("options missing", Recipe(r => r.Remove("options"))),
            ("options null", Recipe(r => r["options"] = null)),
        ("options list", Recipe(r => r["options"] = new JsonArray(1))),
        ("duplicate key", Recipe(_ => { }).Replace("\"options\"", "\"options\": {}, \"options\"", StringComparison.Ordinal)),
        ("duplicate option", Recipe(_ => { }).Replace("\"epochs\"", "\"epochs\": 5, \"epochs\"", StringComparison.Ordinal)),
        ("learningRate 1e999", Option("learningRate", "1e999")), ("learningRate NaN literal", Option("learningRate", "NaN")),
            ("weightDecay 1e308", Option("weightDecay", "1e308")),
        ("learningRate 1e30 (diverges)", Option("learningRate", "1e30")), ("teacher traversal", Recipe(r => r["teacher"] = "../../etc/passwd")),
        ("teacher number", Recipe(r => r["teacher"] = 5)), ("aligned evil", Recipe(r => r["aligned"] = "../../x")),
    ];

    // Names of what a line names besides the recipe: what is wrong is found only in another file, or in the run.
    private static readonly string[] Elsewhere = ["teacher traversal", "aligned evil", "learningRate 1e30 (diverges)", "weightDecay 1e308"];

    private static readonly (string Key, string Value)[] Options =
    [
        ("epochs", "-1"), ("epochs", "0"), ("epochs", "\"12\""), ("epochs", "1.5"), ("epochs", "2147483648"), ("epochs", "1000000000"), ("learningRate", "-1"),
        ("learningRate", "0"), ("learningRate", "\"x\""), ("learningRate", "null"), ("batchSize", "0"), ("batchSize", "-64"), ("batchSize", "1000000000"),
            ("student", "null"),
        ("student", "\"\""), ("student", "\"mobilenet-v1:0@96\""), ("student", "\"mobilenet-v1:-1@96\""), ("student", "\"mobilenet-v1:2@96\""),
        ("student", "\"mobilenet-v1:NaN@96\""), ("student", "\"mobilenet-v1:0.5@97\""), ("student", "\"mobilenet-v1:0.5@0\""),
            ("student", "\"mobilenet-v1:0.5@100000\""),
        ("student", "\"resnet\""), ("head", "\"x\""), ("head", "0"), ("optimizer", "\"adam\""), ("optimizer", "7"), ("ema", "1"), ("ema", "-0.1"),
            ("clip", "-1"),
        ("keep", "\"worst\""), ("keep", "3"), ("progressive", "0"), ("progressive", "2"), ("warmupEpochs", "-1"), ("mirror", "\"yes\""), ("validation", "1"),
        ("validation", "-0.1"), ("validation", "2"), ("seed", "1.5"), ("precision", "\"fp8\""), ("targets", "\"x\""), ("targets", "0"), ("views", "0"),
            ("views", "1000000000"),
        ("mixUp", "-1"), ("dimension", "0"), ("dimension", "5000"), ("patience", "-1"), ("minutes", "-1"), ("minutes", "0"), ("augment", "null"),
        ("augment", "{\"shift\": -1}"), ("augment", "{\"shift\": 1000000000.0}"), ("augment", "{\"evil\": 1}"), ("loss", "null"), ("loss", "{\"squared\": -1}"),
        ("loss", "{\"squared\": 0}"), ("loss", "{\"squared\": 1e+308, \"cosine\": 1e+308}"), ("device", "\"tpu\""), ("schedule", "\"steps\""),
            ("checkpointMinutes", "-1"),
        ("initChannels", "5"), ("validationPeople", "-1"),
    ];

    private static readonly (string Name, Func<string, string, string> Text)[] Tables =
    [
        ("syntax", (_, _) => "{\"rows\": ["),
        ("is a distill recipe", (_, _) => Recipe(_ => { })),
        ("rows empty", (card, data) => Table(card, data, t => t["rows"] = new JsonArray())),
        ("row unknown student", (card, data) => Table(card, data, t => t["rows"]![0]!["student"] = "mobilenet-v9:1@1")),
        ("row init cycle", (card, data) => Table(card, data, t => t["rows"]![0]!["init"] = "mobilenet-v1:0.25@64")),
        ("test name traversal", (card, data) => Table(card, data, t => t["test"] = "../../etc")),
        ("protocol evil", (card, data) => Table(card, data, t => t["protocols"] = new JsonArray("evil"))),
        ("rounds 0", (card, data) => Table(card, data, t => t["benchRounds"] = 0)),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Texts.Select((x, i) => new Case(x.Name, t => Refused(t, x.Text, Elsewhere.Contains(x.Name) ? null : "r.json"), Short: i is 0 or 5)),
        .. Options.Select((o, i) =>
            new Case($"{o.Key}={o.Value}", t => Refused(t, Option(o.Key, o.Value), o.Key == "dimension" && o.Value == "5000" ? null : "r.json"),
            Short: i is 0 or 26)),
        .. Tables.Select(x => new Case($"table14 recipe {x.Name}", t => t.Refused(
            t.Run("table14", "--recipe", t.Write("t.json", x.Text(t.Bases.Card, t.Bases.Few)), "--output", t["out"]),
                x.Name.StartsWith("test", StringComparison.Ordinal)
                ? null
                : "t.json",
            output: t["out"]))),
    ];

    /// <summary>A sound recipe of a table with one tiny row.</summary>
    public static string Table(string card, string data, Action<JsonObject>? change = null)
    {
        var table = new JsonObject
        {
            ["teacher"] = card, ["data"] = new JsonArray(data), ["test"] = data, ["protocols"] = new JsonArray("all-pairs"),
            ["options"] = new JsonObject { ["student"] = Bases.Student, ["epochs"] = 1, ["batchSize"] = 16, ["precision"] = "fp32", ["device"] = "cpu" },
            ["rows"] = new JsonArray(new JsonObject { ["student"] = Bases.Student }), ["benchRounds"] = 1, ["int8MinCosine"] = 0.1,
        };
        change?.Invoke(table);
        return table.ToJsonString();
    }

    // The teacher is given on the command line where the recipe names none: a card of the case's own.
    private static void Refused(Trial t, string text, string? names)
    {
        string[] teacher = text.Contains("\"teacher\"", StringComparison.Ordinal) ? [] : ["--teacher", t.Bases.Card];
        t.Refused(t.Run(["distill", "--recipe", t.Write("r.json", text), .. teacher, "--data", t.Bases.Few, "--output", t["out"]]), names, output: t["out"]);
    }

    private static string Recipe(Action<JsonObject> change)
    {
        var recipe = new JsonObject
        {
            ["options"] = new JsonObject { ["student"] = Bases.Student, ["epochs"] = 1, ["batchSize"] = 8, ["precision"] = "fp32", ["device"] = "cpu" },
        };
        change(recipe);
        return recipe.ToJsonString();
    }

    private static string Option(string key, string value) => Recipe(r => r["options"]![key] = "@value").Replace("\"@value\"", value, StringComparison.Ordinal);
}
