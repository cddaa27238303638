using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Atrium.Core.Resources;

namespace Atrium.Server.Doors.Management.OpenApi;

/// <summary>
/// The schemas of what is answered, made of the records that it is written from: each record is a component of its own, closed, with every
/// field that is always written as a required one.
/// </summary>
internal sealed class ResourceSchemas
{
    private readonly SortedDictionary<string, JsonNode?> components = new(StringComparer.Ordinal);
    private readonly JsonSchemaExporterOptions options;

    public ResourceSchemas() => options = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };

    /// <summary>Everything that was referred to, by name.</summary>
    public JsonObject Components => new(components.Select(static one => KeyValuePair.Create(one.Key, one.Value?.DeepClone())));

    /// <summary>A reference to the record's schema.</summary>
    public JsonObject Reference(Type type)
    {
        string name = NameOf(type);

        // Taken before the record is looked into: it may hold itself.
        if (components.TryAdd(name, null))
            components[name] = InfoOf(type).GetJsonSchemaAsNode(options);
        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    /// <summary>
    /// What a caller sends means what it is shown as: where one of the two says nothing of a field, it says the same as the other.
    /// </summary>
    public void Explain(JsonObject body, Type type) => Explain(body, Reference(type));

    private void Explain(JsonNode body, JsonNode shown)
    {
        if ((body["items"] ?? body)["properties"] is not JsonObject sent || Resolve(shown) is not { } properties)
            return;
        foreach ((string name, JsonNode? field) in sent)
        {
            if (properties[name] is not JsonObject answered)
                continue;
            if (field!["description"] is null && answered["description"] is { } meant)
                field["description"] = meant.DeepClone();
            else if (answered["description"] is null && field["description"] is { } said)
                answered["description"] = said.DeepClone();
            Explain(field, answered);
        }
    }

    /// <summary>The properties of what a schema is or refers to, or of the items of a list.</summary>
    private JsonObject? Resolve(JsonNode schema)
    {
        JsonNode one = schema["items"] ?? schema;
        one = (one["anyOf"] as JsonArray)?.FirstOrDefault(static choice => choice!["$ref"] is not null) ?? one;
        return one["$ref"] is { } reference ? components[reference.GetValue<string>().Split('/')[^1]]?["properties"] as JsonObject : one["properties"] as JsonObject;
    }

    private static JsonTypeInfo InfoOf(Type type) =>
        ResourceJson.Default.GetTypeInfo(type) ?? ManagementJson.Default.GetTypeInfo(type)
            ?? throw new InvalidOperationException($"{type} is not in {nameof(ResourceJson)}: it can't be answered.");

    private static string NameOf(Type type) =>
        type == typeof(ManagementErrorBody) ? "Error"
        : type.Name.EndsWith("Resource", StringComparison.Ordinal) ? type.Name[..^"Resource".Length]
        : type.Name;

    private JsonNode Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        JsonObject schema = node as JsonObject ?? [];
        bool isNullable = schema["type"] is JsonArray;
        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object && schema["anyOf"] is null)
        {
            if (context.Path.IsEmpty)
                Close(context.TypeInfo, schema);
            else
                schema = Reference(context.TypeInfo.Type);
        }
        else if (schema["anyOf"] is not null)
        {
            schema.Remove("type");
        }
        else if (schema["enum"] is JsonArray words && schema["type"] is null)
        {
            schema.Insert(0, "type", words.Contains(null) ? new JsonArray("string", "null") : "string");
        }
        else if (context.TypeInfo.Type == typeof(JsonElement))
        {
            schema["type"] = "object";
        }

        if (isNullable && schema["$ref"] is not null)
            schema = new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        if (Description(context) is { } description)
            schema["description"] = description;
        return schema;
    }

    private static void Close(JsonTypeInfo type, JsonObject schema)
    {
        schema["required"] = new JsonArray(
            [.. type.Properties.Where(static property => property.Get is not null && property.ShouldSerialize is null).Select(static property => (JsonNode)property.Name)]);
        schema["additionalProperties"] = false;
    }

    /// <summary>Of a property, what is said there; of a record as a whole, what is said of it.</summary>
    private static string? Description(JsonSchemaExporterContext context) =>
        (context.Path.IsEmpty ? context.TypeInfo.Type : context.PropertyInfo?.AttributeProvider)
            ?.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false).OfType<DescriptionAttribute>().FirstOrDefault()?.Description;
}
