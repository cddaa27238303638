using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Server.Doors;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Atrium.Server.Pages;

/// <summary>What a page of the hosted sign-in is made for.</summary>
/// <param name="Handle">What the form carries back.</param>
public sealed record HostedPage(HttpContext Context, Realm Realm, Client Client, SignIn SignIn, string Handle);

/// <summary>Renders the steps and the refusals of a sign-in as pages.</summary>
public static class HostedPages
{
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
                new SignInModel(page.Realm.Name, page.Client.Name, FormOf(page), email ?? page.SignIn.Request.LoginHint, error),
                page.SignIn.Request.RedirectUri,
                status),
            SignInStep.ProveFactor factor => PageResult.Code(
                new CodeModel(
                    page.Realm.Name,
                    page.Client.Name,
                    FormOf(page),
                    factor.User.Email,
                    error,
                    SignIn.MaxFactorTries - page.SignIn.FailedTries,
                    StartAgain(page)),
                page.SignIn.Request.RedirectUri,
                status),
            SignInStep.ChooseOrganization choose => PageResult.Organization(
                new OrganizationModel(
                    page.Realm.Name,
                    page.Client.Name,
                    FormOf(page),
                    choose.User.Email,
                    [.. choose.Organizations.Select(OptionOf)],
                    error,
                    StartAgain(page)),
                page.SignIn.Request.RedirectUri,
                status),
            SignInStep.EnrolFactor => Stopped(
                page,
                new("ATR1315", "access_denied", "This sign-in needs a second factor, and none is set up for the account."),
                "A second factor is needed",
                "Ask the administrator of your organization how to set up an authenticator app, then sign in again."),
            SignInStep.VerifyEmail => Stopped(
                page,
                new("ATR1316", "access_denied", "The e-mail address of the account is not verified."),
                "Verify your e-mail first",
                "Follow the link in the message that was sent to you, then sign in again."),
            SignInStep.UseConnection connection => Stopped(
                page,
                new("ATR1317", "access_denied", "The organization lets people in through its own identity provider only."),
                $"Sign in through {connection.Organization.Name}",
                "Ask the administrator of your organization where to sign in."),
            SignInStep.Refuse refuse => Stopped(
                page, ErrorOf(refuse.Reason), "This sign-in can’t go on", "Go back to the application, or start again."),
            _ => throw new InvalidOperationException("A completed sign-in has no page."),
        };

    /// <summary>Why the engine refuses, in the words of OAuth.</summary>
    public static OAuthError ErrorOf(SignInRefusal reason) => reason switch
    {
        SignInRefusal.Expired => new("ATR1310", "access_denied", "The sign-in was left open too long."),
        SignInRefusal.ClientDisabled => new("ATR1311", "unauthorized_client", "The application is disabled."),
        SignInRefusal.UserDisabled => new("ATR1312", "access_denied", "The account is disabled."),
        SignInRefusal.TooManyTries => new("ATR1313", "access_denied", "Too many wrong codes were entered."),
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

    private static PageForm FormOf(HostedPage page) =>
        new(AddressOf(page.Realm, page.Handle), [new("handle", page.Handle)]);

    private static OrganizationOption OptionOf(MembershipInOrganization entry) => new(
        entry.Organization.Id.ToString(),
        entry.Organization.Name,
        entry.Membership.Title ?? (entry.Membership.Scopes.Count == 0 ? null : string.Join(", ", entry.Membership.Scopes)));

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
            { "prompt", "login" },
        };
        AddKnown("scope", request.Scopes.Count == 0 ? null : string.Join(' ', request.Scopes));
        AddKnown("state", request.State);
        AddKnown("nonce", request.Nonce);
        AddKnown("code_challenge", request.CodeChallenge);
        AddKnown("code_challenge_method", request.CodeChallenge is null ? null : Pkce.Method);
        AddKnown("resource", request.Resource);

        // What was picked on a page may be picked anew; what the client asked for stays asked for.
        if (page.Client.ProfileFor(page.SignIn.Door) == TokenProfile.MultiOrg)
            AddKnown("org", page.SignIn.Choice.Selected?.ToString());
        string path = request.OnOrganizationPath && page.SignIn.Choice.Selected is { } organization
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
