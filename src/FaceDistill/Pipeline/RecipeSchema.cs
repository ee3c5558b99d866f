using System.Text.Json.Schema;
using FaceDistill.Formats;

namespace FaceDistill.Pipeline;

/// <summary>The JSON schema of recipe files, made from the types that read them.</summary>
public static class RecipeSchema
{
    /// <summary>The schema of <see cref="Recipe"/> files, as eval/recipes/schema.json holds it.</summary>
    public static string Text() => TextOf(typeof(Recipe), "FaceDistill recipe");

    /// <summary>The schema of <see cref="Table14Recipe"/> files, as eval/recipes/table14.schema.json holds it.</summary>
    public static string Table14Text() => TextOf(typeof(Table14Recipe), "FaceDistill recipe of a table");

    private static string TextOf(Type recipe, string title)
    {
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true };
        var schema = JsonFile.Options.GetJsonSchemaAsNode(recipe, exporter).AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", title);
        return schema.ToJsonString(JsonFile.Options) + "\n";
    }
}
