using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Http;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AppNative;

/// <summary>The ordinary checks of an authorization request, each answered in this door's envelope and never by a redirect.</summary>
public static class AppNativeRequest
{
    private static readonly AppNativeError LoginRequired = AppNativeError.AuthenticationFailed(
        "login_required - There is no session to build on, and prompt=none forbids to ask.");

    /// <summary>What outlives the request, or why it is refused. Scopes are kept as they were sent: what they give is decided where a token is used.</summary>
    public static AppNativeError? Check(
        HttpContext context,
        Client client,
        IReadOnlyDictionary<string, StringValues> parameters,
        bool onOrganizationPath,
        out AuthorizationRequest? request)
    {
        request = null;
        IReadOnlyList<string>? scopes = null;
        string? dpopJkt = null;
        if (parameters.ContainsKey("request") || parameters.ContainsKey("request_uri"))
            return Refused("request_not_supported", "Neither request nor request_uri begins a direct flow: send the parameters themselves.");
        if (client.Settings.Openid.RequirePushedAuthorizationRequests)
            return Refused("unauthorized_client", "The client must push its authorization requests, and a direct flow can't be pushed.");
        if (parameters.ValueOf("response_type") is not "code")
            return AppNativeError.Invalid("App-native authentication is only supported with code response type.");
        if (!client.MayUse("authorization_code"))
            return Refused("unauthorized_client", "The client may not use the authorization code grant.");
        if (parameters.ValueOf("redirect_uri") is not { } redirectUri || !client.AcceptsRedirect(redirectUri))
            return Refused("invalid_request", "The redirect_uri is missing, or is not registered for the client.");
        if (CheckChallenge(client, parameters) is { } badChallenge)
            return badChallenge;
        if ((OAuthParameters.CheckLengths(parameters)
            ?? OAuthParameters.CheckScope(parameters, out scopes)
            ?? OAuthParameters.CheckKey(parameters, out dpopJkt)) is { } malformed)
        {
            return Refused(malformed.Code, malformed.Sentence);
        }

        if (CheckPrompt(parameters.ValueOf("prompt")) is { } badPrompt)
            return badPrompt;

        request = new AuthorizationRequest
        {
            RedirectUri = redirectUri,
            Scopes = scopes ?? [],
            State = parameters.ValueOf("state"),
            Nonce = parameters.ValueOf("nonce"),
            CodeChallenge = parameters.ValueOf("code_challenge"),
            DpopJkt = dpopJkt,
            LoginHint = OAuthParameters.LoginHintOf(parameters),
            OnOrganizationPath = onOrganizationPath,
            UserAgent = context.Request.UserAgent(),
            IpAddress = context.RemoteAddress(),
        };
        return null;
    }

    /// <summary>A challenge may be left out where the client's setting allows that; one that was sent must be S256 (RFC 9700 section 2.1.1).</summary>
    private static AppNativeError? CheckChallenge(Client client, IReadOnlyDictionary<string, StringValues> parameters)
    {
        string? challenge = parameters.ValueOf("code_challenge");
        string? method = parameters.ValueOf("code_challenge_method");
        if (challenge is null)
            return client.Settings.PkceRequired || method is not null ? Refused("invalid_request", "PKCE is required: send a code_challenge.") : null;
        if (method != Pkce.Method)
            return Refused("invalid_request", "The code_challenge_method must be S256.");
        return Pkce.IsChallenge(challenge) ? null : Refused("invalid_request", "The code_challenge is not the base64url of a SHA-256.");
    }

    /// <summary>No cookie and no session id is believed here, so there never is a session that <c>prompt=none</c> could use.</summary>
    private static AppNativeError? CheckPrompt(string? prompt) => prompt switch
    {
        null => null,
        "none" => LoginRequired,
        _ when prompt.Split(' ').Contains("none") => Refused("invalid_request", "prompt=none cannot be combined with other values."),
        _ => null,
    };

    /// <summary>The codes of RFC 6749 stand in front of this door's sentence.</summary>
    private static AppNativeError Refused(string error, string text) => AppNativeError.Invalid($"{error} - {text}");
}
