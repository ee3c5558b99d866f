using System.Text.Json.Serialization;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;

namespace FaceDistill.Table14;

/// <summary>What is known of one test's people among a table's training faces.</summary>
/// <param name="Test">The test's name.</param>
/// <param name="Command">The command that makes the audit.</param>
internal sealed record Table14Audit(string Test, string Command)
{
    /// <summary>What was found; null where no audit was made.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AuditTest? Found { get; init; }

    /// <summary>By whose embeddings.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Teacher { get; init; }

    /// <summary>The name of the list of pictures, and how many are on it, those of other tests too.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? List { get; init; }

    /// <summary>See <see cref="List"/>.</summary>
    public int Listed { get; init; }

    /// <summary>Training data of the table that the audit did not look at.</summary>
    public IReadOnlyList<string> Unseen { get; init; } = [];

    /// <summary>The table's exclusion list, whose pictures the audit is to leave out as the training did; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Exclude { get; init; }

    /// <summary>Reads what lies in a table's folder: audit.json, or audit-NAME.json.</summary>
    /// <param name="recipe">The table's recipe.</param>
    /// <param name="output">The table's folder.</param>
    /// <param name="lines">The table's rows: an audit of other pictures than they were measured on is none.</param>
    /// <param name="finder">Finds the data.</param>
    /// <returns>An entry a test.</returns>
    /// <exception cref="FaceDistillException">A file is damaged, or data are missing.</exception>
    public static IEnumerable<Table14Audit> Of(Table14Recipe recipe, string output, IReadOnlyList<Table14Line> lines, AssetFinder finder)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var made = Directory.EnumerateFiles(output, "audit*.json").Order(StringComparer.Ordinal).Select(JsonFile.Read<AuditSummary>).ToList();
        string[] data = [.. recipe.Data.Select(d => DataFolder.Resolve(d, finder).Name).Distinct()];
        var tests = new List<(string Data, string Protocol, EvaluationResult? Measured)>
        {
            (recipe.Test, recipe.Protocols[0], lines is [var first, ..] ? first.Evaluations[0] : null),
        };
        if (recipe.SecondTest is { } second)
        {
            tests.Add((second.Data, second.Protocol, lines is [var any, ..] ? any.Second : null));
        }

        foreach (var (test, protocol, measured) in tests)
        {
            string name = Table14Test.NameOf(test), kind = protocol == Evaluator.LfwView1Test ? protocol : AuditTest.AllFaces;
            var (summary, found) = made.SelectMany(s => s.Tests.Select(t => (s, t))).FirstOrDefault(a => a.t.Test == name && a.t.Protocol == kind
                && (a.t.PhotosId is null || measured?.PhotosId is null || a.t.PhotosId == measured.PhotosId));
            string[] command = ["audit", "--data", .. recipe.Data, "--test", test, .. kind == AuditTest.AllFaces ? Array.Empty<string>() : ["--protocol", kind],
                .. recipe.Exclude is { } list ? ["--exclude", list] : Array.Empty<string>(), "--output", Path.Combine(output, $"audit-{name}.csv")];
            yield return new Table14Audit(name, Hints.Typed(command))
            {
                Found = found,
                Teacher = summary?.Teacher,
                List = summary is null ? null : Path.GetFileName(summary.List),
                Listed = summary?.Listed ?? 0,
                Unseen = found is null ? [] : [.. data.Except(found.Counts.Select(c => c.Data))],
                Exclude = recipe.Exclude is null ? null : Path.GetFileName(recipe.Exclude),
            };
        }
    }

    /// <summary>The outcome in a few sentences; where there is none, that, and how to make one.</summary>
    public string Words => Found is null
        ? $"Nobody looked whether the training faces show people of {Test}: no audit of its pictures lies in the table's folder. The same command as the "
            + $"table's, after this one, puts it here: {Command}"
        : $"{Found.Outcome()}. {char.ToUpperInvariant(Found.Words(Teacher!)[0])}{Found.Words(Teacher!)[1..]}"
            + (Found.Far is { } far ? InvariantText.Of($", measured for a false accept rate of {far:0e-0}") : "") + $". List: {List} ({Listed} pictures)"
            + (Unseen.Count == 0 ? "" : $". Not looked at: {string.Join(", ", Unseen)}")
            + (Exclude is null ? "" : $". The training left out the pictures of {Exclude} before this was counted: where that is the list "
                + "of such an audit, none is what remains, whoever is shared");
}
