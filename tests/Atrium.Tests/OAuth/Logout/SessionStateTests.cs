using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core.Clients;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth.Logout;

/// <summary><c>session_state</c>, the cookie that it is made of, and the page that compares the two.</summary>
public sealed class SessionStateTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Cookie = "atrium_state";

    private readonly OAuthBrowser browser = new(server);

    [Fact]
    public async Task It_is_made_of_the_client_its_origin_and_what_the_browser_has()
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test");
        arrival["session_state"].ShouldBe(Expected("demo-web", "http://localhost:3000", browser.Cookies[Cookie], arrival));
        Arrival silent = await browser.SilentlyAsync(("prompt", "none"));
        silent["session_state"].ShouldBe(Expected("demo-web", "http://localhost:3000", browser.Cookies[Cookie], silent));
        silent["session_state"].ShouldNotBe(arrival["session_state"], "each has a salt of its own");
    }

    [Fact]
    public async Task The_cookie_is_another_after_another_sign_in_and_gone_after_the_sign_out()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        string first = browser.Cookies[Cookie];
        await browser.SilentlyAsync();
        browser.Cookies[Cookie].ShouldBe(first);
        await browser.SignInAsync("sam@example.test", ("prompt", "login"));
        browser.Cookies[Cookie].ShouldNotBe(first);
        await LogoutCalls.SignOutAsync(browser, tokens);
        browser.Cookies.ShouldNotContainKey(Cookie);
    }

    [Fact]
    public async Task A_browser_that_lost_the_cookie_or_planted_another_gets_the_right_one_back()
    {
        await browser.SignInAsync("sam@example.test");
        string right = browser.Cookies[Cookie];
        browser.Cookies.Remove(Cookie);
        await browser.SilentlyAsync();
        browser.Cookies[Cookie].ShouldBe(right);
        browser.Cookies[Cookie] = "planted";
        Arrival arrival = await browser.SilentlyAsync();
        browser.Cookies[Cookie].ShouldBe(right);
        arrival["session_state"].ShouldBe(Expected("demo-web", "http://localhost:3000", right, arrival));
    }

    [Fact]
    public async Task The_cookie_opens_nothing()
    {
        await browser.SignInAsync("sam@example.test");
        OAuthBrowser thief = new(server);
        thief.Cookies[Cookie] = thief.Cookies["atrium_session"] = browser.Cookies[Cookie];
        (await thief.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        thief.Cookies["atrium_session"] = browser.Cookies["atrium_session"];
        (await thief.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task An_answer_to_no_web_page_and_one_that_failed_have_none()
    {
        LogoutCalls calls = new(server);
        Client native = await calls.ClientAsync(new LogoutSettings(), static client => client with { Type = ClientType.Native, RedirectUris = ["com.example.app:/callback"] });
        await browser.SignInAsync("sam@example.test");
        using HttpResponseMessage toApp = await browser.GetAsync(OAuthBrowser.Authorize(("client_id", native.ClientId), ("redirect_uri", "com.example.app:/callback")));
        toApp.Headers.Location!.OriginalString.ShouldStartWith("com.example.app:/callback?code=");
        toApp.Headers.Location.OriginalString.ShouldNotContain("session_state");
        (await new OAuthBrowser(server).SilentlyAsync(("prompt", "none")))["session_state"].ShouldBeEmpty();
    }

    [Fact]
    public async Task The_check_page_may_be_framed_by_anybody_and_runs_our_script_alone()
    {
        using HttpResponseMessage page = await browser.GetAsync("/t/acme/session");
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Headers.GetValues("Content-Security-Policy").Single().ShouldBe("default-src 'none'; script-src 'self'; form-action 'none'; base-uri 'none'");
        page.Headers.Contains("X-Frame-Options").ShouldBeFalse();
        string html = await page.Content.ReadAsStringAsync();
        html.ShouldContain($"data-cookie=\"{Cookie}\"");
        string script = html.Split("src=\"")[1].Split('"')[0];
        using HttpResponseMessage code = await browser.GetAsync(script);
        code.Content.Headers.ContentType!.MediaType.ShouldBe("text/javascript");
        using HttpResponseMessage elsewhere = await browser.GetAsync("/t/nobody/session");
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using HttpResponseMessage signIn = await browser.GetAsync("/t/acme/logout");
        signIn.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("frame-ancestors 'none'");
    }

    private static string Expected(string client, string origin, string state, Arrival arrival)
    {
        string salt = arrival["session_state"].Split('.')[1];
        salt.Length.ShouldBe(22);
        return $"{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{client} {origin} {state} {salt}")))}.{salt}";
    }
}

public sealed class WebOriginTests
{
    [Theory]
    [InlineData("https://App.Example/cb", "https://app.example")]
    [InlineData("https://app.example:443/cb", "https://app.example")]
    [InlineData("http://localhost:3000/cb?x#y", "http://localhost:3000")]
    [InlineData("http://[::1]:3000/cb", "http://[::1]:3000")]
    [InlineData("https://zürich.example/cb", "https://xn--zrich-kva.example")]
    [InlineData("https://user:secret@app.example/cb", "https://app.example")]
    [InlineData("com.example.app:/cb", null)]
    [InlineData("nonsense", null)]
    public void An_origin_is_what_browsers_call_it(string address, string? origin) => WebOrigin.Of(address).ShouldBe(origin);
}
