using System.Text.Json;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using FaceDistill.Files;
using FaceDistill.Training.Options;

namespace FaceDistill.Runs;

/// <summary>
/// A recipe file: everything that decides a run, in JSON. What a recipe leaves out has its default, an option on the command line overrides
/// it, and the run folder keeps the resolved one (recipe.json), from which the same run can be made again.
/// </summary>
public sealed record Recipe
{
    /// <summary>The name of the resolved recipe in a run folder.</summary>
    public const string FileName = "recipe.json";

    /// <summary>Where the schema is, for editors.</summary>
    [JsonPropertyName("$schema")]
    public string? Schema { get; init; }

    /// <summary>What the recipe is for, in a sentence.</summary>
    public string? About { get; init; }

    /// <summary>The command that uses it.</summary>
    public string? Command { get; init; }

    /// <summary>How long that takes, and was measured to take, in minutes.</summary>
    public double? ExpectedMinutes { get; init; }

    /// <summary>The teacher's card, a name or a .json file. Default dlib-resnet.</summary>
    public string Teacher { get; init; } = "dlib-resnet";

    /// <summary>The training faces: folders or data sets' names; none to be named on the command line.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>The template that the pictures are aligned to although no alignment.json tells so; null to go by alignment.json.</summary>
    public string? Aligned { get; init; }

    /// <summary>A list of pictures that never train (<see cref="FaceDistill.Datasets.ExclusionList"/>); null for none.</summary>
    public string? Exclude { get; init; }

    /// <summary>The student and how it is trained.</summary>
    public required DistillOptions Options { get; init; }

    /// <summary>Reads a recipe. Where it names SGD and no learning rate or weight decay, those are SGD's usual ones.</summary>
    /// <exception cref="FaceDistillException">The file is missing, or a key is unknown, of a wrong type or out of its range; the message names the
    /// key.</exception>
    public static Recipe Read(string path)
    {
        var recipe = JsonFile.Read<Recipe>(path);
        var options = WithUsual(recipe.Options, JsonFile.Read<JsonElement>(path).GetProperty("options"));
        try
        {
            return recipe with { Options = options.Validated() };
        }
        catch (FaceDistillException e)
        {
            throw new FaceDistillException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The options with the optimizer's usual learning rate and weight decay where the file names none.</summary>
    /// <param name="options">As read.</param>
    /// <param name="given">The file's options.</param>
    internal static DistillOptions WithUsual(DistillOptions options, JsonElement given) =>
        options.WithUsual(rate: !given.TryGetProperty("learningRate", out _), decay: !given.TryGetProperty("weightDecay", out _));

    /// <summary>Writes it into a run folder.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public void Write(string folder) => JsonFile.Write(Path.Combine(folder, FileName), this);
}

/// <summary>The JSON schema of recipe files, made from the types that read them.</summary>
internal static class RecipeSchema
{
    /// <summary>The schema of <see cref="Recipe"/> files, as eval/recipes/schema.json holds it.</summary>
    public static string Text() => TextOf(typeof(Recipe), "FaceDistill recipe");

    /// <summary>The schema of any type of recipe.</summary>
    /// <param name="recipe">The type that reads the files.</param>
    /// <param name="title">The schema's title.</param>
    public static string TextOf(Type recipe, string title)
    {
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true };
        var schema = JsonFile.Options.GetJsonSchemaAsNode(recipe, exporter).AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", title);
        return schema.ToJsonString(JsonFile.Options) + "\n";
    }
}
