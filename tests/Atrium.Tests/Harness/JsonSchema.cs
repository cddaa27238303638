using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Atrium.Tests.Harness;

/// <summary>
/// Checks values against the schemas of an OpenAPI 3.1 document: the part of JSON Schema 2020-12 that the document uses. A keyword that it does
/// not know is a failure, so that nothing is passed over in silence.
/// </summary>
internal sealed class JsonSchema(JsonElement document)
{
    /// <summary>They say nothing about what is valid.</summary>
    private static readonly string[] Annotations =
        ["title", "description", "examples", "default", "format", "deprecated", "readOnly", "writeOnly", "discriminator", "contentMediaType"];

    /// <summary>What is wrong with the value, each matter with its place.</summary>
    public IReadOnlyList<string> Problems(JsonElement schema, JsonElement value)
    {
        List<string> problems = [];
        Check(schema, value, "", problems);
        return problems;
    }

    /// <summary>What the schema says where it refers to another place of the document.</summary>
    public JsonElement Resolve(JsonElement schema)
    {
        while (schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("$ref", out JsonElement reference))
        {
            schema = document;
            foreach (string part in reference.GetString()!.Split('/')[1..])
                schema = schema.GetProperty(part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
        }

        return schema;
    }

    private void Check(JsonElement schema, JsonElement value, string at, List<string> problems)
    {
        schema = Resolve(schema);
        if (schema.ValueKind == JsonValueKind.True)
            return;
        if (schema.ValueKind == JsonValueKind.False)
        {
            problems.Add($"{at}: nothing may be here");
            return;
        }

        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            JsonElement asked = keyword.Value;
            bool holds = keyword.Name switch
            {
                "type" => asked.ValueKind == JsonValueKind.Array ? asked.EnumerateArray().Any(one => IsOf(one.GetString()!, value)) : IsOf(asked.GetString()!, value),
                "enum" => asked.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)),
                "const" => JsonElement.DeepEquals(asked, value),
                "minLength" => value.ValueKind != JsonValueKind.String || LengthOf(value) >= asked.GetInt32(),
                "maxLength" => value.ValueKind != JsonValueKind.String || LengthOf(value) <= asked.GetInt32(),
                "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, asked.GetString()!, RegexOptions.ECMAScript),
                "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() >= asked.GetDecimal(),
                "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() <= asked.GetDecimal(),
                "minItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() >= asked.GetInt32(),
                "maxItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() <= asked.GetInt32(),
                "maxProperties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Count() <= asked.GetInt32(),
                "uniqueItems" => value.ValueKind != JsonValueKind.Array || !asked.GetBoolean()
                    || value.EnumerateArray().Select(static one => one.GetRawText()).Distinct().Count() == value.GetArrayLength(),
                "required" => value.ValueKind != JsonValueKind.Object || asked.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
                "anyOf" => asked.EnumerateArray().Any(one => Holds(one, value)),
                "oneOf" => asked.EnumerateArray().Count(one => Holds(one, value)) == 1,
                "allOf" or "items" or "properties" or "additionalProperties" or "propertyNames" => Descend(keyword.Name, schema, value, at, problems),
                _ when Annotations.Contains(keyword.Name) => true,
                _ => throw new NotSupportedException($"The document uses the keyword {keyword.Name}, which these tests don't know."),
            };
            if (!holds)
                problems.Add($"{(at.Length == 0 ? "/" : at)}: {Short(value)} is against {keyword.Name} {Short(asked)}");
        }
    }

    /// <summary>What is inside says itself what is wrong with it.</summary>
    private bool Descend(string keyword, JsonElement schema, JsonElement value, string at, List<string> problems)
    {
        JsonElement asked = schema.GetProperty(keyword);
        switch (keyword, value.ValueKind)
        {
            case ("allOf", _):
                foreach (JsonElement one in asked.EnumerateArray())
                    Check(one, value, at, problems);
                break;
            case ("items", JsonValueKind.Array):
                foreach ((int index, JsonElement item) in value.EnumerateArray().Index())
                    Check(asked, item, $"{at}/{index.ToString(CultureInfo.InvariantCulture)}", problems);
                break;
            case ("properties", JsonValueKind.Object):
                foreach (JsonProperty property in asked.EnumerateObject())
                {
                    if (value.TryGetProperty(property.Name, out JsonElement inside))
                        Check(property.Value, inside, $"{at}/{property.Name}", problems);
                }

                break;
            case ("additionalProperties", JsonValueKind.Object):
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    if (!schema.TryGetProperty("properties", out JsonElement known) || !known.TryGetProperty(property.Name, out _))
                        Check(asked, property.Value, $"{at}/{property.Name}", problems);
                }

                break;
            case ("propertyNames", JsonValueKind.Object):
                foreach (JsonProperty property in value.EnumerateObject())
                    Check(asked, JsonSerializer.SerializeToElement(property.Name), $"{at}/{property.Name}", problems);
                break;
        }

        return true;
    }

    private bool Holds(JsonElement schema, JsonElement value) => Problems(schema, value).Count == 0;

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "null" => value.ValueKind == JsonValueKind.Null,
        _ => throw new NotSupportedException($"The document has the type {type}."),
    };

    /// <summary>JSON Schema counts characters, not halves of surrogate pairs.</summary>
    private static int LengthOf(JsonElement value) => value.GetString()!.EnumerateRunes().Count();

    private static string Short(JsonElement value) => value.GetRawText() is { Length: > 120 } text ? $"{text[..120]} ..." : value.GetRawText();
}
