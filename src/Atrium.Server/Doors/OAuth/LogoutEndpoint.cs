using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Http;
using Atrium.Server.Pages;
using Atrium.Server.Tokens;
using Atrium.Storage;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): ends the browser's session and every grant that came from it. Without an ID token
/// that shows the request to be the person's own application's, the person is asked first. <c>logout_hint</c> and <c>ui_locales</c> are taken and
/// change nothing: the browser's session says who it is, and the pages speak one language.
/// </summary>
public sealed class LogoutEndpoint(
    RealmDirectory directory, PresentedTokens tokens, SessionStore sessions, BrowserCookies cookies, FrontChannel frontChannel, TimeProvider clock)
{
    /// <summary>Seconds until the signed-out page goes on by itself; the browser counts them once its frames are loaded.</summary>
    private const int FramesTime = 2;

    private static readonly OAuthError BadHint = new("ATR1621", "invalid_request", "id_token_hint is not an ID token of this realm.");
    private static readonly OAuthError OtherClient = new("ATR1622", "invalid_request", "client_id is unknown, or is not the client that id_token_hint was made for.");
    private static readonly OAuthError BadRedirect = new("ATR1623", "invalid_request", "post_logout_redirect_uri is not registered for the client, or the request does not tell which client it is.");

    public async Task<IResult> HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        bool isPost = HttpMethods.IsPost(context.Request.Method);
        ReadForm read = isPost
            ? await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken)
            : new(OAuthParameters.OfQuery(context.Request), null);
        if ((read.Error ?? OAuthParameters.CheckRepeated(read.Parameters!)) is { } unreadable)
            return HostedPages.Error(context, realm, unreadable);
        IReadOnlyDictionary<string, StringValues> parameters = read.Parameters!;
        if (CrossSitePost.AsGet(context.Request, parameters) is { } sameAsGet)
            return sameAsGet;

        JsonElement? hint = null;
        if (parameters.ValueOf("id_token_hint") is { } hintText && (hint = await tokens.ReadIdTokenAsync(realm, hintText, cancellationToken)) is null)
            return HostedPages.Error(context, realm, BadHint);
        if (!TryNameClient(parameters, hint, out string? clientId))
            return HostedPages.Error(context, realm, OtherClient);
        Client? client = clientId is null ? null : await directory.ClientAsync(realm, clientId, cancellationToken);
        if (client is null && clientId is not null)
            return HostedPages.Error(context, realm, OtherClient);
        string? redirectUri = parameters.ValueOf("post_logout_redirect_uri");
        if (redirectUri is not null && client?.PostLogoutRedirectUris.Contains(redirectUri) != true)
            return HostedPages.Error(context, realm, BadRedirect);

        Session? standing = await cookies.FindSessionAsync(context, realm, cancellationToken);
        bool confirmed = isPost && parameters.ValueOf("confirm") == "yes" && context.Request.Headers["Sec-Fetch-Site"] is [] or ["same-origin"];
        bool isTheirs = hint is { } claims && (standing is null || Jwt.StringOf(claims, "sub") == standing.UserId.ToString());
        if (standing is not null && !confirmed && !isTheirs)
            return Ask(context, realm, client, parameters, redirectUri);

        DateTimeOffset now = clock.GetUtcNow();
        Origin person = context.OriginOf(ActorType.User, standing?.UserId.ToString() ?? (hint is { } about ? Jwt.StringOf(about, "sub") : null)) with
        {
            ClientId = clientId,
        };
        HashSet<Id<Session>> ended = [];
        if (standing is not null)
            ended.Add(standing.Id);
        if (hint is { } own && Id<Session>.Parse(Jwt.StringOf(own, "sid")) is { } hinted)
            ended.Add(hinted);
        foreach (Id<Session> session in ended.ToArray())
        {
            IReadOnlyList<Session> together = await sessions.EndInBrowserAsync(realm.Id, session, SessionEnd.SignedOut, now, person, cancellationToken);
            ended.UnionWith(together.Select(static one => one.Id));
        }

        cookies.ForgetSession(context, realm);
        return Answer(
            context,
            realm,
            await frontChannel.AddressesAsync(realm, ended, cancellationToken),
            redirectUri is null ? null : new PageLink($"Continue to {client!.Name}", WithState(redirectUri, parameters.ValueOf("state"))));
    }

    /// <summary>
    /// On to the application, or a page that says that it is done. Frames need a page to load in; it has a link, and a header that browsers follow once they
    /// are loaded, since no script is to do it.
    /// </summary>
    private static IResult Answer(HttpContext context, Realm realm, IReadOnlyList<string> frames, PageLink? onward)
    {
        if (frames.Count > 0)
        {
            if (onward is not null)
                context.Response.Headers["Refresh"] = $"{FramesTime}; url={SeeOther.HeaderSafe(onward.Href)}";
            return PageResult.SignedOut(new SignedOutModel(realm.Name, frames, onward));
        }

        return onward is not null
            ? new SeeOther(onward.Href)
            : PageResult.Message(
                new MessageModel(realm.Name, "You are signed out", "Your sign-in in this browser has ended.", Tone: MessageTone.Done),
                StatusCodes.Status200OK);
    }

    /// <summary>The client by the hint's audience, by name, or both if they agree; none is fine too.</summary>
    private static bool TryNameClient(IReadOnlyDictionary<string, StringValues> parameters, JsonElement? hint, out string? clientId)
    {
        clientId = parameters.ValueOf("client_id");
        if (hint is not { } claims)
            return true;
        string? audience = Jwt.StringOf(claims, "aud");
        if (audience is null || (clientId is not null && clientId != audience))
            return false;
        clientId = audience;
        return true;
    }

    /// <summary>Any site can send the browser here, so only the person's own word ends the session then.</summary>
    private static PageResult Ask(
        HttpContext context, Realm realm, Client? client, IReadOnlyDictionary<string, StringValues> parameters, string? redirectUri)
    {
        List<HiddenField> hidden = [new("confirm", "yes")];
        if (client is not null)
            hidden.Add(new("client_id", client.ClientId));
        foreach (string name in new[] { "post_logout_redirect_uri", "state" })
        {
            if (parameters.ValueOf(name) is { } value)
                hidden.Add(new(name, value));
        }

        return PageResult.Message(
            new MessageModel(
                realm.Name,
                "Sign out?",
                client is null ? "Your sign-in in this browser will end." : $"{client.Name} asks to end your sign-in in this browser.",
                Button: new MessageButton("Sign out", new PageForm(context.Request.Path, hidden)),
                Tone: MessageTone.Question),
            StatusCodes.Status200OK,
            redirectUri);
    }

    private static string WithState(string redirectUri, string? state) =>
        state is null ? redirectUri : QueryHelpers.AddQueryString(redirectUri, "state", state);
}
