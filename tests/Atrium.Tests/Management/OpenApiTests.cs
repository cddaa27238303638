using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Atrium.Server.Pages;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public sealed partial class OpenApiTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Management = "/v1/openapi.json";
    private const string Operator = "/v1/openapi-operator.json";

    [Theory]
    [InlineData(Management)]
    [InlineData(Operator)]
    [InlineData("/v1/docs")]
    [InlineData("/v1/docs/operator")]
    public async Task What_has_not_changed_is_not_sent_again(string path)
    {
        using HttpResponseMessage first = await server.Http.GetAsync(path);
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        first.Headers.CacheControl!.NoCache.ShouldBeTrue("a new version is seen at once");
        using HttpRequestMessage again = new(HttpMethod.Get, path) { Headers = { IfNoneMatch = { first.Headers.ETag.ShouldNotBeNull() } } };
        using HttpResponseMessage unchanged = await server.Http.SendAsync(again);
        unchanged.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task A_document_is_about_a_realm_or_about_realms()
    {
        JsonElement management = await DocumentAsync(Management);
        management.GetProperty("openapi").GetString().ShouldBe("3.1.1");
        PathsOf(management).ShouldAllBe(static path => path.StartsWith("/v1/realms/{realm}/"));
        PathsOf(await DocumentAsync(Operator)).ShouldBe(["/v1/realms", "/v1/realms/{realm}"]);
    }

    [Fact]
    public async Task Every_route_is_in_the_document_with_its_scope()
    {
        JsonElement paths = (await DocumentAsync(Management)).GetProperty("paths");
        foreach (Route route in Route.All(server))
        {
            JsonElement operation = paths.GetProperty($"/v1/realms/{{realm}}{route.Path}").GetProperty(route.Method.ToLowerInvariant());
            foreach (JsonElement requirement in operation.GetProperty("security").EnumerateArray())
                requirement.EnumerateObject().Single().Value[0].GetString().ShouldBe(route.Scope);
            operation.TryGetProperty("requestBody", out _).ShouldBe(route.Shapes.Count > 0, route.ToString());
        }

        paths.EnumerateObject().Sum(static path => path.Value.EnumerateObject().Count()).ShouldBe(Route.All(server).Count);
    }

    [Theory]
    [InlineData(Management)]
    [InlineData(Operator)]
    public async Task Operations_have_names_of_their_own_and_refer_to_nothing_that_is_not_there(string path)
    {
        JsonElement document = await DocumentAsync(path);
        string[] names = [.. Operations(document).Select(static operation => operation.GetProperty("operationId").GetString()!)];
        names.ShouldBeUnique();
        names.ShouldAllBe(static name => Name().IsMatch(name));
        Operations(document).ShouldAllBe(static operation => operation.GetProperty("summary").GetString()!.Length < 120);
        JsonSchema schemas = new(document);
        foreach (string reference in Reference().Matches(document.GetRawText()).Select(static match => match.Value))
            schemas.Resolve(JsonElement.Parse($"{{{reference}}}")).ValueKind.ShouldBe(JsonValueKind.Object, reference);
    }

    [Fact]
    public async Task Every_field_of_the_operators_document_says_what_it_means()
    {
        List<string> silent = [];
        Collect(await DocumentAsync(Operator), "", silent);
        silent.ShouldBeEmpty();

        static void Collect(JsonElement node, string at, List<string> silent)
        {
            if (node.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in node.EnumerateArray())
                    Collect(item, at, silent);
            }

            if (node.ValueKind != JsonValueKind.Object)
                return;
            if (node.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object && node.TryGetProperty("type", out _))
            {
                silent.AddRange(properties.EnumerateObject()
                    .Where(static property => property.Name != "data" && !property.Value.TryGetProperty("description", out _) && !property.Value.TryGetProperty("const", out _))
                    .Select(property => $"{at}: {property.Name}"));
            }

            foreach (JsonProperty member in node.EnumerateObject())
                Collect(member.Value, $"{at}/{member.Name}", silent);
        }
    }

    [Fact]
    public async Task What_is_sent_means_what_it_is_shown_as()
    {
        JsonElement document = await DocumentAsync(Management);
        JsonElement sent = document.GetProperty("paths").GetProperty("/v1/realms/{realm}/clients").GetProperty("post").GetProperty("requestBody").GetProperty("content")
            .GetProperty("application/json").GetProperty("schema").GetProperty("properties").GetProperty("settings").GetProperty("properties").GetProperty("pkce_required");
        JsonElement shown = document.GetProperty("components").GetProperty("schemas").GetProperty("ClientSettings").GetProperty("properties").GetProperty("pkce_required");
        shown.GetProperty("description").GetString().ShouldBe(sent.GetProperty("description").GetString());
    }

    [Theory]
    [InlineData("/v1/docs", Management)]
    [InlineData("/v1/docs/operator", Operator)]
    public async Task The_reference_shows_every_operation_and_loads_nothing_from_elsewhere(string page, string document)
    {
        using HttpResponseMessage response = await server.Http.GetAsync(page);
        response.Content.Headers.ContentType.ShouldBe(MediaTypeHeaderValue.Parse("text/html; charset=utf-8"));
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldBe(PageHeaders.ContentSecurityPolicy());
        string html = await response.Content.ReadAsStringAsync();
        html.ShouldNotContain("<script");
        Loaded().Matches(html).Select(static match => match.Groups[1].Value).ShouldAllBe(static address => address.StartsWith("/assets/"));

        string[] ids = [.. Id().Matches(html).Select(static match => match.Groups[1].Value)];
        ids.ShouldBeUnique();
        foreach (JsonElement operation in Operations(await DocumentAsync(document)))
            ids.ShouldContain(operation.GetProperty("operationId").GetString());
        foreach (string anchor in Anchor().Matches(html).Select(static match => match.Groups[1].Value))
            ids.ShouldContain(anchor, "a link leads somewhere");
    }

    private async Task<JsonElement> DocumentAsync(string path)
    {
        using HttpResponseMessage response = await server.Http.GetAsync(path);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }

    private static IEnumerable<string> PathsOf(JsonElement document) => document.GetProperty("paths").EnumerateObject().Select(static path => path.Name);

    private static IEnumerable<JsonElement> Operations(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().SelectMany(static path => path.Value.EnumerateObject()).Select(static method => method.Value);

    [GeneratedRegex("^[a-z][A-Za-z]+$")]
    private static partial Regex Name();

    [GeneratedRegex("\"\\$ref\": \"[^\"]+\"")]
    private static partial Regex Reference();

    [GeneratedRegex("<(?:link|img|script|iframe)[^>]* (?:href|src)=\"([^\"]+)\"")]
    private static partial Regex Loaded();

    [GeneratedRegex(" id=\"([^\"]+)\"")]
    private static partial Regex Id();

    [GeneratedRegex("href=\"#([^\"]+)\"")]
    private static partial Regex Anchor();
}
