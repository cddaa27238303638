using System.Text.Json.Nodes;

namespace Atrium.Server.Doors.Management.OpenApi;

/// <summary>What every operation of the API has in common: its headers, and the ways in which it refuses.</summary>
internal static class StandardParts
{
    private static readonly (string Name, string Status, string Description)[] AllRefusals =
    [
        ("BadRequest", "400", "`invalid_request`: the body is no JSON object, or a query parameter is unknown or wrong."),
        ("Unauthorized", "401", "`unauthorized_client`: the key is missing, unknown, or has ended."),
        ("Forbidden", "403", "`insufficient_scope`: the key lacks the scope."),
        ("NotFound", "404", "`not_found`: there is no such thing in this realm. What another realm or organization has is not found either."),
        ("Conflict", "409", "`conflict`: something else is in its way, such as a name that is taken."),
        ("PreconditionFailed", "412", "`precondition_failed`: it was changed since it was read, and its ETag is no longer that of `If-Match`."),
        ("TooLarge", "413", "`invalid_request`: the body is larger than 128 KiB."),
        ("WrongContentType", "415", "`invalid_content_type`: the body is not said to be JSON."),
        ("Unprocessable", "422", "`unprocessable`: the body can't be; `errors` points at each field that is wrong or unknown."),
        ("ServerError", "500", "`server_error`: a fault of the server; its log has more under the request's id."),
        ("Unavailable", "503", "`temporarily_unavailable`: the server can't just now. Try again after `Retry-After`."),
    ];

    public static JsonObject Parameters => new()
    {
        ["realm"] = new JsonObject
        {
            ["name"] = "realm",
            ["in"] = "path",
            ["required"] = true,
            ["description"] = "The realm's handle or id.",
            ["schema"] = new JsonObject { ["type"] = "string" },
        },
        ["If-Match"] = new JsonObject
        {
            ["name"] = "If-Match",
            ["in"] = "header",
            ["description"] = "An `ETag` of before: it is done only if nobody changed the thing since. Without it, whatever the thing is now.",
            ["schema"] = new JsonObject { ["type"] = "string" },
        },
        ["Idempotency-Key"] = new JsonObject
        {
            ["name"] = "Idempotency-Key",
            ["in"] = "header",
            ["description"] = "Made up by the caller for this request: sent again within 24 hours, it is done once and answered as before.",
            ["schema"] = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 256 },
        },
    };

    public static JsonObject Headers => new()
    {
        ["X-Request-ID"] = Header("Names the request in the server's log and in its events.", new() { ["type"] = "string" }, isRequired: true),
        ["ETag"] = Header("Strong; changes whenever anything in `data` does.", new() { ["type"] = "string", ["pattern"] = "^\"[^\"]+\"$" }, isRequired: true),
        ["Idempotent-Replayed"] = Header("`true` when this is the answer of before.", new() { ["const"] = "true" }),
        ["Retry-After"] = Header("Seconds.", new() { ["type"] = "string", ["pattern"] = "^[0-9]+$" }, isRequired: true),
        ["WWW-Authenticate"] = Header("How to show who you are (RFC 9110 section 11.6.1).", new() { ["type"] = "string" }, isRequired: true),
    };

    /// <summary>The header parameters that an operation of this method takes.</summary>
    public static IEnumerable<string> HeadersOf(string method) => method switch
    {
        "POST" => ["Idempotency-Key"],
        "PATCH" or "DELETE" => ["If-Match"],
        _ => [],
    };

    /// <summary>The refusals that are possible, by status.</summary>
    public static IEnumerable<(string Status, string Name)> RefusalsOf(string method, bool hasBody, bool isInRealm) =>
        from refusal in AllRefusals
        where refusal.Name switch
        {
            "Forbidden" => isInRealm,
            "Conflict" => method != "GET",
            "PreconditionFailed" => method is "PATCH" or "DELETE" || (method == "PUT" && hasBody),
            "TooLarge" => hasBody || method == "POST",
            "WrongContentType" => hasBody,
            "Unprocessable" => method != "GET",
            _ => true,
        }
        select (refusal.Status, refusal.Name);

    public static JsonObject Refusals(JsonObject error) => new(AllRefusals.Select(refusal => KeyValuePair.Create(refusal.Name, (JsonNode?)new JsonObject
    {
        ["description"] = refusal.Description,
        ["headers"] = refusal.Name switch
        {
            "Unauthorized" => HeaderReferences("X-Request-ID", "WWW-Authenticate"),
            "Unavailable" => HeaderReferences("X-Request-ID", "Retry-After"),
            _ => HeaderReferences("X-Request-ID"),
        },
        ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = error.DeepClone() } },
    })));

    public static JsonObject Parameter(string name) => new() { ["$ref"] = $"#/components/parameters/{name}" };

    public static JsonObject PathParameter(string name) => new()
    {
        ["name"] = name,
        ["in"] = "path",
        ["required"] = true,
        ["schema"] = new JsonObject { ["type"] = "string" },
    };

    public static JsonObject HeaderReference(string name) => new() { ["$ref"] = $"#/components/headers/{name}" };

    public static JsonObject HeaderReferences(params IEnumerable<string> names) =>
        new(names.Select(static name => KeyValuePair.Create(name, (JsonNode?)HeaderReference(name))));

    private static JsonObject Header(string description, JsonObject schema, bool isRequired = false)
    {
        JsonObject header = new() { ["description"] = description, ["schema"] = schema };
        if (isRequired)
            header["required"] = true;
        return header;
    }
}
