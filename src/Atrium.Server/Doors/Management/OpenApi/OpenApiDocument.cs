using System.Text.Json.Nodes;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Hosting;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Atrium.Server.Doors.Management.OpenApi;

/// <summary>
/// An OpenAPI 3.1 document made of what the routes themselves declare: nothing is written down twice, and what is not declared is not in it.
/// </summary>
internal sealed class OpenApiDocument(DocumentSubject subject, IEnumerable<RouteEndpoint> routes)
{
    private readonly ResourceSchemas resources = new();
    private readonly JsonObject paths = [];
    private readonly JsonArray tags = [];

    public JsonObject Write()
    {
        foreach (RouteEndpoint route in routes)
            Add(route);
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = subject.Title,
                ["version"] = AtriumVersion.Text.Split('+')[0],
                ["description"] = subject.Description,
                ["license"] = new JsonObject { ["name"] = "Apache 2.0", ["identifier"] = "Apache-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["tags"] = tags,
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = subject.Schemes.DeepClone(),
                ["parameters"] = StandardParts.Parameters,
                ["headers"] = StandardParts.Headers,
                ["responses"] = StandardParts.Refusals(resources.Reference(typeof(ManagementErrorBody))),
                ["schemas"] = resources.Components,
            },
        };
    }

    private void Add(RouteEndpoint route)
    {
        Answered answered = Declared<Answered>(route);
        string path = $"/{string.Join('/', route.RoutePattern.PathSegments.Select(Segment))}";
        if (paths[path] is not JsonObject item)
            paths[path] = item = [];
        foreach (string method in Declared<IHttpMethodMetadata>(route).HttpMethods)
            item[method.ToLowerInvariant()] = Operation(route, method, answered);
    }

    private JsonObject Operation(RouteEndpoint route, string method, Answered answered)
    {
        RequestShape? body = route.Metadata.GetMetadata<RequestShape>();
        string said = Declared<IEndpointSummaryMetadata>(route).Summary;
        string summary = said.Split("; ")[0].Split(". ")[0].TrimEnd('.');
        JsonObject operation = new()
        {
            ["operationId"] = OperationIds.Of(route, method, answered),
            ["tags"] = new JsonArray(Tag(route)),
            ["summary"] = summary,
        };
        if (said.Length > summary.Length + 1)
            operation["description"] = said;
        operation["security"] = Security(route.Metadata.GetMetadata<RequiredScope>()?.Scope);
        JsonArray parameters = [.. route.RoutePattern.Parameters.Select(PathParameter), .. QueryParameters(route), .. StandardParts.HeadersOf(method).Select(StandardParts.Parameter)];
        if (parameters.Count > 0)
            operation["parameters"] = parameters;
        if (body is not null)
            operation["requestBody"] = RequestBody(body, answered.Resource);
        operation["responses"] = Responses(method, answered, hasBody: body is not null, isInRealm: route.Metadata.GetMetadata<RequiredScope>() is not null);
        return operation;
    }

    private string Tag(RouteEndpoint route)
    {
        string name = Declared<ITagsMetadata>(route).Tags[0];
        if (tags.All(tag => tag!["name"]!.GetValue<string>() != name))
            tags.Add((JsonNode)new JsonObject { ["name"] = name });
        return name;
    }

    private JsonArray Security(string? scope) =>
        [.. subject.Schemes.Select(scheme => new JsonObject { [scheme.Key] = scope is null ? new JsonArray() : new JsonArray(scope) })];

    private static JsonNode PathParameter(RoutePatternParameterPart parameter) =>
        parameter.Name == "realm" ? StandardParts.Parameter("realm") : StandardParts.PathParameter(parameter.Name);

    private static IEnumerable<JsonNode> QueryParameters(RouteEndpoint route)
    {
        foreach (Field field in (route.Metadata.GetMetadata<QueryParameters>()?.Parameters ?? []).Select(static parameter => parameter.Declared))
        {
            JsonObject schema = field.ValueSchema();
            JsonObject parameter = new() { ["name"] = field.Name, ["in"] = "query" };
            if (field.Description is not null)
                parameter["description"] = field.Description;
            if (schema["type"]?.GetValue<string>() == "array")
                parameter["explode"] = false;
            parameter["schema"] = schema;
            yield return parameter;
        }
    }

    private JsonObject RequestBody(RequestShape body, Type? resource)
    {
        JsonObject[] shapes = [.. body.Shapes.Select(static shape => shape.Schema())];
        foreach (JsonObject shape in shapes)
        {
            if (body.IsPatch)
                LeaveOut(shape);
            if (resource is not null)
                resources.Explain(shape, resource);
        }

        // A patch may fit several: it leaves out what would set them apart.
        JsonObject schema = shapes is [{ } only] ? only : new JsonObject { [body.IsPatch ? "anyOf" : "oneOf"] = new JsonArray([.. shapes]) };
        JsonObject content = new() { ["application/json"] = new JsonObject { ["schema"] = schema } };
        if (body.IsPatch)
            content["application/merge-patch+json"] = new JsonObject { ["schema"] = schema.DeepClone() };
        return new JsonObject { ["required"] = body.IsPatch || body.Shapes.Any(static shape => shape.DecidedBy is not null || shape.Fields.Any(static field => field.IsRequired)), ["content"] = content };
    }

    /// <summary>Whatever a patch leaves out stays as it is, in objects too.</summary>
    private static void LeaveOut(JsonObject schema)
    {
        schema.Remove("required");
        foreach ((_, JsonNode? property) in schema["properties"]?.AsObject() ?? [])
            LeaveOut(property!.AsObject());
    }

    private JsonObject Responses(string method, Answered answered, bool hasBody, bool isInRealm)
    {
        JsonObject responses = new() { [$"{answered.Status}"] = Success(method, answered, isInRealm) };
        foreach ((string status, string name) in StandardParts.RefusalsOf(method, hasBody, isInRealm))
            responses[status] = new JsonObject { ["$ref"] = $"#/components/responses/{name}" };
        return responses;
    }

    private JsonObject Success(string method, Answered answered, bool isInRealm)
    {
        JsonObject headers = StandardParts.HeaderReferences("X-Request-ID");
        JsonObject response = new() { ["description"] = "Done.", ["headers"] = headers };
        if (method == "POST" && isInRealm)
            headers["Idempotent-Replayed"] = StandardParts.HeaderReference("Idempotent-Replayed");
        if (answered.Resource is not { } type)
            return response;
        JsonObject resource = resources.Reference(type);
        if (answered.IsLines)
        {
            response["description"] = "One of them on each line.";
            response["content"] = new JsonObject { ["application/x-ndjson"] = new JsonObject { ["schema"] = resource } };
            return response;
        }

        if (!answered.IsMany)
            headers["ETag"] = StandardParts.HeaderReference("ETag");
        JsonObject properties = answered.IsMany
            ? new()
            {
                ["data"] = new JsonObject { ["type"] = "array", ["items"] = resource },
                ["has_more"] = new JsonObject { ["type"] = "boolean", ["description"] = "Whether there is another page." },
                ["next_cursor"] = new JsonObject { ["type"] = new JsonArray("string", "null"), ["description"] = "Send it as `cursor` for the next page; null on the last one." },
            }
            : new() { ["data"] = resource };
        response["description"] = answered.IsMany ? "A page." : method == "POST" && answered.Status == StatusCodes.Status201Created ? "Made." : "Done.";
        response["content"] = new JsonObject
        {
            ["application/json"] = new JsonObject
            {
                ["schema"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = properties,
                    ["required"] = new JsonArray([.. properties.Select(static property => (JsonNode)property.Key)]),
                    ["additionalProperties"] = false,
                },
            },
        };
        return response;
    }

    private static string Segment(RoutePatternPathSegment segment) => segment.Parts[0] switch
    {
        RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
        RoutePatternLiteralPart literal => literal.Content,
        _ => throw new InvalidOperationException("A path here is made of words and parameters."),
    };

    private static T Declared<T>(RouteEndpoint route)
        where T : class =>
        route.Metadata.GetMetadata<T>() ?? throw new InvalidOperationException($"The route {route.RoutePattern.RawText} declares no {typeof(T).Name}.");
}
