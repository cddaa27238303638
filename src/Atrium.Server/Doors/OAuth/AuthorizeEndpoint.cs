using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors.AppNative;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Server.Mail;
using Atrium.Server.Pages;
using Atrium.Server.SignIns;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2). With <c>response_mode=direct</c> it is the app-native
/// door's; otherwise it ends in a redirect with a code, at once where a standing session answers the request, else through the hosted pages.
/// </summary>
public sealed class AuthorizeEndpoint(
    RealmDirectory directory,
    SignInDesk desk,
    HostedSignIn hosted,
    BrowserCookies cookies,
    AuthorizationResponse responses,
    PushedRequests pushed,
    IdTokenHints hints,
    IMailTransport mail,
    TimeProvider clock)
{
    private static readonly OAuthError UnknownClient = new("ATR1201", "invalid_request", "The application that sent you here is not known to this sign-in.");
    private static readonly OAuthError UnknownReference = new("ATR1246", "invalid_request_uri", "The request that the application sent you here with was used before, has expired, or is not its own.");
    private static readonly OAuthError LoginRequired = new("ATR1230", "login_required", "Nobody is signed in whom the request could be answered for without a page.");
    private static readonly OAuthError InteractionRequired = new("ATR1231", "interaction_required", "The person has something to do before the request can be answered.");
    private static readonly OAuthError SelectionRequired = new("ATR1232", "account_selection_required", "The person has to choose an organization before the request can be answered.");
    private static readonly OAuthError OtherAccount = new("ATR1281", "account_selection_required", "Somebody else is signed in than login_hint names.");
    private static readonly OAuthError NoSignUp = new("ATR1330", "invalid_request", "prompt=create can't be answered: people come to this realm by invitation.");
    private static readonly OAuthError NoSignUpInto = new("ATR1331", "invalid_request", "prompt=create can't be for an organization: nobody new belongs to one. Leave org out, or invite the person.");
    private static readonly OAuthError ConsentRequired = new("ATR1371", "consent_required", "The person has to say what the application may have before the request can be answered.");

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
        if (CrossSitePost.AsGet(context.Request, parameters) is { } sameAsGet)
            return sameAsGet;

        // Until both are proven, nothing is sent to the address in the request (RFC 9700 section 4.11).
        if (parameters.ValueOf("client_id") is not { } clientId
            || await directory.ClientAsync(realm, clientId, cancellationToken) is not { Status: ClientStatus.Active } client)
        {
            return HostedPages.Error(context, realm, UnknownClient);
        }

        SentRequest sent = new(parameters, org, WasPushed: false);
        if (PushedRequests.ReferenceOf(parameters) is { } reference)
        {
            // Whoever only looks gets nothing to see, and the person who follows finds the request unspent.
            if (context.OnlyLooks())
                return Nothing(context);

            // Of what stands beside the reference nothing counts (RFC 9101 section 5, by RFC 9126 section 4).
            if (await pushed.TakeAsync(client, reference, cancellationToken) is not { } taken)
                return HostedPages.Error(context, realm, UnknownReference);
            sent = taken;
        }

        if (AuthorizeCheck.CheckRedirect(client, sent, out string redirectUri) is { } badRedirect)
            return HostedPages.Error(context, realm, badRedirect);

        // The path may repeat the organization of a request that was pushed on such a path; it can't add one.
        CheckedRequest? request = null;
        OAuthError? error = org is not null && org != sent.PathOrganization
            ? AuthorizeCheck.TwoOrganizations
            : AuthorizeCheck.Check(client, redirectUri, sent, out request);
        return error is null
            ? await AnswerAsync(context, realm, client, request!, cancellationToken)
            : responses.Error(realm, client, redirectUri, OAuthParameters.StateOf(sent.Parameters), error);
    }

    private static IResult Nothing(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Results.NoContent();
    }

    private async Task<IResult> AnswerAsync(
        HttpContext context, Realm realm, Client client, CheckedRequest asked, CancellationToken cancellationToken)
    {
        AuthorizationRequest request = asked.Request with
        {
            IpAddress = context.RemoteAddress(),
            UserAgent = context.Request.UserAgent(),
        };
        if (asked.WantsSignUp && !SignUpRules.IsOffered(realm.Settings, asked.Choice, mail.Sends))
            return Refuse(SignUpRules.IsOpen(realm.Settings, mail.Sends) ? NoSignUpInto : NoSignUp);
        string? hintedSubject = null;
        if (asked.IdTokenHint is { } hint)
        {
            hintedSubject = await hints.SubjectAsync(realm, client, hint, cancellationToken);
            if (hintedSubject is null)
                return Refuse(IdTokenHints.Bad);
        }

        Session? standing = await cookies.FindSessionAsync(context, realm, cancellationToken);
        bool mayBuildOn = standing is not null
            && (hintedSubject is null || standing.UserId.ToString() == hintedSubject)
            && SignInEngine.MayBuildOn(standing, asked.WantsFreshSignIn, asked.MaxAge, clock.GetUtcNow());
        if (asked.MustBeSilent && !mayBuildOn)
            return Refuse(LoginRequired);

        SignInProgress progress = desk.Begin(client, Door.OAuth, request, asked.Choice, context.Origin(), mayBuildOn ? standing : null);
        SignInFacts facts = await desk.FactsAsync(progress, cancellationToken);
        if (asked.MustBeSilent && ConsentRules.IsStranger(facts))
            return Refuse(ConsentRequired);
        SignInStep step = SignInEngine.Next(progress.SignIn, facts);
        return step switch
        {
            SignInStep.Refuse refused => Refuse(HostedPages.ErrorOf(refused.Reason)),
            SignInStep.Prove when asked.MustBeSilent => Refuse(LoginRequired),
            SignInStep.ConfirmAccount when asked.MustBeSilent => Refuse(OtherAccount),
            SignInStep.ChooseOrganization when asked.MustBeSilent => Refuse(SelectionRequired),
            SignInStep.Consent when asked.MustBeSilent => Refuse(ConsentRequired),
            not SignInStep.Complete when asked.MustBeSilent => Refuse(InteractionRequired),
            _ => await hosted.StartAsync(context, realm, progress, step, asked.WantsSignUp, cancellationToken),
        };

        IResult Refuse(OAuthError error) => responses.Error(realm, client, request.RedirectUri!, request.State, error);
    }

}
