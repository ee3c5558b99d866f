using System.Text.Json;
using FaceDistill.Embeddings;
using FaceDistill.Files;

namespace FaceDistill.Runs;

/// <summary>
/// The student that is taken where the user names none: of those that were measured and kept, the one with the highest TAR at 1e-4. In a clone they lie in
/// eval/results, in the installed tool one lies beside the program.
/// </summary>
internal static class DefaultStudent
{
    /// <summary>The folder beside the installed program.</summary>
    public const string Packed = "student";

    private const string Far = "1e-4", OwnRow = "this file";

    /// <summary>The student's file.</summary>
    /// <exception cref="FaceDistillException">There is none.</exception>
    public static string Find() => Find(AppContext.BaseDirectory);

    /// <summary>The same, of a program in a folder.</summary>
    /// <param name="program">The program's folder.</param>
    internal static string Find(string program)
    {
        foreach (string folder in Folders(program).Where(Directory.Exists))
        {
            var best = Directory.EnumerateFiles(folder, "*" + ExportedModel.CardEnding, SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Select(card => (Model: card[..^ExportedModel.CardEnding.Length], Tar: Tar(card))).Where(s => s.Tar is not null && File.Exists(s.Model))
                .OrderByDescending(s => s.Tar).FirstOrDefault();
            if (best.Model is not null)
            {
                return best.Model;
            }
        }

        throw new FaceDistillException(
            $"no student is at hand: name one with --model: a run folder, a file that '{Hints.Command} export' wrote, or teacher:CARD");
    }

    private static IEnumerable<string> Folders(string program)
    {
        yield return Path.Combine(program, Packed);
        for (var folder = new DirectoryInfo(program); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FaceDistill.sln")))
            {
                yield return Path.Combine(folder.FullName, "eval", "results");
            }
        }
    }

    // What the card tells of the file itself, else of the student that it was made of, on people whom it was not trained on.
    private static double? Tar(string card)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(card));
            var rows = document.RootElement.GetProperty("accuracy").EnumerateArray().Where(row => !row.GetProperty("seen").GetBoolean())
                .Select(row => (Own: row.GetProperty("model").GetString() == OwnRow, Teacher: IsTeacher(document, row), Tar: At(row)))
                .Where(row => row.Tar is not null && !row.Teacher).ToList();
            return rows.OrderBy(row => row.Own ? 0 : 1).Select(row => row.Tar).FirstOrDefault();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read the model card {card}: {e.Message.Split('\n')[0]}; name a student with --model", e);
        }
    }

    private static bool IsTeacher(JsonDocument card, JsonElement row) =>
        row.GetProperty("model").GetString() == card.RootElement.GetProperty("teacher").GetProperty("name").GetString();

    private static double? At(JsonElement row) =>
        row.GetProperty("result").TryGetProperty("tarAtFar", out var tars) && tars.TryGetProperty(Far, out var tar) && tar.ValueKind == JsonValueKind.Number
            ? tar.GetDouble() : null;
}
