using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Consent;

/// <summary>What a third party's application gets, and that nobody but the person gives it.</summary>
public sealed class ConsentPageTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_third_partys_application_is_named_and_so_is_what_it_gets_and_the_answer_is_remembered()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "first-asked", static client => client with { Name = "Ledger <Pro>", RedirectUris = [DemoRealm.Callback] });
        HostedForm page = await app.AskAsync("mia@example.test", ("scope", "openid profile email offline_access ledgers:write"));
        string text = WebUtility.HtmlDecode(page.Html);
        page.Html.ShouldContain("Allow Ledger &lt;Pro&gt;?");
        foreach (string said in new[]
        {
            "a program on this device", "mia@example.test", "Know who you are", "See your name and your profile", "See your e-mail address",
            "Keep this while you are away", "ledgers:write", "See all of your organizations",
        })
        {
            text.ShouldContain(said);
        }

        text.ShouldContain("It is not run by");
        text.ShouldNotContain(">New<");
        Arrival arrival = await app.AllowAsync(page);
        TokenReply tokens = await app.RedeemAsync(arrival.Code);
        tokens.Json.GetProperty("scope").GetString().ShouldBe("openid profile email offline_access ledgers:write");

        (await app.SilentlyAsync(("scope", "openid profile email offline_access ledgers:write"))).Code.ShouldNotBeEmpty();
        (await app.SilentlyAsync(("scope", "openid email"), ("prompt", "none"))).Code.ShouldNotBeEmpty("less than was allowed is asked for");

        // In another browser the person signs in, and is asked nothing more.
        (await app.Elsewhere().Browser.SignInAsync("mia@example.test", ("client_id", app.ClientId))).Code.ShouldNotBeEmpty();
        (await app.Elsewhere().AskAsync("sam@example.test")).Html.ShouldContain("sam@example.test");
    }

    [Fact]
    public async Task A_first_partys_application_asks_only_where_it_says_so_itself()
    {
        OAuthBrowser browser = new(server);
        (await browser.SignInAsync("mia@example.test")).Code.ShouldNotBeEmpty();
        using HttpResponseMessage asked = await browser.GetAsync(OAuthBrowser.Authorize(("prompt", "consent")));
        HostedForm page = await browser.FollowAsync(asked);
        page.Asks("decision").ShouldBeTrue();
        using HttpResponseMessage done = await browser.SubmitAsync(page, ("decision", "allow"));
        Arrival.At(done).Code.ShouldNotBeEmpty();
        using HttpResponseMessage again = await browser.GetAsync(OAuthBrowser.Authorize(("prompt", "consent")));
        page = await browser.FollowAsync(again);
        page.Asks("decision").ShouldBeTrue("prompt=consent always asks");
        page.Html.ShouldNotContain("is not run by");
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Without_consent_prompt_none_is_consent_required_and_nothing_is_shown()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "silent-app");
        (await app.Browser.SignInAsync("mia@example.test")).Code.ShouldNotBeEmpty();
        Arrival refused = await app.SilentlyAsync(("prompt", "none"));
        (refused["error"], refused["state"], refused["iss"]).ShouldBe(("consent_required", OAuthBrowser.State, app.Browser.Issuer));
        refused["error_description"].ShouldContain("ATR1371");
        (await app.AllowAsync(await app.AskAgainAsync())).Code.ShouldNotBeEmpty();
        (await app.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
        (await app.SilentlyAsync(("prompt", "none"), ("scope", "openid payments")))["error"].ShouldBe("consent_required");
    }

    [Fact]
    public async Task Who_was_given_nothing_learns_nothing_without_a_page()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "probing-app");
        (await app.Browser.SignInAsync("mia@example.test")).Code.ShouldNotBeEmpty();
        string member = (await world.OrganizationAsync("northwind")).Id.ToString(), stranger = (await world.NewOrganizationAsync("probed")).Id.ToString();
        (string, string)[] probes =
        [
            ("login_hint", "mia@example.test"), ("login_hint", "sam@example.test"), ("org", member), ("org", stranger), ("acr_values", "urn:atrium:acr:mfa"),
        ];
        foreach ((string name, string value) in probes)
            (await app.SilentlyAsync(("prompt", "none"), (name, value)))["error"].ShouldBe("consent_required", $"{name}={value}");
        (await app.AllowAsync(await app.AskAgainAsync())).Code.ShouldNotBeEmpty();
        (await app.SilentlyAsync(("prompt", "none"), ("login_hint", "sam@example.test")))["error"].ShouldBe("account_selection_required");
    }

    [Fact]
    public async Task Who_says_no_is_led_back_with_access_denied_and_the_sign_in_is_over()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "denied-app");
        HostedForm page = await app.AskAsync("sam@example.test");
        using HttpResponseMessage denied = await app.DecideAsync(page, "deny");
        Arrival arrival = Arrival.At(denied);
        (arrival["error"], arrival["state"], arrival["iss"], arrival["code"]).ShouldBe(("access_denied", OAuthBrowser.State, app.Browser.Issuer, ""));
        arrival["error_description"].ShouldContain("ATR1370");
        using HttpResponseMessage late = await app.DecideAsync(page, "allow");
        late.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await late.Content.ReadAsStringAsync()).ShouldContain("ATR1301");
        JsonElement failed = (await api.GetAsync($"/events?types=sign_in.failed&client_id={app.ClientId}&limit=1")).Expect(200).Items[0];
        failed.GetProperty("data").GetProperty("reason").GetString().ShouldBe("consent_denied");
    }

    [Fact]
    public async Task More_than_was_allowed_is_asked_for_and_what_is_new_is_marked()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "wider-app");
        await app.TokensAsync("mia@example.test", ("scope", "openid email"));
        HostedForm page = await app.AskAgainAsync(("scope", "openid email payments:write"));
        page.Html.ShouldContain("more than you have let it have");
        page.Html.Split(">New<").Length.ShouldBe(2, "one thing is new");
        page.Html.ShouldMatch("<code>payments:write</code>\\s*<span class=\"status good\">New");
        await app.AllowAsync(page);
        (await app.SilentlyAsync(("scope", "openid payments:write"))).Code.ShouldNotBeEmpty();
        (await app.SilentlyAsync(("prompt", "none"), ("resource", ThirdParty.Resource)))["error"].ShouldBe("consent_required", "another resource is another thing");
        string user = (await world.UserAsync("mia@example.test")).Id.ToString();
        ManagementAnswer list = (await api.GetAsync($"/users/{user}/consents")).Expect(200);
        JsonElement kept = list.Items.Single(item => item.GetProperty("client_id").GetString() == app.ClientId);
        kept.GetProperty("scopes").ToString().ShouldBe("""["openid","email","payments:write"]""", "one consent grows");
    }

    [Fact]
    public async Task A_selection_is_named_and_another_one_is_asked_for_again()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        ThirdParty app = await ThirdParty.NewAsync(server, "selecting-app");
        HostedForm page = await app.AskAsync("mia@example.test", ("org", northwind.Id.ToString()));
        page.Html.ShouldContain($"See that you belong to {northwind.Name}");
        (await app.RedeemAsync((await app.AllowAsync(page)).Code)).Organizations.ShouldBe([northwind.Id.ToString()]);
        (await app.SilentlyAsync(("org", northwind.Id.ToString()), ("prompt", "none"))).Code.ShouldNotBeEmpty();
        (await app.SilentlyAsync(("org", contoso.Id.ToString()), ("prompt", "none")))["error"].ShouldBe("consent_required");
        (await app.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("consent_required", "all are more than one");
        await app.AllowAsync(await app.AskAgainAsync());
        (await app.SilentlyAsync(("org", contoso.Id.ToString()), ("prompt", "none"))).Code.ShouldNotBeEmpty("one is less than all");
    }

    [Fact]
    public async Task Which_organizations_exist_is_not_to_be_seen_on_the_page()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "curious-app");
        await app.Browser.SignInAsync("mia@example.test");
        List<string> pages = [];
        foreach (string org in new[] { (await world.OrganizationAsync("fabrikam")).Id.ToString(), (await world.OrganizationAsync("tailspin")).Id.ToString(), "org_0000000000000000000000000" })
        {
            HostedForm page = await app.AskAgainAsync(("org", org));
            string html = page.Html.Replace(org, "ORG", StringComparison.Ordinal);
            foreach ((_, string value) in page.Hidden)
                html = html.Replace(WebUtility.HtmlEncode(value), "HIDDEN", StringComparison.Ordinal).Replace(Uri.EscapeDataString(value), "HIDDEN", StringComparison.Ordinal);
            pages.Add(html);
            TokenReply refused = await app.Browser.TokenAsync(
                ("grant_type", "authorization_code"), ("client_id", app.ClientId), ("code", (await app.AllowAsync(page)).Code), ("redirect_uri", DemoRealm.Callback),
                ("code_verifier", OAuthBrowser.Verifier));
            refused.ShouldBeRefused("invalid_grant", "ATR1427");
            (await app.SilentlyAsync(("org", org), ("prompt", "none")))["error"].ShouldBe("consent_required", "nothing is kept of it");
        }

        pages.Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_form_counts_only_for_the_sign_in_the_browser_and_the_request_that_it_was_made_for()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "held-app");
        HostedForm small = await app.AskAsync("mia@example.test", ("scope", "openid"));
        HostedForm large = await app.AskAgainSignedOutAsync("mia@example.test", ("scope", "openid payments:write"));

        // What was shown for one request allows nothing of the other.
        (string, string)[] mixed = [.. large.Hidden.Where(static field => field.Name == "handle"), .. small.Hidden.Where(static field => field.Name == "asked"), ("decision", "allow")];
        using HttpResponseMessage refused = await app.Browser.PostAsync($"{OAuthBrowser.Root}/sign-in", mixed);
        (await app.Browser.FollowAsync(refused)).Html.ShouldContain("payments:write", customMessage: "the page of what is asked is shown instead");
        using HttpResponseMessage nothing = await app.Browser.PostAsync($"{OAuthBrowser.Root}/sign-in", [.. large.Hidden.Where(static field => field.Name == "handle"), ("decision", "allow")]);
        (await app.Browser.FollowAsync(nothing)).Asks("decision").ShouldBeTrue();
        using HttpResponseMessage neither = await app.DecideAsync(large, "perhaps");
        (await app.Browser.FollowAsync(neither)).Asks("decision").ShouldBeTrue();

        using HttpResponseMessage stranger = await app.Elsewhere().DecideAsync(large, "allow");
        stranger.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await stranger.Content.ReadAsStringAsync()).ShouldContain("ATR1302");

        using HttpRequestMessage foreign = OAuthBrowser.FormOf($"{OAuthBrowser.Root}/sign-in", [.. large.Hidden, ("decision", "allow")]);
        foreign.Headers.Add("Sec-Fetch-Site", "cross-site");
        using HttpResponseMessage crossSite = await app.Browser.SendAsync(foreign);
        crossSite.StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        using HttpResponseMessage neighbour = await app.Browser.PostAsync("/t/globex/sign-in", [.. large.Hidden, ("decision", "allow")]);
        neighbour.StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        using HttpResponseMessage repeated = await app.Browser.PostAsync($"{OAuthBrowser.Root}/sign-in", [.. large.Hidden, ("decision", "deny"), ("decision", "allow")]);
        repeated.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await app.AllowAsync(large)).Code.ShouldNotBeEmpty("after all that the right form still counts");
    }

    [Fact]
    public async Task Of_twenty_who_allow_at_once_one_gets_the_code()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "raced-app");
        HostedForm page = await app.AskAsync("mia@example.test");
        HttpResponseMessage[] all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.DecideAsync(page, "allow")));
        all.Count(static one => one.Headers.Location?.OriginalString.Contains("code=", StringComparison.Ordinal) == true).ShouldBe(1);
        string user = (await world.UserAsync("mia@example.test")).Id.ToString();
        (await api.GetAsync($"/users/{user}/consents")).Expect(200).Items.Count(item => item.GetProperty("client_id").GetString() == app.ClientId).ShouldBe(1);
        (await api.GetAsync($"/events?types=user.consent.granted&client_id={app.ClientId}")).Expect(200).Items.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_page_is_nobodys_frame_and_can_not_be_kept()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "framed-app");
        HostedForm page = await app.AskAsync("mia@example.test");
        using HttpResponseMessage shown = await app.Browser.GetAsync(page.Location);
        shown.Headers.CacheControl!.NoStore.ShouldBeTrue();
        string policy = shown.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldContain("form-action 'self' https: http://localhost:3000");
        policy.ShouldNotContain("script-src");
    }

    [Fact]
    public async Task A_consent_that_is_left_open_too_long_gives_nothing()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "late-app");
        User user = await world.PersonAsync("late-consent@example.test");
        HostedForm page = await app.AskAsync(user.Email);
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        using HttpResponseMessage late = await app.DecideAsync(page, "allow");
        using HttpResponseMessage over = await app.Browser.GetAsync(page.Location);
        (await over.Content.ReadAsStringAsync()).ShouldContain("ATR1310");
        (await api.GetAsync($"/users/{user.Id}/consents")).Expect(200).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_doors_where_the_application_takes_the_password_itself_are_closed_to_third_parties()
    {
        await ThirdParty.NewAsync(server, "third-native", static client => client with { Type = ClientType.Native, RedirectUris = [DemoRealm.NativeCallback] }, new ClientSettings
        {
            AppNative = new AppNativeSettings { Enabled = true }, PkceRequired = false,
        });
        AppNative.Answer native = await new NativeApp(server).StartAsync(("client_id", "third-native"));
        native.ShouldBeError(400, "ABA-60007");

        await ThirdParty.NewAsync(server, "third-authkit", settings: new ClientSettings { Authkit = new AuthKitSettings { Enabled = true } });
        (await new AuthKitCalls(server).AuthenticateAsync("third-authkit", DemoRealm.ApiKey, "password", ("email", "mia@example.test"), ("password", DemoRealm.Password)))
            ["error"].ShouldBe("unauthorized_client");
    }
}
