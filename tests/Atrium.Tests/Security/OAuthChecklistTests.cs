using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Security;

/// <summary>
/// What OAuth 2.1 and RFC 9700 ask of an authorization server, line by line of the checklist that this door is held to; a test's name is its line.
/// Lines 11 to 13 and 16 are in <see cref="OAuthExtensionChecklistTests"/>.
/// </summary>
public sealed class OAuthChecklistTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Theory]
    [InlineData("http://localhost:3000/callback/")]
    [InlineData("http://localhost:3000/callback?x=1")]
    [InlineData("http://localhost:3000/Callback")]
    [InlineData("http://localhost:3001/callback")]
    [InlineData("http://localhost:3000/callback%2F")]
    [InlineData("http://localhost:3000/a/../callback")]
    [InlineData("http://user@localhost:3000/callback")]
    [InlineData("https://evil.example/callback")]
    public async Task Line_01_redirect_uri_is_an_exact_string_match_and_nothing_is_sent_to_a_bad_one_or_for_a_bad_client(string address)
    {
        foreach (string url in new[] { OAuthBrowser.Authorize(("redirect_uri", address)), OAuthBrowser.Authorize(("client_id", "nobody"), ("redirect_uri", address)) })
        {
            using HttpResponseMessage refused = await browser.GetAsync(url);
            (refused.StatusCode, refused.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        }
    }

    [Theory]
    [InlineData("http://127.0.0.1:49152/cb", true)]
    [InlineData("http://127.0.0.1/cb", true)]
    [InlineData("http://127.0.0.1:49152/other", false)]
    [InlineData("http://localhost:49152/cb", false)]
    [InlineData("http://127.0.0.1.evil.example:80/cb", false)]
    public async Task Line_01_the_port_of_a_native_clients_loopback_address_is_excepted(string address, bool isAccepted)
    {
        string clientId = $"loopback-{Guid.NewGuid():N}";
        await world.ClientAsync(clientId, new(), static client => client with { Type = ClientType.Native, RedirectUris = ["http://127.0.0.1:1/cb"] });
        using HttpResponseMessage answer = await browser.GetAsync(OAuthBrowser.Authorize(("client_id", clientId), ("redirect_uri", address)));
        answer.StatusCode.ShouldBe(isAccepted ? HttpStatusCode.SeeOther : HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Line_02_pkce_for_every_code_client_with_S256_only_and_a_verifier_without_a_challenge_is_refused()
    {
        (await browser.SilentlyAsync(("code_challenge", null), ("code_challenge_method", null)))["error"].ShouldBe("invalid_request");
        (await browser.SilentlyAsync(("code_challenge_method", "plain")))["error"].ShouldBe("invalid_request");
        (await browser.SilentlyAsync(("code_challenge_method", null)))["error"].ShouldBe("invalid_request");

        await world.ClientAsync("no-pkce", new ClientSettings { PkceRequired = false }, Confidential);
        (string, string)[] credentials = [("client_id", "no-pkce"), ("client_secret", "its-secret")];
        Arrival downgraded = await browser.SignInAsync(
            "mia@example.test", ("client_id", "no-pkce"), ("code_challenge", null), ("code_challenge_method", null));
        (await browser.TokenAsync([.. credentials, .. Code(downgraded), ("code_verifier", OAuthBrowser.Verifier)])).Error.ShouldBe("invalid_grant");
        Arrival challenged = await browser.SilentlyAsync(("client_id", "no-pkce"));
        (await browser.TokenAsync([.. credentials, .. Code(challenged)])).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task Line_03_the_issuer_is_in_every_authorization_response_and_keys_are_the_issuers_own()
    {
        (await browser.SilentlyAsync(("prompt", "none")))["iss"].ShouldBe(browser.Issuer);
        (await browser.SignInAsync("mia@example.test"))["iss"].ShouldBe(browser.Issuer);
        string[] ours = await KeyIdsAsync("/t/acme/jwks.json"), theirs = await KeyIdsAsync("/t/globex/jwks.json");
        ours.ShouldNotBeEmpty();
        ours.ShouldNotContain(kid => theirs.Contains(kid));
    }

    [Fact]
    public async Task Line_04_a_code_lives_sixty_seconds_is_spent_once_and_its_second_use_revokes_what_the_first_gave()
    {
        await browser.SignInAsync("mia@example.test");
        Arrival late = await browser.SilentlyAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        (await browser.RedeemAsync(late.Code)).Error.ShouldBe("invalid_grant");

        Arrival once = await browser.SilentlyAsync();
        TokenReply tokens = await browser.RedeemAsync(once.Code);
        tokens.Status.ShouldBe(HttpStatusCode.OK);
        (await browser.RedeemAsync(once.Code)).Error.ShouldBe("invalid_grant");
        (await browser.RefreshAsync(tokens.RefreshToken)).Error.ShouldBe("invalid_grant");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);

        Arrival raced = await browser.SilentlyAsync();
        TokenReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.RedeemAsync(raced.Code)));
        replies.Count(static reply => reply.Status == HttpStatusCode.OK).ShouldBe(1);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("id_token")]
    [InlineData("code token")]
    [InlineData("code id_token")]
    [InlineData("code id_token token")]
    [InlineData("none")]
    public async Task Line_05_no_implicit_and_no_hybrid_flow(string responseType) =>
        (await browser.SilentlyAsync(("response_type", responseType)))["error"].ShouldBe("unsupported_response_type");

    [Theory]
    [InlineData("password")]
    [InlineData("urn:ietf:params:oauth:grant-type:token-exchange")]
    [InlineData("urn:ietf:params:oauth:grant-type:jwt-bearer")]
    [InlineData("urn:ietf:params:oauth:grant-type:device_code")]
    public async Task Line_05_no_password_grant_and_no_other_than_the_three(string grantType) =>
        (await browser.TokenAsync(
            ("client_id", "demo-web"), ("grant_type", grantType), ("username", "mia@example.test"), ("password", DemoRealm.Password), ("subject_token", "x")))
            .Error.ShouldBe("unsupported_grant_type");

    [Fact]
    public async Task Line_06_the_answer_to_credentials_is_303_and_never_307()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage answer = await browser.SubmitPasswordAsync(form, "mia@example.test");
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Fact]
    public async Task Line_07_no_bearer_token_in_a_query_string()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        using HttpResponseMessage inQuery = await browser.GetAsync($"/t/acme/userinfo?access_token={tokens.AccessToken}");
        inQuery.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Line_08_refresh_tokens_are_one_time_bound_to_client_scope_and_resource_and_reuse_ends_the_family()
    {
        TokenReply first = await browser.TokensAsync("mia@example.test", ("scope", "openid email"));
        (await browser.TokenAsync(
            ("grant_type", "refresh_token"), ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("refresh_token", first.RefreshToken)))
            .Error.ShouldBe("invalid_grant");
        (await browser.RefreshAsync(first.RefreshToken, ("scope", "openid email profile"))).Error.ShouldBe("invalid_scope");
        (await browser.RefreshAsync(first.RefreshToken, ("resource", "https://other.example"))).Error.ShouldBe("invalid_target");

        TokenReply second = await browser.RefreshAsync(first.RefreshToken);
        second.Status.ShouldBe(HttpStatusCode.OK);
        TokenReply[] race = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.RefreshAsync(first.RefreshToken)));
        race.ShouldAllBe(reply => reply.RefreshToken == second.RefreshToken);
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        (await browser.RefreshAsync(first.RefreshToken)).Error.ShouldBe("invalid_grant");
        (await browser.RefreshAsync(second.RefreshToken)).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task Line_08_refresh_tokens_have_an_absolute_lifetime_that_no_use_extends_beyond_the_session()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        int refreshes = 0;
        while (tokens.Status == HttpStatusCode.OK && refreshes++ < 400)
        {
            server.Clock.Advance(TimeSpan.FromHours(6));
            tokens = await browser.RefreshAsync(tokens.RefreshToken);
        }

        tokens.Error.ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task Line_09_an_access_token_is_an_at_jwt_with_every_claim_of_RFC_9068_and_an_id_token_is_never_taken_for_one()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        Jwts.HeaderOf(tokens.AccessToken).GetProperty("typ").GetString().ShouldBe("at+jwt");
        foreach (string claim in new[] { "iss", "sub", "aud", "client_id", "jti", "iat", "exp", "auth_time" })
            tokens.Access.TryGetProperty(claim, out _).ShouldBeTrue(claim);
        tokens.Access.GetProperty("aud").ValueKind.ShouldBe(JsonValueKind.String);
        string idToken = tokens.Json.GetProperty("id_token").GetString()!;
        (await browser.UserInfoAsync(idToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await browser.UserInfoAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Line_10_a_resource_is_held_against_what_was_granted_else_invalid_target()
    {
        await browser.SignInAsync("mia@example.test");
        Arrival arrival = await browser.SilentlyAsync(("resource", "https://api.example"));
        (await browser.RedeemAsync(arrival.Code, ("resource", "https://other.example"))).Error.ShouldBe("invalid_target");
        TokenReply tokens = await browser.RedeemAsync(arrival.Code, ("resource", "https://api.example"));
        tokens.Access.GetProperty("aud").GetString().ShouldBe("https://api.example");
        (await browser.SilentlyAsync(("resource", "not a uri")))["error"].ShouldBe("invalid_target");
        (await browser.SilentlyAsync(("resource", "https://api.example#part")))["error"].ShouldBe("invalid_target");
    }

    [Fact]
    public async Task Line_14_state_and_nonce_come_back_exactly_and_duplicate_parameters_are_refused()
    {
        const string Odd = "a b+c%20d/ü\"<>&=?#";
        Arrival arrival = await browser.SignInAsync("mia@example.test", ("state", Odd), ("nonce", Odd));
        arrival["state"].ShouldBe(Odd);
        (await browser.RedeemAsync(arrival.Code)).Identity.GetProperty("nonce").GetString().ShouldBe(Odd);
        using HttpResponseMessage twice = await browser.GetAsync(OAuthBrowser.Authorize() + "&scope=openid");
        Arrival.At(twice)["error"].ShouldBe("invalid_request");
        using HttpRequestMessage form = new(HttpMethod.Post, "/t/acme/token")
        {
            Content = new StringContent("grant_type=client_credentials&grant_type=client_credentials", null, "application/x-www-form-urlencoded"),
        };
        using HttpResponseMessage refused = await server.Http.SendAsync(form);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Line_15_every_sign_in_page_and_token_answer_has_its_headers()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        string[] pages = [form.Location, OAuthBrowser.Authorize(("client_id", "nobody")), "/t/acme/logout"];
        foreach (string address in pages)
        {
            using HttpResponseMessage page = await browser.GetAsync(address);
            string policy = string.Join("; ", page.Headers.GetValues("Content-Security-Policy"));
            policy.ShouldContain("default-src 'none'");
            policy.ShouldContain("frame-ancestors 'none'");
            policy.ShouldNotContain("unsafe-inline");
            page.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
            page.Headers.CacheControl!.NoStore.ShouldBeTrue();
            page.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        }

        (await browser.TokensAsync("mia@example.test")).IsNeverStored.ShouldBeTrue();
        (await browser.RefreshAsync("nonsense")).IsNeverStored.ShouldBeTrue();
    }

    private static Client Confidential(Client client) =>
        client with { Type = ClientType.Web, SecretHash = new Core.Secret("its-secret").Hash() };

    private static (string, string)[] Code(Arrival arrival) =>
        [("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback)];

    private async Task<string[]> KeyIdsAsync(string path)
    {
        using HttpResponseMessage answer = await browser.GetAsync(path);
        JsonElement set = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        return [.. set.GetProperty("keys").EnumerateArray().Select(static key => key.GetProperty("kid").GetString()!)];
    }
}
