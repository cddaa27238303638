using System.Net;
using System.Text.Json;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Consent;

/// <summary>The page on which people see what applications may have, and take it away.</summary>
public sealed class ApplicationsPageTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = $"{OAuthBrowser.Root}/account/applications";

    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task What_a_person_takes_away_ends_at_once_and_must_be_asked_for_again()
    {
        User person = await world.PersonAsync("takes-away@example.test", await world.OrganizationAsync("northwind"));
        ThirdParty app = await ThirdParty.NewAsync(server, "taken-app", static client => client with { Name = "Taken & gone" });
        ThirdParty other = await ThirdParty.NewAsync(server, "kept-app", static client => client with { Name = "Kept" });
        TokenReply tokens = await app.TokensAsync(person.Email, ("scope", "openid ledgers:write"));
        foreach ((string name, string value) in app.Browser.Cookies)
            other.Browser.Cookies[name] = value;
        TokenReply kept = await other.RedeemAsync((await other.AllowAsync(await other.AskAgainAsync())).Code);
        Arrival unredeemed = await app.SilentlyAsync(("scope", "openid"));
        tokens = await app.RefreshAsync(tokens);
        tokens.Status.ShouldBe(HttpStatusCode.OK);

        string page = await PageAsync(app.Browser);
        foreach (string said in new[] { person.Email, "Taken &amp; gone", "Kept", "ledgers:write", "a program on this device" })
            page.ShouldContain(said);

        using HttpResponseMessage taken = await app.Browser.PostAsync(Path, FormOf(page, "Taken &amp; gone"));
        (taken.StatusCode, taken.Headers.Location!.OriginalString).ShouldBe((HttpStatusCode.SeeOther, $"{Path}?taken"));
        page = await PageAsync(app.Browser, $"{Path}?taken");
        page.ShouldContain("role=\"status\"");
        page.ShouldNotContain("Taken &amp; gone");
        page.ShouldContain("Kept");

        (await app.RefreshAsync(tokens)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await app.Browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await app.Browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", app.ClientId), ("code", unredeemed.Code), ("redirect_uri", "http://localhost:3000/callback"),
            ("code_verifier", OAuthBrowser.Verifier))).Error.ShouldBe("invalid_grant", "a code on its way is no way around");
        (await other.RefreshAsync(kept)).Status.ShouldBe(HttpStatusCode.OK, "the other application's stays");
        (await app.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("consent_required");

        JsonElement revoked = (await api.GetAsync($"/events?types=user.consent.revoked&client_id={app.ClientId}")).Expect(200).Items.Single();
        revoked.GetProperty("user_id").GetString().ShouldBe(person.Id.ToString());
        (revoked.GetProperty("actor").GetProperty("type").GetString(), revoked.GetProperty("actor").GetProperty("id").GetString()).ShouldBe(("user", person.Id.ToString()));
        revoked.GetProperty("data").GetProperty("scopes").ToString().ShouldBe("""["openid","ledgers:write"]""");
    }

    [Fact]
    public async Task The_page_is_for_whoever_is_signed_in_here()
    {
        OAuthBrowser browser = new(server);
        using HttpResponseMessage nobody = await browser.GetAsync(Path);
        nobody.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await nobody.Content.ReadAsStringAsync()).ShouldContain("ATR1372");
        using HttpResponseMessage posted = await browser.PostAsync(Path, ("application", "c_0000000000000000000000000"));
        posted.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        await browser.SignInAsync("zoe@example.test");
        string page = await PageAsync(browser);
        page.ShouldContain("There are none.");
        page.ShouldNotContain("<form");

        // A session of one realm opens nothing in another.
        using HttpResponseMessage neighbour = await browser.GetAsync("/t/globex/account/applications");
        neighbour.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using HttpResponseMessage noRealm = await browser.GetAsync("/t/nobody/account/applications");
        noRealm.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Nobody_takes_away_what_is_anothers_and_no_other_site_anything()
    {
        ThirdParty app = await ThirdParty.NewAsync(server, "safe-app");
        User victim = await world.PersonAsync("victim@example.test"), attacker = await world.PersonAsync("attacker@example.test");
        TokenReply tokens = await app.TokensAsync(victim.Email);
        ThirdParty theirs = app.Elsewhere();
        await theirs.TokensAsync(attacker.Email);
        (string, string)[] own = FormOf(await PageAsync(app.Browser), "safe-app"), foreign = FormOf(await PageAsync(theirs.Browser), "safe-app");

        using HttpResponseMessage planted = await app.Browser.PostAsync(Path, foreign);
        planted.Headers.Location!.OriginalString.ShouldBe(Path, "a form of somebody else's page does nothing here");
        using HttpResponseMessage bare = await app.Browser.PostAsync(Path, [.. own.Where(static field => field.Item1 == "application")]);
        bare.Headers.Location!.OriginalString.ShouldBe(Path);
        using HttpRequestMessage request = OAuthBrowser.FormOf(Path, own);
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        using HttpResponseMessage crossSite = await app.Browser.SendAsync(request);
        crossSite.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await crossSite.Content.ReadAsStringAsync()).ShouldContain("ATR1373");
        using HttpResponseMessage twice = await app.Browser.PostAsync(Path, [.. own, own[0]]);
        twice.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        foreach (string client in new[] { "safe-app", "c_0000000000000000000000000", "c_", "" })
        {
            using HttpResponseMessage unknown = await app.Browser.PostAsync(Path, own.Select(field => field.Item1 == "application" ? (field.Item1, client) : field).ToArray());
            unknown.Headers.Location!.OriginalString.ShouldBe(Path);
        }

        (await app.RefreshAsync(tokens)).Status.ShouldBe(HttpStatusCode.OK);
        (await api.GetAsync($"/users/{victim.Id}/consents")).Expect(200).Items.Count.ShouldBe(1);

        // A copy of the cookie's form is worth nothing once the session is over.
        await api.DeleteAsync($"/users/{victim.Id}/sessions");
        using HttpResponseMessage over = await app.Browser.PostAsync(Path, own);
        over.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    private static async Task<string> PageAsync(OAuthBrowser browser, string path = Path)
    {
        using HttpResponseMessage page = await browser.GetAsync(path);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.CacheControl!.NoStore.ShouldBeTrue();
        page.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("frame-ancestors 'none'");
        return await page.Content.ReadAsStringAsync();
    }

    /// <summary>The fields of the form below an application's name.</summary>
    private static (string Name, string Value)[] FormOf(string page, string name) =>
        new HostedForm(Path, page[page.IndexOf($">{name}<", StringComparison.Ordinal)..]).Hidden[..2];
}
