using System.Net;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth.Logout;

/// <summary>Who may end a session by the logout endpoint, and who has to be asked.</summary>
public sealed class LogoutRequestTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);

    /// <summary>What was opened before the person signed in once more in the same browser is theirs to sign out of too.</summary>
    [Theory]
    [InlineData("prompt", "login")]
    [InlineData("max_age", "0")]
    public async Task Whoever_signed_in_twice_in_one_browser_signs_out_of_both(string name, string value)
    {
        TokenReply before = await browser.TokensAsync("sam@example.test");
        TokenReply after = await browser.RedeemAsync((await browser.SignInAsync("sam@example.test", (name, value))).Code);
        after.Identity.GetProperty("sid").GetString().ShouldNotBe(before.Identity.GetProperty("sid").GetString());
        (before = await browser.RefreshAsync(before.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
        await LogoutCalls.SignOutAsync(browser, after);
        (await browser.RefreshAsync(before.RefreshToken)).Error.ShouldBe("invalid_grant");
        (await browser.RefreshAsync(after.RefreshToken)).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task A_form_of_another_site_takes_nothing_away_from_the_browser()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        string attackers = LogoutCalls.IdTokenOf(await new OAuthBrowser(server).TokensAsync("mia@example.test"));
        (string Name, string Value)[][] forms = [[], [("id_token_hint", attackers)], [("client_id", "demo-web"), ("confirm", "yes")]];
        foreach ((string, string)[] form in forms)
        {
            // SameSite=Lax: it comes without cookies.
            using HttpRequestMessage forged = OAuthBrowser.FormOf("/t/acme/logout", form);
            forged.Headers.Add("Sec-Fetch-Site", "cross-site");
            using HttpResponseMessage response = await server.Http.SendAsync(forged);
            response.Headers.Contains("Set-Cookie").ShouldBeFalse();
            response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);

            // With them, as a GET, it asks.
            using HttpResponseMessage asked = await browser.GetAsync(response.Headers.Location!.OriginalString);
            asked.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await asked.Content.ReadAsStringAsync()).ShouldContain("Sign out?");
        }

        using HttpRequestMessage unmarked = OAuthBrowser.FormOf("/t/acme/logout", ("client_id", "demo-web"));
        using HttpResponseMessage old = await server.Http.SendAsync(unmarked);
        old.Headers.Contains("Set-Cookie").ShouldBeFalse("a browser that says nothing of the site sends no cookies either");
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("same-site")]
    [InlineData("none")]
    public async Task A_confirmation_counts_from_our_own_page_alone(string site)
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        using HttpRequestMessage forged = OAuthBrowser.FormOf("/t/acme/logout", ("confirm", "yes"));
        forged.Headers.Add("Sec-Fetch-Site", site);
        using HttpResponseMessage asked = await browser.SendAsync(forged);
        (await asked.Content.ReadAsStringAsync()).ShouldContain("Sign out?");
        using HttpResponseMessage got = await browser.GetAsync("/t/acme/logout?confirm=yes");
        (await got.Content.ReadAsStringAsync()).ShouldContain("Sign out?");
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_application_may_post_and_the_browsers_own_session_ends()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        using HttpRequestMessage posted = OAuthBrowser.FormOf(
            "/t/acme/logout", ("id_token_hint", LogoutCalls.IdTokenOf(tokens)), ("post_logout_redirect_uri", DemoRealm.AfterSignOut), ("state", "s"));
        posted.Headers.Add("Sec-Fetch-Site", "cross-site");
        using HttpResponseMessage turned = await server.Http.SendAsync(posted);
        using HttpResponseMessage done = await browser.GetAsync(turned.Headers.Location!.OriginalString);
        done.Headers.Location!.OriginalString.ShouldBe($"{DemoRealm.AfterSignOut}?state=s");
        browser.Cookies.ShouldNotContainKey("atrium_session");
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
    }

    [Fact]
    public async Task A_hint_that_has_expired_still_tells_whose_wish_it_is()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        server.Clock.Advance(TimeSpan.FromHours(2));
        await LogoutCalls.SignOutAsync(browser, tokens);
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
    }

    [Fact]
    public async Task A_hint_must_be_an_ID_token_of_this_realm()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        string idToken = LogoutCalls.IdTokenOf(tokens);
        string[] parts = idToken.Split('.');
        string none = $"{System.Buffers.Text.Base64Url.EncodeToString("""{"alg":"none"}"""u8)}.{parts[1]}.";
        foreach (string hint in new[] { tokens.AccessToken, tokens.RefreshToken, none, $"{none}{parts[2]}", idToken + "A", idToken[..^1], "x", "a.b.c" })
        {
            using HttpResponseMessage refused = await browser.GetAsync(LogoutCalls.Address(("id_token_hint", hint)));
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest, hint);
            (await refused.Content.ReadAsStringAsync()).ShouldContain("ATR1621");
        }

        using HttpResponseMessage elsewhere = await browser.GetAsync(LogoutCalls.Address(("id_token_hint", idToken)).Replace("/t/acme/", "/t/globex/", StringComparison.Ordinal));
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Twice_from_another_browser_and_without_a_session_it_is_done_all_the_same()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        string address = LogoutCalls.Address(("id_token_hint", LogoutCalls.IdTokenOf(tokens)), ("post_logout_redirect_uri", DemoRealm.AfterSignOut));
        OAuthBrowser other = new(server);
        foreach (OAuthBrowser one in new[] { other, browser, browser, other })
        {
            using HttpResponseMessage done = await one.GetAsync(address);
            (done.StatusCode, done.Headers.Location!.OriginalString).ShouldBe((HttpStatusCode.SeeOther, DemoRealm.AfterSignOut));
        }

        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        browser.Cookies.ShouldNotContainKey("atrium_session");
    }

    [Fact]
    public async Task A_hint_of_somebodys_other_browser_ends_nothing_of_whoever_is_signed_in_here()
    {
        TokenReply mias = await new OAuthBrowser(server).TokensAsync("mia@example.test");
        TokenReply sams = await browser.TokensAsync("sam@example.test");
        using HttpResponseMessage asked = await browser.GetAsync(LogoutCalls.Address(("id_token_hint", LogoutCalls.IdTokenOf(mias))));
        (await asked.Content.ReadAsStringAsync()).ShouldContain("Sign out?");
        (await browser.RefreshAsync(sams.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
        (await browser.RefreshAsync(mias.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Twenty_sign_outs_at_once_are_one()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        string address = LogoutCalls.Address(("id_token_hint", LogoutCalls.IdTokenOf(tokens)));
        HttpResponseMessage[] done = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.Http.GetAsync(address)));
        done.ShouldAllBe(static response => response.StatusCode == HttpStatusCode.OK);
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
    }

    [Fact]
    public async Task The_client_is_named_by_itself_or_by_the_hint_and_both_must_agree()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        Client other = await new LogoutCalls(server).ClientAsync(new LogoutSettings());
        using HttpResponseMessage refused = await browser.GetAsync(LogoutCalls.Address(("id_token_hint", LogoutCalls.IdTokenOf(tokens)), ("client_id", other.ClientId)));
        (await refused.Content.ReadAsStringAsync()).ShouldContain("ATR1622");
        using HttpResponseMessage agreed = await browser.GetAsync(LogoutCalls.Address(
            ("id_token_hint", LogoutCalls.IdTokenOf(tokens)), ("client_id", "demo-web"), ("logout_hint", "sam@example.test"), ("ui_locales", "de fr")));
        (await agreed.Content.ReadAsStringAsync()).ShouldContain("You are signed out");
    }

    [Fact]
    public async Task A_form_that_is_too_large_is_refused_in_a_page()
    {
        using HttpResponseMessage refused = await browser.PostAsync("/t/acme/logout", ("state", new string('x', 200_000)));
        refused.StatusCode.ShouldBeOneOf(HttpStatusCode.BadRequest, HttpStatusCode.RequestEntityTooLarge);
    }
}
