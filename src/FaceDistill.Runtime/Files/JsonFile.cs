using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace FaceDistill.Files;

/// <summary>Reads and writes the project's JSON files: camel case, indented, comments allowed, unknown keys refused.</summary>
internal static class JsonFile
{
    /// <summary>The one set of JSON rules.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { JsonFlattening.Apply } },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Reads one document.</summary>
    /// <exception cref="FaceDistillException">The file is missing, unreadable or does not fit; the message names file and line.</exception>
    public static T Read<T>(string path)
    {
        try
        {
            return Parse<T>(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }
    }

    /// <summary>Reads one document that is already text, for example an embedded card.</summary>
    /// <param name="text">The JSON text.</param>
    /// <param name="origin">Where it is from, for the error message.</param>
    /// <exception cref="FaceDistillException">The text does not fit; the message names origin and line.</exception>
    public static T Parse<T>(string text, string origin)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(text, Options) ?? throw new FaceDistillException($"{origin} holds nothing");
        }
        catch (JsonException e)
        {
            throw new FaceDistillException($"{origin} line {e.LineNumber + 1}: {Key(e)}{e.Message.Split(" Path:")[0]}", e);
        }
    }

    // The key that is wrong, from a path such as $.options.epochs.
    private static string Key(JsonException e) => e.Path is { Length: > 2 } path ? $"'{path[2..]}': " : "";

    /// <summary>Writes one document, whole or not at all.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write<T>(string path, T value) => AtomicFile.WriteText(path, Serialize(value) + "\n");

    /// <summary>The document as text.</summary>
    public static string Serialize<T>(T value) => JsonSerializer.Serialize(value, Options);
}
