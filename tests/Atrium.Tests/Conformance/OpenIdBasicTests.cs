using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>The OpenID Foundation's <c>oidcc-basic-certification-test-plan</c>, module for module; the trait names each.</summary>
public sealed class OpenIdBasicTests(DemoServer server) : IClassFixture<DemoServer>, IAsyncLifetime
{
    private const string Module = "OIDF module";
    private const string Mia = "mia@example.test";

    /// <summary>What the scopes of the suite ask for (OpenID Connect Core section 5.4), as far as it is known of the person.</summary>
    private static readonly Dictionary<string, string[]> ClaimsOf = new()
    {
        ["profile"] = ["name", "given_name", "family_name", "preferred_username", "picture", "locale", "updated_at"],
        ["email"] = ["email", "email_verified"],
        ["phone"] = ["phone_number", "phone_number_verified"],
        ["address"] = ["address"],
    };

    private readonly RelyingParty party = new(server);

    public async ValueTask InitializeAsync() => await party.RegisterAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    [Trait(Module, "oidcc-server")]
    public async Task A_code_is_answered_with_an_ID_token_for_a_client_that_authenticates_by_basic()
    {
        Arrival arrival = await party.SignInAsync(Mia);
        TokenReply tokens = await party.RedeemAsync(arrival.Code, ClientAuth.Basic);
        await party.CheckAsync(tokens, "the-nonce");
        await party.UserInfoAsync(tokens);
    }

    [Fact]
    [Trait(Module, "oidcc-response-type-missing")]
    public async Task A_request_without_a_response_type_is_an_error()
    {
        Arrival refused = await party.WithoutPageAsync(("response_type", null));
        refused["error"].ShouldBe("invalid_request");
    }

    [Fact]
    [Trait(Module, "oidcc-idtoken-signature")]
    public async Task An_ID_token_names_its_key_and_is_signed_with_it()
    {
        TokenReply tokens = await party.TokensAsync(await party.SignInAsync(Mia));
        string token = tokens.Json.GetProperty("id_token").GetString()!;
        Jwts.HeaderOf(token).GetProperty("kid").GetString().ShouldNotBeNullOrEmpty();
        (await party.VerifiedAsync(token)).GetProperty("sub").GetString().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    [Trait(Module, "oidcc-idtoken-unsigned")]
    public async Task An_unsigned_ID_token_is_not_on_offer()
    {
        JsonElement document = await party.Browser.GetJsonAsync($"{OAuthBrowser.Root}/.well-known/openid-configuration");
        document.GetProperty("id_token_signing_alg_values_supported").EnumerateArray().Select(static name => name.GetString()).ShouldNotContain("none");
    }

    [Fact]
    [Trait(Module, "oidcc-userinfo-get")]
    public async Task Userinfo_answers_a_GET() => await party.UserInfoAsync(await party.TokensAsync(await party.SignInAsync(Mia)));

    [Fact]
    [Trait(Module, "oidcc-userinfo-post-header")]
    public async Task Userinfo_answers_a_POST_with_the_token_in_the_header()
    {
        TokenReply tokens = await party.TokensAsync(await party.SignInAsync(Mia));
        using HttpRequestMessage request = new(HttpMethod.Post, $"{OAuthBrowser.Root}/userinfo");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {tokens.AccessToken}");
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetRawText().ShouldBe((await party.UserInfoAsync(tokens)).GetRawText());
    }

    [Fact]
    [Trait(Module, "oidcc-userinfo-post-body")]
    public async Task Userinfo_answers_a_POST_with_the_token_in_the_body()
    {
        TokenReply tokens = await party.TokensAsync(await party.SignInAsync(Mia));
        using HttpResponseMessage response = await party.Browser.PostAsync($"{OAuthBrowser.Root}/userinfo", ("access_token", tokens.AccessToken));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await response.Content.ReadAsStringAsync()).ShouldBe((await party.UserInfoAsync(tokens)).GetRawText());
    }

    [Fact]
    [Trait(Module, "oidcc-ensure-request-without-nonce-succeeds-for-code-flow")]
    public async Task A_nonce_is_optional_and_then_in_no_ID_token() => await party.TokensAsync(await party.SignInAsync(Mia, ("nonce", null)), nonce: null);

