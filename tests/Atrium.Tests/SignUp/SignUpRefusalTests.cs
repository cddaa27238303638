using System.Net;
using System.Text;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.SignUp;

/// <summary>What a sign-up must hold against: guesses, other browsers, other realms, forms that say more than they may.</summary>
public sealed class SignUpRefusalTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = Newcomer.SignUpPath;

    private readonly Newcomer sam = new(server);
    private readonly World world = new(server);
    private readonly Mailbox mailbox = new(server);

    [Fact]
    public async Task Five_codes_are_heard_then_another_is_sent_and_the_old_one_is_worth_nothing()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        await sam.AskAsync(Path, email);
        string first = await sam.CodeAsync(email);
        const string wrong = "BBBB-BBBB";
        for (int left = 4; left >= 1; left--)
            (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", wrong))).ShouldContain(left == 1 ? "One\u00a0try\u00a0left" : $"{left}\u00a0tries\u00a0left");
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", wrong))).ShouldContain("Too many wrong codes");
        (await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", first))).ShouldBe($"{Path}?handle={sam.Handle}");
        (await sam.ShowAsync(Path)).ShouldContain("Too many wrong codes");
        server.Clock.Advance(MailedCode.Pause);
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("again", "yes"));
        string second = await sam.CodeAsync(email);
        await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", first));
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", $" {second[..4]} {second[5..].ToLowerInvariant()} "));
        (await sam.ShowAsync(Path)).ShouldContain("new-password");
    }

    [Fact]
    public async Task Wrong_codes_sent_at_once_get_no_more_looks_than_one_by_one()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        await sam.AskAsync(Path, email);
        const string wrong = "BBBB-BBBB";
        HttpStatusCode[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using HttpRequestMessage request = OAuthBrowser.FormOf(Path, ("handle", sam.Handle), ("code", wrong));
            request.Headers.Add("Cookie", string.Join("; ", sam.Browser.Cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
            using HttpResponseMessage answer = await server.Http.SendAsync(request);
            return answer.StatusCode;
        }));
        answers.Count(static status => status == HttpStatusCode.BadRequest).ShouldBe(MailedCode.MaxTries);
    }

    [Fact]
    public async Task A_code_lives_ten_minutes_and_what_it_showed_as_long_as_the_sign_in()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        await sam.AskAsync(Path, email);
        string code = await sam.CodeAsync(email);
        server.Clock.Advance(MailedCode.Lifetime);
        (await sam.ShowAsync(Path)).ShouldContain("has expired");
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", code));
        (await sam.ShowAsync(Path)).ShouldContain("has expired");
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("again", "yes"));
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", await sam.CodeAsync(email)));
        server.Clock.Advance(TimeSpan.FromMinutes(15));
        (await sam.ShowAsync(Path)).ShouldContain("new-password");

        // Then the sign-in is over, and with it all of this.
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        (await sam.ShowAsync(Path, HttpStatusCode.SeeOther)).ShouldBeEmpty();
        (await sam.ShowAsync("/t/acme/sign-in", HttpStatusCode.BadRequest)).ShouldContain("ATR1310");
        (await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen))).ShouldStartWith("/t/acme/sign-in");
        await ShouldBeNobodyAsync(email);
    }

    [Fact]
    public async Task A_code_is_bound_to_its_own_sign_in()
    {
        string email = ResourceCalls.UniqueEmail();
        Newcomer other = new(server);
        await sam.BeginAsync();
        await other.BeginAsync();
        await sam.AskAsync(Path, email);
        string code = await sam.CodeAsync(email);
        server.Clock.Advance(MailedCode.Pause);
        await other.AskAsync(Path, email);
        if (await other.CodeAsync(email) != code)
            await other.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", code));
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", code));
        (await sam.ShowAsync(Path)).ShouldContain("new-password");
    }

    [Fact]
    public async Task A_code_for_an_account_is_none_for_a_password()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, email);
        (await sam.ShowAsync(Newcomer.ForgotPath)).ShouldContain("name=\"email\"");
        (await sam.SubmitAsync(HttpStatusCode.SeeOther, Newcomer.ForgotPath, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen))).ShouldStartWith(Newcomer.ForgotPath);
        (await sam.ShowAsync(Path)).ShouldContain("new-password");
    }

    /// <summary>CVE-2026-27946, GHSA better-auth CVE-2025-61928: what a form says beside its own fields is not heard.</summary>
    [Fact]
    public async Task A_form_sets_nothing_but_name_and_password()
    {
        User mia = await world.UserAsync("mia@example.test");
        string email = ResourceCalls.UniqueEmail();
        (string, string)[] more =
        [
            ("email_verified", "true"), ("verified", "true"), ("user_id", mia.Id.ToString()), ("userId", mia.Id.ToString()), ("id", mia.Id.ToString()), ("sub", mia.Id.ToString()),
            ("scopes", "owner"), ("scope", "*:**"), ("realm", "globex"), ("realm_id", (await world.RealmAsync("globex")).Id.ToString()), ("status", "disabled"),
            ("organization", "Evil"), ("organization_id", (await world.OrganizationAsync("northwind")).Id.ToString()), ("org", (await world.OrganizationAsync("northwind")).Id.ToString()),
            ("username", mia.Email), ("external_id", "x"), ("metadata[a]", "b"), ("given_name", "G"), ("shown", "yes"), ("shown_at", "1"), ("purpose", "sign_up"),
        ];
        await sam.BeginAsync();
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, [("email", email), .. more]);
        (await sam.ShowAsync(Path)).ShouldContain("name=\"code\"");

        // Nothing leads past the code.
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, [("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen), .. more]);
        await ShouldBeNobodyAsync(email);
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, [("code", await sam.CodeAsync(email)), .. more]);
        await sam.ChooseAsync(Path, [("name", "Sam"), .. more]);
        TokenReply tokens = await sam.Browser.RedeemAsync((await sam.ArriveAsync()).Code);
        User user = await world.UserAsync(email);
        user.Id.ShouldNotBe(mia.Id);
        (user.Username, user.ExternalId, user.GivenName, user.Status, user.Metadata.Count).ShouldBe((null, null, null, UserStatus.Active, 0));
        tokens.Organizations.ShouldBeEmpty("neither joined nor made");
    }

    [Fact]
    public async Task Another_address_after_the_code_was_shown_must_be_shown_too()
    {
        string email = ResourceCalls.UniqueEmail();
        string victim = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, email);
        (await sam.ShowAsync(Path, more: "&other=yes")).ShouldContain("name=\"email\"");
        await sam.AskAsync(Path, victim);
        (await sam.ShowAsync(Path)).ShouldContain("name=\"code\"");
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen));
        await ShouldBeNobodyAsync(email);
        await ShouldBeNobodyAsync(victim);
    }

    /// <summary>GHSA-xg6x-h9c9-2m83: what is half made is no session anywhere.</summary>
    [Fact]
    public async Task A_half_made_sign_up_opens_nothing()
    {
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, ResourceCalls.UniqueEmail());
        sam.Browser.Cookies.ShouldNotContainKey("atrium_session");
        (await sam.Browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await sam.ShowAsync("/t/acme/sign-in")).ShouldContain("name=\"password\"");
        Newcomer thief = new(server);
        thief.Browser.Cookies["atrium_session"] = sam.Handle;
        (await thief.Browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await sam.Browser.RedeemAsync(sam.Handle)).Error.ShouldBe("invalid_grant");
        (await sam.Browser.RefreshAsync(sam.Handle)).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task Another_browser_and_another_realm_know_nothing_of_it()
    {
        await sam.BeginAsync();
        string email = ResourceCalls.UniqueEmail();
        await sam.AskAsync(Path, email);
        string code = await sam.CodeAsync(email);
        Newcomer thief = new(server) { Handle = sam.Handle };
        foreach (bool marked in new[] { false, true })
        {
            if (marked)
                await thief.Browser.OpenAsync(OAuthBrowser.Authorize());
            (await thief.ShowAsync(Path, HttpStatusCode.BadRequest)).ShouldContain("ATR1302");
            (await thief.SubmitAsync(HttpStatusCode.BadRequest, Path, ("email", "thief@example.test"))).ShouldContain("ATR1302");
            (await thief.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", code))).ShouldContain("ATR1302");
        }

        foreach (string path in new[] { Path, Newcomer.ForgotPath })
        {
            string foreign = path.Replace("/acme/", "/globex/", StringComparison.Ordinal);
            (await sam.ShowAsync(foreign, HttpStatusCode.BadRequest)).ShouldContain("ATR1301");
            (await sam.SubmitAsync(HttpStatusCode.BadRequest, foreign, ("code", code))).ShouldContain("ATR1301");
            using HttpResponseMessage none = await sam.Browser.GetAsync(path);
            none.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            foreach (string broken in new[] { sam.Handle[..^1], sam.Handle + "A", sam.Handle.ToUpperInvariant() })
                (await new Newcomer(server) { Handle = broken }.ShowAsync(path, HttpStatusCode.BadRequest)).ShouldContain("ATR1301");
        }

        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", code));
    }

    [Fact]
    public async Task Forms_that_are_none_of_ours_are_refused()
    {
        await sam.BeginAsync();
        foreach (string path in new[] { Path, Newcomer.ForgotPath })
        {
            using HttpRequestMessage crossSite = OAuthBrowser.FormOf(path, ("handle", sam.Handle), ("email", "a@example.test"));
            crossSite.Headers.Add("Sec-Fetch-Site", "cross-site");
            using HttpResponseMessage foreign = await sam.Browser.SendAsync(crossSite);
            foreign.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            (await sam.SubmitAsync(HttpStatusCode.BadRequest, path, ("email", "a@example.test"), ("email", "b@example.test"))).ShouldContain("more than once");
            (await sam.SubmitAsync(HttpStatusCode.RequestEntityTooLarge, path, ("email", new string('a', 2_000_000)))).ShouldContain("larger than any request");
            using HttpRequestMessage latin = new(HttpMethod.Post, path) { Content = new StringContent($"handle={sam.Handle}&email=\u00e9\u00ff@example.test", Encoding.Latin1, "application/x-www-form-urlencoded") };
            using HttpResponseMessage unreadable = await sam.Browser.SendAsync(latin);
            unreadable.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            using HttpRequestMessage json = new(HttpMethod.Post, path) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
            using HttpResponseMessage noForm = await sam.Browser.SendAsync(json);
            noForm.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            foreach (string bad in new[] { "", "sam", "@example.test", "sam@", $"{new string('x', 250)}@example.test", "a b@example.test", "sam@example.test\r\nBcc: x@example.test" })
                (await sam.SubmitAsync(HttpStatusCode.BadRequest, path, ("email", bad))).ShouldContain("Enter an e-mail address");
        }
    }

    [Fact]
    public async Task The_pages_are_held_by_the_strict_policy_and_never_stored()
    {
        await sam.BeginAsync();
        foreach (string path in new[] { Path, Newcomer.ForgotPath })
        {
            using HttpResponseMessage page = await sam.Browser.GetAsync($"{path}?handle={sam.Handle}");
            page.Headers.CacheControl!.NoStore.ShouldBeTrue();
            page.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("default-src 'none'");
            page.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("frame-ancestors 'none'");
            page.Headers.GetValues("Referrer-Policy").Single().ShouldBe("no-referrer");
        }
    }

    [Fact]
    public async Task Asked_for_twenty_times_at_once_at_most_one_letter_goes_out()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        HttpStatusCode[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using HttpRequestMessage request = OAuthBrowser.FormOf(Path, ("handle", sam.Handle), ("email", email));
            request.Headers.Add("Cookie", string.Join("; ", sam.Browser.Cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
            using HttpResponseMessage answer = await server.Http.SendAsync(request);
            return answer.StatusCode;
        }));
        answers.ShouldAllBe(static status => status == HttpStatusCode.SeeOther || status == HttpStatusCode.TooManyRequests);
        (await mailbox.LettersAsync(email)).Count.ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public async Task A_mailbox_is_not_flooded_whoever_has_it()
    {
        User there = await world.PersonAsync(ResourceCalls.UniqueEmail());
        foreach (string email in new[] { there.Email, ResourceCalls.UniqueEmail() })
        {
            server.Clock.Advance(TimeSpan.FromMinutes(31));
            await sam.BeginAsync();
            await sam.AskAsync(Path, email);
            (await sam.SubmitAsync(HttpStatusCode.TooManyRequests, Path, ("again", "yes"))).ShouldContain("A code was sent just now");
            await sam.AskAsync(Path, email);
            (await mailbox.LettersAsync(email)).Count.ShouldBe(1, "a form that is sent twice sends one letter");
            for (int letter = 2; letter <= 6; letter++)
            {
                server.Clock.Advance(MailedCode.Pause);
                await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("again", "yes"));

                // One that still waits when the next is written is not sent any more.
                (await mailbox.LettersAsync(email)).Count.ShouldBe(letter);
            }

            server.Clock.Advance(MailedCode.Pause);
            using (HttpResponseMessage limited = await sam.PostAsync(Path, ("again", "yes")))
            {
                limited.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
                limited.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromMinutes(30));
            }

            // Nor through another sign-in, or for another purpose.
            Newcomer other = new(server);
            await other.BeginAsync();
            (await other.SubmitAsync(HttpStatusCode.TooManyRequests, Path, ("email", email.ToUpperInvariant()))).ShouldContain("Many codes were sent lately");
            await other.SubmitAsync(HttpStatusCode.TooManyRequests, Newcomer.ForgotPath, ("email", email));
            (await mailbox.LettersAsync(email)).Count.ShouldBe(6);

            // Somebody else's is not touched by it, and it ends.
            await other.AskAsync(Path, ResourceCalls.UniqueEmail());
            server.Clock.Advance(TimeSpan.FromMinutes(31));
            await other.BeginAsync();
            await other.AskAsync(Path, email);
        }
    }

    [Fact]
    public async Task An_invitation_still_brings_in_whoever_it_is_for()
    {
        await Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new(), EmailVerificationRequired = true });
        try
        {
            User unverified = await world.PersonAsync(ResourceCalls.UniqueEmail(), emailVerified: false);
            foreach (string email in new[] { ResourceCalls.UniqueEmail(), unverified.Email })
            {
                (await new Management.ManagementCalls(server).PostAsync(
                    $"/organizations/{(await world.OrganizationAsync("northwind")).Id}/invitations", new { email_invited = email, scopes = new[] { "member" } })).Expect(201);
                string link = await mailbox.InvitationAsync(email);
                OAuthBrowser browser = new(server);
                using HttpResponseMessage page = await browser.GetAsync(link);
                HostedForm form = new(link, await page.Content.ReadAsStringAsync());
                using HttpResponseMessage joined = await browser.PostAsync(
                    link,
                    form.Asks("repeated")
                        ? [.. form.Hidden, ("name", "Sam"), ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen)]
                        : [.. form.Hidden, ("password", DemoRealm.Password)]);
                joined.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
                (await browser.SilentlyAsync()).Code.ShouldNotBeEmpty();
                (await world.UserAsync(email)).EmailVerified.ShouldBeTrue();
            }
        }
        finally
        {
            await Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new() { Policy = SignUpPolicy.Open }, EmailVerificationRequired = false });
        }
    }

    private async Task ShouldBeNobodyAsync(string email) =>
        (await server.Get<UserStore>().FindByEmailAsync((await world.RealmAsync()).Id, email, default)).ShouldBeNull();
}
