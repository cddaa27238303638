using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Atrium.Bench;

/// <summary>What a product's back end asks of a realm, by the demo's key.</summary>
internal static class ManagementRequests
{
    private const string Realm = "/v1/realms/acme";
    private const string Key = "sk_demo_atrium";

    /// <summary>A page of people, going on through the realm from where the last one ended.</summary>
    public static Func<HttpClient, Task<bool>> Pages(string path)
    {
        string? cursor = null;
        return async http =>
        {
            using JsonDocument? page = await SendAsync(
                http, HttpMethod.Get, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit=50{(cursor is null ? "" : $"&cursor={cursor}")}", body: null);
            cursor = page?.RootElement.GetProperty("next_cursor").GetString();
            return page?.RootElement.GetProperty("data").GetArrayLength() > 0;
        };
    }

    /// <summary>Adds a person to an organization and removes them again.</summary>
    public static Func<HttpClient, Task<bool>> AddAndRemove(string organization, string user) => async http =>
    {
        using JsonDocument? added = await SendAsync(
            http, HttpMethod.Post, $"/organizations/{organization}/members", $$"""{"user_id":"{{user}}","scopes":["member"]}""");
        using JsonDocument? removed = added is null ? null : await SendAsync(http, HttpMethod.Delete, $"/organizations/{organization}/members/{user}", body: null);
        return removed is not null;
    };

    private static async Task<JsonDocument?> SendAsync(HttpClient http, HttpMethod method, string path, string? body)
    {
        using HttpRequestMessage request = new(method, Realm + path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await http.SendAsync(request);
        byte[] answer = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode ? JsonDocument.Parse(answer.Length == 0 ? "{}"u8.ToArray() : answer) : null;
    }
}
