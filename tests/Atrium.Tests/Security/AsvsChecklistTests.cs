using System.Net;
using Atrium.Core.Users;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Consent;
using Atrium.Tests.Factors;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Atrium.Tests.SignUp;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Security;

/// <summary>What is easily forgotten of OWASP ASVS 5.0, each line by its number.</summary>
public sealed class AsvsChecklistTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    /// <summary>The one factor of this person is asked for at every way in.</summary>
    [Fact]
    public async Task V6_1_3_and_V6_3_4_every_way_to_sign_in_is_equally_strong()
    {
        const string Tom = "tom@example.test";
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage hosted = await browser.SubmitPasswordAsync(form, Tom);
        (await browser.FollowAsync(hosted)).Asks("code").ShouldBeTrue();

        AuthKit.Answer authKit = await new AuthKitCalls(server).PasswordAsync(Tom);
        (authKit.Status, authKit["code"]).ShouldBe((HttpStatusCode.Forbidden, "mfa_challenge"));

        NativeApp native = new(server);
        AppNative.Answer begun = await native.StartAtAsync(await native.PathOfAsync("contoso"));
        AppNative.Answer asked = await native.PasswordAsync(begun, Tom);
        asked.FlowStatus.ShouldBe("INCOMPLETE");
    }

    [Fact]
    public async Task V6_2_4_the_commonest_passwords_are_refused()
    {
        Newcomer newcomer = await AtThePasswordAsync("common@example.test");
        string page = await newcomer.SubmitAsync(HttpStatusCode.BadRequest, Newcomer.SignUpPath, ("password", "password123"), ("repeated", "password123"));
        page.ShouldContain("role=\"alert\"");
    }

    [Theory]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaa b")]
    [InlineData("only small letters here")]
    public async Task V6_2_5_a_password_has_no_rules_of_composition(string password)
    {
        string email = $"{Guid.NewGuid():n}@example.test";
        Newcomer newcomer = await AtThePasswordAsync(email);
        await newcomer.SubmitAsync(HttpStatusCode.SeeOther, Newcomer.SignUpPath, ("password", password), ("repeated", password));
        (await newcomer.ArriveAsync()).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task V6_2_8_and_V6_2_9_a_password_of_128_characters_is_taken_and_none_of_them_is_cut_off()
    {
        string password = string.Concat(Enumerable.Range(0, 128).Select(static i => (char)('!' + (i % 90)))), email = "long@example.test";
        Newcomer newcomer = await AtThePasswordAsync(email);
        await newcomer.SubmitAsync(HttpStatusCode.SeeOther, Newcomer.SignUpPath, ("password", password), ("repeated", password));
        (await newcomer.ArriveAsync()).Code.ShouldNotBeEmpty();
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage cut = await browser.SubmitPasswordAsync(form, email, password[..127]);
        cut.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using HttpResponseMessage whole = await browser.SubmitPasswordAsync(form, email, password);
        Arrival.At(whole).Code.ShouldNotBeEmpty();
    }

    /// <summary>The same text and status; that the work is the same is in the code, since no test of a time is steady.</summary>
    [Fact]
    public async Task V6_3_8_nobody_learns_who_has_an_account_by_signing_in_signing_up_or_forgetting_a_password()
    {
        List<string> pages = [];
        foreach (string email in new[] { "sam@example.test", "nobody@example.test" })
        {
            HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
            using HttpResponseMessage refused = await browser.SubmitPasswordAsync(form, email, "a wrong password");
            string page = await refused.Content.ReadAsStringAsync();
            page.ShouldContain("role=\"alert\"");
            pages.Add(page.Replace(email, "EMAIL", StringComparison.Ordinal).Replace(HandleOf(form), "HANDLE", StringComparison.Ordinal));
        }

        pages.Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        foreach (string path in new[] { Newcomer.SignUpPath, Newcomer.ForgotPath })
        {
            List<string> answers = [];
            foreach (string email in new[] { "zoe@example.test", "noone@example.test" })
            {
                Newcomer newcomer = new(server);
                await newcomer.BeginAsync();
                await newcomer.AskAsync(path, email);
                string page = await newcomer.ShowAsync(path);
                answers.Add(page.Replace(email, "EMAIL", StringComparison.Ordinal).Replace(newcomer.Handle, "HANDLE", StringComparison.Ordinal));
            }

            answers.Distinct(StringComparer.Ordinal).Count().ShouldBe(1, path);
        }
    }

    [Fact]
    public async Task V6_4_3_a_forgotten_password_does_not_lead_past_the_second_factor()
    {
        FactorWalk walk = new(server);
        User user = await walk.PersonAsync();
        await walk.EnrolAsync(browser, user);
        Newcomer forgetful = new(server);
        await forgetful.BeginAsync();
        await forgetful.ShowMailboxAsync(Newcomer.ForgotPath, user.Email);
        await forgetful.ChooseAsync(Newcomer.ForgotPath);
        (await forgetful.ShowAsync("/t/acme/sign-in")).ShouldContain("name=\"code\"");
        forgetful.Browser.Cookies.ShouldNotContainKey("atrium_session");
    }

    [Fact]
    public async Task V6_5_1_a_code_of_the_authenticator_works_once()
    {
        FactorWalk walk = new(server);
        User user = await walk.PersonAsync();
        (AuthenticatorApp app, _, _) = await walk.EnrolAsync(browser, user);
        OAuthBrowser first = new(server), second = new(server);
        HostedForm one = await FactorWalk.OpenCodeAsync(first, user), two = await FactorWalk.OpenCodeAsync(second, user);
        using HttpResponseMessage taken = await first.SubmitAsync(one, ("code", app.Code()));
        Arrival.At(taken).Code.ShouldNotBeEmpty();
        using HttpResponseMessage again = await second.SubmitAsync(two, ("code", app.Code()));
        again.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task V6_5_5_a_mailed_code_lives_for_ten_minutes_at_most()
    {
        Newcomer newcomer = new(server);
        await newcomer.BeginAsync();
        await newcomer.AskAsync(Newcomer.SignUpPath, "late@example.test");
        string code = await newcomer.CodeAsync("late@example.test");
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        using HttpResponseMessage late = await newcomer.PostAsync(Newcomer.SignUpPath, ("code", code));
        (await newcomer.ShowAsync(Newcomer.SignUpPath)).ShouldNotContain("name=\"password\"");
    }

    [Fact]
    public async Task V6_6_2_a_mailed_code_is_good_for_the_request_that_it_was_sent_for_and_no_other()
    {
        Newcomer victim = new(server), attacker = new(server);
        await victim.BeginAsync();
        await victim.AskAsync(Newcomer.ForgotPath, "sam@example.test");
        string code = await victim.CodeAsync("sam@example.test");
        await attacker.BeginAsync();
        await attacker.AskAsync(Newcomer.ForgotPath, "someone-else@example.test");
        await attacker.SubmitAsync(HttpStatusCode.BadRequest, Newcomer.ForgotPath, ("code", code));
        attacker.Handle = victim.Handle;
        using HttpResponseMessage elsewhere = await attacker.PostAsync(Newcomer.ForgotPath, ("code", code));
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        await victim.SubmitAsync(HttpStatusCode.SeeOther, Newcomer.ForgotPath, ("code", code));
    }

    [Fact]
    public async Task V7_2_4_who_signs_in_again_gets_a_new_session()
    {
        await browser.SignInAsync("zoe@example.test");
        string cookie = browser.Cookies["atrium_session"];
        await browser.SignInAsync("zoe@example.test", ("prompt", "login"));
        browser.Cookies["atrium_session"].ShouldNotBe(cookie);
        browser.Cookies["atrium_session"] = cookie;
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task V7_4_2_a_person_who_is_disabled_is_signed_out_everywhere()
    {
        User user = await world.PersonAsync("disabled-everywhere@example.test");
        TokenReply tokens = await browser.TokensAsync(user.Email);
        (await new Management.ManagementCalls(server).PatchAsync($"/users/{user.Id}", new { status = "disabled" })).Expect(200);
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await browser.RefreshAsync(tokens.RefreshToken)).Error.ShouldBe("invalid_grant");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task V7_4_3_who_sets_up_a_factor_may_end_the_other_sessions()
    {
        FactorWalk walk = new(server);
        User user = await walk.PersonAsync();
        OAuthBrowser elsewhere = new(server);
        TokenReply other = await elsewhere.TokensAsync(user.Email);
        HostedForm enrolment = await FactorWalk.OpenEnrolmentAsync(browser, user);
        using HttpResponseMessage confirmed = await browser.SubmitAsync(enrolment, ("code", walk.AppOf(enrolment).Code()));
        HostedForm codes = await browser.FollowAsync(confirmed);
        codes.Asks("sign_out_others").ShouldBeTrue();
        using HttpResponseMessage kept = await browser.SubmitAsync(codes, ("kept", "yes"), ("sign_out_others", "yes"));
        Arrival.At(kept).Code.ShouldNotBeEmpty();
        (await elsewhere.RefreshAsync(other.RefreshToken)).Error.ShouldBe("invalid_grant");
    }

    [Theory]
    [InlineData("fragment")]
    [InlineData("form_post")]
    [InlineData("query.jwt")]
    public async Task V10_4_12_only_the_response_mode_query_is_allowed(string mode) =>
        (await browser.SilentlyAsync(("response_mode", mode)))["error"].ShouldBe("invalid_request");

    [Fact]
    public async Task V10_7_3_a_person_can_take_consent_back()
    {
        ThirdParty party = await ThirdParty.NewAsync(server, "taken-back");
        User user = await world.PersonAsync("consenting@example.test");
        TokenReply tokens = await party.TokensAsync(user.Email);
        using HttpResponseMessage list = await party.Browser.GetAsync("/t/acme/account/applications");
        HostedForm page = new("/t/acme/account/applications", await list.Content.ReadAsStringAsync());
        using HttpResponseMessage taken = await party.Browser.PostAsync(page.Location, page.Hidden);
        taken.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await party.RefreshAsync(tokens)).Error.ShouldBe("invalid_grant");
        (await party.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("consent_required");
    }

    private static string HandleOf(HostedForm form) => form.Hidden.Single(static field => field.Name == "handle").Value;

    /// <summary>Somebody who has shown their mailbox and chooses a password next.</summary>
    private async Task<Newcomer> AtThePasswordAsync(string email)
    {
        Newcomer newcomer = new(server);
        await newcomer.BeginAsync();
        await newcomer.ShowMailboxAsync(Newcomer.SignUpPath, email);
        return newcomer;
    }
}
