using System.Net.Http.Headers;
using System.Text.Json;

namespace Atrium.Bench;

/// <summary>The requests of the load, each the next of one connection; they answer whether they succeeded.</summary>
internal static class Requests
{
    private const string Endpoint = "/t/acme";

    private static readonly Dictionary<string, string> Server = new() { ["client_id"] = "demo-server", ["client_secret"] = "demo-server-secret" };

    public static Func<HttpClient, Task<bool>> Toy() => static async http => await PostAsync(
        http, "/token", new() { ["grant_type"] = "client_credentials", ["client_id"] = "toy", ["client_secret"] = "toy-secret" }) is not null;

    public static Func<HttpClient, Task<bool>> ClientCredentials() => static async http => await PostAsync(
        http, $"{Endpoint}/token", new() { ["grant_type"] = "client_credentials", ["client_id"] = "demo-m2m", ["client_secret"] = "demo-m2m-secret" }) is not null;

    /// <summary>Rotates: each token is presented in its turn, and the one that it gave comes last.</summary>
    public static Func<HttpClient, Task<bool>> Refresh(params IReadOnlyList<string> tokens)
    {
        Queue<string> waiting = new(tokens);
        return async http =>
        {
            string token = waiting.Dequeue();
            using JsonDocument? answer = await PostAsync(
                http, $"{Endpoint}/token", new(Server) { ["grant_type"] = "refresh_token", ["refresh_token"] = token });
            string? next = answer?.RootElement.GetProperty("refresh_token").GetString();
            waiting.Enqueue(next ?? token);
            return next is not null && next != token;
        };
    }

    /// <summary>Asks with the access token of the first refresh.</summary>
    public static Func<HttpClient, Task<bool>> UserInfo(string refreshToken)
    {
        string? accessToken = null;
        return async http =>
        {
            accessToken ??= await AccessTokenAsync(http, refreshToken);
            using HttpRequestMessage request = new(HttpMethod.Get, $"{Endpoint}/userinfo");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
            using HttpResponseMessage response = await http.SendAsync(request);
            await response.Content.ReadAsByteArrayAsync();
            return response.IsSuccessStatusCode;
        };
    }

    /// <summary>Asks for the access token of the first refresh.</summary>
    public static Func<HttpClient, Task<bool>> Introspection(string refreshToken)
    {
        string? accessToken = null;
        return async http =>
        {
            accessToken ??= await AccessTokenAsync(http, refreshToken);
            using JsonDocument? answer = await PostAsync(http, $"{Endpoint}/introspect", new(Server) { ["token"] = accessToken });
            return answer?.RootElement.GetProperty("active").GetBoolean() == true;
        };
    }

    private static async Task<string> AccessTokenAsync(HttpClient http, string refreshToken)
    {
        using JsonDocument? answer = await PostAsync(
            http, $"{Endpoint}/token", new(Server) { ["grant_type"] = "refresh_token", ["refresh_token"] = refreshToken });
        return answer!.RootElement.GetProperty("access_token").GetString()!;
    }

    private static async Task<JsonDocument?> PostAsync(HttpClient http, string path, Dictionary<string, string> form)
    {
        using FormUrlEncodedContent content = new(form);
        using HttpResponseMessage response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode ? JsonDocument.Parse(body) : null;
    }
}
