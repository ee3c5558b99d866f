using System.Text.Json;
using FaceDistill.Assets;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Training.Starts;

/// <summary>On what terms a student was made that another one starts from: those of its teacher and its data, as far as its run folder tells them.</summary>
internal static class StartTerms
{
    // What a run keeps; the types that write them are of a later room.
    private const string RecipeFile = "recipe.json", InfoFile = "run.json";

    /// <summary>Its teacher and its data, without a licence where their cards are not at hand.</summary>
    /// <param name="checkpoint">The student; what is not beside it is not known.</param>
    public static (ModelCardSource Teacher, IReadOnlyList<ModelCardSource> Data) Of(StudentCheckpoint checkpoint)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(checkpoint.Path))!, teacher = checkpoint.Description.Teacher;
        string argument = Member(folder, RecipeFile, "teacher") is { ValueKind: JsonValueKind.String } named ? named.GetString()! : teacher;
        return (Known(teacher, () => ModelCardSource.OfTeacher(teacher, argument)),
            [.. Data(folder).Select(data => Known(data.Name, () => ModelCardSource.OfData(data.Name, AssetFinder.FromEnvironment(), data.Place)))]);
    }

    // As the user named them, with the folders that they were; where the run kept no recipe, these alone.
    private static (string Name, string? Place)[] Data(string folder)
    {
        string[] places = Member(folder, InfoFile, "trainedOn") is { ValueKind: JsonValueKind.Array } trained
            ? [.. trained.EnumerateArray().Select(d => d.ValueKind == JsonValueKind.Object && d.TryGetProperty("root", out var root) ? root.ToString() : "")]
            : [];
        string[] named = Member(folder, RecipeFile, "data") is { ValueKind: JsonValueKind.Array } list
            ? [.. list.EnumerateArray().Where(d => d.ValueKind == JsonValueKind.String).Select(d => d.GetString()!)] : [];
        named = named.Length > 0 ? named
            : Member(folder, InfoFile, "data") is { ValueKind: JsonValueKind.String } folders ? folders.GetString()!.Split(", ") : [];
        return [.. named.Select((name, i) => (name, places.Length == named.Length && places[i].Length > 0 ? places[i] : null))];
    }

    private static JsonElement? Member(string folder, string file, string key)
    {
        string path = Path.Combine(folder, file);
        try
        {
            return File.Exists(path) && JsonFile.Read<JsonElement>(path) is { ValueKind: JsonValueKind.Object } read && read.TryGetProperty(key, out var member)
                ? member : null;
        }
        catch (FaceDistillException)
        {
            return null;
        }
    }

    // A start is no worse for a card that was changed since; its terms are then not known.
    private static ModelCardSource Known(string name, Func<ModelCardSource> find)
    {
        try
        {
            return find();
        }
        catch (FaceDistillException)
        {
            return new ModelCardSource(name, null, null);
        }
    }
}
