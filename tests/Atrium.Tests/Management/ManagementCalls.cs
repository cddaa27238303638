using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;

namespace Atrium.Tests.Management;

/// <summary>An answer of the management API, read whole.</summary>
internal sealed record ManagementAnswer(int Status, string Text, HttpResponseMessage Response)
{
    public JsonElement Json => JsonElement.Parse(Text);

    /// <summary>The one thing.</summary>
    public JsonElement Data => Json.GetProperty("data");

    public string? this[string name] => Data.GetProperty(name).GetString();

    public string Id => this["id"]!;

    /// <summary>The things of a list.</summary>
    public IReadOnlyList<JsonElement> Items => [.. Data.EnumerateArray()];

    public IReadOnlyList<string> Ids => [.. Items.Select(static item => item.GetProperty("id").GetString()!)];

    public bool HasMore => Json.GetProperty("has_more").GetBoolean();

    public string? NextCursor => Json.GetProperty("next_cursor").GetString();

    public string ETag => Response.Headers.ETag.ShouldNotBeNull().ToString();

    public string? Error => Json.GetProperty("error").GetString();

    /// <summary>Where a body was wrong.</summary>
    public IReadOnlyList<string> WrongFields => [.. Json.GetProperty("errors").EnumerateArray().Select(static error => error.GetProperty("field").GetString()!)];

    public ManagementAnswer Expect(int status)
    {
        Status.ShouldBe(status, Text);
        return this;
    }

    public ManagementAnswer Expect(int status, string error)
    {
        Expect(status);
        Error.ShouldBe(error, Text);
        return this;
    }
}

/// <summary>Calls the management API as a back end does.</summary>
internal sealed class ManagementCalls(DemoServer server, string? key = DemoRealm.ApiKey, string realm = DemoRealm.Handle)
{
    /// <summary>The neighbour, with a key of its own.</summary>
    public ManagementCalls Globex => new(server, DemoRealm.NeighbourApiKey, DemoRealm.NeighbourHandle);

    /// <summary>The realm that is called, by its handle.</summary>
    public string Realm => realm;

    public ManagementCalls With(string? otherKey) => new(server, otherKey, realm);

    public Task<ManagementAnswer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public Task<ManagementAnswer> PostAsync(string path, object? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, body ?? new { }, headers);

    public Task<ManagementAnswer> PutAsync(string path, object? body = null, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Put, path, body, headers);

    public Task<ManagementAnswer> PatchAsync(string path, object body, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Patch, path, body, headers);

    public Task<ManagementAnswer> DeleteAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Delete, path, null, headers);

    /// <param name="path">Behind <c>/v1/realms/{realm}</c>.</param>
    /// <param name="body">Text as it is; anything else as JSON.</param>
    public async Task<ManagementAnswer> SendAsync(HttpMethod method, string path, object? body, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(method, $"/v1/realms/{realm}{path}");
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null)
            request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        foreach ((string name, string value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        HttpResponseMessage response = await server.Http.SendAsync(request);
        return new ManagementAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }
}
