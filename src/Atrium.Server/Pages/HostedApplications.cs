using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Pages;

/// <summary>
/// The page on which a person sees what they have let applications have, and takes it away (OWASP ASVS 10.7.3). It is for whoever is signed in in this
/// browser; a form counts only from the page that was made for that very session.
/// </summary>
public sealed class HostedApplications(ConsentStore consents, UserStore users, BrowserCookies cookies, TimeProvider clock)
{
    /// <summary>More than anybody has; the management API lists them all.</summary>
    private const int MostConsents = 200;

    private const string FormField = "form";
    private const string ClientField = "application";

    private static readonly OAuthError NobodyIsSignedIn = new("ATR1372", "access_denied", "Nobody is signed in in this browser.", StatusCodes.Status403Forbidden);
    private static readonly OAuthError OtherSite = new("ATR1373", "invalid_request", "The form was not sent from this server's own page.", StatusCodes.Status403Forbidden);

    public static string PathOf(Realm realm) => $"/t/{realm.Handle}/account/applications";

    public static void Map(RouteGroupBuilder realm)
    {
        realm.MapGet("/account/applications", static (HttpContext context, HostedApplications hosted, CancellationToken cancellationToken) =>
            hosted.ShowAsync(context, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable);
        realm.MapPost("/account/applications", static (HttpContext context, HostedApplications hosted, CancellationToken cancellationToken) =>
            hosted.TakeAwayAsync(context, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable);
    }

    private async Task<IResult> ShowAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        if (await PersonAsync(context, realm, cancellationToken) is not var (user, mark))
            return SignInFirst(context, realm);
        Page<NamedConsent> given = await consents.ListAsync(realm.Id, user.Id, new PageRequest<Consent>(MostConsents), cancellationToken);
        return PageResult.Applications(new ApplicationsModel(
            realm.Name,
            user.Email,
            [.. given.Items.GroupBy(static one => one.Client.Id).Select(of => ApplicationOf(realm, [.. of], mark))],
            context.Request.Query.ContainsKey("taken") ? "That is taken away." : null));
    }

    private async Task<IResult> TakeAwayAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        if (context.Request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none"))
            return HostedPages.Over(context, realm, OtherSite);
        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        if (read.Parameters is not { } form)
            return HostedPages.Over(context, realm, read.Error!);
        if (await PersonAsync(context, realm, cancellationToken) is not var (user, mark))
            return SignInFirst(context, realm);

        // A form of another session, or of no page of ours: the page of this one tells what there is to take away.
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(form.ValueOf(FormField) ?? ""), Encoding.UTF8.GetBytes(mark))
            || Id<Client>.Parse(form.ValueOf(ClientField)) is not { } client)
        {
            return new SeeOther(PathOf(realm));
        }

        bool taken = await consents.RevokeAllAsync(
            realm.Id, user.Id, client, clock.GetUtcNow(), context.OriginOf(ActorType.User, user.Id.ToString()), cancellationToken);
        return new SeeOther(taken ? $"{PathOf(realm)}?taken" : PathOf(realm));
    }

    /// <summary>Who is signed in here, and what the forms of their page carry.</summary>
    private async Task<(User User, string Mark)?> PersonAsync(HttpContext context, Realm realm, CancellationToken cancellationToken) =>
        await cookies.FindSessionAsync(context, realm, cancellationToken) is { } session
        && await users.FindAsync(realm.Id, session.UserId, cancellationToken) is { Status: UserStatus.Active } user
        && cookies.MarkOfForms(context, realm) is { } mark
            ? (user, mark)
            : null;

    private static AllowedApplication ApplicationOf(Realm realm, IReadOnlyList<NamedConsent> given, string mark)
    {
        Client client = given[0].Client;
        ConsentItem[] items =
        [
            .. given.SelectMany(static one => ConsentPages.ItemsOf(one.Consent.Terms, one.Organization, one.Client, news: null)).Distinct(),
        ];
        return new AllowedApplication(
            client.Name,
            client.RedirectUris.Select(ConsentPages.DestinationOf).FirstOrDefault() ?? client.ClientId,
            items,
            $"since {given.Min(static one => one.Consent.GrantedAt).ToString("d MMMM yyyy", CultureInfo.InvariantCulture)}",
            new PageForm(PathOf(realm), [new(FormField, mark), new(ClientField, client.Id.ToString())]));
    }

    /// <summary>There is no signing in without an application to sign in to.</summary>
    private static PageResult SignInFirst(HttpContext context, Realm realm)
    {
        context.NoteRefusal(NobodyIsSignedIn.Id);
        return PageResult.Message(
            new MessageModel(
                realm.Name,
                "Sign in first",
                NobodyIsSignedIn.Sentence,
                $"Open one of the applications that you use with {realm.Name}, sign in there, and come back to this page.",
                NobodyIsSignedIn.Id,
                context.TraceIdentifier),
            NobodyIsSignedIn.Status);
    }
}
