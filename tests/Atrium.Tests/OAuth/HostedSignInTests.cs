using System.Net;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>The hosted pages, walked as a browser walks them.</summary>
public sealed class HostedSignInTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task The_pages_cookies_are_the_realms_and_out_of_reach_of_scripts_and_other_sites()
    {
        using HttpResponseMessage started = await browser.GetAsync(OAuthBrowser.Authorize(("login_hint", "sam@example.test")));
        string mark = started.Headers.GetValues("Set-Cookie").Single();
        HostedForm form = await browser.FollowAsync(started);
        form.Html.ShouldContain("value=\"sam@example.test\"");
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "sam@example.test");
        string session = done.Headers.GetValues("Set-Cookie").Single(static cookie => !cookie.StartsWith("atrium_state=", StringComparison.Ordinal));
        foreach ((string cookie, string name) in new[] { (mark, "atrium_browser"), (session, "atrium_session") })
        {
            string[] attributes = cookie.ToLowerInvariant().Split("; ");
            attributes[0].ShouldStartWith($"{name}=");
            attributes.ShouldContain("path=/t/acme");
            attributes.ShouldContain("httponly");
            attributes.ShouldContain("samesite=lax");
        }

        // The one that tells when the session has changed is there for a script to read.
        string state = done.Headers.GetValues("Set-Cookie").Single(static cookie => cookie.StartsWith("atrium_state=", StringComparison.Ordinal));
        state.ToLowerInvariant().Split("; ").ShouldNotContain("httponly");
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_person_get_the_same_page_with_a_word()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        List<string> pages = [];
        foreach ((string email, string password) in new[] { ("sam@example.test", "Wrong-Passw0rd!"), ("nobody@example.test", DemoRealm.Password), ("kim@example.test", DemoRealm.Password), ("sam@example.test", "") })
        {
            using HttpResponseMessage refused = await browser.SubmitPasswordAsync(form, email, password);
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            string page = await refused.Content.ReadAsStringAsync();
            page.ShouldContain("role=\"alert\"");
            page.ShouldContain($"value=\"{email}\"");
            pages.Add(page.Replace(email, "EMAIL", StringComparison.Ordinal));
        }

        pages.Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        browser.Cookies.ShouldNotContainKey("atrium_session");
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, " SAM@example.test ");
        Arrival.At(done).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Guessing_without_end_is_slowed_down_with_the_time_to_wait()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        HttpResponseMessage last = new();
        for (int guess = 0; guess < 31; guess++)
            last = await browser.SubmitPasswordAsync(form, "guessed@example.test", $"guess number {guess}");
        last.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        last.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBe(60);
        using HttpResponseMessage other = await browser.SubmitPasswordAsync(form, "zoe@example.test");
        Arrival.At(other).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_sign_in_of_another_browser_is_refused_whatever_is_sent_to_it()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        OAuthBrowser victim = new(server);
        foreach (bool marked in new[] { false, true })
        {
            if (marked)
                await victim.OpenAsync(OAuthBrowser.Authorize());
            using HttpResponseMessage shown = await victim.GetAsync(form.Location);
            (shown.StatusCode, (await shown.Content.ReadAsStringAsync()).Contains("ATR1302", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.BadRequest, true));
            using HttpResponseMessage posted = await victim.SubmitPasswordAsync(form, "mia@example.test");
            (posted.StatusCode, posted.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        }
    }

    [Theory]
    [InlineData("cross-site", HttpStatusCode.Forbidden)]
    [InlineData("same-site", HttpStatusCode.Forbidden)]
    [InlineData("same-origin", HttpStatusCode.SeeOther)]
    public async Task A_form_from_another_site_is_refused(string site, HttpStatusCode status)
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        HttpRequestMessage request = OAuthBrowser.FormOf("/t/acme/sign-in", [.. form.Hidden, ("email", "sam@example.test"), ("password", DemoRealm.Password)]);
        request.Headers.Add("Sec-Fetch-Site", site);
        using HttpResponseMessage response = await browser.SendAsync(request);
        response.StatusCode.ShouldBe(status);
    }

    [Fact]
    public async Task A_cookie_planted_before_the_sign_in_is_not_the_session_afterwards()
    {
        browser.Cookies["atrium_session"] = "planted-by-somebody-else-0123456789-abcdefg";
        await browser.TokensAsync("sam@example.test");
        browser.Cookies["atrium_session"].ShouldNotBe("planted-by-somebody-else-0123456789-abcdefg");
        OAuthBrowser planter = new(server);
        planter.Cookies["atrium_session"] = "planted-by-somebody-else-0123456789-abcdefg";
        (await planter.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task A_spent_an_unknown_and_an_expired_sign_in_say_to_start_again()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        HostedForm forgotten = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "sam@example.test");
        using HttpResponseMessage again = await browser.SubmitPasswordAsync(form, "sam@example.test");
        using HttpResponseMessage unknown = await browser.GetAsync("/t/acme/sign-in?handle=unknown");
        using HttpResponseMessage none = await browser.GetAsync("/t/acme/sign-in");
        foreach (HttpResponseMessage over in new[] { again, unknown, none })
            (over.StatusCode, (await over.Content.ReadAsStringAsync()).Contains("ATR1301", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.BadRequest, true));
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        using HttpResponseMessage expired = await browser.SubmitPasswordAsync(forgotten, "sam@example.test");
        expired.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        using HttpResponseMessage told = await browser.GetAsync(expired.Headers.Location!.OriginalString);
        told.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        string page = await told.Content.ReadAsStringAsync();
        page.ShouldContain("ATR1310");
        page.ShouldContain("error=access_denied");
    }

    [Fact]
    public async Task Twenty_submits_at_once_end_in_one_code()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        HttpResponseMessage[] all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => new OAuthBrowser(server) { Cookies = { ["atrium_browser"] = browser.Cookies["atrium_browser"] } }
            .SubmitPasswordAsync(form, "sam@example.test")));
        all.Count(static response => response.Headers.Location?.OriginalString.Contains("code=", StringComparison.Ordinal) == true).ShouldBe(1);
        all.ShouldAllBe(static response => response.StatusCode == HttpStatusCode.SeeOther || response.StatusCode == HttpStatusCode.BadRequest || response.StatusCode == HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_person_with_an_authenticator_enters_its_code_spaces_and_all_and_each_code_works_once()
    {
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        HostedForm codePage = await ToCodePageAsync();
        string code = TomsCode();
        using HttpResponseMessage done = await browser.SubmitAsync(codePage, ("code", $" {code[..3]} {code[3..]} "));
        TokenReply tokens = await browser.RedeemAsync(Arrival.At(done).Code);
        tokens.Identity.GetProperty("amr").ToString().ShouldBe("[\"pwd\",\"otp\",\"mfa\"]");

        OAuthBrowser other = new(server);
        HostedForm second = await ToCodePageAsync(other);
        using HttpResponseMessage replayed = await other.SubmitAsync(second, ("code", code));
        replayed.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await replayed.Content.ReadAsStringAsync()).ShouldContain("4\u00a0tries\u00a0left".Replace("\u00a0", "&#xA0;", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Five_wrong_codes_end_the_sign_in()
    {
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        HostedForm codePage = await ToCodePageAsync();
        for (int tries = 1; tries <= 5; tries++)
        {
            using HttpResponseMessage wrong = await browser.SubmitAsync(codePage, ("code", TomsCode() == "000000" ? "000001" : "000000"));
            wrong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await wrong.Content.ReadAsStringAsync()).ShouldContain(tries < 5 ? "role=\"alert\"" : "ATR1313");
        }

        using HttpResponseMessage right = await browser.SubmitAsync(codePage, ("code", TomsCode()));
        (right.StatusCode, right.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        browser.Cookies.ShouldNotContainKey("atrium_session");
    }

    [Fact]
    public async Task The_code_page_can_not_be_passed_by_the_forms_of_other_pages()
    {
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        HostedForm codePage = await ToCodePageAsync();
        using HttpResponseMessage password = await browser.SubmitPasswordAsync(codePage, "tom@example.test");
        (await browser.FollowAsync(password)).Asks("code").ShouldBeTrue();
        using HttpResponseMessage choice = await browser.SubmitAsync(codePage, ("organization", (await world.OrganizationAsync("contoso")).Id.ToString()));
        (await browser.FollowAsync(choice)).Asks("code").ShouldBeTrue();
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task A_client_that_wants_one_organization_lets_the_person_pick_among_those_they_may_enter()
    {
        await world.ClientAsync("picking-client", new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } });
        Organization northwind = await world.OrganizationAsync("northwind");
        Organization contoso = await world.OrganizationAsync("contoso");
        Organization fabrikam = await world.OrganizationAsync("fabrikam");
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(("client_id", "picking-client")));
        using HttpResponseMessage signedIn = await browser.SubmitPasswordAsync(form, "mia@example.test");
        HostedForm picker = await browser.FollowAsync(signedIn);
        picker.Html.ShouldContain(northwind.Id.ToString());
        picker.Html.ShouldContain(contoso.Id.ToString());
        picker.Html.ShouldNotContain("Fabrikam");
        picker.Html.ShouldNotContain("Tailspin");
        foreach (string bad in new[] { fabrikam.Id.ToString(), "nonsense", "" })
        {
            using HttpResponseMessage refused = await browser.SubmitAsync(picker, ("organization", bad));
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        }

        using HttpResponseMessage done = await browser.SubmitAsync(picker, ("organization", contoso.Id.ToString()));
        TokenReply tokens = await RedeemAsync("picking-client", Arrival.At(done).Code);
        (tokens.Access.GetProperty("org_id").GetString(), tokens.Access.GetProperty("role").GetString()).ShouldBe((contoso.Id.ToString(), "member"));

        // Silent only where nothing is left to choose.
        (await browser.SilentlyAsync(("client_id", "picking-client"), ("prompt", "none")))["error"].ShouldBe("account_selection_required");
        Arrival named = await browser.SilentlyAsync(("client_id", "picking-client"), ("prompt", "none"), ("org", northwind.Id.ToString()));
        (await RedeemAsync("picking-client", named.Code)).Access.GetProperty("org_id").GetString().ShouldBe(northwind.Id.ToString());
        (await browser.SilentlyAsync(("client_id", "picking-client"), ("org", fabrikam.Id.ToString())))["error"].ShouldBe("access_denied");
    }

    [Fact]
    public async Task An_organization_that_asks_for_a_second_factor_gets_one_also_from_a_standing_session()
    {
        await world.ClientAsync("strict-client", new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } });
        Organization strict = await world.NewOrganizationAsync("strict", new OrganizationSettings { MfaRequired = true });
        Organization closed = await world.NewOrganizationAsync("closed", new OrganizationSettings { SsoOnly = true });
        User user = await world.PersonAsync("strict@example.test", strict, closed);
        await browser.TokensAsync(user.Email);
        foreach ((Organization organization, HttpStatusCode status, string shown) in new[] { (strict, HttpStatusCode.OK, "otpauth:"), (closed, HttpStatusCode.BadRequest, "ATR1317") })
        {
            (string, string?)[] asks = [("client_id", "strict-client"), ("org", organization.Id.ToString())];
            (await browser.SilentlyAsync([.. asks, ("prompt", "none")]))["error"].ShouldBe("interaction_required");
            using HttpResponseMessage started = await browser.GetAsync(OAuthBrowser.Authorize(asks));
            using HttpResponseMessage page = await browser.GetAsync(started.Headers.Location!.OriginalString);
            page.StatusCode.ShouldBe(status);
            (await page.Content.ReadAsStringAsync()).ShouldContain(shown);
        }
    }

    [Fact]
    public async Task A_sign_in_that_rests_on_a_session_ends_with_it()
    {
        await world.ClientAsync("resting-client", new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } });
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        HostedForm picker = await browser.OpenAsync(OAuthBrowser.Authorize(("client_id", "resting-client")));
        picker.Asks("organization").ShouldBeTrue();
        using HttpResponseMessage loggedOut = await browser.GetAsync($"/t/acme/logout?id_token_hint={tokens.Json.GetProperty("id_token").GetString()}");
        loggedOut.StatusCode.ShouldBe(HttpStatusCode.OK);
        using HttpResponseMessage late = await browser.SubmitAsync(picker, ("organization", (await world.OrganizationAsync("contoso")).Id.ToString()));
        (late.StatusCode, late.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
    }

    [Fact]
    public async Task A_form_that_is_none_is_refused_on_a_page()
    {
        HttpContent[] bodies =
        [
            new StringContent("{}", System.Text.Encoding.UTF8, "application/json"),
            new FormUrlEncodedContent([new("handle", "x"), new("handle", "y")]),
            new ByteArrayContent([0x61, 0x3d, 0xff]) { Headers = { ContentType = new("application/x-www-form-urlencoded") } },
            new ByteArrayContent(new byte[1024 * 1024]) { Headers = { ContentType = new("application/x-www-form-urlencoded") } },
        ];
        foreach (HttpContent body in bodies)
        {
            using HttpResponseMessage response = await browser.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/t/acme/sign-in") { Content = body });
            ((int)response.StatusCode).ShouldBeInRange(400, 413);
            response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        }
    }

    private async Task<HostedForm> ToCodePageAsync(OAuthBrowser? who = null)
    {
        OAuthBrowser used = who ?? browser;
        HostedForm form = await used.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage signedIn = await used.SubmitPasswordAsync(form, "tom@example.test");
        HostedForm codePage = await used.FollowAsync(signedIn);
        codePage.Asks("code").ShouldBeTrue();
        used.Cookies.ShouldNotContainKey("atrium_session");
        return codePage;
    }

    private string TomsCode() => new AuthenticatorApp(server).Code();

    private Task<TokenReply> RedeemAsync(string client, string code) => browser.TokenAsync(
        ("grant_type", "authorization_code"), ("client_id", client), ("code", code), ("redirect_uri", DemoRealm.Callback),
        ("code_verifier", OAuthBrowser.Verifier));
}
