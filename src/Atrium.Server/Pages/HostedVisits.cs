using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.SignIns;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Pages;

/// <summary>A request for a page of a hosted sign-in that was begun in this browser, with what its form brought.</summary>
public sealed record HostedVisit(HostedPage Page, SignInProgress Progress, IReadOnlyDictionary<string, StringValues> Form);

/// <summary>Finds the sign-in that a page or its form belongs to. Every page of a hosted sign-in begins here, so that none believes another browser.</summary>
public sealed class HostedVisits(SignInDesk desk, BrowserCookies cookies)
{
    private static readonly OAuthError Unknown = new("ATR1301", "invalid_request", "This page belongs to a sign-in that is over, or was never begun.");
    private static readonly OAuthError OtherBrowser = new("ATR1302", "invalid_request", "This sign-in was begun in another browser, or its cookies are gone.");
    private static readonly OAuthError OtherSite = new("ATR1303", "invalid_request", "The form was not sent from this server's own page.", StatusCodes.Status403Forbidden);
    private static readonly OAuthError SessionGone = new("ATR1304", "access_denied", "The session that this sign-in was built on has ended meanwhile.");

    /// <summary>Of a page that is asked for; null, with what to answer, where it can't be shown.</summary>
    public Task<(HostedVisit? Visit, IResult? Refusal)> OpenAsync(HttpContext context, CancellationToken cancellationToken) =>
        FindAsync(context, context.Realm(), OAuthParameters.OfQuery(context.Request), cancellationToken);

    /// <summary>Of a form that is sent.</summary>
    public async Task<(HostedVisit? Visit, IResult? Refusal)> TakeAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();

        // Where the browser says where the form comes from, it must be from here (Fetch Metadata); elsewhere the cookie alone tells.
        if (context.Request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none"))
            return (null, HostedPages.Over(context, realm, OtherSite));
        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        return read.Parameters is { } form
            ? await FindAsync(context, realm, form, cancellationToken)
            : (null, HostedPages.Over(context, realm, read.Error!));
    }

    /// <summary>Where no sign-in is to be found.</summary>
    public static IResult Nowhere(HttpContext context, Realm realm) => HostedPages.Over(context, realm, Unknown);

    private async Task<(HostedVisit? Visit, IResult? Refusal)> FindAsync(
        HttpContext context, Realm realm, IReadOnlyDictionary<string, StringValues> parameters, CancellationToken cancellationToken)
    {
        if (parameters.ValueOf("handle") is not { } handle
            || await desk.FindAsync(realm.Id, Door.OAuth, new Secret(handle), context.Origin(), cancellationToken) is not { } progress)
        {
            return (null, Nowhere(context, realm));
        }

        if (!cookies.IsBrowser(context, realm, progress.Browser))
            return (null, HostedPages.Over(context, realm, OtherBrowser));

        // A session that a new one replaces loses its cookie; one that the sign-in rests on must still stand.
        Session? standing = await cookies.FindSessionAsync(context, realm, cancellationToken);
        return progress.SignIn.SessionId is { } needed && standing?.Id != needed
            ? (null, HostedPages.Over(context, realm, SessionGone))
            : (new HostedVisit(new HostedPage(context, realm, progress.Client, progress.SignIn, handle), progress with { Standing = standing }, parameters), null);
    }
}
