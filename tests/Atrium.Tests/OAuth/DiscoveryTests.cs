using System.Net;
using System.Text.Json;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>What the server says of itself is true.</summary>
public sealed class DiscoveryTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Theory]
    [InlineData("/t/acme/.well-known/openid-configuration", "/t/acme", "ES256")]
    [InlineData("/t/acme/.well-known/oauth-authorization-server", "/t/acme", "ES256")]
    [InlineData("/.well-known/oauth-authorization-server/t/acme", "/t/acme", "ES256")]
    [InlineData("/t/acme/oauth2/token/.well-known/openid-configuration", "/t/acme/oauth2/token", "RS256")]
    [InlineData("/t/acme/o/{org}/oauth2/token/.well-known/openid-configuration", "/t/acme/oauth2/token", "RS256")]
    [InlineData("/t/acme/o/{org}/.well-known/openid-configuration", "/t/acme/oauth2/token", "RS256")]
    public async Task A_document_names_its_issuer_and_endpoints_that_answer(string path, string issuer, string algorithm)
    {
        string org = (await new World(server).OrganizationAsync("northwind")).Id.ToString();
        using HttpResponseMessage response = await server.Http.GetAsync(path.Replace("{org}", org, StringComparison.Ordinal));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        JsonElement document = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        document.GetProperty("issuer").GetString().ShouldBe(server.Url + issuer.Replace("{org}", org, StringComparison.Ordinal));
        document.GetProperty("response_types_supported").ToString().ShouldBe("[\"code\"]");
        document.GetProperty("code_challenge_methods_supported").ToString().ShouldBe("[\"S256\"]");
        document.GetProperty("authorization_response_iss_parameter_supported").GetBoolean().ShouldBe(algorithm == "ES256");
        document.GetProperty("request_uri_parameter_supported").GetBoolean().ShouldBeFalse();
        document.GetProperty("id_token_signing_alg_values_supported").EnumerateArray().First().GetString().ShouldBe(algorithm);
        document.GetProperty("dpop_signing_alg_values_supported").EnumerateArray().Select(static name => name.GetString()).ShouldBe(["ES256", "RS256", "PS256", "EdDSA", "Ed25519"]);
        foreach (string endpoint in new[] { "token", "introspection", "revocation" })
        {
            document.GetProperty($"{endpoint}_endpoint_auth_methods_supported").EnumerateArray().Select(static value => value.GetString()).ShouldContain("private_key_jwt");
            document.GetProperty($"{endpoint}_endpoint_auth_signing_alg_values_supported").ToString().ShouldBe("""["ES256","RS256","PS256","EdDSA","Ed25519"]""");
        }

        document.TryGetProperty("authn_endpoint", out _).ShouldBe(issuer.EndsWith("/token", StringComparison.Ordinal));
        document.TryGetProperty("pushed_authorization_request_endpoint", out _).ShouldBe(algorithm == "ES256");
        foreach (string name in new[] { "authorization", "token", "userinfo", "introspection", "revocation", "end_session" })
        {
            string endpoint = document.GetProperty($"{name}_endpoint").GetString()!;
            endpoint.ShouldStartWith(server.Url);
            using HttpResponseMessage answer = await server.Http.PostAsync(endpoint, new FormUrlEncodedContent([]));
            ((int)answer.StatusCode).ShouldBeOneOf(200, 400, 401);
        }

        using HttpResponseMessage keys = await server.Http.GetAsync(document.GetProperty("jwks_uri").GetString());
        keys.Headers.CacheControl!.MaxAge!.Value.TotalSeconds.ShouldBe(60);
        JsonElement[] set = [.. JsonElement.Parse(await keys.Content.ReadAsStringAsync()).GetProperty("keys").EnumerateArray()];
        set.Select(static key => key.GetProperty("alg").GetString()).ShouldBe(["ES256", "RS256", "EdDSA", "ES256", "RS256", "EdDSA"], ignoreOrder: true, "those that sign, and the next ones");
        set.SelectMany(static key => key.EnumerateObject()).Select(static member => member.Name).ShouldNotContain("d");
    }

    [Theory]
    [InlineData("/t/nowhere/.well-known/openid-configuration")]
    [InlineData("/.well-known/oauth-authorization-server/t/nowhere")]
    [InlineData("/t/acme/o/nonsense/oauth2/token/.well-known/openid-configuration")]
    [InlineData("/t/acme/o/org_0000000000000000000000001/oauth2/token/.well-known/openid-configuration")]
    public async Task What_does_not_exist_has_no_document(string path)
    {
        using HttpResponseMessage response = await server.Http.GetAsync(path);
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_single_page_application_may_call_from_its_origin()
    {
        using HttpRequestMessage preflight = new(HttpMethod.Options, "/t/acme/token");
        preflight.Headers.Add("Origin", "http://localhost:3000");
        using HttpResponseMessage response = await server.Http.SendAsync(preflight);
        response.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["http://localhost:3000"]);
    }
}
