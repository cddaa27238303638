using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Shouldly;

namespace Atrium.Tests.Harness;

/// <summary>
/// Holds every answer of the management API, in every test, against the OpenAPI documents that the server itself serves: the operation is in one
/// of them, so is the status, and headers and body are exactly what stands there.
/// </summary>
internal sealed class Contract
{
    /// <summary>Every server of a test run has the same routes, so what one promises they all do.</summary>
    private static volatile Contract? known;

    /// <summary>Paths with fewer parameters come first: they are what a path that fits two of them means.</summary>
    private readonly Operation[] operations;

    private Contract(IEnumerable<JsonElement> documents) => operations =
    [
        .. from document in documents
           from path in document.GetProperty("paths").EnumerateObject()
           orderby path.Name.Count(static c => c == '{')
           from method in path.Value.EnumerateObject()
           select new Operation(document, method.Name.ToUpperInvariant(), PathPattern(path.Name), method.Value),
    ];

    /// <summary>What the server at that address promises.</summary>
    public static async Task<Contract> OfAsync(Uri server, HttpMessageInvoker http)
    {
        if (known is { } contract)
            return contract;
        List<JsonElement> documents = [];
        foreach (string path in new[] { "/v1/openapi.json", "/v1/openapi-operator.json" })
        {
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(server, path));
            using HttpResponseMessage response = await http.SendAsync(request, CancellationToken.None);
            documents.Add(JsonElement.Parse(await response.Content.ReadAsStringAsync()));
        }

        return known = new Contract(documents);
    }

    /// <summary>What of the answer is not as promised; nothing when all is.</summary>
    public async Task<IReadOnlyList<string>> ProblemsAsync(HttpRequestMessage request, HttpResponseMessage response)
    {
        string path = request.RequestUri!.AbsolutePath;
        if (operations.Where(operation => operation.Method == request.Method.Method && operation.Path.IsMatch(path)).ToArray() is not [{ } operation, ..])
            return (int)response.StatusCode is 404 or 405 ? [] : [$"{request.Method} {path} is in no document"];

        JsonSchema schemas = new(operation.Document);
        if (!operation.Description.GetProperty("responses").TryGetProperty($"{(int)response.StatusCode}", out JsonElement named))
            return [$"the status {(int)response.StatusCode} is not documented"];
        JsonElement promised = schemas.Resolve(named);
        List<string> problems = [];
        foreach (JsonProperty header in promised.TryGetProperty("headers", out JsonElement headers) ? headers.EnumerateObject() : default)
            problems.AddRange(HeaderProblems(schemas, header.Name, schemas.Resolve(header.Value), response.Headers));
        if (!promised.TryGetProperty("content", out JsonElement contents))
        {
            if ((await response.Content.ReadAsByteArrayAsync()).Length > 0)
                problems.Add("a body is not documented");
            return problems;
        }

        string type = response.Content.Headers.ContentType?.ToString() ?? "none";
        if (!contents.TryGetProperty(type, out JsonElement content))
            return [.. problems, $"the content type {type} is not documented"];

        await response.Content.LoadIntoBufferAsync();
        string body = await response.Content.ReadAsStringAsync();
        foreach (string json in type == "application/x-ndjson" ? body.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [body])
            problems.AddRange(schemas.Problems(content.GetProperty("schema"), JsonElement.Parse(json)));
        return problems;
    }

    private static IEnumerable<string> HeaderProblems(JsonSchema schemas, string name, JsonElement promised, HttpResponseHeaders headers)
    {
        if (!headers.TryGetValues(name, out IEnumerable<string>? values))
            return promised.TryGetProperty("required", out JsonElement required) && required.GetBoolean() ? [$"the header {name} is missing"] : [];
        return schemas.Problems(promised.GetProperty("schema"), JsonSerializer.SerializeToElement(string.Join(", ", values))).Select(problem => $"{name}{problem}");
    }

    private static Regex PathPattern(string path) => new($"^{Regex.Replace(path, @"\{\w+\}", "[^/]+")}$", RegexOptions.CultureInvariant);

    private sealed record Operation(JsonElement Document, string Method, Regex Path, JsonElement Description);
}

/// <summary>Fails the test that gets an answer which is not as the documents promise.</summary>
internal sealed class ContractHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        if (request.RequestUri!.AbsolutePath.StartsWith("/v1/realms", StringComparison.Ordinal))
        {
            using HttpMessageInvoker raw = new(InnerHandler!, disposeHandler: false);
            Contract contract = await Contract.OfAsync(request.RequestUri, raw);
            IReadOnlyList<string> problems = await contract.ProblemsAsync(request, response);
            problems.ShouldBeEmpty($"{request.Method} {request.RequestUri} answered {(int)response.StatusCode}");
        }

        return response;
    }
}
