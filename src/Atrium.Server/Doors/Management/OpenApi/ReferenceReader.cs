using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Atrium.Server.Pages;

namespace Atrium.Server.Doors.Management.OpenApi;

/// <summary>Reads an OpenAPI document of this server as the reference shows it: nothing is on that page that is not in the document.</summary>
/// <param name="server">The address to call.</param>
/// <param name="address">Where the document is.</param>
internal sealed partial class ReferenceReader(JsonObject document, string server, string address, PageLink other)
{
    private const string SchemaPath = "#/components/schemas/";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public ReferenceModel Read()
    {
        (string Path, string Method, JsonObject Operation)[] operations =
        [
            .. from path in document["paths"]!.AsObject()
               from method in path.Value!.AsObject()
               where method.Key != "parameters"
               select (path.Key, method.Key.ToUpperInvariant(), method.Value!.AsObject()),
        ];
        return new ReferenceModel(
            Text(document["info"]!, "title")!,
            Text(document["info"]!, "description")!,
            address,
            other,
            [
                .. document["tags"]!.AsArray().Select(tag => new ReferenceGroup(
                    Text(tag!, "name")!,
                    Anchor(Text(tag!, "name")!),
                    Text(tag!, "description"),
                    [
                        .. operations
                            .Where(one => one.Operation["tags"]![0]!.GetValue<string>() == Text(tag!, "name"))
                            .Select(one => Operation(one.Path, one.Method, one.Operation)),
                    ])),
            ],
            [.. document["components"]!["schemas"]!.AsObject().Select(schema => new ReferenceSchema(schema.Key, SchemaAnchor(schema.Key), Text(schema.Value!, "description"), Fields(schema.Value!)))]);
    }

    private ReferenceOperation Operation(string path, string method, JsonObject operation)
    {
        JsonNode? body = Resolve(operation["requestBody"])?["content"]?["application/json"]?["schema"];
        return new ReferenceOperation(
            Text(operation, "operationId")!,
            method,
            path,
            Text(operation, "summary")!,
            Text(operation, "description"),
            operation["security"]![0]!.AsObject().First().Value!.AsArray().FirstOrDefault()?.GetValue<string>(),
            [.. (operation["parameters"]?.AsArray() ?? []).Select(parameter => Parameter(Resolve(parameter)!))],
            Bodies(body),
            [.. operation["responses"]!.AsObject().Select(answer => Answer(answer.Key, Resolve(answer.Value)!))],
            Command(path, method, body));
    }

    private ReferenceField Parameter(JsonNode parameter)
    {
        ReferenceField field = Field(Text(parameter, "name")!, parameter["schema"]!, parameter["required"]?.GetValue<bool>() ?? false);
        return field with { Description = Text(parameter, "description"), Rules = [Text(parameter, "in")!, .. field.Rules] };
    }

    private ReferenceAnswer Answer(string status, JsonNode answer)
    {
        JsonNode? schema = answer["content"]?.AsObject().First().Value!["schema"];
        JsonNode? shown = schema?["properties"]?["data"] ?? schema;
        return new ReferenceAnswer(status, Text(answer, "description")!, shown is null ? null : TypeOf(shown), shown is null ? null : LinkOf(shown));
    }

    private ReferenceSchema[] Bodies(JsonNode? body) => body switch
    {
        null => [],
        _ when (body["oneOf"] ?? body["anyOf"]) is JsonArray variants => [.. variants.Select(variant => new ReferenceSchema($"Body: {Text(variant!, "title")}", "", null, Fields(variant!)))],
        _ => [new ReferenceSchema("Body", "", null, Fields(body))],
    };

    /// <summary>What is inside of an object, or of the objects of a list.</summary>
    private ReferenceField[] Fields(JsonNode schema)
    {
        if (schema["properties"] is not JsonObject properties)
            return schema["items"] is { } items && items["$ref"] is null ? Fields(items) : [];
        string[] required = [.. (schema["required"]?.AsArray() ?? []).Select(static name => name!.GetValue<string>())];
        return [.. properties.Select(property => Field(property.Key, property.Value!, required.Contains(property.Key)))];
    }

    private ReferenceField Field(string name, JsonNode schema, bool isRequired) =>
        new(name, TypeOf(schema), LinkOf(schema), isRequired, Text(schema, "description"), [.. Rules(schema)], LinkOf(schema) is null ? Fields(schema) : []);

