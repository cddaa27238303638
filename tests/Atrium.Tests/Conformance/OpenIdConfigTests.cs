using System.Net;
using System.Text.Json;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>
/// The OpenID Foundation's <c>oidcc-config-certification-test-plan</c>: one module, <c>oidcc-discovery-endpoint-verification</c>, one test for each
/// of its looks at the document (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
/// </summary>
[Trait("OIDF module", "oidcc-discovery-endpoint-verification")]
public sealed class OpenIdConfigTests(DemoServer server) : IClassFixture<DemoServer>, IAsyncLifetime
{
    private const string Path = $"{OAuthBrowser.Root}/.well-known/openid-configuration";

    private readonly OAuthBrowser browser = new(server);
    private JsonElement document;

    public async ValueTask InitializeAsync() => document = await browser.GetJsonAsync(Path);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_document_is_JSON_and_has_no_member_without_a_value()
    {
        using HttpResponseMessage response = await browser.GetAsync(Path);
        (response.StatusCode, response.Content.Headers.ContentType!.MediaType).ShouldBe((HttpStatusCode.OK, "application/json"));
        foreach (JsonProperty member in document.EnumerateObject())
        {
            member.Value.ValueKind.ShouldNotBe(JsonValueKind.Null, member.Name);
            if (member.Value.ValueKind == JsonValueKind.Array)
                member.Value.GetArrayLength().ShouldBeGreaterThan(0, $"{member.Name}: claims with zero elements are omitted (section 4.2)");
        }

        document.EnumerateObject().Select(static member => member.Name).ShouldBeUnique();
    }

    [Fact]
    public void The_issuer_is_the_address_without_the_well_known_part()
    {
        string issuer = Text("issuer");
        (issuer + "/.well-known/openid-configuration").ShouldBe(server.Url + Path);
        Uri address = new(issuer);
        (address.Query, address.Fragment).ShouldBe(("", ""));
    }

    [Fact]
    public void Every_address_is_https_or_on_this_machine()
    {
        JsonProperty[] addresses = [.. document.EnumerateObject().Where(static member => member.Name.EndsWith("_endpoint", StringComparison.Ordinal) || member.Name is "issuer" or "jwks_uri")];
        addresses.Length.ShouldBeGreaterThan(5);
        foreach (JsonProperty member in addresses)
        {
            Uri address = new(member.Value.GetString()!, UriKind.Absolute);
            (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback).ShouldBeTrue(member.Name);
            address.Fragment.ShouldBe("", member.Name);
        }
    }

    [Theory]
    [InlineData("issuer")]
    [InlineData("authorization_endpoint")]
    [InlineData("token_endpoint")]
    [InlineData("jwks_uri")]
    [InlineData("response_types_supported")]
    [InlineData("subject_types_supported")]
    [InlineData("id_token_signing_alg_values_supported")]
    public void What_the_specification_requires_is_there(string name) => document.TryGetProperty(name, out _).ShouldBeTrue();

    [Theory]
    [InlineData("userinfo_endpoint")]
    [InlineData("scopes_supported")]
    [InlineData("claims_supported")]
    public void What_it_recommends_is_there(string name) => document.TryGetProperty(name, out _).ShouldBeTrue();

    [Fact]
    public void The_code_flow_is_supported_by_response_type_mode_and_grant()
    {
        Texts("response_types_supported").ShouldBe(["code"]);
        Texts("response_modes_supported").ShouldContain("query");
        Texts("grant_types_supported").ShouldBe(["authorization_code", "refresh_token", "client_credentials"]);
        Texts("subject_types_supported").ShouldBe(["public"]);
        Texts("code_challenge_methods_supported").ShouldBe(["S256"]);
    }

    [Fact]
    public void ID_tokens_can_be_signed_by_RS256_and_never_by_nobody()
    {
        Texts("id_token_signing_alg_values_supported").ShouldContain("RS256", "which the specification requires");
        document.EnumerateObject().Where(static member => member.Name.EndsWith("_signing_alg_values_supported", StringComparison.Ordinal))
            .SelectMany(static member => member.Value.EnumerateArray()).Select(static name => name.GetString())
            .ShouldAllBe(static name => name != "none" && !name!.StartsWith("HS", StringComparison.Ordinal));
    }

