using System.Net;
using System.Text.Json;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>
/// What a client says of how the person is to be asked (OpenID Connect Core section 3.1.2.1). Tests that begin with <c>oidcc</c> have the name and
/// the steps of a module of the OpenID Foundation's basic plan.
/// </summary>
public sealed class PromptTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Mia = "mia@example.test";
    private const string Sam = "sam@example.test";

    private readonly OAuthBrowser browser = new(server);

    [Fact]
    public async Task oidcc_prompt_login()
    {
        TokenReply first = await browser.TokensAsync(Mia);
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(("prompt", "login")));
        form.Asks("password").ShouldBeTrue();
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, Mia);
        TokenReply second = await browser.RedeemAsync(Arrival.At(done).Code);
        AuthTimeOf(second).ShouldBeGreaterThan(AuthTimeOf(first));
        SubjectOf(second).ShouldBe(SubjectOf(first));
    }

    [Fact]
    public async Task oidcc_prompt_none_not_logged_in() =>
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");

    [Fact]
    public async Task oidcc_prompt_none_logged_in()
    {
        TokenReply first = await browser.TokensAsync(Mia);
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        TokenReply second = await browser.RedeemAsync((await browser.SilentlyAsync(("prompt", "none"))).Code);
        (SubjectOf(second), AuthTimeOf(second)).ShouldBe((SubjectOf(first), AuthTimeOf(first)));
    }

    [Fact]
    public async Task oidcc_max_age_1()
    {
        TokenReply first = await browser.TokensAsync(Mia);
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(("max_age", "1")));
        form.Asks("password").ShouldBeTrue();
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, Mia);
        TokenReply second = await browser.RedeemAsync(Arrival.At(done).Code);
        AuthTimeOf(second).ShouldBe(AuthTimeOf(first) + 2);
    }

    [Fact]
    public async Task oidcc_max_age_10000()
    {
        TokenReply first = await browser.TokensAsync(Mia, ("max_age", "10000"));
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        TokenReply second = await browser.RedeemAsync((await browser.SilentlyAsync(("max_age", "10000"))).Code);
        AuthTimeOf(second).ShouldBe(AuthTimeOf(first));
    }

    [Fact]
    public async Task oidcc_id_token_hint()
    {
        TokenReply first = await browser.TokensAsync(Mia);
        Arrival silent = await browser.SilentlyAsync(("prompt", "none"), ("id_token_hint", first.Json.GetProperty("id_token").GetString()));
        SubjectOf(await browser.RedeemAsync(silent.Code)).ShouldBe(SubjectOf(first));
    }

    [Fact]
    public async Task oidcc_login_hint()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(("login_hint", Mia)));
        form.Html.ShouldContain($"value=\"{Mia}\"");
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, Mia);
        (await browser.RedeemAsync(Arrival.At(done).Code)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("oidcc-ui-locales", "ui_locales", "se fr-CA de en")]
    [InlineData("oidcc-claims-locales", "claims_locales", "se")]
    [InlineData("oidcc-ensure-request-with-acr-values-succeeds", "acr_values", "1 2")]
    [InlineData("oidcc-display-page", "display", "page")]
    [InlineData("oidcc-display-popup", "display", "popup")]
    [InlineData("a display that nobody has", "display", "hologram")]
    public async Task oidcc_parameters_that_are_taken_and_change_nothing(string module, string name, string value)
    {
        (await browser.TokensAsync(Mia, (name, value))).Status.ShouldBe(HttpStatusCode.OK, module);
        (await browser.SilentlyAsync((name, value), ("prompt", "none"))).Code.ShouldNotBeEmpty(module);
    }

    [Fact]
    public async Task Discovery_says_which_languages_the_pages_speak() =>
        JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/.well-known/openid-configuration"))
            .GetProperty("ui_locales_supported").EnumerateArray().Select(static value => value.GetString()).ShouldBe(["en"]);

    [Fact]
    public async Task No_age_at_all_is_the_wish_for_a_fresh_sign_in()
    {
        await browser.TokensAsync(Mia);
        (await browser.SilentlyAsync(("max_age", "0"), ("prompt", "none")))["error"].ShouldBe("login_required");
        (await browser.OpenAsync(OAuthBrowser.Authorize(("max_age", "0")))).Asks("password").ShouldBeTrue();
    }

    [Theory]
    [InlineData("none login")]
    [InlineData("none consent")]
    [InlineData("none select_account")]
    [InlineData("select_account none")]
    [InlineData("Login")]
    public async Task None_goes_with_no_other_word_and_words_are_exact(string prompt) =>
        (await browser.SilentlyAsync(("prompt", prompt)))["error"].ShouldBe("invalid_request");

    [Fact]
    public async Task The_person_goes_on_as_whom_the_browser_is_signed_in_as()
    {
        TokenReply first = await browser.TokensAsync(Mia);
        string cookie = browser.Cookies["atrium_session"];
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        HostedForm page = await OpenAccountsAsync(("prompt", "select_account"));
        page.Html.ShouldContain("Continue as Mia");
        page.Html.ShouldContain(Mia);
        using (HttpResponseMessage nonsense = await browser.SubmitAsync(page, ("account", "nobody")))
            (await browser.FollowAsync(nonsense)).Asks("account").ShouldBeTrue();
        using HttpResponseMessage done = await browser.SubmitAsync(page, ("account", "continue"));
        TokenReply second = await browser.RedeemAsync(Arrival.At(done).Code);
        (SubjectOf(second), AuthTimeOf(second), browser.Cookies["atrium_session"]).ShouldBe((SubjectOf(first), AuthTimeOf(first), cookie));
        using HttpResponseMessage twice = await browser.SubmitAsync(page, ("account", "continue"));
        twice.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_person_uses_another_account_and_the_first_ones_clients_keep_what_they_have()
    {
        TokenReply mias = await browser.TokensAsync(Mia);
        HostedForm page = await OpenAccountsAsync(("prompt", "select_account"));
        using HttpResponseMessage other = await browser.SubmitAsync(page, ("account", "other"));
        HostedForm form = await browser.FollowAsync(other);
        form.Asks("password").ShouldBeTrue();
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty("nothing is over before the other one is in");
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, Sam);
        TokenReply sams = await browser.RedeemAsync(Arrival.At(done).Code);
        SubjectOf(sams).ShouldNotBe(SubjectOf(mias));
        SubjectOf(await browser.RedeemAsync((await browser.SilentlyAsync(("prompt", "none"))).Code)).ShouldBe(SubjectOf(sams));
        (await browser.RefreshAsync(mias.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Where_nobody_is_signed_in_there_is_no_account_to_select() =>
        (await browser.OpenAsync(OAuthBrowser.Authorize(("prompt", "select_account")))).Asks("password").ShouldBeTrue();

    [Fact]
    public async Task A_hint_at_somebody_else_than_the_session_is_of_lets_the_person_select()
    {
        TokenReply mias = await browser.TokensAsync(Mia);
        Arrival silent = await browser.SilentlyAsync(("login_hint", Sam), ("prompt", "none"));
        (silent["error"], silent["error_description"].EndsWith("(ATR1281)", StringComparison.Ordinal)).ShouldBe(("account_selection_required", true));
        (await browser.SilentlyAsync(("login_hint", " MIA@example.test"), ("prompt", "none"))).Code.ShouldNotBeEmpty();
        (await browser.SilentlyAsync(("login_hint", "+49 30 1234567"), ("prompt", "none"))).Code.ShouldNotBeEmpty("nobody knows whose that is");

        HostedForm page = await OpenAccountsAsync(("login_hint", Sam));
        using HttpResponseMessage other = await browser.SubmitAsync(page, ("account", "other"));
        (await browser.FollowAsync(other)).Html.ShouldContain($"value=\"{Sam}\"");
        page = await OpenAccountsAsync(("login_hint", Sam));
        using HttpResponseMessage done = await browser.SubmitAsync(page, ("account", "continue"));
        SubjectOf(await browser.RedeemAsync(Arrival.At(done).Code)).ShouldBe(SubjectOf(mias));
    }

    [Fact]
    public async Task A_hint_of_the_ID_token_of_somebody_else_asks_for_a_sign_in()
    {
        string sams = (await new OAuthBrowser(server).TokensAsync(Sam)).Json.GetProperty("id_token").GetString()!;
        await browser.TokensAsync(Mia);
        (await browser.SilentlyAsync(("id_token_hint", sams), ("prompt", "none")))["error"].ShouldBe("login_required");
        (await browser.OpenAsync(OAuthBrowser.Authorize(("id_token_hint", sams)))).Asks("password").ShouldBeTrue();
    }

    [Fact]
    public async Task The_account_page_is_over_with_the_session_that_it_asks_about()
    {
        TokenReply tokens = await browser.TokensAsync(Mia);
        HostedForm page = await OpenAccountsAsync(("prompt", "select_account"));
        using HttpResponseMessage loggedOut = await browser.GetAsync($"/t/acme/logout?id_token_hint={tokens.Json.GetProperty("id_token").GetString()}");
        using HttpResponseMessage late = await browser.SubmitAsync(page, ("account", "continue"));
        (late.StatusCode, late.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
    }

    private async Task<HostedForm> OpenAccountsAsync(params (string Name, string? Value)[] asks)
    {
        HostedForm page = await browser.OpenAsync(OAuthBrowser.Authorize(asks));
        (page.Asks("account"), page.Asks("password")).ShouldBe((true, false));
        return page;
    }

    private static long AuthTimeOf(TokenReply tokens) => tokens.Identity.GetProperty("auth_time").GetInt64();

    private static string? SubjectOf(TokenReply tokens) => tokens.Identity.GetProperty("sub").GetString();
}
