using System.Buffers.Text;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AppNative;

/// <summary>The ordinary checks of an authorization request, each answered in this door's envelope and never by a redirect.</summary>
public static class AppNativeRequest
{
    /// <summary>The base64url of a SHA-256 without padding (RFC 7636 section 4.2).</summary>
    private const int ChallengeLength = 43;

    private const int MaxUserAgentLength = 512;

    private static readonly AppNativeError LoginRequired = AppNativeError.AuthenticationFailed(
        "login_required - There is no session to build on, and prompt=none forbids to ask.");

    public static string? Read(IReadOnlyDictionary<string, StringValues> parameters, string name) =>
        parameters.TryGetValue(name, out StringValues values) ? values.ToString() : null;

    /// <summary>Why the request is refused, or null.</summary>
    public static AppNativeError? Check(Client client, IReadOnlyDictionary<string, StringValues> parameters)
    {
        if (Read(parameters, "response_type") is not "code")
            return AppNativeError.Invalid("App-native authentication is only supported with code response type.");
        if (!client.MayUse("authorization_code"))
            return OAuth("unauthorized_client", "The client may not use the authorization code grant.");
        if (Read(parameters, "redirect_uri") is not { Length: > 0 } redirectUri || !client.AcceptsRedirect(redirectUri))
            return OAuth("invalid_request", "The redirect_uri is missing, or is not registered for the client.");
        return CheckChallenge(client, parameters) ?? CheckPrompt(Read(parameters, "prompt"));
    }

    /// <summary>What outlives the request. Scopes are kept as they were sent: what they give is decided where a token is used.</summary>
    public static AuthorizationRequest ToAuthorizationRequest(
        HttpContext context, IReadOnlyDictionary<string, StringValues> parameters, bool onOrganizationPath) => new()
        {
            RedirectUri = Read(parameters, "redirect_uri"),
            Scopes = [.. (Read(parameters, "scope") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)],
            State = Read(parameters, "state"),
            Nonce = Read(parameters, "nonce"),
            CodeChallenge = Read(parameters, "code_challenge") is { Length: > 0 } challenge ? challenge : null,
            LoginHint = Read(parameters, "login_hint"),
            OnOrganizationPath = onOrganizationPath,
            UserAgent = context.Request.Headers.UserAgent is [{ Length: > 0 } agent] ? agent[..Math.Min(agent.Length, MaxUserAgentLength)] : null,
            IpAddress = context.Connection.RemoteIpAddress?.ToString(),
        };

    /// <summary>A challenge may be left out where the client's setting allows that; one that was sent must be S256 (RFC 9700 section 2.1.1).</summary>
    private static AppNativeError? CheckChallenge(Client client, IReadOnlyDictionary<string, StringValues> parameters)
    {
        string? challenge = Read(parameters, "code_challenge");
        string? method = Read(parameters, "code_challenge_method");
        if (string.IsNullOrEmpty(challenge))
        {
            return client.Settings.PkceRequired || !string.IsNullOrEmpty(method)
                ? OAuth("invalid_request", "PKCE is required: send a code_challenge.")
                : null;
        }

        if (method != "S256")
            return OAuth("invalid_request", "The code_challenge_method must be S256.");
        return challenge.Length == ChallengeLength && Base64Url.IsValid(challenge)
            ? null
            : OAuth("invalid_request", "The code_challenge is not the base64url of a SHA-256.");
    }

    /// <summary>No cookie and no session id is believed here, so there never is a session that <c>prompt=none</c> could use.</summary>
    private static AppNativeError? CheckPrompt(string? prompt) => prompt switch
    {
        null or "" => null,
        "none" => LoginRequired,
        _ when prompt.Split(' ').Contains("none") => OAuth("invalid_request", "prompt=none cannot be combined with other values."),
        _ => null,
    };

    private static AppNativeError OAuth(string error, string text) => AppNativeError.Invalid($"{error} - {text}");
}
