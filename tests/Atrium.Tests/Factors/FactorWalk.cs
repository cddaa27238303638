using System.Net;
using System.Text.RegularExpressions;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;

namespace Atrium.Tests.Factors;

/// <summary>Walks the pages of second factors as a person with a phone walks them.</summary>
internal sealed partial class FactorWalk(DemoServer server)
{
    /// <summary>What a client asks with that wants a second factor.</summary>
    public static readonly (string, string?) AsksForMfa = ("acr_values", "urn:atrium:acr:mfa");

    private readonly World world = new(server);

    public static string UniqueAddress() => $"f{Guid.NewGuid():n}@example.test";

    public Task<User> PersonAsync(params Organization[] activeIn) => world.PersonAsync(UniqueAddress(), activeIn);

    /// <summary>Opens the page on which the person sets up an app, after the password.</summary>
    public static async Task<HostedForm> OpenEnrolmentAsync(OAuthBrowser browser, User user, params (string Name, string? Value)[] asks)
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize([AsksForMfa, .. asks]));
        using HttpResponseMessage next = await browser.SubmitPasswordAsync(form, user.Email);
        HostedForm page = await browser.FollowAsync(next);
        page.Html.ShouldContain("Set up your authenticator app");
        return page;
    }

    /// <summary>The app into which the secret on the page was typed.</summary>
    public AuthenticatorApp AppOf(HostedForm enrolment) => new(server, SecretOf(enrolment));

    public static string SecretOf(HostedForm enrolment) => Key().Match(enrolment.Html).Groups[1].Value.Replace(" ", "", StringComparison.Ordinal);

    public static string[] CodesOf(HostedForm page) => [.. Codes().Matches(page.Html).Select(static match => match.Groups[1].Value)];

    /// <summary>Sets up an app in a sign-in, keeps the codes, and comes back to the client.</summary>
    public async Task<(AuthenticatorApp App, string[] Codes, TokenReply Tokens)> EnrolAsync(OAuthBrowser browser, User user, params (string Name, string? Value)[] asks)
    {
        HostedForm page = await OpenEnrolmentAsync(browser, user, asks);
        AuthenticatorApp app = AppOf(page);
        using HttpResponseMessage confirmed = await browser.SubmitAsync(page, ("code", app.Code()));
        HostedForm codes = await browser.FollowAsync(confirmed);
        using HttpResponseMessage kept = await browser.SubmitAsync(codes, ("kept", "yes"));
        TokenReply tokens = await browser.RedeemAsync(Arrival.At(kept).Code);
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Json.ToString());
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        return (app, CodesOf(codes), tokens);
    }

    /// <summary>Opens the page of the second factor, after the password; asking for a recovery code where that is wanted.</summary>
    public static async Task<HostedForm> OpenCodeAsync(OAuthBrowser browser, User user, bool byRecoveryCode = false, params (string Name, string? Value)[] asks)
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(asks));
        using HttpResponseMessage next = await browser.SubmitPasswordAsync(form, user.Email);
        HostedForm page = await browser.FollowAsync(next);
        page.Asks("code").ShouldBeTrue();
        if (!byRecoveryCode)
            return page;
        string link = WebUtility.HtmlDecode(RecoveryLink().Match(page.Html).Groups[1].Value);
        using HttpResponseMessage instead = await browser.GetAsync(link);
        page = new HostedForm(link, await instead.Content.ReadAsStringAsync());
        page.Asks("recovery_code").ShouldBeTrue();
        return page;
    }

    [GeneratedRegex("<code class=\"pick\">([A-Z2-7 ]+)</code>")]
    private static partial Regex Key();

    [GeneratedRegex("<li><code>([^<]+)</code></li>")]
    private static partial Regex Codes();

    [GeneratedRegex("<a href=\"([^\"]+)\">Use a recovery code</a>")]
    private static partial Regex RecoveryLink();
}