    [Fact]
    [Trait(Module, "oidcc-scope-profile")]
    public Task The_scope_profile_brings_its_claims() => ScopeAsync("profile");

    [Fact]
    [Trait(Module, "oidcc-scope-email")]
    public Task The_scope_email_brings_its_claims() => ScopeAsync("email");

    [Fact]
    [Trait(Module, "oidcc-scope-address")]
    public Task The_scope_address_brings_its_claims() => ScopeAsync("address");

    [Fact]
    [Trait(Module, "oidcc-scope-phone")]
    public Task The_scope_phone_brings_its_claims() => ScopeAsync("phone");

    [Fact]
    [Trait(Module, "oidcc-scope-all")]
    public Task All_scopes_bring_all_claims() => ScopeAsync("profile email address phone");

    [Fact]
    [Trait(Module, "oidcc-ensure-other-scope-order-succeeds")]
    public async Task The_order_of_scopes_does_not_matter()
    {
        TokenReply tokens = await party.TokensAsync(await party.SignInAsync(Mia, ("scope", "email openid")));
        (await party.UserInfoAsync(tokens)).GetProperty("email").GetString().ShouldBe(Mia);
    }

    [Fact]
    [Trait(Module, "oidcc-display-page")]
    public async Task Display_page_is_taken() => await party.TokensAsync(await party.SignInAsync(Mia, ("display", "page")));

    [Fact]
    [Trait(Module, "oidcc-display-popup")]
    public async Task Display_popup_is_taken() => await party.TokensAsync(await party.SignInAsync(Mia, ("display", "popup")));

    [Fact]
    [Trait(Module, "oidcc-prompt-login")]
    public async Task Prompt_login_asks_again_and_the_ID_token_tells_the_later_time()
    {
        TokenReply first = await party.TokensAsync(await party.SignInAsync(Mia));
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        TokenReply second = await party.TokensAsync(await party.SubmitAsync(await party.SeesThePageAsync(("prompt", "login")), Mia));
        AuthTime(second).ShouldBe(AuthTime(first) + 2);
        Subject(second).ShouldBe(Subject(first));
    }

    [Fact]
    [Trait(Module, "oidcc-prompt-none-not-logged-in")]
    public async Task Prompt_none_of_nobody_is_login_required() => (await party.WithoutPageAsync(("prompt", "none")))["error"].ShouldBe("login_required");

    [Fact]
    [Trait(Module, "oidcc-prompt-none-logged-in")]
    public async Task Prompt_none_of_somebody_is_answered_with_their_first_sign_in()
    {
        TokenReply first = await party.TokensAsync(await party.SignInAsync(Mia));
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        TokenReply second = await party.TokensAsync(await party.WithoutPageAsync(("prompt", "none")));
        (Subject(second), AuthTime(second)).ShouldBe((Subject(first), AuthTime(first)));
    }

    [Fact]
    [Trait(Module, "oidcc-max-age-1")]
    public async Task Max_age_1_asks_again_after_two_seconds()
    {
        TokenReply first = await party.TokensAsync(await party.SignInAsync(Mia));
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        TokenReply second = await party.TokensAsync(await party.SubmitAsync(await party.SeesThePageAsync(("max_age", "1")), Mia));
        AuthTime(second).ShouldBe(AuthTime(first) + 2);
        (Subject(second), (server.Clock.GetUtcNow().ToUnixTimeSeconds() - AuthTime(second)) <= 1).ShouldBe((Subject(first), true));
    }

    [Fact]
    [Trait(Module, "oidcc-max-age-10000")]
    public async Task Max_age_10000_asks_nobody_again_and_tells_the_time()
    {
        TokenReply first = await party.TokensAsync(await party.SignInAsync(Mia));
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        TokenReply second = await party.TokensAsync(await party.WithoutPageAsync(("max_age", "10000")));
        (Subject(second), AuthTime(second)).ShouldBe((Subject(first), AuthTime(first)));
    }

    [Fact]
    [Trait(Module, "oidcc-ensure-request-with-unknown-parameter-succeeds")]
    public async Task A_parameter_that_is_not_understood_is_ignored() => await party.TokensAsync(await party.SignInAsync(Mia, ("extra", "foobar")));

