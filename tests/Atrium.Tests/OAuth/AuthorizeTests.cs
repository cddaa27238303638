using System.Net;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>The authorization endpoint: what is refused, how, and what a standing session answers without a page.</summary>
public sealed class AuthorizeTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Theory]
    [InlineData("client_id", null, "ATR1201")]
    [InlineData("client_id", "nobody", "ATR1201")]
    [InlineData("client_id", "globex-authkit", "ATR1201")]
    [InlineData("redirect_uri", null, "ATR1202")]
    [InlineData("redirect_uri", "http://localhost:3000/callback/", "ATR1202")]
    [InlineData("redirect_uri", "http://localhost:3000/callback?x=1", "ATR1202")]
    [InlineData("redirect_uri", "http://localhost:3001/callback", "ATR1202")]
    [InlineData("redirect_uri", "http://LOCALHOST:3000/callback", "ATR1202")]
    [InlineData("redirect_uri", "https://evil.example/", "ATR1202")]
    public async Task A_bad_client_or_redirect_uri_is_shown_to_the_person_and_never_followed(string name, string? value, string id)
    {
        using HttpResponseMessage response = await browser.GetAsync(OAuthBrowser.Authorize((name, value)));
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        response.Headers.Location.ShouldBeNull();
        (await response.Content.ReadAsStringAsync()).ShouldContain(id);
    }

    [Theory]
    [InlineData("client_id", "demo-web")]
    [InlineData("redirect_uri", DemoRealm.Callback)]
    public async Task A_client_or_redirect_uri_given_twice_is_not_followed_either(string name, string value)
    {
        using HttpResponseMessage response = await browser.GetAsync($"{OAuthBrowser.Authorize()}&{name}={Uri.EscapeDataString(value)}");
        (response.StatusCode, response.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
    }

    [Theory]
    [InlineData("response_type", null, "invalid_request", "ATR1212")]
    [InlineData("response_type", "token", "unsupported_response_type", "ATR1213")]
    [InlineData("response_type", "code id_token", "unsupported_response_type", "ATR1213")]
    [InlineData("response_mode", "fragment", "invalid_request", "ATR1214")]
    [InlineData("response_mode", "form_post", "invalid_request", "ATR1214")]
    [InlineData("code_challenge", null, "invalid_request", "ATR1217")]
    [InlineData("code_challenge_method", "plain", "invalid_request", "ATR1218")]
    [InlineData("code_challenge_method", null, "invalid_request", "ATR1218")]
    [InlineData("code_challenge", "too-short", "invalid_request", "ATR1219")]
    [InlineData("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "invalid_request", "ATR1219")]
    [InlineData("prompt", "none login", "invalid_request", "ATR1220")]
    [InlineData("prompt", "register", "invalid_request", "ATR1220")]
    [InlineData("max_age", "-1", "invalid_request", "ATR1221")]
    [InlineData("max_age", "soon", "invalid_request", "ATR1221")]
    [InlineData("max_age", "99999999999", "invalid_request", "ATR1221")]
    [InlineData("scope", "openid \"quoted\"", "invalid_scope", "ATR1115")]
    [InlineData("scope", "openid ünïcode", "invalid_scope", "ATR1115")]
    [InlineData("resource", "/relative", "invalid_target", "ATR1116")]
    [InlineData("resource", "https://api.example.test/#part", "invalid_target", "ATR1116")]
    [InlineData("request", "e30.e30.", "request_not_supported", "ATR1210")]
    [InlineData("request_uri", "https://evil.example/request", "request_uri_not_supported", "ATR1211")]
    [InlineData("id_token_hint", "not.a.token", "invalid_request", "ATR1233")]
    [InlineData("org", "", "invalid_request", "ATR1114")]
    [InlineData("org", "nonsense", "invalid_request", "ATR1114")]
    [InlineData("org", "org_short", "invalid_request", "ATR1114")]
    [InlineData("org", "org_000000000000000000000000A", "invalid_request", "ATR1114")]
    public async Task Any_other_fault_is_told_to_the_client_with_state_and_issuer_before_anybody_signs_in(string name, string? value, string error, string id)
    {
        Arrival arrival = await browser.SilentlyAsync((name, value));
        (arrival["error"], arrival["state"], arrival["iss"], arrival["code"]).ShouldBe((error, OAuthBrowser.State, browser.Issuer, ""));
        arrival["error_description"].ShouldEndWith($"({id})");
        browser.Cookies.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("org=org_0000000000000000000000001&org=org_0000000000000000000000002", "invalid_request", OAuthBrowser.State)]
    [InlineData("scope=openid", "invalid_request", OAuthBrowser.State)]
    [InlineData("nonce=again", "invalid_request", OAuthBrowser.State)]
    [InlineData("state=another", "invalid_request", "")]
    [InlineData("resource=https://a.example&resource=https://b.example", "invalid_target", OAuthBrowser.State)]
    [InlineData("unknown=1&unknown=2", "invalid_request", OAuthBrowser.State)]
    public async Task A_repeated_parameter_is_refused_by_redirect(string more, string error, string state)
    {
        using HttpResponseMessage response = await browser.GetAsync($"{OAuthBrowser.Authorize()}&{more}");
        Arrival arrival = Arrival.At(response);
        (arrival["error"], arrival["state"]).ShouldBe((error, state));
    }

    [Fact]
    public async Task Long_states_come_back_whole_and_longer_ones_not_at_all()
    {
        string state = new('s', 4096);
        (await browser.SilentlyAsync(("state", state), ("prompt", "none")))["state"].ShouldBe(state);
        Arrival tooLong = await browser.SilentlyAsync(("state", state + "s"));
        (tooLong["error"], tooLong["state"]).ShouldBe(("invalid_request", ""));
        (await browser.SilentlyAsync(("nonce", new string('n', 1025))))["error"].ShouldBe("invalid_request");
    }

    [Theory]
    [InlineData("response_type", "code", 5000, "unsupported_response_type")]
    [InlineData("response_mode", "query", 5000, "invalid_request")]
    [InlineData("scope", "s", 129, "invalid_scope")]
    [InlineData("code_challenge", "A", 44, "invalid_request")]
    [InlineData("code_challenge_method", "S256", 5000, "invalid_request")]
    [InlineData("resource", "https://api.example.test/", 1025, "invalid_target")]
    [InlineData("audience", "https://api.example.test/", 1025, "invalid_target")]
    [InlineData("prompt", "login", 5000, "invalid_request")]
    [InlineData("max_age", "9", 40, "invalid_request")]
    [InlineData("org", "org_0", 5000, "invalid_request")]
    [InlineData("id_token_hint", "a.b.c", 5000, "invalid_request")]
    [InlineData("request_uri", "https://a.example/", 5000, "request_uri_not_supported")]
    [InlineData("login_hint", "somebody", 5000, "")]
    [InlineData("unknown", "x", 5000, "")]
    public async Task Every_parameter_has_a_limit_and_what_means_nothing_here_is_ignored(string name, string begin, int length, string error)
    {
        string value = begin.PadRight(length, begin[^1]);
        if (error.Length > 0)
            (await browser.SilentlyAsync((name, value)))["error"].ShouldBe(error);
        else
            (await browser.OpenAsync(OAuthBrowser.Authorize((name, value)))).Html.ShouldNotContain(value);
    }

    [Fact]
    public async Task A_client_without_the_code_grant_is_told_so()
    {
        await world.ClientAsync("refresh-only", new ClientSettings(), static client => client with { GrantTypes = ["refresh_token"] });
        (await browser.SilentlyAsync(("client_id", "refresh-only")))["error"].ShouldBe("unauthorized_client");
    }

    [Fact]
    public async Task The_answer_to_credentials_is_a_303_with_code_state_and_issuer()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "mia@example.test");
        Arrival arrival = Arrival.At(done);
        (arrival["state"], arrival["iss"], arrival["error"]).ShouldBe((OAuthBrowser.State, browser.Issuer, ""));
        arrival.Code.Length.ShouldBe(43);
        done.Headers.CacheControl!.NoStore.ShouldBeTrue();
        TokenReply tokens = await browser.RedeemAsync(arrival.Code);
        (tokens.Identity.GetProperty("nonce").GetString(), tokens.Identity.GetProperty("aud").GetString()).ShouldBe(("the-nonce", "demo-web"));
        (tokens.IsNeverStored, tokens.Json.GetProperty("token_type").GetString(), tokens.Json.GetProperty("scope").GetString())
            .ShouldBe((true, "Bearer", "openid profile email"));
    }

    [Theory]
    [InlineData("/t/acme/authorize/")]
    [InlineData("/t/acme/oauth2/authorize")]
    [InlineData("/t/acme/oauth2/authorize/")]
    public async Task Every_path_of_the_endpoint_is_the_same_endpoint(string path)
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(path));
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "sam@example.test");
        (await browser.RedeemAsync(Arrival.At(done).Code)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_organization_in_the_path_is_a_selection()
    {
        string northwind = (await world.OrganizationAsync("northwind")).Id.ToString();
        string contoso = (await world.OrganizationAsync("contoso")).Id.ToString();
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize($"/t/acme/o/{northwind}/oauth2/authorize"));
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "mia@example.test");
        string code = Arrival.At(done).Code;
        (await browser.TokenAtAsync($"/t/acme/o/{contoso}/oauth2/token", CodeFields(code))).ShouldBeRefused("invalid_request", "ATR1429");
        (await browser.TokenAtAsync($"/t/acme/o/{northwind}/oauth2/token", CodeFields(code))).Organizations.ShouldBe([northwind]);
        foreach (string path in new[] { $"/t/acme/o/{northwind}/oauth2/authorize?org={contoso}", "/t/acme/o/nonsense/oauth2/authorize" })
        {
            string[] parts = path.Split('?');
            using HttpResponseMessage refused = await browser.GetAsync(OAuthBrowser.Authorize(parts[0], ("org", parts.Length > 1 ? contoso : null)));
            Arrival.At(refused)["error"].ShouldBe("invalid_request");
        }
    }

    [Fact]
    public async Task A_posted_request_is_like_one_in_the_address_and_one_from_another_site_gets_its_cookies_first()
    {
        string query = OAuthBrowser.Authorize().Split('?')[1];
        (string, string)[] fields = [.. Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query).Select(static pair => (pair.Key, pair.Value.ToString()))];
        using HttpResponseMessage posted = await browser.PostAsync("/t/acme/authorize", fields);
        (await browser.FollowAsync(posted)).Asks("password").ShouldBeTrue();

        await browser.SignInAsync("sam@example.test");
        using HttpRequestMessage crossSite = OAuthBrowser.FormOf("/t/acme/authorize", fields);
        crossSite.Headers.Add("Sec-Fetch-Site", "cross-site");
        using HttpResponseMessage bounced = await server.Http.SendAsync(crossSite);
        bounced.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        using HttpResponseMessage answered = await browser.GetAsync(bounced.Headers.Location!.OriginalString);
        (Arrival.At(answered).Code.Length, Arrival.At(answered)["state"]).ShouldBe((43, OAuthBrowser.State));
    }

    [Fact]
    public async Task Without_a_session_a_silent_request_is_login_required()
    {
        Arrival arrival = await browser.SilentlyAsync(("prompt", "none"));
        (arrival["error"], arrival["state"], arrival["iss"]).ShouldBe(("login_required", OAuthBrowser.State, browser.Issuer));
    }

    [Fact]
    public async Task A_standing_session_answers_without_a_page_and_keeps_its_sign_in_time()
    {
        TokenReply first = await browser.TokensAsync("mia@example.test");
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        string contoso = (await world.OrganizationAsync("contoso")).Id.ToString();
        TokenReply silent = await browser.RedeemAsync((await browser.SilentlyAsync(("prompt", "none"), ("org", contoso))).Code);
        silent.Organizations.ShouldBe([contoso]);
        foreach (string claim in new[] { "sub", "sid", "auth_time" })
            silent.Identity.GetProperty(claim).ToString().ShouldBe(first.Identity.GetProperty(claim).ToString());
        (await browser.SilentlyAsync()).Code.ShouldNotBeEmpty();
        (await browser.OpenAsync(OAuthBrowser.Authorize(("prompt", "consent")))).Asks("decision").ShouldBeTrue();
        (await browser.SilentlyAsync(("max_age", "10000"), ("prompt", "none"))).Code.ShouldNotBeEmpty();
        (await browser.SilentlyAsync(("id_token_hint", silent.Json.GetProperty("id_token").GetString()), ("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("prompt", "login")]
    [InlineData("prompt", "login select_account")]
    [InlineData("max_age", "60")]
    public async Task Who_asks_for_a_fresh_sign_in_gets_the_page_and_a_new_session(string name, string value)
    {
        TokenReply first = await browser.TokensAsync("sam@example.test");
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        string oldCookie = browser.Cookies["atrium_session"];
        if (name == "max_age")
            (await browser.SilentlyAsync((name, value), ("prompt", "none")))["error"].ShouldBe("login_required");
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize((name, value)));
        form.Asks("password").ShouldBeTrue();
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "sam@example.test");
        TokenReply again = await browser.RedeemAsync(Arrival.At(done).Code);
        again.Identity.GetProperty("sid").GetString().ShouldNotBe(first.Identity.GetProperty("sid").GetString());
        again.Identity.GetProperty("auth_time").GetInt64().ShouldBeGreaterThan(first.Identity.GetProperty("auth_time").GetInt64());
        browser.Cookies["atrium_session"].ShouldNotBe(oldCookie);

        OAuthBrowser thief = new(server);
        thief.Cookies["atrium_session"] = oldCookie;
        (await thief.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task A_hint_at_somebody_else_is_not_answered_by_the_session()
    {
        string samsToken = (await new OAuthBrowser(server).TokensAsync("sam@example.test")).Json.GetProperty("id_token").GetString()!;
        await browser.TokensAsync("mia@example.test");
        (await browser.SilentlyAsync(("id_token_hint", samsToken), ("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task A_session_ends_on_its_last_day_and_no_made_up_cookie_is_one()
    {
        await browser.TokensAsync("sam@example.test");
        server.Clock.Advance(TimeSpan.FromDays(31));
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        foreach (string cookie in new[] { "x", new string('x', 43), new string('x', 3000) })
        {
            browser.Cookies["atrium_session"] = cookie;
            (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        }
    }

    [Fact]
    public async Task The_resource_asked_for_is_the_audience_and_cannot_be_changed()
    {
        const string api = "https://api.example.test/v1";
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("resource", api));
        (await browser.RedeemAsync(arrival.Code, ("resource", "https://other.example.test"))).ShouldBeRefused("invalid_target", "ATR1430");
        TokenReply tokens = await browser.RedeemAsync(arrival.Code, ("resource", api));
        (tokens.Access.GetProperty("aud").GetString(), tokens.Identity.GetProperty("aud").GetString()).ShouldBe((api, "demo-web"));
        (await browser.RefreshAsync(tokens.RefreshToken, ("resource", "https://other.example.test"))).ShouldBeRefused("invalid_target", "ATR1430");
        (await browser.RefreshAsync(tokens.RefreshToken)).Access.GetProperty("aud").GetString().ShouldBe(api);
    }

    [Fact]
    public async Task Pkce_holds_the_code_to_its_verifier_and_a_confidential_client_may_go_without()
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test");
        (await browser.TokenAsync(CodeFields(arrival.Code)[..^1])).ShouldBeRefused("invalid_grant", "ATR1425");
        (await browser.TokenAsync([.. CodeFields(arrival.Code)[..^1], ("code_verifier", new string('x', 43))])).ShouldBeRefused("invalid_grant", "ATR1425");
        (await browser.TokenAsync([.. CodeFields(arrival.Code)[..^1], ("code_verifier", "short")])).ShouldBeRefused("invalid_request", "ATR1412");
        (await browser.RedeemAsync(arrival.Code)).Status.ShouldBe(HttpStatusCode.OK);

        await world.ClientAsync(
            "server-without-pkce",
            new ClientSettings { PkceRequired = false },
            static client => client with { Type = ClientType.Web, SecretHash = new Core.Secret("its-secret").Hash() });
        Arrival bare = await browser.SilentlyAsync(("client_id", "server-without-pkce"), ("code_challenge", null), ("code_challenge_method", null));
        (string, string)[] fields =
        [
            ("grant_type", "authorization_code"), ("client_id", "server-without-pkce"), ("client_secret", "its-secret"), ("code", bare.Code),
            ("redirect_uri", DemoRealm.Callback),
        ];
        (await browser.TokenAsync([.. fields, ("code_verifier", OAuthBrowser.Verifier)])).ShouldBeRefused("invalid_grant", "ATR1425");
        (await browser.TokenAsync(fields)).Status.ShouldBe(HttpStatusCode.OK);

        // A public client has nothing but PKCE, whatever its app-native flows may leave out.
        using HttpResponseMessage native = await browser.GetAsync(OAuthBrowser.Authorize(
            ("client_id", "demo-native"), ("redirect_uri", DemoRealm.NativeCallback), ("code_challenge", null), ("code_challenge_method", null)));
        native.Headers.Location!.OriginalString.ShouldStartWith($"{DemoRealm.NativeCallback}?error=invalid_request");
    }

    private static (string Name, string Value)[] CodeFields(string code) =>
    [
        ("grant_type", "authorization_code"), ("client_id", "demo-web"), ("code", code), ("redirect_uri", DemoRealm.Callback),
        ("code_verifier", OAuthBrowser.Verifier),
    ];
}
