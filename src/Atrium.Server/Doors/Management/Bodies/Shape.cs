using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>The fields that a body, or an object in one, may have, and no others: a typing error never passes silently.</summary>
public sealed class Shape(params IReadOnlyList<Field> fields)
{
    /// <summary>Of a request that says everything by its path.</summary>
    public static readonly Shape Empty = new();

    private readonly Dictionary<string, Field> byName = fields.ToDictionary(static field => field.Name, StringComparer.Ordinal);

    public IReadOnlyList<Field> Fields => fields;

    /// <summary>What sets it apart, where a route takes one of several.</summary>
    public string? Title { get; init; }

    /// <summary>The field that says by this shape's <see cref="Title"/> that the body is of this one.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>Whether the body says that it is of this shape.</summary>
    public bool Claims(JsonElement json) =>
        DecidedBy is null || (json.TryGetProperty(DecidedBy, out JsonElement word) && word.ValueKind == JsonValueKind.String && word.ValueEquals(Title));

    /// <summary>Reads an object; what is wrong in it is noted, all of it at once.</summary>
    public Body Read(JsonElement json, string place, ICollection<Problem> problems)
    {
        RefuseUnknown(json, place, problems);
        Dictionary<Field, object?> values = [];
        foreach (Field field in fields)
        {
            string at = $"{place}/{JsonPointer.Escape(field.Name)}";
            if (json.TryGetProperty(field.Name, out JsonElement value) && value.ValueKind != JsonValueKind.Null)
                values[field] = field.ReadValue(value, at, problems);
            else if (field.IsRequired)
                problems.Add(new Problem(at, $"{at} is missing."));
        }

        return new Body(this, values);
    }

    /// <summary>
    /// Reads what is there with a patch laid over it (RFC 7396): a field of the patch replaces, null removes, objects are merged.
    /// </summary>
    /// <param name="current">The thing as it is shown; what is not of this shape in it is left out.</param>
    public Body ReadPatched(JsonElement current, JsonElement patch, ICollection<Problem> problems)
    {
        RefuseUnknown(patch, "", problems);
        JsonObject merged = [];
        foreach (Field field in fields)
        {
            JsonNode? kept = current.TryGetProperty(field.Name, out JsonElement old) ? JsonSerializer.SerializeToNode(old, PatchJson.Default.JsonElement) : null;
            merged[field.Name] = patch.TryGetProperty(field.Name, out JsonElement laid) ? Merge(kept, laid) : kept;
        }

        return Read(JsonSerializer.SerializeToElement(merged, PatchJson.Default.JsonObject), "", problems);
    }

    /// <summary>As JSON Schema 2020-12.</summary>
    public JsonObject Schema()
    {
        JsonObject properties = [];
        foreach (Field field in fields)
            properties[field.Name] = field.Schema();
        string[] required = [.. fields.Where(static field => field.IsRequired).Select(static field => field.Name)];
        if (DecidedBy is not null)
        {
            properties.Insert(0, DecidedBy, new JsonObject { ["type"] = "string", ["const"] = Title });
            required = [DecidedBy, .. required];
        }

        JsonObject schema = new() { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (Title is not null)
            schema["title"] = Title;
        if (required.Length > 0)
            schema["required"] = new JsonArray([.. required.Select(static name => (JsonNode)name)]);
        return schema;
    }

    private void RefuseUnknown(JsonElement json, string place, ICollection<Problem> problems)
    {
        foreach (JsonProperty property in json.EnumerateObject().Where(property => !byName.ContainsKey(property.Name) && property.Name != DecidedBy))
        {
            string at = $"{place}/{JsonPointer.Escape(property.Name)}";
            problems.Add(new Problem(at, $"{at} is not a field that can be set here. The fields are {string.Join(", ", byName.Keys)}."));
        }
    }

    /// <summary>RFC 7396 section 2.</summary>
    private static JsonNode? Merge(JsonNode? target, JsonElement patch)
    {
        if (patch.ValueKind != JsonValueKind.Object)
            return JsonSerializer.SerializeToNode(patch, PatchJson.Default.JsonElement);
        JsonObject merged = target is JsonObject old ? (JsonObject)old.DeepClone() : [];
        foreach (JsonProperty property in patch.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null)
                merged.Remove(property.Name);
            else
                merged[property.Name] = Merge(merged[property.Name], property.Value);
        }

        return merged;
    }
}

/// <summary>A body that was read. What is missing or null in it has no value.</summary>
public sealed class Body(Shape shape, IReadOnlyDictionary<Field, object?> values)
{
    /// <summary>What it was read as.</summary>
    public Shape Shape => shape;

    public T? Of<T>(Field<T> field) => values.TryGetValue(field, out object? value) && value is T typed ? typed : default;

    public bool Has(Field field) => values.ContainsKey(field);
}
