using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Atrium.Tests.OAuth.Logout;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>The modules of the OpenID Foundation's plan for front-channel logout, by their names.</summary>
public sealed class FrontChannelLogoutTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly LogoutCalls calls = new(server);
    private readonly OAuthBrowser browser = new(server);

    [Fact(DisplayName = "oidcc-frontchannel-rp-initiated-logout-discovery-endpoint-verification")]
    public async Task Discovery()
    {
        using HttpResponseMessage response = await browser.GetAsync("/t/acme/.well-known/openid-configuration");
        JsonElement metadata = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        metadata.GetProperty("frontchannel_logout_supported").GetBoolean().ShouldBeTrue();
        metadata.GetProperty("frontchannel_logout_session_supported").GetBoolean().ShouldBeTrue();
    }

    [Fact(DisplayName = "oidcc-frontchannel-rp-initiated-logout")]
    public async Task The_frame_names_issuer_and_session_and_the_page_goes_on_with_the_state()
    {
        Client client = await calls.ClientAsync(new LogoutSettings { FrontchannelUri = "http://localhost:3000/out", FrontchannelSessionRequired = true });
        TokenReply tokens = await calls.TokensAsync(browser, client);
        using HttpResponseMessage page = await browser.GetAsync(LogoutCalls.Address(
            ("id_token_hint", LogoutCalls.IdTokenOf(tokens)), ("post_logout_redirect_uri", DemoRealm.AfterSignOut), ("state", "the-state")));
        string frame = $"http://localhost:3000/out?iss={Uri.EscapeDataString(tokens.Identity.GetProperty("iss").GetString()!)}&amp;sid={tokens.Identity.GetProperty("sid").GetString()}";
        (await page.Content.ReadAsStringAsync()).ShouldContain($"src=\"{frame}\"");
        page.Headers.GetValues("Refresh").Single().ShouldEndWith($"{DemoRealm.AfterSignOut}?state=the-state");
    }
}
