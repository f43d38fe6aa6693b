using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DomainSsl.Learning.Training;

/// <summary>Checks JSON against a record before it is read, so that a mistake is told by its path, with the nearest right name.</summary>
internal static class StrictJson
{
    /// <summary>Reads a record.</summary>
    /// <exception cref="LearningException">Not JSON, an unknown key, a wrong type, a missing value.</exception>
    public static T Read<T>(string json, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            Check(document.RootElement, typeof(T), "", what);
            return JsonSerializer.Deserialize<T>(json, Options) ?? throw new LearningException($"The {what} is empty.");
        }
        catch (JsonException e)
        {
            throw new LearningException($"The {what} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>As everywhere, but the name of an objective may stand anywhere in its object.</summary>
    public static JsonSerializerOptions Options { get; } = new(LearningJson.Indented) { AllowOutOfOrderMetadataProperties = true };

    private static void Check(JsonElement value, Type type, string path, string what)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        string Here() => path.Length == 0 ? $"the {what}" : $"'{path}'";
        if (type == typeof(string)) Expect(JsonValueKind.String, "text");
        else if (type == typeof(bool)) { if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw Wrong("true or false"); }
        else if (type == typeof(int) || type == typeof(long)) { if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out _)) throw Wrong("a whole number"); }
        else if (type == typeof(double)) Expect(JsonValueKind.Number, "a number");
        else if (typeof(IEnumerable).IsAssignableFrom(type))
        {
            Expect(JsonValueKind.Array, "a list in square brackets");
            var index = 0;
            foreach (var item in value.EnumerateArray()) Check(item, type.GetGenericArguments()[0], $"{path}[{index++}]", what);
        }
        else CheckObject(value, type, path, what, Here());

        void Expect(JsonValueKind kind, string name)
        {
            if (value.ValueKind != kind) throw Wrong(name);
        }

        LearningException Wrong(string name) => new($"In the {what}, {Here()} must be {name}, not {value.GetRawText()}.");
    }

    private static void CheckObject(JsonElement value, Type type, string path, string what, string here)
    {
        if (value.ValueKind != JsonValueKind.Object) throw new LearningException($"In the {what}, {here} must be an object in braces, not {value.GetRawText()}.");
        var names = new List<string>();
        if (type.GetCustomAttribute<JsonPolymorphicAttribute>() is { TypeDiscriminatorPropertyName: { } key })
        {
            var kinds = type.GetCustomAttributes<JsonDerivedTypeAttribute>().ToDictionary(k => (string)k.TypeDiscriminator!, k => k.DerivedType);
            if (!value.TryGetProperty(key, out var name) || name.ValueKind != JsonValueKind.String)
                throw new LearningException($"In the {what}, {here} needs a '{key}': {string.Join(" or ", kinds.Keys)}.");
            if (!kinds.TryGetValue(name.GetString()!, out var derived))
                throw new LearningException($"In the {what}, '{name.GetString()}' in {here} is unknown; did you mean '{Nearest(name.GetString()!, kinds.Keys)}'?");
            type = derived;
            names.Add(key);
        }
        var properties = type.GetProperties().Where(p => p.CanWrite && p.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .ToDictionary(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name));
        names.AddRange(properties.Keys);
        foreach (var property in value.EnumerateObject())
        {
            if (!names.Contains(property.Name))
                throw new LearningException($"In the {what}, '{property.Name}' in {here} is unknown; did you mean '{Nearest(property.Name, names)}'?");
            if (!properties.TryGetValue(property.Name, out var inner)) continue;
            if (property.Value.ValueKind == JsonValueKind.Null && new NullabilityInfoContext().Create(inner).WriteState == NullabilityState.Nullable) continue;
            Check(property.Value, inner.PropertyType, path.Length == 0 ? property.Name : $"{path}.{property.Name}", what);
        }
    }

    /// <summary>The name with the fewest letters to change (Levenshtein 1965).</summary>
    public static string Nearest(string name, IEnumerable<string> names) => names.MinBy(n => Distance(name.ToUpperInvariant(), n.ToUpperInvariant())) ?? "";

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var (diagonal, _) = (row[0], row[0] = i);
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }
}
