using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Server.Doors;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Server.Mail;
using Atrium.Server.SignIns;
using Microsoft.AspNetCore.Http.Extensions;

namespace Atrium.Server.Pages;

/// <summary>What a page of the hosted sign-in is made for.</summary>
/// <param name="Handle">What the form carries back.</param>
/// <param name="Find">What the person looks for among their organizations.</param>
public sealed record HostedPage(HttpContext Context, Realm Realm, Client Client, SignIn SignIn, string Handle, string? Find = null)
{
    /// <summary>Whether the second factor is asked for as a recovery code.</summary>
    public bool ByRecoveryCode { get; init; }

    /// <summary>Where a factor is set up, that factor.</summary>
    public EnrolledFactor? Enrolment { get; init; }

    /// <summary>Where recovery codes are to be kept, these codes.</summary>
    public IReadOnlyList<string> RecoveryCodes { get; init; } = [];
}

/// <summary>Renders the steps and the refusals of a sign-in as pages.</summary>
public static class HostedPages
{
    private static readonly OAuthError Gone = new("ATR1282", "invalid_request", "The sign-in ended while its page was made, or what the page shows can't be opened.");

    /// <summary>A failure that is shown to the person, since there is nowhere safe to send it.</summary>
    public static IResult Error(HttpContext context, Realm realm, OAuthError error) => Refusal(
        context,
        error,
        new MessageModel(
            realm.Name,
            "This sign-in can’t go on",
            error.Sentence,
            "Go back to the application and start again. If this happens again, tell its makers the numbers below.",
            error.Id,
            context.TraceIdentifier));

    /// <summary>A sign-in that is over, or can't be believed to be this browser's.</summary>
    public static IResult Over(HttpContext context, Realm realm, OAuthError error) => Refusal(
        context,
        error,
        new MessageModel(
            realm.Name, "Please start again", error.Sentence, "Go back to the application and sign in again.", error.Id, context.TraceIdentifier));

