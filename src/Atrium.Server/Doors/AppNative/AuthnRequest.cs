using System.Text.Json;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.AppNative;

/// <summary>An answer to a prompt: <c>{"flowId":…,"selectedAuthenticator":{"authenticatorId":…,"params":{…}}}</c>.</summary>
public sealed record AuthnRequest(string FlowId, string AuthenticatorId, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>Reads the body; the request, or what is wrong with it.</summary>
    public static async Task<(AuthnRequest? Request, AppNativeError? Error)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!RequestBody.HasType(request, "application/json"))
            return (null, AppNativeError.Invalid("The content type must be application/json."));
        if (await RequestBody.ReadAsync(request, cancellationToken) is not { } body)
            return (null, AppNativeError.TooLarge);
        if (RequestBody.ParseJsonObject(body) is not { } json)
            return (null, AppNativeError.Invalid("The body is not a JSON object."));
        if (TextOf(json, "flowId") is not { } flowId)
            return (null, AppNativeError.Invalid("The flowId is missing."));
        if (!json.TryGetProperty("selectedAuthenticator", out JsonElement selected)
            || selected.ValueKind != JsonValueKind.Object
            || TextOf(selected, "authenticatorId") is not { } authenticatorId)
        {
            return (null, AppNativeError.Invalid("The selectedAuthenticator with its authenticatorId is missing."));
        }

        return ParametersOf(selected) is { } parameters
            ? (new AuthnRequest(flowId, authenticatorId, parameters), null)
            : (null, AppNativeError.Invalid("The params must be an object whose values are strings."));
    }

    /// <summary>Values are strings or arrays of strings (wire contract, section 2); none of our parameters takes several, and <c>null</c> is none.</summary>
    private static Dictionary<string, string>? ParametersOf(JsonElement selected)
    {
        Dictionary<string, string> parameters = new(StringComparer.Ordinal);
        if (!selected.TryGetProperty("params", out JsonElement json) || json.ValueKind == JsonValueKind.Null)
            return parameters;
        if (json.ValueKind != JsonValueKind.Object)
            return null;
        foreach (JsonProperty property in json.EnumerateObject())
        {
            JsonElement value = property.Value.ValueKind == JsonValueKind.Array && property.Value.GetArrayLength() == 1 ? property.Value[0] : property.Value;
            if (value.ValueKind == JsonValueKind.Null)
                continue;
            if (value.ValueKind != JsonValueKind.String)
                return null;
            parameters[property.Name] = value.GetString()!;
        }

        return parameters;
    }

    private static string? TextOf(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