    private static string TypeOf(JsonNode schema)
    {
        if (Text(schema, "$ref") is { } reference)
            return reference[SchemaPath.Length..];
        if ((schema["anyOf"] ?? schema["oneOf"]) is JsonArray choices)
            return string.Join(" or ", choices.Select(static one => TypeOf(one!)).Distinct());
        string type = schema["type"] switch
        {
            JsonArray several => string.Join(" or ", several.Select(static one => one!.GetValue<string>())),
            { } one => one.GetValue<string>(),
            null => "any",
        };
        return schema["items"] is { } items ? $"{type.Replace("array", $"array of {TypeOf(items)}", StringComparison.Ordinal)}" : type;
    }

    private static string? LinkOf(JsonNode schema)
    {
        JsonNode shown = schema["items"] ?? schema;
        if (shown["anyOf"] is JsonArray choices)
            shown = choices.FirstOrDefault(static one => one!["$ref"] is not null) ?? shown;
        return Text(shown, "$ref") is { } reference ? SchemaAnchor(reference[SchemaPath.Length..]) : null;
    }

    /// <summary>What holds beyond the type, in a few words each.</summary>
    private static IEnumerable<string> Rules(JsonNode schema)
    {
        if (schema["const"] is { } constant)
            yield return $"always {Code(constant)}";
        if (schema["enum"] is JsonArray words)
            yield return string.Join(", ", words.Where(static word => word is not null).Select(static word => Code(word!)));
        foreach ((string from, string to, string what) in new[]
        {
            ("minLength", "maxLength", " characters"), ("minimum", "maximum", ""), ("minItems", "maxItems", " entries"), ("minProperties", "maxProperties", " entries"),
        })
        {
            (JsonNode? least, JsonNode? most) = (schema[from], schema[to]);
            if (most is not null)
                yield return least is null ? $"at most {most}{what}" : $"{least} to {most}{what}";
            else if (least is not null)
                yield return $"at least {least}{what}";
        }

        if (schema["pattern"] is { } pattern)
            yield return Code(pattern);
        if (schema["default"] is { } byDefault)
            yield return $"default {Code(byDefault)}";
        if (schema["items"] is { } items && items["$ref"] is null)
        {
            foreach (string rule in Rules(items))
                yield return $"each {rule}";
        }
    }

    /// <summary>A call with the fields that must be sent.</summary>
    private string Command(string path, string method, JsonNode? body)
    {
        StringBuilder command = new("curl");
        if (method != "GET")
            command.Append(" -X ").Append(method);
        command.Append(" \\\n  \"").Append(server).Append(PathParameter().Replace(path, static name => $"${name.Groups[1].Value.ToUpperInvariant()}")).Append("\" \\\n  -H \"Authorization: Bearer $KEY\"");
        if (body is not null)
        {
            command.Append(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '")
                .Append(Example((body["oneOf"] ?? body["anyOf"])?[0] ?? body)!.ToJsonString(Indented).ReplaceLineEndings("\n  ").Replace("'", "'\\''", StringComparison.Ordinal)).Append('\'');
        }

        return command.ToString();
    }

    /// <summary>A value that could be sent: of an object, what it must have, or else its first field.</summary>
    private JsonNode? Example(JsonNode schema)
    {
        schema = Resolve(schema)!;
        if (schema["examples"] is JsonArray { Count: > 0 } examples)
            return examples[0]!.DeepClone();
        if (schema["const"] is { } constant)
            return constant.DeepClone();
        if (schema["enum"] is JsonArray words)
            return words[0]?.DeepClone();
        if (schema["properties"] is JsonObject properties)
        {
            string[] names = [.. (schema["required"]?.AsArray() ?? []).Select(static name => name!.GetValue<string>())];
            return new JsonObject(
                (names.Length > 0 ? names : [.. properties.Take(1).Select(static property => property.Key)])
                    .Select(name => KeyValuePair.Create(name, Example(properties[name]!))));
        }

        string? type = schema["type"] is JsonArray several ? several[0]!.GetValue<string>() : Text(schema, "type");
        return type switch
        {
            "array" => new JsonArray(Example(schema["items"]!)),
            "boolean" => true,
            "integer" or "number" => schema["minimum"]?.DeepClone() ?? 0,
            "string" => "...",
            _ => new JsonObject(),
        };
    }

    private JsonNode? Resolve(JsonNode? node)
    {
        if (node?["$ref"] is not { } reference)
            return node;
        JsonNode found = document;
        foreach (string part in reference.GetValue<string>().Split('/')[1..])
            found = found[part]!;
        return found;
    }

    private static string? Text(JsonNode node, string name) => node[name]?.GetValue<string>();

    private static string Code(JsonNode value) => $"`{(value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString())}`";

    private static string Anchor(string name) => name.ToLowerInvariant().Replace(' ', '-');

    private static string SchemaAnchor(string name) => $"schema-{name}";

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameter();
}
