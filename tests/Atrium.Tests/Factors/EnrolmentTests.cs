using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Factors;

/// <summary>An authenticator app that is set up on the hosted pages, in the middle of a sign-in that needs one.</summary>
public class EnrolmentTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly FactorWalk walk = new(server);
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task Who_enters_an_organization_that_asks_for_a_second_factor_sets_one_up_and_goes_on()
    {
        string name = $"c{Guid.NewGuid():n}";
        await world.ClientAsync(name, new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } });
        Organization strict = await world.NewOrganizationAsync(name, new OrganizationSettings { MfaRequired = true });
        User user = await walk.PersonAsync(strict);
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(("client_id", name)));
        using HttpResponseMessage next = await browser.SubmitPasswordAsync(form, user.Email);
        HostedForm page = await browser.FollowAsync(next);
        page.Html.ShouldContain("src=\"data:image/png;base64,");
        WebUtility.HtmlDecode(page.Html).ShouldContain($"otpauth://totp/Acme:{Uri.EscapeDataString(user.Email)}?secret={FactorWalk.SecretOf(page)}&issuer=Acme");
        (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Ids.ShouldBeEmpty("nothing is the person's before the first right code");

        AuthenticatorApp app = walk.AppOf(page);
        string code = app.Code();
        using HttpResponseMessage confirmed = await browser.SubmitAsync(page, ("code", $"{code[..3]} {code[3..]}"));
        HostedForm codes = await browser.FollowAsync(confirmed);
        FactorWalk.CodesOf(codes).Distinct(StringComparer.Ordinal).Count().ShouldBe(RecoveryCode.Count);
        browser.Cookies.ShouldNotContainKey("atrium_session");
        using HttpResponseMessage done = await browser.SubmitAsync(codes, ("kept", "yes"));
        TokenReply tokens = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", name), ("code", Arrival.At(done).Code), ("redirect_uri", "http://localhost:3000/callback"),
            ("code_verifier", OAuthBrowser.Verifier));
        tokens.Access.GetProperty("org_id").GetString().ShouldBe(strict.Id.ToString());
        tokens.Identity.GetProperty("amr").EnumerateArray().Select(static word => word.GetString()).ShouldBe(["pwd", "otp", "mfa"]);
        tokens.Identity.GetProperty("acr").GetString().ShouldBe("urn:atrium:acr:mfa");

        JsonElement factor = (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Items.ShouldHaveSingleItem();
        factor.GetProperty("confirmed").GetBoolean().ShouldBeTrue();
        ManagementAnswer events = (await api.GetAsync($"/events?types=user.factor.*,user.recovery_codes.*&user_id={user.Id}")).Expect(200);
        events.Items.Select(static item => item.GetProperty("type").GetString())
            .ShouldBe(["user.recovery_codes.created", "user.factor.confirmed", "user.factor.created"]);
        events.Text.ShouldNotContain(FactorWalk.SecretOf(page));
        events.Text.ShouldNotContain(FactorWalk.CodesOf(codes)[0]);

        EmlFile told = (await new Mailbox(server).LettersAsync(user.Email)).ShouldHaveSingleItem();
        told.Subject.ShouldBe("There is an authenticator app for your account at Acme");
        told.Text.ShouldNotContain(FactorWalk.SecretOf(page));

        // The step of the first code is spent.
        HostedForm again = await FactorWalk.OpenCodeAsync(new OAuthBrowser(server), user);
        again.Html.ShouldContain("Enter your code");
        OAuthBrowser second = new(server);
        again = await FactorWalk.OpenCodeAsync(second, user);
        using HttpResponseMessage reused = await second.SubmitAsync(again, ("code", code));
        reused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_page_shows_the_same_factor_however_often_and_the_same_codes_until_they_are_kept()
    {
        User user = await walk.PersonAsync();
        HostedForm page = await FactorWalk.OpenEnrolmentAsync(browser, user);
        AuthenticatorApp app = walk.AppOf(page);
        using (HttpResponseMessage reloaded = await browser.GetAsync(page.Location))
            FactorWalk.SecretOf(new HostedForm(page.Location, await reloaded.Content.ReadAsStringAsync())).ShouldBe(FactorWalk.SecretOf(page));
        using (HttpResponseMessage wrong = await browser.SubmitAsync(page, ("code", app.WrongCode())))
        {
            wrong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            HostedForm asked = new(page.Location, await wrong.Content.ReadAsStringAsync());
            FactorWalk.SecretOf(asked).ShouldBe(FactorWalk.SecretOf(page));
            WebUtility.HtmlDecode(asked.Html).ShouldContain("4\u00a0tries\u00a0left");
        }

        using HttpResponseMessage confirmed = await browser.SubmitAsync(page, ("code", app.Code()));
        string[] codes = FactorWalk.CodesOf(await browser.FollowAsync(confirmed));
        HostedForm shown = await browser.FollowAsync(confirmed);
        FactorWalk.CodesOf(shown).ShouldBe(codes);

        // The form of the page before is not heard any more, and shows the codes once more.
        using HttpResponseMessage late = await browser.SubmitAsync(page, ("code", app.Code()));
        FactorWalk.CodesOf(await browser.FollowAsync(late)).ShouldBe(codes);
        using HttpResponseMessage done = await browser.SubmitAsync(shown, ("kept", "yes"));
        Arrival.At(done).Code.ShouldNotBeEmpty();
        using HttpResponseMessage over = await browser.GetAsync(shown.Location);
        over.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await over.Content.ReadAsStringAsync()).ShouldNotContain(codes[0]);
    }

    [Fact]
    public async Task Of_right_codes_sent_at_once_one_makes_the_factor()
    {
        User user = await walk.PersonAsync();
        HostedForm page = await FactorWalk.OpenEnrolmentAsync(browser, user);
        string code = walk.AppOf(page).Code();
        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.SubmitAsync(page, ("code", code))));
        foreach (HttpResponseMessage answer in answers)
        {
            // Tries are counted before they are looked at, so some of so many are not heard; none is told wrong.
            answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }

        (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Ids.ShouldHaveSingleItem();
        (await api.GetAsync($"/users/{user.Id}/recovery-codes")).Expect(200).Data.GetProperty("remaining").GetInt32().ShouldBe(RecoveryCode.Count);
        FactorWalk.CodesOf(await browser.FollowAsync(answers[0])).Length.ShouldBe(RecoveryCode.Count);
    }

    [Fact]
    public async Task Five_wrong_codes_end_the_sign_in_and_no_factor_is_made()
    {
        User user = await walk.PersonAsync();
        HostedForm page = await FactorWalk.OpenEnrolmentAsync(browser, user);
        AuthenticatorApp app = walk.AppOf(page);
        string last = "";
        for (int i = 0; i < 5; i++)
        {
            using HttpResponseMessage wrong = await browser.SubmitAsync(page, ("code", app.WrongCode()));
            wrong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            last = await wrong.Content.ReadAsStringAsync();
        }

        last.ShouldContain("ATR1313");
        using HttpResponseMessage late = await browser.SubmitAsync(page, ("code", app.Code()));
        late.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Ids.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_an_abandoned_sign_in_prepared_is_of_no_use_elsewhere_and_goes_with_it()
    {
        User user = await walk.PersonAsync();
        HostedForm abandoned = await FactorWalk.OpenEnrolmentAsync(browser, user);
        HostedForm page = await FactorWalk.OpenEnrolmentAsync(browser, user);
        FactorWalk.SecretOf(page).ShouldNotBe(FactorWalk.SecretOf(abandoned));
        using HttpResponseMessage foreign = await browser.SubmitAsync(page, ("code", walk.AppOf(abandoned).Code()));
        foreign.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using HttpResponseMessage right = await browser.SubmitAsync(page, ("code", walk.AppOf(page).Code()));
        right.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await PreparedAsync(user)).ShouldBe(1);

        // Who has a factor now is asked for it in the abandoned one, which can't make a second.
        using HttpResponseMessage late = await browser.SubmitAsync(abandoned, ("code", walk.AppOf(abandoned).Code()));
        late.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Ids.ShouldHaveSingleItem();
        server.Clock.Advance(TimeSpan.FromHours(2));
        await server.Get<CleaningStore>().DeleteAsync(
            user.RealmId, CleaningStore.Endings.Single(static ending => ending.Table == "sign_ins"), server.Clock.GetUtcNow(), default);
        (await PreparedAsync(user)).ShouldBe(0);
    }

    [Fact]
    public async Task The_page_is_of_the_browser_that_the_sign_in_began_in()
    {
        HostedForm page = await FactorWalk.OpenEnrolmentAsync(browser, await walk.PersonAsync());
        OAuthBrowser other = new(server);
        await other.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage shown = await other.GetAsync(page.Location);
        shown.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await shown.Content.ReadAsStringAsync()).ShouldNotContain("otpauth:");
        using HttpResponseMessage sent = await other.SubmitAsync(page, ("code", walk.AppOf(page).Code()));
        sent.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_has_set_up_an_app_may_sign_out_everywhere_else(bool wants)
    {
        User user = await walk.PersonAsync();
        OAuthBrowser elsewhere = new(server);
        TokenReply other = await elsewhere.TokensAsync(user.Email);
        await browser.TokensAsync(user.Email);
        using HttpResponseMessage started = await browser.GetAsync(OAuthBrowser.Authorize(FactorWalk.AsksForMfa));
        HostedForm page = await browser.FollowAsync(started);
        using HttpResponseMessage confirmed = await browser.SubmitAsync(page, ("code", walk.AppOf(page).Code()));
        HostedForm codes = await browser.FollowAsync(confirmed);
        codes.Asks("sign_out_others").ShouldBeTrue();
        (string, string)[] answer = wants ? [("kept", "yes"), ("sign_out_others", "yes")] : [("kept", "yes")];
        using HttpResponseMessage done = await browser.SubmitAsync(codes, answer);
        (await browser.RedeemAsync(Arrival.At(done).Code)).Status.ShouldBe(HttpStatusCode.OK);
        (await elsewhere.RefreshAsync(other.RefreshToken)).Status.ShouldBe(wants ? HttpStatusCode.BadRequest : HttpStatusCode.OK);
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Who_knows_the_password_alone_signs_nobody_out()
    {
        User user = await walk.PersonAsync();
        (_, _, TokenReply tokens) = await walk.EnrolAsync(browser, user);
        OAuthBrowser thief = new(server);
        HostedForm page = await FactorWalk.OpenCodeAsync(thief, user);
        using HttpResponseMessage tried = await thief.SubmitAsync(page, ("kept", "yes"), ("sign_out_others", "yes"));
        tried.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    private Task<long> PreparedAsync(User user) => server.Get<Database>().QueryAsync(
        connection => connection.QuerySingleAsync<long>("SELECT count(*) FROM factor_enrolments WHERE realm_id = @RealmId AND user_id = @Id", new { user.RealmId, user.Id }),
        default);
}

public sealed class PostgresEnrolmentTests(PostgresDemoServer server) : EnrolmentTests(server), IClassFixture<PostgresDemoServer>;
