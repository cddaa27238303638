using System.Net;
using System.Text.Json;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Atrium.Tests.OAuth.Logout;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>The modules of the OpenID Foundation's plan for session management that need no script; a browser runs the others in the client tests.</summary>
public sealed class SessionManagementTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);

    [Fact(DisplayName = "oidcc-session-management-discovery-endpoint-verification")]
    public async Task Discovery()
    {
        using HttpResponseMessage response = await browser.GetAsync("/t/acme/.well-known/openid-configuration");
        string address = JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("check_session_iframe").GetString()!;
        address.ShouldBe($"{browser.Issuer}/session");
        using HttpResponseMessage page = await browser.GetAsync(new Uri(address).PathAndQuery);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact(DisplayName = "oidcc-session-management-rp-initiated-logout: session_state in the answer, without a space, and prompt=none after the sign-out fails")]
    public async Task Session_state()
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test");
        arrival["session_state"].ShouldNotBeEmpty();
        arrival["session_state"].ShouldNotContain(" ");
        TokenReply tokens = await browser.RedeemAsync(arrival.Code);
        await LogoutCalls.SignOutAsync(browser, tokens);
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }
}
