using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Factors;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>Clients that ask for more than was shown (RFC 9470), and what tokens say of it.</summary>
public sealed class StepUpTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string SingleFactor = "urn:atrium:acr:1fa";
    private const string MultiFactor = "urn:atrium:acr:mfa";

    private readonly OAuthBrowser browser = new(server);
    private readonly FactorWalk walk = new(server);
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task The_levels_stand_in_discovery_and_in_every_token()
    {
        JsonElement metadata = JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/.well-known/openid-configuration"));
        metadata.GetProperty("acr_values_supported").EnumerateArray().Select(static value => value.GetString()).ShouldBe([SingleFactor, MultiFactor]);
        metadata.GetProperty("claims_supported").EnumerateArray().Select(static value => value.GetString()).ShouldContain("acr");

        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        AcrOf(tokens).ShouldBe((SingleFactor, SingleFactor));
        tokens.Identity.GetProperty("amr").EnumerateArray().Select(static word => word.GetString()).ShouldBe(["pwd"]);
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken);
        refreshed.Access.GetProperty("acr").GetString().ShouldBe(SingleFactor);
    }

    [Fact]
    public async Task A_session_that_shows_a_second_factor_becomes_another_one_and_other_clients_keep_theirs()
    {
        User user = await walk.PersonAsync();
        TokenReply first = await browser.TokensAsync(user.Email);
        string oldCookie = browser.Cookies["atrium_session"];
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        (await browser.SilentlyAsync(FactorWalk.AsksForMfa, ("prompt", "none")))["error"].ShouldBe("interaction_required");

        using HttpResponseMessage started = await browser.GetAsync(OAuthBrowser.Authorize(FactorWalk.AsksForMfa));
        HostedForm page = await browser.FollowAsync(started);
        page.Asks("password").ShouldBeFalse("the session has shown that");
        AuthenticatorApp app = walk.AppOf(page);
        using HttpResponseMessage confirmed = await browser.SubmitAsync(page, ("code", app.Code()));
        using HttpResponseMessage done = await browser.SubmitAsync(await browser.FollowAsync(confirmed), ("kept", "yes"));
        TokenReply upgraded = await browser.RedeemAsync(Arrival.At(done).Code);
        AcrOf(upgraded).ShouldBe((MultiFactor, MultiFactor));
        upgraded.Identity.GetProperty("auth_time").GetInt64().ShouldBe(first.Identity.GetProperty("auth_time").GetInt64() + 300);
        upgraded.Identity.GetProperty("sid").GetString().ShouldNotBe(first.Identity.GetProperty("sid").GetString());
        browser.Cookies["atrium_session"].ShouldNotBe(oldCookie);
        OAuthBrowser thief = new(server);
        thief.Cookies["atrium_session"] = oldCookie;
        (await thief.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");

        // What another client got from the session before goes on, and says what that one had shown.
        (await browser.RefreshAsync(first.RefreshToken)).Access.GetProperty("acr").GetString().ShouldBe(SingleFactor);
        TokenReply silent = await browser.RedeemAsync((await browser.SilentlyAsync(FactorWalk.AsksForMfa, ("prompt", "none"))).Code);
        AcrOf(silent).ShouldBe((MultiFactor, MultiFactor));

        // The new one lasts no longer than the old one would have.
        (await api.GetAsync($"/users/{user.Id}/sessions")).Expect(200).Items
            .Select(static session => session.GetProperty("expires_at").GetInt64()).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Where_there_is_a_factor_a_session_that_has_not_shown_it_is_asked_for_the_code_alone()
    {
        User user = await walk.PersonAsync();
        OAuthBrowser other = new(server);
        await browser.TokensAsync(user.Email);
        (AuthenticatorApp app, _, _) = await walk.EnrolAsync(other, user);
        using HttpResponseMessage started = await browser.GetAsync(OAuthBrowser.Authorize(FactorWalk.AsksForMfa));
        HostedForm page = await browser.FollowAsync(started);
        (page.Asks("password"), page.Asks("code")).ShouldBe((false, true));
        using HttpResponseMessage done = await browser.SubmitAsync(page, ("code", app.Code()));
        AcrOf(await browser.RedeemAsync(Arrival.At(done).Code)).ShouldBe((MultiFactor, MultiFactor));
    }

    [Theory]
    [InlineData("urn:mace:incommon:iap:silver", SingleFactor)]
    [InlineData("gold 2 mfa", SingleFactor)]
    [InlineData(MultiFactor + " " + SingleFactor, SingleFactor)]
    [InlineData("", SingleFactor)]
    public async Task What_is_no_level_of_ours_is_voluntary_and_the_least_of_several_will_do(string values, string acr)
    {
        User user = await walk.PersonAsync();
        AcrOf(await browser.TokensAsync(user.Email, ("acr_values", values))).ShouldBe((acr, acr));
        (await browser.SilentlyAsync(("acr_values", values), ("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Acr_values_twice_are_refused_and_very_long_ones_do_no_harm()
    {
        using HttpResponseMessage twice = await browser.GetAsync($"{OAuthBrowser.Authorize(("acr_values", MultiFactor))}&acr_values={SingleFactor}");
        Arrival.At(twice)["error"].ShouldBe("invalid_request");
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(("acr_values", string.Join(' ', Enumerable.Repeat("x", 2000).Append(MultiFactor)))));
        form.Asks("password").ShouldBeTrue();
    }

    [Fact]
    public async Task A_level_that_cannot_be_reached_where_the_person_goes_is_unmet()
    {
        string name = $"c{Guid.NewGuid():n}";
        await world.ClientAsync(name, new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } });
        Organization passwordsOnly = await world.NewOrganizationAsync(name, new OrganizationSettings { AllowedMethods = [Core.SignIns.AuthenticationMethod.Password] });
        User user = await walk.PersonAsync(passwordsOnly);
        await browser.TokensAsync(user.Email);
        (string, string?)[] asks = [("client_id", name), ("org", passwordsOnly.Id.ToString()), FactorWalk.AsksForMfa];
        foreach (string? prompt in new[] { "none", null })
        {
            Arrival refused = await browser.SilentlyAsync([.. asks, ("prompt", prompt)]);
            (refused["error"], refused["error_description"].EndsWith("(ATR1280)", StringComparison.Ordinal)).ShouldBe(("unmet_authentication_requirements", true));
        }

        (await browser.SilentlyAsync(("client_id", name), ("org", passwordsOnly.Id.ToString()), ("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_fresh_step_up_asks_for_the_password_and_the_code()
    {
        User user = await walk.PersonAsync();
        (AuthenticatorApp app, _, TokenReply first) = await walk.EnrolAsync(browser, user);
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        (await browser.SilentlyAsync(FactorWalk.AsksForMfa, ("max_age", "300"), ("prompt", "none")))["error"].ShouldBe("login_required");
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(FactorWalk.AsksForMfa, ("max_age", "300")));
        using HttpResponseMessage next = await browser.SubmitPasswordAsync(form, user.Email);
        HostedForm page = await browser.FollowAsync(next);
        page.Asks("code").ShouldBeTrue();
        using HttpResponseMessage done = await browser.SubmitAsync(page, ("code", app.Code()));
        TokenReply fresh = await browser.RedeemAsync(Arrival.At(done).Code);
        AcrOf(fresh).ShouldBe((MultiFactor, MultiFactor));
        fresh.Identity.GetProperty("auth_time").GetInt64().ShouldBeGreaterThan(first.Identity.GetProperty("auth_time").GetInt64() + 599);
    }

    [Fact]
    public async Task An_old_session_alone_gives_an_account_no_second_factor()
    {
        User user = await walk.PersonAsync();
        await browser.TokensAsync(user.Email);
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        (await browser.SilentlyAsync(FactorWalk.AsksForMfa, ("prompt", "none")))["error"].ShouldBe("login_required");
        await FactorWalk.OpenEnrolmentAsync(browser, user);
    }

    [Fact]
    public async Task A_resource_server_that_introspects_learns_the_level_and_the_time()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(("client_id", "demo-server")));
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "sam@example.test");
        TokenReply tokens = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("code", Arrival.At(done).Code),
            ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
        TokenReply looked = await browser.TokenAtAsync(
            "/t/acme/introspect", ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("token", tokens.AccessToken));
        looked.Json.GetProperty("acr").GetString().ShouldBe(SingleFactor);
        looked.Json.GetProperty("auth_time").GetInt64().ShouldBe(tokens.Identity.GetProperty("auth_time").GetInt64());
    }

    [Fact]
    public async Task Somebody_else_who_signs_in_instead_is_asked_for_the_same_level()
    {
        User user = await walk.PersonAsync();
        HostedForm page = await FactorWalk.OpenEnrolmentAsync(browser, user);
        string link = WebUtility.HtmlDecode(page.Html.Split("<a href=\"").Single(static part => part.Contains("Sign in as somebody else", StringComparison.Ordinal)).Split('"')[0]);
        HostedForm form = await browser.OpenAsync(link);
        using HttpResponseMessage next = await browser.SubmitPasswordAsync(form, (await walk.PersonAsync()).Email);
        (await browser.FollowAsync(next)).Html.ShouldContain("Set up your authenticator app");
        (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Ids.ShouldBeEmpty();
    }

    private static (string? Access, string? Identity) AcrOf(TokenReply tokens) =>
        (tokens.Access.GetProperty("acr").GetString(), tokens.Identity.GetProperty("acr").GetString());
}
