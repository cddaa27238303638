using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Server.Keys;
using Atrium.Server.Tokens;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Atrium.Tests.OAuth.Logout;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>The modules of the OpenID Foundation's plan for back-channel logout, by their names.</summary>
public sealed class BackChannelLogoutTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly LogoutCalls calls = new(server);
    private readonly OAuthBrowser browser = new(server);

    [Fact(DisplayName = "oidcc-backchannel-rp-initiated-logout-discovery-endpoint-verification")]
    public async Task Discovery()
    {
        using HttpResponseMessage response = await browser.GetAsync("/t/acme/.well-known/openid-configuration");
        JsonElement metadata = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        metadata.GetProperty("backchannel_logout_supported").GetBoolean().ShouldBeTrue();
        metadata.GetProperty("backchannel_logout_session_supported").GetBoolean().ShouldBeTrue();
    }

    [Theory(DisplayName = "oidcc-backchannel-rp-initiated-logout")]
    [InlineData("ES256")]
    [InlineData("RS256")]
    public async Task The_logout_token(string algorithm)
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        Client client = await calls.ToldAsync(receiver, client => client with { SignatureAlgorithm = algorithm });
        TokenReply tokens = await calls.TokensAsync(browser, client);
        await LogoutCalls.SignOutAsync(browser, tokens);
        ReceivedMessage message = await receiver.NextAsync();

        message.Headers["Content-Type"].ShouldBe("application/x-www-form-urlencoded");
        message.Body.ShouldStartWith("logout_token=");
        string token = LogoutCalls.TokenOf(message);
        JsonElement header = Jwts.HeaderOf(token);
        header.GetProperty("typ").GetString().ShouldBe("logout+jwt");
        header.GetProperty("alg").GetString().ShouldBe(algorithm);
        JsonElement claims = Jwt.Read(token, await server.Get<RealmKeys>().AllAsync(client.RealmId, default), Jwt.LogoutTokenType).ShouldNotBeNull();
        long now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        claims.GetProperty("iss").GetString().ShouldBe(browser.Issuer);
        claims.GetProperty("aud").GetString().ShouldBe(client.ClientId);
        claims.GetProperty("iat").GetInt64().ShouldBe(now);
        claims.GetProperty("exp").GetInt64().ShouldBe(now + 120);
        claims.GetProperty("jti").GetString().ShouldNotBeNullOrEmpty();
        claims.GetProperty("sub").GetString().ShouldBe(tokens.Identity.GetProperty("sub").GetString());
        claims.GetProperty("sid").GetString().ShouldBe(tokens.Identity.GetProperty("sid").GetString());
        claims.GetProperty("events").ToString().ShouldBe("""{"http://schemas.openid.net/event/backchannel-logout":{}}""");
        claims.TryGetProperty("nonce", out _).ShouldBeFalse();

        // What is not an access token or an ID token opens nothing that these open.
        (await browser.UserInfoAsync(token)).Status.ShouldBe(System.Net.HttpStatusCode.Unauthorized);
        using HttpResponseMessage hinted = await browser.GetAsync(LogoutCalls.Address(("id_token_hint", token)));
        hinted.StatusCode.ShouldBe(System.Net.HttpStatusCode.BadRequest);
    }
}
