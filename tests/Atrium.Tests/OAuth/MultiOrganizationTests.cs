using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>The acceptance checks of multi-organization tokens: what a token says of organizations, and when it changes.</summary>
public sealed class MultiOrganizationTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task Check_1_access_token_id_token_and_userinfo_say_the_same_and_the_refresh_token_nothing()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        JsonElement organizations = tokens.Access.GetProperty("organizations");
        organizations.EnumerateArray().Select(static entry => entry.GetProperty("scopes").ToString())
            .ShouldBe(["[\"owner\",\"billing:write\"]", "[\"member\",\"projects:read\"]"]);
        organizations.EnumerateArray().Select(static entry => entry.GetProperty("title").ToString()).ShouldBe(["Founder", ""]);
        tokens.Identity.GetProperty("organizations").GetRawText().ShouldBe(organizations.GetRawText());
        (HttpStatusCode status, JsonElement info, _) = await browser.UserInfoAsync(tokens.AccessToken);
        status.ShouldBe(HttpStatusCode.OK);
        info.GetProperty("organizations").GetRawText().ShouldBe(organizations.GetRawText());
        tokens.Refresh.TryGetProperty("organizations", out _).ShouldBeFalse();
        tokens.Refresh.TryGetProperty("org_id", out _).ShouldBeFalse();
        tokens.Access.TryGetProperty("org_id", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Check_2_suspended_memberships_and_memberships_of_suspended_organizations_are_in_no_new_token()
    {
        Organization northwind = await world.OrganizationAsync("northwind");
        Organization contoso = await world.OrganizationAsync("contoso");
        User user = await world.PersonAsync("suspended@example.test", northwind, contoso, await world.OrganizationAsync("tailspin"));
        TokenReply before = await browser.TokensAsync(user.Email);
        before.Organizations.ShouldBe([northwind.Id.ToString(), contoso.Id.ToString()], ignoreOrder: true);
        await world.ChangeAsync(user, contoso, static membership => membership with { Status = MembershipStatus.Suspended });
        (await browser.RefreshAsync(before.RefreshToken)).Organizations.ShouldBe([northwind.Id.ToString()]);
        (await browser.UserInfoAsync(before.AccessToken)).Json.GetProperty("organizations").GetArrayLength().ShouldBe(1);
        (await new OAuthBrowser(server).TokensAsync(user.Email)).Organizations.ShouldBe([northwind.Id.ToString()]);
    }

    [Fact]
    public async Task Check_3_a_selection_stays_a_selection_even_when_the_person_joins_another_organization()
    {
        Organization northwind = await world.OrganizationAsync("northwind");
        User user = await world.PersonAsync("selected@example.test", northwind);
        TokenReply tokens = await browser.TokensAsync(user.Email, ("org", northwind.Id.ToString()));
        tokens.Organizations.ShouldBe([northwind.Id.ToString()]);
        tokens.Refresh.GetProperty("org_id").GetString().ShouldBe(northwind.Id.ToString());
        await world.JoinAsync(user, await world.OrganizationAsync("contoso"), "member");
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken);
        refreshed.Organizations.ShouldBe([northwind.Id.ToString()]);
        refreshed.Refresh.GetProperty("org_id").GetString().ShouldBe(northwind.Id.ToString());
    }

    [Fact]
    public async Task Check_4_a_membership_lost_before_the_exchange_is_invalid_grant_and_lost_after_it_an_empty_array()
    {
        Organization northwind = await world.OrganizationAsync("northwind");
        User user = await world.PersonAsync("leaver@example.test", northwind, await world.OrganizationAsync("contoso"));
        TokenReply tokens = await browser.TokensAsync(user.Email, ("org", northwind.Id.ToString()));
        Arrival late = await browser.SilentlyAsync(("org", northwind.Id.ToString()), ("prompt", "none"));
        await world.LeaveAsync(user, northwind);
        (await browser.RedeemAsync(late.Code)).ShouldBeRefused("invalid_grant", "ATR1427");
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken);
        refreshed.Status.ShouldBe(HttpStatusCode.OK);
        refreshed.Organizations.ShouldBeEmpty();
        refreshed.Identity.GetProperty("organizations").GetArrayLength().ShouldBe(0);
        (await browser.UserInfoAsync(refreshed.AccessToken)).Json.GetProperty("organizations").GetArrayLength().ShouldBe(0);
        await world.JoinAsync(user, northwind, "member");
        (await browser.RefreshAsync(refreshed.RefreshToken)).Organizations.ShouldBe([northwind.Id.ToString()]);
    }

    [Theory]
    [InlineData("fabrikam")]
    [InlineData("tailspin")]
    [InlineData("org_0000000000000000000000000")]
    [InlineData("org_zzzzzzzzzzzzzzzzzzzzzzzzz")]
    public async Task Whatever_keeps_a_person_out_of_the_selected_organization_the_answer_is_one(string which)
    {
        string org = which.StartsWith("org_", StringComparison.Ordinal) ? which : (await world.OrganizationAsync(which)).Id.ToString();
        Arrival arrival = await browser.SignInAsync("mia@example.test", ("org", org));
        (await browser.RedeemAsync(arrival.Code)).ShouldBeRefused("invalid_grant", "ATR1427");
    }

    [Fact]
    public async Task Check_5_the_clients_policy_settles_what_may_be_asked_before_anybody_signs_in()
    {
        Organization northwind = await world.OrganizationAsync("northwind");
        Organization contoso = await world.OrganizationAsync("contoso");
        await world.RestrictedClientAsync("none-client", OrganizationPolicy.None);
        await world.RestrictedClientAsync("list-client", OrganizationPolicy.Allowlist, northwind);
        foreach ((string client, Organization organization) in new[] { ("none-client", northwind), ("list-client", contoso) })
        {
            Arrival refused = await browser.SilentlyAsync(("client_id", client), ("org", organization.Id.ToString()));
            (refused["error"], refused["state"], refused["iss"]).ShouldBe(("invalid_request", OAuthBrowser.State, browser.Issuer));
            refused["error_description"].ShouldContain("ATR1222");
        }

        Arrival listed = await browser.SignInAsync("mia@example.test", ("client_id", "list-client"));
        (await browser.RedeemAsync(listed.Code, [])).Error.ShouldBe("invalid_grant");
        TokenReply tokens = await RedeemForAsync("list-client", (await browser.SilentlyAsync(("client_id", "list-client"))).Code);
        tokens.Organizations.ShouldBe([northwind.Id.ToString()]);
        TokenReply none = await RedeemForAsync("none-client", (await browser.SilentlyAsync(("client_id", "none-client"))).Code);
        none.Access.TryGetProperty("organizations", out _).ShouldBeFalse();
        none.Identity.TryGetProperty("organizations", out _).ShouldBeFalse();
        (await browser.UserInfoAsync(none.AccessToken)).Json.TryGetProperty("organizations", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Check_6_the_token_request_can_not_add_remove_or_change_a_selection_and_spends_nothing_when_it_tries()
    {
        string northwind = (await world.OrganizationAsync("northwind")).Id.ToString();
        string contoso = (await world.OrganizationAsync("contoso")).Id.ToString();
        Arrival arrival = await browser.SignInAsync("mia@example.test", ("org", northwind));
        (await browser.RedeemAsync(arrival.Code, ("org", contoso))).ShouldBeRefused("invalid_request", "ATR1429");
        (await browser.RedeemAsync(arrival.Code, ("org", "nonsense"))).ShouldBeRefused("invalid_request", "ATR1114");
        (await browser.RedeemAsync(arrival.Code, ("org", ""))).ShouldBeRefused("invalid_request", "ATR1114");
        (await browser.RedeemAsync(arrival.Code, ("org", northwind), ("org", northwind))).ShouldBeRefused("invalid_request", "ATR1113");
        TokenReply tokens = await browser.RedeemAsync(arrival.Code, ("org", northwind));
        tokens.Organizations.ShouldBe([northwind]);
        (await browser.RefreshAsync(tokens.RefreshToken, ("org", contoso))).ShouldBeRefused("invalid_request", "ATR1429");
        (await browser.RefreshAsync(tokens.RefreshToken, ("org", northwind))).Organizations.ShouldBe([northwind]);

        TokenReply all = await browser.RedeemAsync((await browser.SilentlyAsync()).Code);
        (await browser.RefreshAsync(all.RefreshToken, ("org", northwind))).ShouldBeRefused("invalid_request", "ATR1429");
        (await browser.RefreshAsync(all.RefreshToken)).Organizations.Length.ShouldBe(2);
        (await browser.TokenAsync(("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("client_id", "demo-web")))
            .ShouldBeRefused("unsupported_grant_type", "ATR1402");
    }

    [Fact]
    public async Task Check_7_new_scopes_show_at_the_next_refresh_and_the_last_membership_lost_ends_no_session()
    {
        Organization northwind = await world.OrganizationAsync("northwind");
        User user = await world.PersonAsync("demoted@example.test", northwind);
        TokenReply tokens = await browser.TokensAsync(user.Email);
        await world.ChangeAsync(user, northwind, static membership => membership with { Scopes = ["viewer"] });
        TokenReply demoted = await browser.RefreshAsync(tokens.RefreshToken);
        demoted.Access.GetProperty("organizations")[0].GetProperty("scopes").ToString().ShouldBe("[\"viewer\"]");
        await world.LeaveAsync(user, northwind);
        (await browser.RefreshAsync(demoted.RefreshToken)).Organizations.ShouldBeEmpty();
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Check_8_access_tokens_live_as_long_as_the_client_says_and_half_an_hour_otherwise()
    {
        await world.ClientAsync("short-lived", new ClientSettings { Openid = new OpenIdSettings { DefaultAccessTokenAge = 300 } });
        Arrival arrival = await browser.SignInAsync("mia@example.test", ("client_id", "short-lived"));
        AgeOf(await RedeemForAsync("short-lived", arrival.Code)).ShouldBe((300, 300));
        AgeOf(await browser.RedeemAsync((await browser.SilentlyAsync()).Code)).ShouldBe((1800, 1800));

        static (long, int) AgeOf(TokenReply tokens) => (
            tokens.Access.GetProperty("exp").GetInt64() - tokens.Access.GetProperty("iat").GetInt64(), tokens.Json.GetProperty("expires_in").GetInt32());
    }

    [Fact]
    public async Task A_person_of_no_organization_gets_an_empty_array()
    {
        TokenReply tokens = await browser.TokensAsync("zoe@example.test");
        tokens.Organizations.ShouldBeEmpty();
        tokens.Identity.GetProperty("organizations").GetArrayLength().ShouldBe(0);
    }

    private Task<TokenReply> RedeemForAsync(string client, string code) => browser.TokenAsync(
        ("grant_type", "authorization_code"), ("client_id", client), ("code", code), ("redirect_uri", "http://localhost:3000/callback"),
        ("code_verifier", OAuthBrowser.Verifier));
}
