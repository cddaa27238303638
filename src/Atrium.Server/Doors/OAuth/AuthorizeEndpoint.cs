using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors.AppNative;
using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Server.Pages;
using Atrium.Server.SignIns;
using Atrium.Server.Tokens;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2). With <c>response_mode=direct</c> it is the app-native
/// door's; otherwise it ends in a redirect with a code, at once where a standing session answers the request, else through the hosted pages.
/// </summary>
public sealed class AuthorizeEndpoint(
    RealmDirectory directory,
    RealmKeys keys,
    SignInDesk desk,
    HostedSignIn hosted,
    BrowserCookies cookies,
    AuthorizationResponse responses,
    TimeProvider clock)
{
    /// <summary>What a browser and a proxy carry in an address without trouble.</summary>
    private const int MaxQueryLength = 6000;

    private static readonly OAuthError UnknownClient = new("ATR1201", "invalid_request", "The application that sent you here is not known to this sign-in.");
    private static readonly OAuthError BadRedirect = new("ATR1202", "invalid_request", "The application asked to be answered at an address that is not registered for it.");
    private static readonly OAuthError LoginRequired = new("ATR1230", "login_required", "Nobody is signed in whom the request could be answered for without a page.");
    private static readonly OAuthError InteractionRequired = new("ATR1231", "interaction_required", "The person has something to do before the request can be answered.");
    private static readonly OAuthError SelectionRequired = new("ATR1232", "account_selection_required", "The person has to choose an organization before the request can be answered.");
    private static readonly OAuthError ConsentRequired = new("ATR1371", "consent_required", "The person has to say what the application may have before the request can be answered.");
    private static readonly OAuthError BadHint = new("ATR1233", "invalid_request", "id_token_hint is not an ID token of this realm for this client.");

    public async Task<IResult> HandleAsync(HttpContext context, string? org, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        ReadForm read = HttpMethods.IsPost(context.Request.Method)
            ? await OAuthParameters.ReadFormAsync(context.Request, cancellationToken)
            : new(OAuthParameters.OfQuery(context.Request), null);
        if (read.Parameters is not { } parameters)
            return AppNativeError.UnreadableStart(context, read.Error!) ?? HostedPages.Error(context, realm, read.Error!);
        if (parameters.ValueOf("response_mode") == "direct")
            return await context.RequestServices.GetRequiredService<AppNativeStart>().HandleAsync(context, realm, org, parameters, cancellationToken);
        if (WithoutCookies(context.Request, parameters) is { } sameAsGet)
            return sameAsGet;

        // Until both are proven, nothing is sent to the address in the request (RFC 9700 section 4.11).
        if (parameters.ValueOf("client_id") is not { } clientId
            || await directory.ClientAsync(realm, clientId, cancellationToken) is not { Status: ClientStatus.Active } client)
        {
            return HostedPages.Error(context, realm, UnknownClient);
        }

        if (parameters.ValueOf("redirect_uri") is not { } redirectUri || !client.AcceptsRedirect(redirectUri))
            return HostedPages.Error(context, realm, BadRedirect);

        OAuthError? error = AuthorizeCheck.Check(client, redirectUri, org, parameters, out CheckedRequest? request);
        return error is null
            ? await AnswerAsync(context, realm, client, request!, cancellationToken)
            : responses.Error(realm, client, redirectUri, OAuthParameters.StateOf(parameters), error);
    }

    private async Task<IResult> AnswerAsync(
        HttpContext context, Realm realm, Client client, CheckedRequest asked, CancellationToken cancellationToken)
    {
        AuthorizationRequest request = asked.Request with
        {
            IpAddress = context.RemoteAddress(),
            UserAgent = context.Request.UserAgent(),
        };
        string? hintedSubject = null;
        if (asked.IdTokenHint is { } hint)
        {
            hintedSubject = await SubjectOfHintAsync(realm, client, hint, cancellationToken);
            if (hintedSubject is null)
                return Refuse(BadHint);
        }

        Session? standing = await cookies.FindSessionAsync(context, realm, cancellationToken);
        bool mayBuildOn = standing is not null
            && (hintedSubject is null || standing.UserId.ToString() == hintedSubject)
            && SignInEngine.MayBuildOn(standing, asked.WantsFreshSignIn, asked.MaxAge, clock.GetUtcNow());
        if (asked.MustBeSilent && !mayBuildOn)
            return Refuse(LoginRequired);

        SignInProgress progress = desk.Begin(client, Door.OAuth, request, asked.Choice, context.Origin(), mayBuildOn ? standing : null);
        SignInStep step = await desk.NextAsync(progress, cancellationToken);
        return step switch
        {
            SignInStep.Refuse refused => Refuse(HostedPages.ErrorOf(refused.Reason)),
            SignInStep.Prove when asked.MustBeSilent => Refuse(LoginRequired),
            SignInStep.ChooseOrganization when asked.MustBeSilent => Refuse(SelectionRequired),
            SignInStep.Consent when asked.MustBeSilent => Refuse(ConsentRequired),
            not SignInStep.Complete when asked.MustBeSilent => Refuse(InteractionRequired),
            _ => await hosted.StartAsync(context, realm, progress, step, cancellationToken),
        };

        IResult Refuse(OAuthError error) => responses.Error(realm, client, request.RedirectUri!, request.State, error);
    }

    /// <summary>
    /// A form that another site posts here comes without our cookies, which are SameSite=Lax. The same request as a GET brings them, and the
    /// person isn't asked for a password that the standing session makes needless.
    /// </summary>
    private static SeeOther? WithoutCookies(HttpRequest request, IReadOnlyDictionary<string, StringValues> parameters)
    {
        if (!HttpMethods.IsPost(request.Method) || request.Headers["Sec-Fetch-Site"] != "cross-site")
            return null;
        QueryBuilder query = new(parameters.SelectMany(static pair => pair.Value, static (pair, value) => KeyValuePair.Create(pair.Key, value ?? "")));
        string address = request.Path.ToUriComponent() + query.ToQueryString().ToUriComponent();
        return address.Length <= MaxQueryLength ? new SeeOther(address) : null;
    }

    /// <summary>Whom the hint speaks of; it may have expired, but it must be ours and this client's (OpenID Connect Core section 3.1.2.1).</summary>
    private async Task<string?> SubjectOfHintAsync(Realm realm, Client client, string hint, CancellationToken cancellationToken) =>
        Jwt.Read(hint, await keys.AllAsync(realm.Id, cancellationToken), type: null) is { } claims
        && Jwt.StringOf(claims, "aud") == client.ClientId
            ? Jwt.StringOf(claims, "sub")
            : null;
}