    /// <summary>
    /// The server can't just now. The link asks for the same address once more: a sign-in stands there where it stood, since its forms are sent to
    /// the address that shows it.
    /// </summary>
    public static IResult Unavailable(HttpContext context, Unavailable why)
    {
        why.Announce(context);
        HttpRequest request = context.Request;
        bool isWhole = HttpMethods.IsGet(request.Method) || request.QueryString.HasValue;
        return PageResult.Message(
            new MessageModel(
                context.KnownRealm()?.Name ?? "Sign-in",
                "Just a moment, please",
                "The server can’t do this just now. Nothing is wrong with what you entered.",
                isWhole ? "Wait a few seconds, then try again." : "Wait a few seconds, then load this page again.",
                why.Id,
                context.TraceIdentifier,
                isWhole ? new PageLink("Try again", request.Path.ToUriComponent() + request.QueryString.ToUriComponent()) : null),
            StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>The page for the step that comes next. A step that this server has no page for says what to do instead.</summary>
    /// <param name="error">What was wrong with the last try, in the person's words.</param>
    public static IResult Of(HostedPage page, SignInStep step, string? email = null, string? error = null, int status = StatusCodes.Status200OK) =>
        step switch
        {
            SignInStep.Prove => PageResult.SignIn(
                new SignInModel(
                    page.Realm.Name,
                    page.Client.Name,
                    FormOf(page),
                    email ?? page.SignIn.Request.LoginHint,
                    error,
                    SignUpRules.IsOffered(page.Realm.Settings, page.SignIn.Choice, SendsMail(page)) ? AccountPages.AddressOf(page.Realm, page.Handle, MailedCodePurpose.SignUp) : null,
                    SendsMail(page) ? AccountPages.AddressOf(page.Realm, page.Handle, MailedCodePurpose.PasswordReset) : null),
                page.SignIn.Request.RedirectUri,
                status),
            SignInStep.ConfirmAccount account => PageResult.Account(
                new AccountModel(page.Realm.Name, page.Client.Name, FormOf(page), account.User.Email, account.User.DisplayName),
                page.SignIn.Request.RedirectUri),
            SignInStep.ProveFactor factor when page.ByRecoveryCode => FactorPages.RecoveryCode(page, FormOf(page), factor.User, error, status),
            SignInStep.ProveFactor factor => PageResult.Code(
                new CodeModel(
                    page.Realm.Name,
                    page.Client.Name,
                    FormOf(page),
                    factor.User.Email,
                    error,
                    SignIn.MaxFactorTries - page.SignIn.FailedTries,
                    StartAgain(page),
                    FactorPages.RecoveryAddressOf(page)),
                page.SignIn.Request.RedirectUri,
                status),
            SignInStep.ChooseOrganization choose => PageResult.Organization(
                OrganizationPages.ModelOf(page, choose, FormOf(page), StartAgain(page), error), page.SignIn.Request.RedirectUri, status),
            SignInStep.Consent consent => PageResult.Consent(
                ConsentPages.ModelOf(page, consent, FormOf(page), StartAgain(page)), page.SignIn.Request.RedirectUri),
            SignInStep.EnrolFactor enrol when page.Enrolment is { } enrolment =>
                FactorPages.Enrol(page, FormOf(page), enrol.User, enrolment, StartAgain(page), error, status),
            SignInStep.KeepRecoveryCodes keep when page.RecoveryCodes.Count > 0 => FactorPages.RecoveryCodes(page, FormOf(page), keep.User),
            // It mails something, so it is shown where it is asked for alone.
            SignInStep.VerifyEmail => new SeeOther(AddressOf(page.Realm, page.Handle)),
            SignInStep.UseConnection connection => Stopped(
                page,
                new("ATR1317", "access_denied", "The organization lets people in through its own identity provider only."),
                $"Sign in through {connection.Organization.Name}",
                "Ask the administrator of your organization where to sign in."),
            SignInStep.Refuse refuse => Stopped(
                page, ErrorOf(refuse.Reason), "This sign-in can’t go on", "Go back to the application, or start again."),
            SignInStep.EnrolFactor or SignInStep.KeepRecoveryCodes => Over(page.Context, page.Realm, Gone),
            _ => throw new InvalidOperationException("A completed sign-in has no page."),
        };

    /// <summary>Why the engine refuses, in the words of OAuth.</summary>
    public static OAuthError ErrorOf(SignInRefusal reason) => reason switch
    {
        SignInRefusal.Expired => new("ATR1310", "access_denied", "The sign-in was left open too long."),
        SignInRefusal.ClientDisabled => new("ATR1311", "unauthorized_client", "The application is disabled."),
        SignInRefusal.UserDisabled => new("ATR1312", "access_denied", "The account is disabled."),
        SignInRefusal.TooManyTries => new("ATR1313", "access_denied", "Too many wrong codes were entered."),
        SignInRefusal.RequirementsUnmet => new(
            "ATR1280", "unmet_authentication_requirements", "The application asks for a second factor, and the organization allows none."),
        SignInRefusal.MethodNotAllowed => new("ATR1318", "access_denied", "The organization allows no way of signing in that there is here."),
        _ => new("ATR1314", "access_denied", "The sign-in is for an organization that can't be entered with this account."),
    };

    /// <summary>Where the sign-in's pages live.</summary>
    public static string PathOf(Realm realm) => $"/t/{realm.Handle}/sign-in";

    /// <summary>The address that shows where the sign-in stands.</summary>
    public static string AddressOf(Realm realm, string handle) => PathOf(realm) + QueryString.Create("handle", handle).ToUriComponent();

    private static IResult Stopped(HostedPage page, OAuthError error, string title, string next)
    {
        AuthorizationResponse responses = page.Context.RequestServices.GetRequiredService<AuthorizationResponse>();
        string back = responses.ErrorUrl(page.Realm, page.Client, page.SignIn.Request.RedirectUri!, page.SignIn.Request.State, error);
        return PageResult.Message(
            new MessageModel(
                page.Realm.Name,
                title,
                error.Sentence,
                next,
                error.Id,
                page.Context.TraceIdentifier,
                new PageLink($"Back to {page.Client.Name}", back)),
            StatusCodes.Status400BadRequest);
    }

    private static bool SendsMail(HostedPage page) => page.Context.RequestServices.GetRequiredService<IMailTransport>().Sends;

    private static PageForm FormOf(HostedPage page) =>
        new(AddressOf(page.Realm, page.Handle), [new("handle", page.Handle)]);

    /// <summary>The same request once more, for somebody else; null where the client alone can make it, by pushing it again.</summary>
    private static string? StartAgain(HostedPage page)
    {
        if (page.Client.Settings.Openid.RequirePushedAuthorizationRequests)
            return null;
        AuthorizationRequest request = page.SignIn.Request;
        QueryBuilder query = new()
        {
            { "response_type", "code" },
            { "client_id", page.Client.ClientId },
            { "redirect_uri", request.RedirectUri! },
            { "prompt", request.AsksConsent ? "login consent" : "login" },
        };
        AddKnown("scope", request.Scopes.Count == 0 ? null : string.Join(' ', request.Scopes));
        AddKnown("state", request.State);
        AddKnown("nonce", request.Nonce);
        AddKnown("code_challenge", request.CodeChallenge);
        AddKnown("code_challenge_method", request.CodeChallenge is null ? null : Pkce.Method);
        AddKnown("resource", request.Resource);
        AddKnown("dpop_jkt", request.DpopJkt);
        AddKnown("acr_values", request.AcrValues.Count == 0 ? null : string.Join(' ', request.AcrValues));

        // What was picked on a page may be picked anew; what the client asked for stays asked for.
        if (page.Client.ProfileFor(page.SignIn.Door) == TokenProfile.MultiOrg)
            AddKnown("org", request.Organization);
        string path = request.OnOrganizationPath && request.Organization is { } organization
            ? $"/t/{page.Realm.Handle}/o/{organization}/oauth2/authorize"
            : $"/t/{page.Realm.Handle}/authorize";
        return path + query.ToQueryString();

        void AddKnown(string name, string? value)
        {
            if (value is not null)
                query.Add(name, value);
        }
    }

    private static PageResult Refusal(HttpContext context, OAuthError error, MessageModel page)
    {
        context.NoteRefusal(error.Id);
        return PageResult.Message(page, error.Status);
    }
}
