using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>Userinfo, introspection, revocation and logout: what our own tokens open, and until when.</summary>
public sealed class PresentedTokenTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task Userinfo_tells_what_the_scopes_ask_for_by_get_and_post_by_header_and_form()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test", ("scope", "openid email"));
        (HttpStatusCode status, JsonElement info, _) = await browser.UserInfoAsync(tokens.AccessToken);
        status.ShouldBe(HttpStatusCode.OK);
        info.EnumerateObject().Select(static member => member.Name).ShouldBe(["sub", "email", "email_verified", "organizations"]);
        foreach (string path in new[] { "/t/acme/userinfo", "/t/acme/oauth2/userinfo", "/t/acme/o/org_0000000000000000000000001/oauth2/userinfo" })
        {
            using HttpResponseMessage inForm = await browser.PostAsync(path, ("access_token", tokens.AccessToken));
            (await inForm.Content.ReadAsStringAsync()).ShouldBe(info.GetRawText());
            using HttpRequestMessage inHeader = new(HttpMethod.Post, path);
            inHeader.Headers.TryAddWithoutValidation("Authorization", $"bearer {tokens.AccessToken}");
            using HttpResponseMessage answer = await server.Http.SendAsync(inHeader);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task Userinfo_opens_for_a_live_access_token_of_this_realm_and_for_nothing_else()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        string token = tokens.AccessToken;
        string[] parts = token.Split('.');
        string[] others =
        [
            "nonsense", "a.b.c", "", token[..^2], token + "A", $"{parts[0]}.{parts[1]}.", $"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{parts[1]}.{parts[2]}",
            tokens.RefreshToken, tokens.Json.GetProperty("id_token").GetString()!,
        ];
        foreach (string other in others)
        {
            (HttpStatusCode status, JsonElement error, string? challenge) = await browser.UserInfoAsync(other);
            (status, error.GetProperty("error").GetString()).ShouldBe((HttpStatusCode.Unauthorized, "invalid_token"), other);
            challenge!.ShouldStartWith("Bearer realm=\"acme\"");
        }

        using HttpResponseMessage neighbour = await browser.PostAsync("/t/globex/userinfo", ("access_token", token));
        neighbour.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using HttpResponseMessage inQuery = await browser.GetAsync($"/t/acme/userinfo?access_token={token}");
        inQuery.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using HttpResponseMessage bare = await browser.GetAsync("/t/acme/userinfo");
        (bare.StatusCode, bare.Headers.WwwAuthenticate.ToString()).ShouldBe((HttpStatusCode.Unauthorized, "Bearer realm=\"acme\", DPoP realm=\"acme\", algs=\"ES256 RS256 PS256 EdDSA Ed25519\""));
        using HttpRequestMessage twice = OAuthBrowser.FormOf("/t/acme/userinfo", ("access_token", token));
        twice.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using HttpResponseMessage both = await server.Http.SendAsync(twice);
        both.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await browser.UserInfoAsync(token)).Status.ShouldBe(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromSeconds(1800));
        (await browser.UserInfoAsync(token)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_token_without_openid_is_insufficient()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test", ("scope", "email"));
        (HttpStatusCode status, JsonElement error, string? challenge) = await browser.UserInfoAsync(tokens.AccessToken);
        (status, error.GetProperty("error").GetString()).ShouldBe((HttpStatusCode.Forbidden, "insufficient_scope"));
        challenge!.ShouldContain("scope=\"openid\"");
    }

    [Fact]
    public async Task A_disabled_person_is_told_of_no_more_on_any_path()
    {
        User user = await world.PersonAsync("disabled@example.test", await world.OrganizationAsync("northwind"));
        TokenReply tokens = await browser.TokensAsync(user.Email);
        Arrival late = await browser.SilentlyAsync();
        await server.Get<UserStore>().UpdateAsync(user with { Status = UserStatus.Disabled, UpdatedAt = server.Clock.GetUtcNow() }, null, default);
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.RedeemAsync(late.Code)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage signedIn = await browser.SubmitPasswordAsync(form, user.Email);
        using HttpResponseMessage page = await browser.GetAsync(signedIn.Headers.Location!.OriginalString);
        (await page.Content.ReadAsStringAsync()).ShouldContain("ATR1312");
    }

    [Fact]
    public async Task Tokens_for_one_organization_end_with_the_membership()
    {
        await world.ClientAsync(
            "one-organization",
            new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } },
            static client => client with { Type = ClientType.Web, SecretHash = new Core.Secret("its-secret").Hash() });
        Organization northwind = await world.OrganizationAsync("northwind");
        User user = await world.PersonAsync("ending@example.test", northwind);
        (string, string)[] authentication = [("client_id", "one-organization"), ("client_secret", "its-secret")];
        Arrival arrival = await browser.SignInAsync(user.Email, ("client_id", "one-organization"));
        TokenReply tokens = await browser.TokenAsync(
            [.. authentication, ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier)]);
        tokens.Access.GetProperty("org_id").GetString().ShouldBe(northwind.Id.ToString());
        (await IntrospectAsync(tokens.AccessToken, authentication)).GetProperty("org_id").GetString().ShouldBe(northwind.Id.ToString());
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
        await world.LeaveAsync(user, northwind);
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await IntrospectAsync(tokens.AccessToken, authentication)).ToString().ShouldBe("""{"active":false}""");
        (await IntrospectAsync(tokens.RefreshToken, authentication)).ToString().ShouldBe("""{"active":false}""");
        (await browser.TokenAsync([.. authentication, ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)])).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task A_client_introspects_its_own_tokens_with_the_organizations_of_now()
    {
        Organization contoso = await world.OrganizationAsync("contoso");
        User user = await world.PersonAsync("introspected@example.test", await world.OrganizationAsync("northwind"), contoso);
        (string, string)[] mine = [("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret)];
        Arrival arrival = await browser.SignInAsync(user.Email, ("client_id", "demo-server"));
        TokenReply tokens = await browser.TokenAsync(
            [.. mine, ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier)]);
        foreach (string token in new[] { tokens.AccessToken, tokens.RefreshToken })
        {
            JsonElement told = await IntrospectAsync(token, mine);
            (told.GetProperty("active").GetBoolean(), told.GetProperty("client_id").GetString(), told.GetProperty("sub").GetString())
                .ShouldBe((true, "demo-server", user.Id.ToString()));
            told.GetProperty("organizations").GetArrayLength().ShouldBe(2);
        }

        await world.LeaveAsync(user, contoso);
        (await IntrospectAsync(tokens.AccessToken, mine)).GetProperty("organizations").GetArrayLength().ShouldBe(1);

        (string, string)[] machine = [("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret)];
        TokenReply own = await browser.TokenAsync([.. machine, ("grant_type", "client_credentials"), ("scope", "jobs:run")]);
        (await IntrospectAsync(own.AccessToken, machine)).GetProperty("scope").GetString().ShouldBe("jobs:run");
        foreach ((string token, (string, string)[] client) in new[]
        {
            (own.AccessToken, mine), (tokens.AccessToken, machine), (tokens.RefreshToken, machine), ("nonsense", mine),
            (tokens.Json.GetProperty("id_token").GetString()!, mine), (tokens.AccessToken[..^3], mine),
        })
        {
            (await IntrospectAsync(token, client)).ToString().ShouldBe("""{"active":false}""");
        }

        using HttpResponseMessage isPublic = await browser.PostAsync("/t/acme/introspect", ("client_id", "demo-web"), ("token", own.AccessToken));
        isPublic.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using HttpResponseMessage nothing = await browser.PostAsync("/t/acme/oauth2/introspect", mine);
        nothing.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        await browser.RefreshAsync("x");
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        (await IntrospectAsync(tokens.AccessToken, mine)).ToString().ShouldBe("""{"active":false}""");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_revoked_token_takes_its_whole_grant_with_it_and_every_text_is_answered_alike(bool byAccessToken)
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        TokenReply other = await browser.RedeemAsync((await browser.SilentlyAsync()).Code);
        string token = byAccessToken ? tokens.AccessToken : tokens.RefreshToken;
        foreach ((string text, (string, string)[] client) in new[]
        {
            ("nonsense", new[] { ("client_id", "demo-web") }),
            (token, [("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret)]),
        })
        {
            using HttpResponseMessage ignored = await browser.PostAsync("/t/acme/revoke", [.. client, ("token", text)]);
            ignored.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
        using HttpResponseMessage revoked = await browser.PostAsync("/t/acme/oauth2/revoke", ("client_id", "demo-web"), ("token", token));
        (revoked.StatusCode, await revoked.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.OK, ""));
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await browser.RefreshAsync(other.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
        using HttpResponseMessage nobody = await browser.PostAsync("/t/acme/revoke", ("token", token));
        nobody.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("/t/acme/logout", false)]
    [InlineData("/t/acme/logout", true)]
    [InlineData("/t/acme/oidc/logout", false)]
    public async Task A_logout_with_the_persons_own_token_ends_the_session_and_every_grant_of_it(string path, bool posted)
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        (string Name, string Value)[] fields = [("id_token_hint", IdTokenOf(tokens)), ("post_logout_redirect_uri", DemoRealm.AfterSignOut), ("state", "a b")];
        using HttpResponseMessage response = posted
            ? await browser.PostAsync(path, fields)
            : await browser.GetAsync(Microsoft.AspNetCore.WebUtilities.QueryHelpers.AddQueryString(path, fields.Select(static field => KeyValuePair.Create(field.Name, (string?)field.Value))));
        (response.StatusCode, response.Headers.Location!.OriginalString).ShouldBe((HttpStatusCode.SeeOther, $"{DemoRealm.AfterSignOut}?state=a%20b"));
        browser.Cookies.ShouldNotContainKey("atrium_session");
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task A_logout_without_a_token_asks_the_person_first()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        string url = $"/t/acme/logout?client_id=demo-web&state=s&post_logout_redirect_uri={Uri.EscapeDataString(DemoRealm.AfterSignOut)}";
        using HttpResponseMessage asked = await browser.GetAsync(url);
        asked.StatusCode.ShouldBe(HttpStatusCode.OK);
        HostedForm form = new(url, await asked.Content.ReadAsStringAsync());
        form.Hidden.ShouldContain(("confirm", "yes"));
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);

        using HttpRequestMessage forged = OAuthBrowser.FormOf("/t/acme/logout", form.Hidden);
        forged.Headers.Add("Sec-Fetch-Site", "cross-site");
        using HttpResponseMessage stillAsked = await browser.SendAsync(forged);
        stillAsked.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        using HttpResponseMessage askedAgain = await browser.GetAsync(stillAsked.Headers.Location!.OriginalString);
        (await askedAgain.Content.ReadAsStringAsync()).ShouldContain("name=\"confirm\"");
        using HttpResponseMessage done = await browser.PostAsync("/t/acme/logout", form.Hidden);
        done.Headers.Location!.OriginalString.ShouldBe($"{DemoRealm.AfterSignOut}?state=s");
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        using HttpResponseMessage again = await browser.GetAsync("/t/acme/logout");
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_address_with_letters_beyond_ASCII_is_led_back_to_all_the_same()
    {
        const string Registered = "http://localhost:3000/zurück";
        await world.ClientAsync("umlaut", new(), static client => client with { PostLogoutRedirectUris = [Registered] });
        using HttpResponseMessage done = await browser.GetAsync(
            $"/t/acme/logout?client_id=umlaut&state=s&post_logout_redirect_uri={Uri.EscapeDataString(Registered)}");
        done.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        done.Headers.Location!.OriginalString.ShouldBe("http://localhost:3000/zur%C3%BCck?state=s");
    }

    [Fact]
    public async Task A_logout_with_somebody_elses_token_asks_whoever_is_signed_in_and_still_leads_back()
    {
        string sams = IdTokenOf(await new OAuthBrowser(server).TokensAsync("sam@example.test"));
        await browser.TokensAsync("mia@example.test");
        string url = $"/t/acme/logout?id_token_hint={sams}&post_logout_redirect_uri={Uri.EscapeDataString(DemoRealm.AfterSignOut)}";
        using HttpResponseMessage asked = await browser.GetAsync(url);
        asked.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
        using HttpResponseMessage done = await browser.PostAsync("/t/acme/logout", new HostedForm(url, await asked.Content.ReadAsStringAsync()).Hidden);
        done.Headers.Location!.OriginalString.ShouldBe(DemoRealm.AfterSignOut);
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task A_logout_that_does_not_add_up_ends_nothing_and_leads_nowhere()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        string hint = IdTokenOf(tokens);
        string home = Uri.EscapeDataString(DemoRealm.AfterSignOut);
        string[] bad =
        [
            $"id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F",
            $"id_token_hint={hint}&post_logout_redirect_uri={home}%3Fx%3D1",
            $"id_token_hint={hint[..^3]}&post_logout_redirect_uri={home}",
            $"id_token_hint={tokens.AccessToken}&post_logout_redirect_uri={home}",
            $"id_token_hint={tokens.RefreshToken}&post_logout_redirect_uri={home}",
            $"id_token_hint={hint}&client_id=demo-server",
            $"post_logout_redirect_uri={home}",
            $"client_id=nobody&post_logout_redirect_uri={home}",
            $"id_token_hint={hint}&state=a&state=b",
        ];
        foreach (string query in bad)
        {
            using HttpResponseMessage response = await browser.GetAsync($"/t/acme/logout?{query}");
            (response.StatusCode, response.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null), query);
        }

        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    private static string IdTokenOf(TokenReply tokens) => tokens.Json.GetProperty("id_token").GetString()!;

    private async Task<JsonElement> IntrospectAsync(string token, (string Name, string Value)[] client)
    {
        using HttpResponseMessage response = await browser.PostAsync("/t/acme/introspect", [.. client, ("token", token)]);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }
}
