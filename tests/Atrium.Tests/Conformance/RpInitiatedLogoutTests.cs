using System.Net;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Atrium.Tests.OAuth.Logout;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>The modules of the OpenID Foundation's plan for RP-initiated logout, by their names.</summary>
public sealed class RpInitiatedLogoutTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);

    [Fact(DisplayName = "oidcc-rp-initiated-logout-discovery-endpoint-verification")]
    public async Task Discovery()
    {
        using HttpResponseMessage response = await browser.GetAsync("/t/acme/.well-known/openid-configuration");
        (await response.Content.ReadAsStringAsync()).ShouldContain($"\"end_session_endpoint\":\"{browser.Issuer}/logout\"");
    }

    [Fact(DisplayName = "oidcc-rp-initiated-logout")]
    public async Task With_everything()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        (await LocationAsync(("id_token_hint", Hint(tokens)), ("post_logout_redirect_uri", DemoRealm.AfterSignOut), ("state", "the-state")))
            .ShouldBe($"{DemoRealm.AfterSignOut}?state=the-state");
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact(DisplayName = "oidcc-rp-initiated-logout-no-state")]
    public async Task Without_a_state()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        (await LocationAsync(("id_token_hint", Hint(tokens)), ("post_logout_redirect_uri", DemoRealm.AfterSignOut))).ShouldBe(DemoRealm.AfterSignOut);
    }

    [Fact(DisplayName = "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")]
    public Task An_address_that_is_not_registered() =>
        LeadsNowhereAsync(static tokens => [("id_token_hint", Hint(tokens)), ("post_logout_redirect_uri", "https://rp.example/unregistered"), ("state", "s")]);

    [Fact(DisplayName = "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")]
    public Task A_registered_address_with_a_query_added() =>
        LeadsNowhereAsync(static tokens => [("id_token_hint", Hint(tokens)), ("post_logout_redirect_uri", $"{DemoRealm.AfterSignOut}?foo=bar"), ("state", "s")]);

    [Fact(DisplayName = "oidcc-rp-initiated-logout-modified-id-token-hint")]
    public Task A_hint_whose_claims_were_changed() => LeadsNowhereAsync(static tokens =>
    {
        string[] parts = Hint(tokens).Split('.');
        string claims = System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1])).Replace("usr_", "usr_1", StringComparison.Ordinal);
        string modified = $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(claims))}.{parts[2]}";
        return [("id_token_hint", modified), ("post_logout_redirect_uri", DemoRealm.AfterSignOut), ("state", "s")];
    });

    [Fact(DisplayName = "oidcc-rp-initiated-logout-bad-id-token-hint")]
    public Task A_hint_that_somebody_else_signed() => LeadsNowhereAsync(static tokens =>
        [("id_token_hint", $"{Hint(tokens)[..^20]}{new string('A', 20)}"), ("post_logout_redirect_uri", DemoRealm.AfterSignOut), ("state", "s")]);

    [Fact(DisplayName = "oidcc-rp-initiated-logout-no-id-token-hint")]
    public Task No_hint() => LeadsNowhereAsync(static _ => [("post_logout_redirect_uri", DemoRealm.AfterSignOut), ("state", "s")]);

    [Fact(DisplayName = "oidcc-rp-initiated-logout-no-params")]
    public Task No_parameters() => AsksThePersonAsync();

    [Fact(DisplayName = "oidcc-rp-initiated-logout-only-state")]
    public Task Only_a_state() => AsksThePersonAsync(("state", "s"));

    private static string Hint(TokenReply tokens) => LogoutCalls.IdTokenOf(tokens);

    private async Task<string> LocationAsync(params (string, string)[] parameters)
    {
        using HttpResponseMessage response = await browser.GetAsync(LogoutCalls.Address(parameters));
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        return response.Headers.Location!.OriginalString;
    }

    private async Task LeadsNowhereAsync(Func<TokenReply, (string, string)[]> parameters)
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        using HttpResponseMessage response = await browser.GetAsync(LogoutCalls.Address(parameters(tokens)));
        (response.StatusCode, response.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    /// <summary>Nothing says whose wish it is; once the person has said so, the page that tells it leads nowhere.</summary>
    private async Task AsksThePersonAsync(params (string, string)[] parameters)
    {
        await browser.TokensAsync("sam@example.test");
        using HttpResponseMessage asked = await browser.GetAsync(LogoutCalls.Address(parameters));
        asked.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
        using HttpResponseMessage done = await browser.PostAsync("/t/acme/logout", new HostedForm("", await asked.Content.ReadAsStringAsync()).Hidden);
        (done.StatusCode, done.Headers.Location).ShouldBe((HttpStatusCode.OK, null));
        (await done.Content.ReadAsStringAsync()).ShouldContain("You are signed out");
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }
}
