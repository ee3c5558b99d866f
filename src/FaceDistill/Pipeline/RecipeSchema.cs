using System.Text.Json.Schema;
using FaceDistill.Formats;

namespace FaceDistill.Pipeline;

/// <summary>The JSON schema of recipe files, made from the types that read them; it is kept as eval/recipes/schema.json.</summary>
public static class RecipeSchema
{
    /// <summary>The schema's text, as the file holds it.</summary>
    public static string Text()
    {
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true };
        var schema = JsonFile.Options.GetJsonSchemaAsNode(typeof(Recipe), exporter).AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "FaceDistill recipe");
        return schema.ToJsonString(JsonFile.Options) + "\n";
    }
}