    [Fact]
    [Trait(Module, "oidcc-id-token-hint")]
    public async Task An_ID_token_hint_with_prompt_none_is_answered_for_that_person()
    {
        TokenReply first = await party.TokensAsync(await party.SignInAsync(Mia));
        TokenReply second = await party.TokensAsync(
            await party.WithoutPageAsync(("prompt", "none"), ("id_token_hint", first.Json.GetProperty("id_token").GetString())));
        (Subject(second), AuthTime(second)).ShouldBe((Subject(first), AuthTime(first)));
    }

    [Fact]
    [Trait(Module, "oidcc-login-hint")]
    public async Task A_login_hint_is_taken_and_fills_the_page()
    {
        HostedForm form = await party.SeesThePageAsync(("login_hint", "bob@example.com"));
        form.Html.ShouldContain("bob@example.com");
        await party.TokensAsync(await party.SubmitAsync(form, Mia));
    }

    [Fact]
    [Trait(Module, "oidcc-ui-locales")]
    public async Task UI_locales_are_taken() => await party.TokensAsync(await party.SignInAsync(Mia, ("ui_locales", "se nb en fr")));

    [Fact]
    [Trait(Module, "oidcc-claims-locales")]
    public async Task Claims_locales_are_taken() => await party.UserInfoAsync(await party.TokensAsync(await party.SignInAsync(Mia, ("claims_locales", "se"))));

    [Fact]
    [Trait(Module, "oidcc-ensure-request-with-acr-values-succeeds")]
    public async Task Acr_values_that_nobody_knows_are_taken() => await party.TokensAsync(await party.SignInAsync(Mia, ("acr_values", "1 2")));