    [Fact]
    public void The_scope_openid_is_among_those_supported_with_all_that_bring_standard_claims() =>
        new[] { "openid", "profile", "email", "address", "phone", "offline_access" }.ShouldBeSubsetOf(Texts("scopes_supported"));

    [Fact]
    public async Task Every_claim_that_a_person_can_bring_is_among_those_supported()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test", ("scope", "openid profile email phone address"));
        string[] supported = Texts("claims_supported");
        new[] { "sub", "name", "email", "email_verified", "phone_number", "phone_number_verified", "address", "organizations" }.ShouldBeSubsetOf(supported);
        tokens.Identity.EnumerateObject().Select(static claim => claim.Name).ShouldBeSubsetOf(supported);
        (await browser.UserInfoAsync(tokens.AccessToken)).Json.EnumerateObject().Select(static claim => claim.Name).ShouldBeSubsetOf(supported);
    }

    [Fact]
    public void Claims_can_be_normal_and_distributed() => Texts("claim_types_supported").ShouldBe(["normal", "distributed"]);

    [Fact]
    public void What_is_not_supported_says_so_where_it_would_be_taken_for_supported()
    {
        foreach (string name in new[] { "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported" })
            document.GetProperty(name).GetBoolean().ShouldBeFalse(name);
        foreach (string name in new[] { "registration_endpoint", "device_authorization_endpoint", "backchannel_authentication_endpoint" })
            document.TryGetProperty(name, out _).ShouldBeFalse(name);
    }

    [Fact]
    public async Task The_keys_are_a_valid_JWKS_of_public_keys_with_names_of_their_own()
    {
        JsonElement[] keys = [.. (await browser.GetJsonAsync(Text("jwks_uri"))).GetProperty("keys").EnumerateArray()];
        keys.Select(static key => key.GetProperty("kid").GetString()).ShouldBeUnique();
        foreach (JsonElement key in keys)
        {
            key.GetProperty("use").GetString().ShouldBe("sig");
            string[] required = key.GetProperty("kty").GetString() switch { "RSA" => ["n", "e"], "EC" => ["crv", "x", "y"], _ => ["crv", "x"] };
            required.ShouldBeSubsetOf(key.EnumerateObject().Select(static member => member.Name));
            new[] { "d", "p", "q", "dp", "dq", "qi", "k" }.ShouldAllBe(name => !key.EnumerateObject().Any(member => member.Name == name), "nothing private");
        }

        Texts("id_token_signing_alg_values_supported").ShouldBeSubsetOf(keys.Select(static key => key.GetProperty("alg").GetString()!), "there is a key for each algorithm");
    }

    /// <summary>RFC 8414 section 3.1: the well-known part stands before the path of the issuer, and as OpenID Connect has it, behind it.</summary>
    [Theory]
    [InlineData("/.well-known/oauth-authorization-server/t/acme")]
    [InlineData("/t/acme/.well-known/oauth-authorization-server")]
    public async Task The_document_is_the_same_at_every_well_known_place(string path) => (await browser.GetJsonAsync(path)).GetRawText().ShouldBe(document.GetRawText());

    [Fact]
    public async Task Clients_authenticate_in_the_ways_that_are_named()
    {
        string[] ways = Texts("token_endpoint_auth_methods_supported");
        new[] { "client_secret_basic", "client_secret_post" }.ShouldBeSubsetOf(ways);
        foreach (string name in new[] { "introspection", "revocation" })
            Texts($"{name}_endpoint_auth_methods_supported").ShouldBeSubsetOf(ways);
        using HttpResponseMessage nobody = await browser.PostAsync(Text("token_endpoint"), ("grant_type", "authorization_code"), ("code", "x"));
        nobody.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private string Text(string name) => document.GetProperty(name).GetString()!;

    private string[] Texts(string name) => [.. document.GetProperty(name).EnumerateArray().Select(static word => word.GetString()!)];
}
