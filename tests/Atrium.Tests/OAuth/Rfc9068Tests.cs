using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>Access tokens, line by line of RFC 9068. What the tokens of organizations add is tested elsewhere.</summary>
public sealed class Rfc9068Tests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);

    [Theory]
    [InlineData(null, "ES256")]
    [InlineData("RS256", "RS256")]
    [InlineData("EdDSA", "EdDSA")]
    public async Task Section_2_1_the_header_is_at_jwt_and_the_algorithm_asymmetric_with_a_key_of_the_published_set(string? asked, string algorithm)
    {
        string client = $"rfc9068-{algorithm}";
        await new World(server).ClientAsync(client, new ClientSettings(), made => made with { SignatureAlgorithm = asked });
        JsonElement header = Jwts.HeaderOf((await TokensAsync(client)).AccessToken);
        header.EnumerateObject().Select(static member => member.Name).ShouldBe(["alg", "kid", "typ"]);
        (header.GetProperty("typ").GetString(), header.GetProperty("alg").GetString()).ShouldBe(("at+jwt", algorithm));
        JsonElement keys = JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/jwks.json")).GetProperty("keys");
        keys.EnumerateArray().Single(key => key.GetProperty("kid").GetString() == header.GetProperty("kid").GetString()).GetProperty("alg").GetString().ShouldBe(algorithm);
    }

    [Fact]
    public async Task Section_2_2_the_required_claims_of_a_persons_token_are_there_and_of_the_right_type()
    {
        JsonElement claims = (await browser.TokensAsync("mia@example.test")).Access;
        long now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        claims.GetProperty("iss").GetString().ShouldBe(browser.Issuer);
        claims.GetProperty("exp").GetInt64().ShouldBe(now + 1800);
        claims.GetProperty("aud").GetString().ShouldBe("demo-web");
        claims.GetProperty("sub").GetString().ShouldStartWith("usr_");
        claims.GetProperty("client_id").GetString().ShouldBe("demo-web");
        claims.GetProperty("iat").GetInt64().ShouldBe(now);
        claims.GetProperty("jti").GetString()!.Length.ShouldBeGreaterThanOrEqualTo(18);
        claims.EnumerateObject().Select(static member => member.Name).ShouldBeUnique();
    }

    [Fact]
    public async Task Section_2_2_the_jti_is_of_one_token_alone()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken);
        TokenReply silent = await browser.RedeemAsync((await browser.SilentlyAsync()).Code);
        new[] { tokens, refreshed, silent }.Select(static reply => reply.Access.GetProperty("jti").GetString()).ShouldBeUnique();
    }

    [Fact]
    public async Task Section_2_2_1_auth_time_is_when_the_person_signed_in_and_stays_so_when_the_token_is_renewed()
    {
        long signedIn = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken);
        tokens.Access.GetProperty("auth_time").GetInt64().ShouldBe(signedIn);
        refreshed.Access.GetProperty("auth_time").GetInt64().ShouldBe(signedIn);
        refreshed.Access.GetProperty("iat").GetInt64().ShouldBe(signedIn + 600);
    }

    [Fact]
    public async Task Section_2_2_3_scope_is_what_was_granted_separated_by_spaces()
    {
        (await browser.TokensAsync("sam@example.test", ("scope", "openid email projects:read"))).Access.GetProperty("scope").GetString().ShouldBe("openid email projects:read");
        (await new OAuthBrowser(server).TokensAsync("sam@example.test", ("scope", null))).Access.TryGetProperty("scope", out _).ShouldBeFalse("none was asked for");
    }

    [Fact]
    public async Task Section_3_the_audience_is_the_resource_that_was_asked_for_and_nothing_else()
    {
        const string resource = "https://api.example.test/v1";
        TokenReply tokens = await browser.TokensAsync("sam@example.test", ("resource", resource));
        tokens.Access.GetProperty("aud").GetString().ShouldBe(resource);
        tokens.Identity.GetProperty("aud").GetString().ShouldBe("demo-web");
        (await browser.RefreshAsync(tokens.RefreshToken)).Access.GetProperty("aud").GetString().ShouldBe(resource);
    }

    [Fact]
    public async Task Section_2_2_the_subject_of_a_clients_own_token_is_the_client_and_nobody_authenticated()
    {
        JsonElement claims = (await browser.TokenAsync(
            ("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret), ("scope", "jobs:run"))).Access;
        claims.EnumerateObject().Select(static member => member.Name).ShouldBe(["iss", "sub", "aud", "iat", "exp", "jti", "client_id", "scope"], ignoreOrder: true);
        (claims.GetProperty("sub").GetString(), claims.GetProperty("client_id").GetString()).ShouldBe(("demo-m2m", "demo-m2m"));
    }

    /// <summary>And section 5: an ID token has no type, so neither passes for the other.</summary>
    [Fact]
    public async Task Section_4_only_the_type_at_jwt_is_an_access_token()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        foreach (string other in new[] { tokens.Json.GetProperty("id_token").GetString()!, tokens.RefreshToken })
        {
            Jwts.HeaderOf(other).TryGetProperty("typ", out _).ShouldBeFalse();
            (await browser.UserInfoAsync(other)).Status.ShouldBe(System.Net.HttpStatusCode.Unauthorized);
        }
    }

    private async Task<TokenReply> TokensAsync(string client)
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client));
        return await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", client), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
    }
}