    [Fact]
    [Trait(Module, "oidcc-codereuse")]
    public async Task A_code_is_taken_once()
    {
        Arrival arrival = await party.SignInAsync(Mia);
        await party.TokensAsync(arrival);
        (await party.RedeemAsync(arrival)).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    [Trait(Module, "oidcc-codereuse-30seconds")]
    public async Task A_code_that_comes_again_after_thirty_seconds_ends_what_it_gave()
    {
        Arrival arrival = await party.SignInAsync(Mia);
        TokenReply tokens = await party.TokensAsync(arrival);
        await party.UserInfoAsync(tokens);
        server.Clock.Advance(TimeSpan.FromSeconds(30));
        (await party.RedeemAsync(arrival)).Error.ShouldBe("invalid_grant");
        (await party.Browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized, "RFC 6749 section 4.1.2");
        (await party.RefreshAsync(tokens)).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    [Trait(Module, "oidcc-ensure-registered-redirect-uri")]
    public async Task A_redirect_URI_that_is_not_registered_is_followed_by_nobody()
    {
        using HttpResponseMessage response = await party.Browser.GetAsync(party.Address(("redirect_uri", $"https://relying.example/{Guid.NewGuid():n}")));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        response.Headers.Location.ShouldBeNull();
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html", "a person sees it");
    }

    [Fact]
    [Trait(Module, "oidcc-ensure-post-request-succeeds")]
    public async Task The_authorization_endpoint_takes_a_POST()
    {
        string[] address = party.Address().Split('?', 2);
        using HttpRequestMessage request = new(HttpMethod.Post, address[0]);
        request.Content = new StringContent(address[1], System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");
        using HttpResponseMessage started = await party.Browser.SendAsync(request);
        started.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        await party.TokensAsync(await party.SubmitAsync(await party.Browser.FollowAsync(started), Mia));
    }

    [Fact]
    [Trait(Module, "oidcc-server-client-secret-post")]
    public async Task A_code_is_answered_with_an_ID_token_for_a_client_that_authenticates_by_post()
    {
        TokenReply tokens = await party.RedeemAsync((await party.SignInAsync(Mia)).Code, ClientAuth.Post);
        await party.CheckAsync(tokens, "the-nonce");
        await party.UserInfoAsync(tokens);
    }

    [Fact]
    [Trait(Module, "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported")]
    public async Task A_request_URI_of_somebodys_is_refused_by_name() =>
        (await party.WithoutPageAsync(("request_uri", "https://relying.example/request.jwt")))["error"].ShouldBe("request_uri_not_supported");

    [Fact]
    [Trait(Module, "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported")]
    public async Task An_unsigned_request_object_is_refused_by_name() =>
        (await party.WithoutPageAsync(("request", "eyJhbGciOiJub25lIn0.eyJzdGF0ZSI6ImZyb20gdGhlIG9iamVjdCJ9.")))["error"].ShouldBe("request_not_supported");

    [Fact]
    [Trait(Module, "oidcc-claims-essential")]
    public async Task An_essential_claim_that_is_asked_for_by_a_parameter_breaks_nothing_where_that_is_not_supported()
    {
        JsonElement document = await party.Browser.GetJsonAsync($"{OAuthBrowser.Root}/.well-known/openid-configuration");
        document.GetProperty("claims_parameter_supported").GetBoolean().ShouldBeFalse();
        TokenReply tokens = await party.TokensAsync(
            await party.SignInAsync(Mia, ("scope", "openid"), ("claims", """{"userinfo":{"name":{"essential":true}}}""")));
        await party.UserInfoAsync(tokens);
    }

    [Fact]
    [Trait(Module, "oidcc-ensure-request-object-with-redirect-uri")]
    public async Task A_redirect_URI_within_a_request_object_is_followed_by_nobody()
    {
        using HttpResponseMessage response = await party.Browser.GetAsync(party.Address(
            ("redirect_uri", null), ("request", "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwOi8vbG9jYWxob3N0OjMwMDAvY2FsbGJhY2sifQ.")));
        (response.StatusCode, response.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
    }

    [Fact]
    [Trait(Module, "oidcc-refresh-token")]
    public async Task A_refresh_token_gives_new_tokens_of_the_same_person()
    {
        TokenReply first = await party.TokensAsync(await party.SignInAsync(Mia, ("scope", "openid offline_access")));
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        TokenReply second = await party.RefreshAsync(first);
        await party.CheckAsync(second, nonce: null);
        (Subject(second), AuthTime(second)).ShouldBe((Subject(first), AuthTime(first)), "OpenID Connect Core section 12.2");
        second.AccessToken.ShouldNotBe(first.AccessToken);
        await party.UserInfoAsync(second);
        using HttpRequestMessage foreign = OAuthBrowser.FormOf(
            $"{OAuthBrowser.Root}/token", ("grant_type", "refresh_token"), ("refresh_token", second.RefreshToken), ("client_id", "demo-web"));
        using HttpResponseMessage refused = await server.Http.SendAsync(foreign);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest, "it is bound to its client");
    }

    [Fact]
    [Trait(Module, "oidcc-ensure-request-with-valid-pkce-succeeds")]
    public async Task A_confidential_client_may_use_PKCE()
    {
        Arrival arrival = await party.SignInAsync(Mia, ("code_challenge", Pkce.ChallengeOf(OAuthBrowser.Verifier)), ("code_challenge_method", "S256"));
        await party.CheckAsync(await party.RedeemAsync(arrival.Code, ClientAuth.Basic, ("code_verifier", OAuthBrowser.Verifier)), "the-nonce");
    }

    private static string Subject(TokenReply tokens) => tokens.Identity.GetProperty("sub").GetString()!;

    private static long AuthTime(TokenReply tokens) => tokens.Identity.GetProperty("auth_time").GetInt64();

    /// <summary>The claims of these scopes, all of which are known of the person, and of no other.</summary>
    private async Task ScopeAsync(string scopes)
    {
        User person = await new World(server).PersonAsync($"{Guid.NewGuid():n}@example.test");
        (await new ManagementCalls(server).PatchAsync($"/users/{person.Id}", new
        {
            username = $"u{Guid.NewGuid():n}",
            profile = new { given_name = "Ada", family_name = "King", name = "Ada Lovelace", picture = "https://img.test/a.png", locale = "en-GB" },
            phone_number = "+44 20 7946 0000",
            address = new { formatted = "London" },
        })).Expect(200);
        TokenReply tokens = await party.TokensAsync(await party.SignInAsync(person.Email, ("scope", $"openid {scopes}")));
        JsonElement info = await party.UserInfoAsync(tokens);
        info.EnumerateObject().Select(static claim => claim.Name).Intersect(ClaimsOf.Values.SelectMany(static names => names))
            .ShouldBe(scopes.Split(' ').SelectMany(static scope => ClaimsOf[scope]), ignoreOrder: true);
    }
}
