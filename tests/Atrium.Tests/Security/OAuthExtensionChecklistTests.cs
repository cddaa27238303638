using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Atrium.Tests.OAuth.Logout;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Security;

/// <summary>The lines of the checklist that are about extensions of OAuth 2; see <see cref="OAuthChecklistTests"/>.</summary>
public sealed class OAuthExtensionChecklistTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task Line_11_DPoP_holds_method_address_time_id_and_token_to_the_key_on_code_refresh_and_userinfo()
    {
        DpopCalls holder = new(server, DpopKey.New()), thief = new(server, DpopKey.New());
        DpopReply tokens = (await holder.TokensAsync("mia@example.test", ("dpop_jkt", holder.Jkt))).ShouldBeBoundTo(holder.Jkt);
        (await holder.MachineTokenAsync(static (_, claims) => claims["htm"] = "GET"))["error"].ShouldBe("invalid_dpop_proof");
        (await holder.MachineTokenAsync(static (_, claims) => claims["htu"] = "https://other.example/token"))["error"].ShouldBe("invalid_dpop_proof");
        (await holder.MachineTokenAsync(static (_, claims) => claims["iat"] = (long)claims["iat"]! - 61))["error"].ShouldBe("invalid_dpop_proof");
        (await holder.MachineTokenAsync(static (_, claims) => claims["nonce"] = "made-up"))["error"].ShouldBe("use_dpop_nonce");
        string proof = holder.TokenProof();
        (await holder.MachineTokenAsync(proof)).Status.ShouldBe(HttpStatusCode.OK);
        (await holder.MachineTokenAsync(proof))["error"].ShouldBe("invalid_dpop_proof");

        (await holder.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
        (await thief.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        string forAnother = holder.UserInfoProof(tokens.AccessToken, static (_, claims) => claims["ath"] = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
        (await holder.UserInfoAsync("DPoP", tokens.AccessToken, forAnother)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await thief.RefreshAsync(tokens.RefreshToken))["error"].ShouldBe("invalid_grant");
        (await holder.RefreshAsync(tokens.RefreshToken)).ShouldBeBoundTo(holder.Jkt);
        await browser.SignInAsync("mia@example.test");
        Arrival bound = await browser.SilentlyAsync(("dpop_jkt", holder.Jkt));
        (await thief.RedeemAsync(bound.Code))["error"].ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task Line_12_a_pushed_request_uri_works_once_for_its_client_within_sixty_seconds()
    {
        await browser.SignInAsync("mia@example.test");
        string once = await PushAsync();
        (await RedirectAsync("demo-web", once)).ShouldContain("code=");
        (await RedirectAsync("demo-web", once)).ShouldBeEmpty();
        string foreign = await PushAsync();
        (await RedirectAsync("demo-server", foreign)).ShouldBeEmpty();
        string late = await PushAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        (await RedirectAsync("demo-web", late)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Line_13_an_assertion_is_for_this_issuer_short_and_good_once()
    {
        SigningParty party = SigningParty.Of("ES256");
        await world.ClientAsync(
            "asserting",
            new ClientSettings { ClientAuth = ClientAuth.PrivateKeyJwt, Jwks = new ClientKeySet([party.Key]) },
            static client => client with { Type = ClientType.M2M, RedirectUris = [], PostLogoutRedirectUris = [], GrantTypes = ["client_credentials"] });
        string good = Assertion(party);
        (await AssertAsync(good)).Status.ShouldBe(HttpStatusCode.OK);
        (await AssertAsync(good)).Error.ShouldBe("invalid_client");
        foreach (Action<JsonObject> change in new Action<JsonObject>[]
        {
            static claims => claims["aud"] = "https://other.example",
            claims => claims["exp"] = server.Clock.GetUtcNow().AddHours(1).ToUnixTimeSeconds(),
            claims => claims["exp"] = server.Clock.GetUtcNow().AddMinutes(-1).ToUnixTimeSeconds(),
            static claims => claims.Remove("exp"),
            static claims => claims.Remove("jti"),
            static claims => claims["sub"] = "demo-m2m",
        })
        {
            (await AssertAsync(Assertion(party, change))).Error.ShouldBe("invalid_client");
        }

        (await AssertAsync(Assertion(SigningParty.Of("ES256")))).Error.ShouldBe("invalid_client");
    }

    [Fact]
    public async Task Line_16_logout_verifies_its_hint_and_its_address_and_tells_clients_by_a_logout_jwt()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        LogoutCalls calls = new(server);
        Client client = await calls.ToldAsync(receiver);
        TokenReply tokens = await calls.TokensAsync(browser, client, "sam@example.test");
        string idToken = tokens.Json.GetProperty("id_token").GetString()!;
        string address = $"/t/acme/logout?id_token_hint={idToken}";
        foreach (string bad in new[]
        {
            $"/t/acme/logout?id_token_hint={idToken[..^4]}AAAA", $"/t/acme/logout?id_token_hint={tokens.AccessToken}",
            $"{address}&post_logout_redirect_uri={Uri.EscapeDataString(DemoRealm.AfterSignOut + "?x=1")}", $"{address}&client_id=demo-server",
        })
        {
            using HttpResponseMessage refused = await browser.GetAsync(bad);
            (refused.StatusCode, refused.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null), bad);
        }

        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
        using HttpResponseMessage done = await browser.GetAsync(address);
        ((int)done.StatusCode).ShouldBeInRange(200, 303);
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        ReceivedMessage told = await receiver.NextAsync();
        JsonElement claims = LogoutCalls.ClaimsOf(told);
        Jwts.HeaderOf(LogoutCalls.TokenOf(told)).GetProperty("typ").GetString().ShouldBe("logout+jwt");
        (Claim(claims, "aud"), Claim(claims, "sid")).ShouldBe((client.ClientId, Claim(tokens.Identity, "sid")));
        claims.TryGetProperty("nonce", out _).ShouldBeFalse();
    }

    private static string Claim(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private async Task<string> PushAsync()
    {
        string query = OAuthBrowser.Authorize().Split('?')[1];
        using HttpRequestMessage request = new(HttpMethod.Post, "/t/acme/par") { Content = new StringContent(query, null, "application/x-www-form-urlencoded") };
        using HttpResponseMessage answer = await server.Http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        return Claim(JsonElement.Parse(await answer.Content.ReadAsStringAsync()), "request_uri");
    }

    /// <summary>Where a reference leads; nothing where it is a page.</summary>
    private async Task<string> RedirectAsync(string clientId, string requestUri)
    {
        using HttpResponseMessage answer = await browser.GetAsync($"/t/acme/authorize?client_id={clientId}&request_uri={Uri.EscapeDataString(requestUri)}");
        return answer.Headers.Location?.OriginalString ?? "";
    }

    private string Assertion(SigningParty party, Action<JsonObject>? change = null)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        JsonObject claims = new()
        {
            ["iss"] = "asserting", ["sub"] = "asserting", ["aud"] = browser.Issuer, ["jti"] = Guid.NewGuid().ToString(),
            ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.AddMinutes(1).ToUnixTimeSeconds(),
        };
        change?.Invoke(claims);
        return party.Sign("ES256", claims);
    }

    private Task<TokenReply> AssertAsync(string assertion) => browser.TokenAsync(
        ("grant_type", "client_credentials"), ("client_id", "asserting"), ("client_assertion_type", AssertionType), ("client_assertion", assertion));
}
