using System.Text;
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
        AllowDuplicateProperties = false, // which of two was meant?
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
            var value = JsonSerializer.Deserialize<T>(text, Options) ?? throw new FaceDistillException($"{origin} holds nothing");
            RequireWhole(text, origin, nulls: typeof(T) == typeof(JsonElement)); // another program's document
            return value;
        }
        catch (JsonException e)
        {
            throw new FaceDistillException(
                $"{origin} line {e.LineNumber + 1}: {UnknownKey(e, typeof(T)) ?? WrongValue(e, typeof(T)) ?? Key(e) + Syntax(e)}", e);
        }
    }

    // .NET makes an infinity of 1e999, and takes a null for any member of a list.
    private static void RequireWhole(string text, string origin, bool nulls)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        var lists = new Stack<bool>(); // of what is open, whether it is a list
        while (reader.Read())
        {
            bool inList = lists.TryPeek(out bool list) && list;
            string? wrong = reader.TokenType == JsonTokenType.Number && !double.IsFinite(reader.GetDouble())
                ? $"'{Encoding.UTF8.GetString(reader.ValueSpan)}' is too large a number"
                : reader.TokenType == JsonTokenType.Null && inList && !nulls ? "null stands in a list; take it out, or put a value there"
                : null;
            if (wrong is not null)
            {
                int line = bytes.AsSpan(0, (int)reader.TokenStartIndex).Count((byte)'\n') + 1;
                throw new FaceDistillException($"{origin} line {line}: {wrong}");
            }

            if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
            {
                lists.Push(reader.TokenType == JsonTokenType.StartArray);
            }
            else if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject)
            {
                lists.Pop();
            }
        }
    }

    // The key that is wrong, from a path such as $.options.epochs.
    private static string Key(JsonException e) => e.Path is { Length: > 2 } path ? $"'{path[2..]}': " : "";

    // 1,5 ends a number and begins a key.
    private static string Syntax(JsonException e)
    {
        string message = e.Message.Split(" Path:")[0].Split(" LineNumber:")[0];
        bool digit = message.StartsWith('\'') && char.IsAsciiDigit(message[1]);
        return message.TrimEnd(' ', '|') + (digit ? " A number has a point before decimals, and nothing between thousands." : "");
    }

    // Where the path leads to no member of its type: the members that there are, so that a slip of the pen is seen.
    private static string? UnknownKey(JsonException e, Type type)
    {
        if (e.Path is not { Length: > 2 } path || !e.Message.Contains("could not be mapped", StringComparison.Ordinal))
        {
            return null;
        }

        string[] steps = path[2..].Split('.');
        string[] known = [.. Options.GetTypeInfo(TypeAt(steps[..^1], type)).Properties.Where(p => p.Set is not null || p.AssociatedParameter is not null)
            .Select(p => p.Name)];
        return known.Length == 0 ? null : $"unknown key '{steps[^1]}'; known: {string.Join(", ", known)}{Hints.DidYouMean(steps[^1], known)}";
    }

    // What a value should have been, in words.
    private static string? WrongValue(JsonException e, Type type)
    {
        if (!e.Message.Contains("could not be converted", StringComparison.Ordinal))
        {
            return null;
        }

        type = e.Path is { Length: > 2 } path ? TypeAt(path[2..].Split('.'), type) : type;
        type = Nullable.GetUnderlyingType(type) ?? type;
        string? wanted = type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}, in quotes"
            : type == typeof(int) || type == typeof(long) ? "a whole number, without quotes"
            : type == typeof(double) || type == typeof(float) ? "a number, without quotes and with a point before decimals"
            : type == typeof(bool) ? "true or false, without quotes"
            : type == typeof(string) ? "a text in quotes"
            : Options.GetTypeInfo(type).Kind switch
            {
                JsonTypeInfoKind.Enumerable => "a list: [...]",
                JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => "an object: {...}",
                _ => null,
            };
        return wanted is null ? null : $"{Key(e)}expected {wanted}";
    }

    private static Type TypeAt(IEnumerable<string> steps, Type type)
    {
        foreach (string step in steps)
        {
            var member = Options.GetTypeInfo(type).Properties.FirstOrDefault(p => p.Name == step.Split('[')[0]);
            type = member is null ? typeof(object) : !step.Contains('[', StringComparison.Ordinal) ? member.PropertyType
                : Options.GetTypeInfo(member.PropertyType).ElementType ?? typeof(object);
        }

        return type;
    }

    /// <summary>Writes one document, whole or not at all.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write<T>(string path, T value) => AtomicFile.WriteText(path, Serialize(value) + "\n");

    /// <summary>The document as text.</summary>
    public static string Serialize<T>(T value) => JsonSerializer.Serialize(value, Options);
}

/// <summary>The members of this property's value stand in the file in place of the property: groups in the code, one list in the file.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class JsonFlattenedAttribute : Attribute;

/// <summary>The order of a type's members in its file, where the code has another.</summary>
/// <param name="names">All of them as the file has them, with spaces between.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class JsonMemberOrderAttribute(string names) : Attribute
{
    /// <summary>The names, in order.</summary>
    public IReadOnlyList<string> Names { get; } = names.Split(' ');
}

/// <summary>Makes the JSON contract of types that have <see cref="JsonFlattenedAttribute"/>.</summary>
internal static class JsonFlattening
{
    /// <summary>Puts groups' members in place of the groups; names are then read, written, refused and required as if they were the type's own.</summary>
    public static void Apply(JsonTypeInfo type)
    {
        var members = new List<JsonPropertyInfo>();
        foreach (var property in type.Properties)
        {
            members.AddRange(property.AttributeProvider?.IsDefined(typeof(JsonFlattenedAttribute), false) == true ? Members(type, property) : [property]);
        }

        if (type.Type.GetCustomAttributes(typeof(JsonMemberOrderAttribute), false) is [JsonMemberOrderAttribute order])
        {
            members = [.. order.Names.Select(name => members.Single(m => m.Name == name)), .. members.Where(m => !order.Names.Contains(m.Name))];
        }

        if (!members.SequenceEqual(type.Properties))
        {
            type.Properties.Clear();
            members.ForEach(type.Properties.Add);
        }
    }

    private static IEnumerable<JsonPropertyInfo> Members(JsonTypeInfo type, JsonPropertyInfo group)
    {
        var (get, set) = (group.Get!, group.Set!);
        var inner = new DefaultJsonTypeInfoResolver().GetTypeInfo(group.PropertyType, type.Options);
        object Existing(object owner)
        {
            if (get(owner) is not { } value)
            {
                set(owner, value = inner.CreateObject!()); // a required group, of an object that is being read
            }

            return value;
        }

        foreach (var member in inner.Properties)
        {
            var flat = type.CreateJsonPropertyInfo(member.PropertyType, member.Name);
            flat.AttributeProvider = member.AttributeProvider;
            flat.IsRequired = member.IsRequired;
            flat.IsGetNullable = member.IsGetNullable;
            flat.IsSetNullable = member.IsSetNullable;
            flat.Get = member.Get is { } read ? owner => read(get(owner)!) : null; // neither where it is ignored
            flat.Set = member.Set is { } write ? (owner, value) => write(Existing(owner), value) : null;
            flat.ShouldSerialize = member.ShouldSerialize is { } should ? (owner, value) => should(get(owner)!, value) : null;
            yield return flat;
        }
    }
}
