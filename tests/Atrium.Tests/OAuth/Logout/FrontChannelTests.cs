using System.Net;
using System.Text.RegularExpressions;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth.Logout;

/// <summary>The signed-out page, which loads a page of each application of the session.</summary>
public sealed partial class FrontChannelTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly LogoutCalls calls = new(server);
    private readonly OAuthBrowser browser = new(server);

    [Fact]
    public async Task Each_application_of_the_session_has_a_frame_and_no_other_may_have_one()
    {
        Client plain = await FramedAsync("http://localhost:3000/signed-out?from=atrium", sessionRequired: false);
        Client told = await FramedAsync("https://app.example:8443/out", sessionRequired: true, "https://app.example:8443/cb");
        await FramedAsync("https://stranger.example/out", sessionRequired: false, "https://stranger.example/cb");
        TokenReply tokens = await calls.TokensAsync(browser, plain);
        await calls.TokensAsync(browser, told);
        string sid = tokens.Identity.GetProperty("sid").GetString()!;

        using HttpResponseMessage page = await SignOutAsync(plain, tokens);
        string html = await page.Content.ReadAsStringAsync();
        Frames(html).ShouldBe(
            ["http://localhost:3000/signed-out?from=atrium", $"https://app.example:8443/out?iss={Uri.EscapeDataString(browser.Issuer)}&sid={sid}"], ignoreOrder: true);
        string policy = page.Headers.GetValues("Content-Security-Policy").Single();
        policy.Split("; ").Single(static part => part.StartsWith("frame-src", StringComparison.Ordinal)).Split(' ').Skip(1)
            .ShouldBe(["http://localhost:3000", "https://app.example:8443"], ignoreOrder: true);
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("script-src");
        html.ShouldNotContain("<script");
        browser.Cookies.ShouldNotContainKey("atrium_session");
    }

    [Fact]
    public async Task The_page_goes_on_to_the_application_by_a_link_and_by_itself()
    {
        Client client = await FramedAsync("http://localhost:3000/out", sessionRequired: false);
        using HttpResponseMessage page = await SignOutAsync(client, await calls.TokensAsync(browser, client), ("state", "a b\""));
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        string onward = $"{DemoRealm.AfterSignOut}?state=a%20b%22";
        page.Headers.GetValues("Refresh").Single().ShouldBe($"2; url={onward}");
        (await page.Content.ReadAsStringAsync()).ShouldContain($"href=\"{onward}\"");
        page.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    [Fact]
    public async Task Without_an_address_to_go_on_to_the_page_stays()
    {
        Client client = await FramedAsync("http://localhost:3000/out", sessionRequired: false);
        TokenReply tokens = await calls.TokensAsync(browser, client);
        using HttpResponseMessage page = await browser.GetAsync(LogoutCalls.Address(("id_token_hint", LogoutCalls.IdTokenOf(tokens))));
        page.Headers.Contains("Refresh").ShouldBeFalse();
        Frames(await page.Content.ReadAsStringAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_confirmed_sign_out_loads_them_too()
    {
        Client client = await FramedAsync("http://localhost:3000/out", sessionRequired: true);
        await calls.TokensAsync(browser, client);
        using HttpResponseMessage asked = await browser.GetAsync(LogoutCalls.Address());
        string question = await asked.Content.ReadAsStringAsync();
        Frames(question).ShouldBeEmpty();
        using HttpResponseMessage done = await browser.PostAsync("/t/acme/logout", new HostedForm("", question).Hidden);
        Frames(await done.Content.ReadAsStringAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task There_are_no_more_frames_than_a_page_can_bear()
    {
        TokenReply? tokens = null;
        Client? last = null;
        for (int i = 0; i < 25; i++)
        {
            last = await FramedAsync($"http://localhost:3000/out/{i}", sessionRequired: false);
            tokens = await calls.TokensAsync(browser, last);
        }

        using HttpResponseMessage page = await SignOutAsync(last!, tokens!);
        Frames(await page.Content.ReadAsStringAsync()).Count.ShouldBe(20);
    }

    private Task<Client> FramedAsync(string address, bool sessionRequired, params string[] redirectUris) => calls.ClientAsync(
        new LogoutSettings { FrontchannelUri = address, FrontchannelSessionRequired = sessionRequired },
        client => client with { RedirectUris = [DemoRealm.Callback, .. redirectUris] });

    private Task<HttpResponseMessage> SignOutAsync(Client client, TokenReply tokens, params (string Name, string Value)[] more) => browser.GetAsync(LogoutCalls.Address(
        [("id_token_hint", LogoutCalls.IdTokenOf(tokens)), ("client_id", client.ClientId), ("post_logout_redirect_uri", DemoRealm.AfterSignOut), .. more]));

    private static IReadOnlyList<string> Frames(string html) => [.. Frame().Matches(html).Select(static match => WebUtility.HtmlDecode(match.Groups["src"].Value))];

    [GeneratedRegex("<iframe hidden src=\"(?<src>[^\"]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Frame();
}
