using System.Text.Json.Serialization.Metadata;

namespace FaceDistill.Files;

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
