using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>
/// From one organization to another under one session, and what a selection is bound to: the code, the session and the refresh token, each judged by what
/// holds when it is used.
/// </summary>
public sealed class SwitchingTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task Another_organization_is_entered_silently_under_the_standing_session_in_any_tab()
    {
        string northwind = await IdOfAsync("northwind"), contoso = await IdOfAsync("contoso");
        TokenReply first = await browser.TokensAsync("mia@example.test", ("org", northwind));

        // Two tabs have one jar of cookies; a sign-in page that stands open in one is in nobody's way.
        await browser.OpenAsync(OAuthBrowser.Authorize(("prompt", "login")));
        OAuthBrowser tab = new(server);
        foreach ((string name, string value) in browser.Cookies)
            tab.Cookies[name] = value;
        TokenReply second = await tab.RedeemAsync((await tab.SilentlyAsync(("org", contoso), ("prompt", "none"))).Code);
        TokenReply all = await browser.RedeemAsync((await browser.SilentlyAsync(("prompt", "none"))).Code);
        first.Organizations.ShouldBe([northwind]);
        second.Organizations.ShouldBe([contoso]);
        all.Organizations.ShouldBe([northwind, contoso], ignoreOrder: true);
        foreach (TokenReply later in new[] { second, all })
        {
            later.Access.GetProperty("sid").GetString().ShouldBe(first.Access.GetProperty("sid").GetString(), "one session for all organizations");
            later.Identity.GetProperty("auth_time").GetInt64().ShouldBe(first.Identity.GetProperty("auth_time").GetInt64());
        }

        // The grants of before live on, each with its own selection.
        (await browser.RefreshAsync(first.RefreshToken)).Organizations.ShouldBe([northwind]);
        (await browser.RefreshAsync(second.RefreshToken)).Organizations.ShouldBe([contoso]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_org_that_is_malformed_or_repeated_is_refused_before_anybody_is_asked_anything(bool isPost)
    {
        string northwind = await IdOfAsync("northwind");
        foreach (string org in new[] { "", "northwind", "org_", "org_000000000000000000000000", "org_00000000000000000000000000", "org_000000000000000000000000A", northwind + " ", $"{northwind}\n", "usr" + northwind[3..], "all" })
            await RefusedAsync(isPost, [OrgOf(org)]);
        await RefusedAsync(isPost, [OrgOf(northwind), OrgOf(northwind)]);
        await RefusedAsync(isPost, [OrgOf(northwind), OrgOf(await IdOfAsync("contoso"))]);
        await browser.SignInAsync("mia@example.test");
        await RefusedAsync(isPost, [OrgOf("nonsense"), new("prompt", "none")]);
    }

    [Fact]
    public async Task Whatever_keeps_the_person_out_the_answers_are_the_same_to_the_letter()
    {
        Organization suspended = await world.NewOrganizationAsync("switch-suspended"), left = await world.NewOrganizationAsync("switch-left");
        Organization gone = await world.NewOrganizationAsync("switch-gone"), halted = await world.NewOrganizationAsync("switch-halted");
        User person = await world.PersonAsync("kept-out@example.test", suspended, left, gone, halted);
        string foreign = (await api.Globex.PostAsync("/organizations", new { name = "Neighbour" })).Expect(201).Id;
        await api.PatchAsync($"/organizations/{suspended.Id}", new { status = "suspended" });
        await world.LeaveAsync(person, left);
        await world.ChangeAsync(person, halted, static membership => membership with { Status = MembershipStatus.Suspended });
        (await api.DeleteAsync($"/organizations/{gone.Id}")).Expect(204);
        await browser.SignInAsync(person.Email);
        List<string> arrivals = [], answers = [];
        foreach (string org in new[] { suspended.Id.ToString(), left.Id.ToString(), gone.Id.ToString(), halted.Id.ToString(), foreign, await IdOfAsync("northwind"), "org_0000000000000000000000000" })
        {
            Arrival arrival = await browser.SilentlyAsync(("org", org), ("prompt", "none"));
            arrivals.Add(arrival.Url.OriginalString.Replace(arrival.Code, "CODE", StringComparison.Ordinal).Replace(Uri.EscapeDataString(arrival["session_state"]), "STATE", StringComparison.Ordinal));
            using HttpRequestMessage request = OAuthBrowser.FormOf(
                $"{OAuthBrowser.Root}/token", ("grant_type", "authorization_code"), ("client_id", "demo-web"), ("code", arrival.Code),
                ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
            using HttpResponseMessage response = await server.Http.SendAsync(request);
            string headers = string.Join('\n', response.Headers.Concat(response.Content.Headers).Where(static header => header.Key is not ("Date" or "X-Request-ID"))
                .Select(static header => $"{header.Key}: {string.Join(',', header.Value)}").Order(StringComparer.Ordinal));
            answers.Add($"{response.StatusCode}\n{headers}\n\n{await response.Content.ReadAsStringAsync()}");
        }

        arrivals.Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        answers.Distinct(StringComparer.Ordinal).ShouldHaveSingleItem().ShouldContain("\"invalid_grant\"");
    }

    [Fact]
    public async Task What_is_lost_between_the_authorization_and_the_exchange_is_not_issued()
    {
        Organization suspended = await world.NewOrganizationAsync("late-suspended"), halted = await world.NewOrganizationAsync("late-halted");
        User person = await world.PersonAsync("late-loss@example.test", suspended, halted);
        await browser.SignInAsync(person.Email);
        Arrival ofSuspended = await browser.SilentlyAsync(("org", suspended.Id.ToString()));
        Arrival ofHalted = await browser.SilentlyAsync(("org", halted.Id.ToString()));
        await api.PatchAsync($"/organizations/{suspended.Id}", new { status = "suspended" });
        await world.ChangeAsync(person, halted, static membership => membership with { Status = MembershipStatus.Suspended });
        (await browser.RedeemAsync(ofSuspended.Code)).ShouldBeRefused("invalid_grant", "ATR1427");
        (await browser.RedeemAsync(ofHalted.Code)).ShouldBeRefused("invalid_grant", "ATR1427");
    }

    [Fact]
    public async Task Userinfo_and_introspection_read_the_selected_membership_anew()
    {
        Organization organization = await world.NewOrganizationAsync("read-anew");
        User person = await world.PersonAsync("read-anew@example.test", organization, await world.OrganizationAsync("northwind"));
        await browser.SignInAsync(person.Email);
        TokenReply tokens = await ServerTokensAsync((await browser.SilentlyAsync(("client_id", "demo-server"), ("org", organization.Id.ToString()))).Code);
        await ShouldSayAsync(tokens, organization.Id.ToString());
        await api.PatchAsync($"/organizations/{organization.Id}", new { status = "suspended" });
        await ShouldSayAsync(tokens);
        await api.PatchAsync($"/organizations/{organization.Id}", new { status = "active" });
        await ShouldSayAsync(tokens, organization.Id.ToString());
        await world.LeaveAsync(person, organization);
        await ShouldSayAsync(tokens);
        tokens.Organizations.ShouldBe([organization.Id.ToString()], "what was issued stays as it is until it ends");
    }

    [Fact]
    public async Task A_policy_that_changes_after_the_tokens_were_issued_holds_at_the_next_refresh()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        Client client = await world.RestrictedClientAsync("changing", OrganizationPolicy.All);
        await browser.SignInAsync("mia@example.test");
        TokenReply selected = await RedeemAsync("changing", (await browser.SilentlyAsync(("client_id", "changing"), ("org", contoso.Id.ToString()))).Code);
        TokenReply all = await RedeemAsync("changing", (await browser.SilentlyAsync(("client_id", "changing"))).Code);

        await RestrictAsync(client, "allowlist", northwind);
        (selected, all) = (await RefreshAsync(selected), await RefreshAsync(all));
        selected.Organizations.ShouldBeEmpty("what is no longer on the list is left out, and never the others in its place");
        selected.Refresh.GetProperty("org_id").GetString().ShouldBe(contoso.Id.ToString());
        all.Organizations.ShouldBe([northwind.Id.ToString()]);

        await RestrictAsync(client, "none");
        (selected, all) = (await RefreshAsync(selected), await RefreshAsync(all));
        foreach (TokenReply reply in new[] { selected, all })
        {
            reply.Access.TryGetProperty("organizations", out _).ShouldBeFalse();
            reply.Identity.TryGetProperty("organizations", out _).ShouldBeFalse();
            (await browser.UserInfoAsync(reply.AccessToken)).Json.TryGetProperty("organizations", out _).ShouldBeFalse();
        }

        await RestrictAsync(client, "all");
        (selected, all) = (await RefreshAsync(selected), await RefreshAsync(all));
        selected.Organizations.ShouldBe([contoso.Id.ToString()]);
        all.Organizations.ShouldBe([northwind.Id.ToString(), contoso.Id.ToString()], ignoreOrder: true);
    }

    [Fact]
    public async Task A_policy_that_changes_before_the_exchange_holds_there()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        Client client = await world.RestrictedClientAsync("changing-early", OrganizationPolicy.All);
        await browser.SignInAsync("mia@example.test");
        Arrival selected = await browser.SilentlyAsync(("client_id", client.ClientId), ("org", contoso.Id.ToString()));
        Arrival all = await browser.SilentlyAsync(("client_id", client.ClientId));
        await RestrictAsync(client, "allowlist", northwind);
        (await ExchangeAsync(client.ClientId, selected.Code)).ShouldBeRefused("invalid_grant", "ATR1427");
        (await ExchangeAsync(client.ClientId, all.Code)).Organizations.ShouldBe([northwind.Id.ToString()]);
    }

    [Fact]
    public async Task An_allowlist_with_nothing_on_it_lets_nothing_through()
    {
        Client client = await world.RestrictedClientAsync("empty-list", OrganizationPolicy.Allowlist);
        Arrival refused = await browser.SilentlyAsync(("client_id", client.ClientId), ("org", await IdOfAsync("northwind")));
        (refused["error"], refused["state"]).ShouldBe(("invalid_request", OAuthBrowser.State));
        Arrival arrival = await browser.SignInAsync("mia@example.test", ("client_id", client.ClientId));
        (await ExchangeAsync(client.ClientId, arrival.Code)).Organizations.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refresh_can_not_take_a_selection_away_either()
    {
        string northwind = await IdOfAsync("northwind");
        TokenReply tokens = await browser.TokensAsync("mia@example.test", ("org", northwind));
        foreach (string org in new[] { "", "all", "none", "org_0000000000000000000000000" })
            (await browser.RefreshAsync(tokens.RefreshToken, ("org", org))).Error.ShouldBe("invalid_request", org);
        (await browser.RefreshAsync(tokens.RefreshToken, ("org", northwind), ("org", northwind))).Error.ShouldBe("invalid_request");
        (await browser.RefreshAsync(tokens.RefreshToken)).Organizations.ShouldBe([northwind], "nothing was spent");
    }

    [Fact]
    public async Task There_are_exactly_three_grant_types()
    {
        using HttpResponseMessage discovery = await server.Http.GetAsync($"{OAuthBrowser.Root}/.well-known/openid-configuration");
        JsonElement metadata = JsonElement.Parse(await discovery.Content.ReadAsStringAsync());
        metadata.GetProperty("grant_types_supported").EnumerateArray().Select(static type => type.GetString())
            .ShouldBe(["authorization_code", "refresh_token", "client_credentials"], ignoreOrder: true);
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        foreach (string type in new[]
        {
            "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer",
            "urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba", "password", "implicit", "AUTHORIZATION_CODE",
        })
        {
            (await browser.TokenAsync(
                ("grant_type", type), ("client_id", "demo-web"), ("subject_token", tokens.AccessToken), ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("assertion", tokens.AccessToken), ("username", "mia@example.test"), ("password", DemoRealm.Password))).ShouldBeRefused("unsupported_grant_type", "ATR1402");
        }
    }

    private static KeyValuePair<string, string> OrgOf(string org) => new("org", org);

    private async Task<string> IdOfAsync(string handle) => (await world.OrganizationAsync(handle)).Id.ToString();

    /// <summary>The client hears of it, and nothing began.</summary>
    private async Task RefusedAsync(bool isPost, KeyValuePair<string, string>[] more)
    {
        KeyValuePair<string, string>[] fields =
        [
            new("response_type", "code"), new("client_id", "demo-web"), new("redirect_uri", DemoRealm.Callback), new("state", OAuthBrowser.State),
            new("code_challenge", Core.Tokens.Pkce.ChallengeOf(OAuthBrowser.Verifier)), new("code_challenge_method", "S256"), .. more,
        ];
        using FormUrlEncodedContent form = new(fields);
        using HttpResponseMessage response = isPost
            ? await browser.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"{OAuthBrowser.Root}/authorize") { Content = form })
            : await browser.GetAsync($"{OAuthBrowser.Root}/authorize?{await form.ReadAsStringAsync()}");
        Arrival arrival = Arrival.At(response);
        (arrival["error"], arrival["code"], arrival["state"], arrival["iss"]).ShouldBe(("invalid_request", "", OAuthBrowser.State, browser.Issuer));
        response.Headers.Contains("Set-Cookie").ShouldBeFalse("no sign-in began");
    }

    private Task<TokenReply> ExchangeAsync(string client, string code) => browser.TokenAsync(
        ("grant_type", "authorization_code"), ("client_id", client), ("code", code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));

    private async Task<TokenReply> RedeemAsync(string client, string code)
    {
        TokenReply reply = await ExchangeAsync(client, code);
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private async Task<TokenReply> RefreshAsync(TokenReply tokens)
    {
        TokenReply reply = await browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", "changing"), ("refresh_token", tokens.RefreshToken));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private async Task RestrictAsync(Client client, string policy, params Organization[] allowed) => (await api.PatchAsync(
        $"/clients/{client.Id}",
        new { settings = new { restrictions = new { organizations = new { policy, allowed_org_ids = allowed.Select(static one => one.Id.ToString()) } } } })).Expect(200);

    private async Task<TokenReply> ServerTokensAsync(string code)
    {
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("code", code),
            ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private async Task ShouldSayAsync(TokenReply tokens, params string[] organizations)
    {
        (HttpStatusCode status, JsonElement info, _) = await browser.UserInfoAsync(tokens.AccessToken);
        status.ShouldBe(HttpStatusCode.OK);
        IdsIn(info).ShouldBe(organizations);
        TokenReply introspected = await browser.TokenAtAsync(
            $"{OAuthBrowser.Root}/introspect", ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("token", tokens.AccessToken));
        introspected.Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        IdsIn(introspected.Json).ShouldBe(organizations);
    }

    private static string[] IdsIn(JsonElement claims) =>
        [.. claims.GetProperty("organizations").EnumerateArray().Select(static entry => entry.GetProperty("id").GetString()!)];
}
