using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Server.Hosting;

namespace Atrium.Server.Cli.Remote;

/// <summary>A server's management API, called with one key. What the server refuses is a <see cref="Refusal"/>.</summary>
internal sealed class ManagementApi : IDisposable
{
    private const int LongestPage = 100;
    private const int Tries = 5;

    /// <summary>Longer than the server holds a long poll, shorter than anybody waits for an answer that never comes.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(100);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly HttpClient http;
    private readonly TimeProvider clock;

    /// <param name="root">The part of every path that comes first: <c>/v1/realms</c>, or one realm's.</param>
    public ManagementApi(Uri server, string key, string root, TimeProvider clock)
    {
        this.clock = clock;
        Root = root;
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server, Timeout = Timeout };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        http.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        http.DefaultRequestHeaders.UserAgent.ParseAdd($"atrium-cli/{AtriumVersion.Text}");
    }

    public string Root { get; }

    public Task<ApiAnswer> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, body: null, ifMatch: null, cancellationToken);

    /// <summary>Null when it is not there.</summary>
    public async Task<ApiAnswer?> FindAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync(path, cancellationToken);
        }
        catch (Refusal refusal) when (refusal.Status == (int)HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Is tried again with the same <c>Idempotency-Key</c>, and so makes one thing at most.</summary>
    public Task<ApiAnswer> PostAsync(string path, JsonNode? body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, body, ifMatch: null, cancellationToken);

    public Task<ApiAnswer> PutAsync(string path, JsonNode? body, string? ifMatch, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, path, body, ifMatch, cancellationToken);

    public Task<ApiAnswer> PatchAsync(string path, JsonNode body, string? ifMatch, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, path, body, ifMatch, cancellationToken);

    public Task DeleteAsync(string path, string? ifMatch, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, path, body: null, ifMatch, cancellationToken);

    /// <summary>The pages of a list, one after the other; together at most so many items.</summary>
    /// <param name="path">With its filters, if it has any.</param>
    public async IAsyncEnumerable<ApiPage> PagesAsync(string path, long atMost, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string separator = path.Contains('?', StringComparison.Ordinal) ? "&" : "?";
        string? cursor = null;
        do
        {
            string query = $"{separator}limit={Math.Min(atMost, LongestPage)}{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}";
            JsonElement page = (await GetAsync(path + query, cancellationToken)).Body;
            JsonElement[] items = [.. page.GetProperty("data").EnumerateArray()];
            cursor = page.TryGetProperty("next_cursor", out JsonElement next) ? next.GetString() : null;
            atMost -= items.Length;
            yield return new ApiPage(items, HasMore: page.TryGetProperty("has_more", out JsonElement more) && more.GetBoolean());
        }
        while (cursor is not null && atMost > 0);
    }

    public async IAsyncEnumerable<JsonElement> ItemsAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ApiPage page in PagesAsync(path, long.MaxValue, cancellationToken))
        {
            foreach (JsonElement item in page.Items)
                yield return item;
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<ApiAnswer> SendAsync(HttpMethod method, string path, JsonNode? body, string? ifMatch, CancellationToken cancellationToken)
    {
        string idempotencyKey = Guid.CreateVersion7().ToString();
        for (int tried = 1; ; tried++)
        {
            using HttpRequestMessage request = new(method, Root + path);
            if (body is not null)
                request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            if (ifMatch is not null)
                request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
            if (method == HttpMethod.Post)
                request.Headers.Add("Idempotency-Key", idempotencyKey);
            using HttpResponseMessage response = await CallAsync(request, cancellationToken);
            if (tried < Tries && PauseBefore(response, method) is { } pause)
            {
                await Task.Delay(pause, clock, cancellationToken);
                continue;
            }

            return await ReadAsync(response, cancellationToken);
        }
    }

    /// <summary>A busy server says when to come back. Whether a deletion was made is not known then, and a second one would be refused.</summary>
    private static TimeSpan? PauseBefore(HttpResponseMessage response, HttpMethod method) =>
        response.StatusCode == HttpStatusCode.TooManyRequests || (response.StatusCode == HttpStatusCode.ServiceUnavailable && method != HttpMethod.Delete)
            ? response.Headers.RetryAfter?.Delta is { } asked && asked <= LongestPause ? asked : null
            : null;

    private async Task<HttpResponseMessage> CallAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await http.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new Refusal($"The server {http.BaseAddress} can't be reached: {e.Message} Start it, or name another with --server.");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new Refusal($"The server {http.BaseAddress} has not answered within {Timeout.TotalSeconds:0} seconds.");
        }
    }

    private async Task<ApiAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        JsonElement body = default;
        try
        {
            byte[] bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (bytes.Length > 0)
                body = JsonElement.Parse(bytes);
        }
        catch (JsonException)
        {
            throw new Refusal($"{http.BaseAddress} answered {Status(response)} with something that is not JSON. Is it an Atrium server?");
        }

        return response.IsSuccessStatusCode ? new ApiAnswer(body, response.Headers.ETag?.ToString()) : throw RefusalOf(response, body);
    }

    private Refusal RefusalOf(HttpResponseMessage response, JsonElement body)
    {
        string? Field(string name) => body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
        string code = Field("error") is { } error ? $" ({(int)response.StatusCode} {error})" : "";
        List<(string, string)> fields = [];
        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("errors", out JsonElement errors) && errors.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement one in errors.EnumerateArray())
                fields.Add((one.GetProperty("field").GetString()!, one.GetProperty("message").GetString()!));
        }

        // The description says the same as the fields, all in one line.
        string reason = fields.Count > 0 ? "The server can't take it so." : Field("error_description") ?? $"{http.BaseAddress} answered {Status(response)}. Is it an Atrium server?";
        return new Refusal(reason + code, response.StatusCode == HttpStatusCode.NotFound ? ExitCode.NotFound : ExitCode.Failed)
        {
            Fields = fields,
            RequestId = Field("request_id"),
            Status = (int)response.StatusCode,
        };
    }

    private static string Status(HttpResponseMessage response) => ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
}

/// <summary>What the API answered: the whole body, and the version of the one object in it.</summary>
internal sealed record ApiAnswer(JsonElement Body, string? ETag)
{
    /// <summary>The object that was asked for.</summary>
    public JsonElement Data => Body.GetProperty("data");
}

internal sealed record ApiPage(IReadOnlyList<JsonElement> Items, bool HasMore);
