using System.Net;
using System.Text;
using System.Text.Json;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests;

/// <summary>What holds for every path, whichever door it belongs to.</summary>
public sealed class HttpTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Theory]
    [InlineData("/")]
    [InlineData("/health/ready")]
    [InlineData("/t/acme/.well-known/openid-configuration")]
    [InlineData("/t/acme/jwks.json")]
    public async Task What_answers_GET_answers_HEAD_without_a_body(string path)
    {
        using HttpRequestMessage request = new(HttpMethod.Head, path);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404)]
    [InlineData("GET", "/t/acme/nowhere", 404)]
    [InlineData("GET", "/t/acme/token", 405)]
    [InlineData("DELETE", "/t/acme/oauth2/authn", 405)]
    public async Task What_nobody_serves_is_told_as_JSON_with_a_request_id(string method, string path, int status)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        ((int)response.StatusCode).ShouldBe(status);
        JsonElement body = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        body.GetProperty("request_id").GetString().ShouldBe(response.Headers.GetValues("X-Request-ID").Single());
    }

    [Theory]
    [InlineData("/t/nowhere/oauth2/authn", "application/json", "{}", 400, "ABA-60009")]
    [InlineData("/t/nowhere/oauth2/authorize", "application/x-www-form-urlencoded", "response_mode=direct", 400, "ABA-60005")]
    [InlineData("/t/acme/oauth2/authorize", "application/json", "{}", 400, "ABA-60001")]
    [InlineData("/t/acme/oauth2/authorize", "text/plain", "response_mode=direct", 400, "ABA-60001")]
    [InlineData("/t/acme/oauth2/authorize", "application/x-www-form-urlencoded", "{1 MB}", 413, "ABA-60001")]
    public async Task A_start_that_cannot_be_read_is_refused_in_the_app_native_envelope(string path, string contentType, string body, int status, string code)
    {
        string sent = body == "{1 MB}" ? "response_mode=direct&x=" + new string('x', 1024 * 1024) : body;
        using HttpResponseMessage response = await server.Http.PostAsync(path, new StringContent(sent, Encoding.UTF8, contentType));
        ((int)response.StatusCode).ShouldBe(status);
        JsonElement error = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        error.GetProperty("code").GetString().ShouldBe(code);
        error.EnumerateObject().Select(static member => member.Name).ShouldBe(["code", "message", "description", "traceId"]);
    }

    [Fact]
    public async Task A_browser_gets_a_page_where_a_program_gets_an_envelope()
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/t/acme/oauth2/authorize") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Accept.ParseAdd("text/html");
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
    }
}
