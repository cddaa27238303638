using System.Globalization;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>How the client wants the person to be asked (OpenID Connect Core section 3.1.2.1, <c>prompt</c>).</summary>
[Flags]
public enum Prompts
{
    /// <summary>The client leaves it to the server.</summary>
    None = 0,

    /// <summary>No page at all: the word <c>none</c>.</summary>
    Silent = 1,
    Login = 2,
    Consent = 4,
    SelectAccount = 8,

    /// <summary>The person is to make an account (OpenID Connect Initiating User Registration 1.0).</summary>
    Create = 16,
}

/// <summary>An authorization request that holds to every rule.</summary>
public sealed record CheckedRequest
{
    public required AuthorizationRequest Request { get; init; }

    public required OrganizationChoice Choice { get; init; }

    public required Prompts Prompts { get; init; }

    public int? MaxAge { get; init; }

    public string? IdTokenHint { get; init; }

    /// <summary>No standing session will do: the client wants the person to show again who they are, or to be a new one.</summary>
    public bool WantsFreshSignIn => (Prompts & (Prompts.Login | Prompts.Create)) != Prompts.None;

    public bool WantsSignUp => Prompts.HasFlag(Prompts.Create);

    public bool MustBeSilent => Prompts == Prompts.Silent;
}

/// <summary>
/// The rules for an authorization request, whichever way it came. Once the client and its redirect URI are proven, what is wrong can be told to the
/// client by redirect (RFC 6749 section 4.1.2.1).
/// </summary>
public static class AuthorizeCheck
{
    private static readonly OAuthError BadRedirect = new("ATR1202", "invalid_request", "The application asked to be answered at an address that is not registered for it.");
    private static readonly OAuthError RequestObject = new("ATR1210", "request_not_supported", "Request objects are not supported: send the parameters themselves.");
    private static readonly OAuthError RequestUri = new("ATR1211", "request_uri_not_supported", "request_uri is not supported: send the parameters themselves.");
    private static readonly OAuthError NoResponseType = new("ATR1212", "invalid_request", "response_type is missing; it is code.");
    private static readonly OAuthError OtherResponseType = new("ATR1213", "unsupported_response_type", "The only response_type is code.");
    private static readonly OAuthError OtherResponseMode = new("ATR1214", "invalid_request", "The only response_mode of a browser's sign-in is query.");
    private static readonly OAuthError NotForThisClient = new("ATR1215", "unauthorized_client", "This client may not use the authorization code flow.");
    private static readonly OAuthError NoChallenge = new("ATR1217", "invalid_request", "code_challenge is missing: this client must use PKCE with S256.");
    private static readonly OAuthError OtherChallengeMethod = new("ATR1218", "invalid_request", "The only code_challenge_method is S256, and it must be named.");
    private static readonly OAuthError BadChallenge = new("ATR1219", "invalid_request", "code_challenge is not the base64url of a SHA-256: 43 characters.");
    private static readonly OAuthError BadPrompt = new("ATR1220", "invalid_request", "prompt must be none alone, or some of login, consent, select_account and create.");
    private static readonly OAuthError BadMaxAge = new("ATR1221", "invalid_request", "max_age must be a number of seconds.");
    private static readonly OAuthError OrganizationNotAllowed = new("ATR1222", "invalid_request", "This client may not ask for that organization.");
    internal static readonly OAuthError TwoOrganizations = new("ATR1223", "invalid_request", "org names another organization than the path does.");
    private static readonly OAuthError BadPathOrganization = new("ATR1224", "invalid_request", "The path names no organization.");
    private static readonly OAuthError NotPushed = new("ATR1242", "invalid_request", "This client must push its authorization requests first, and send the request_uri that it gets.");
    private static readonly OAuthError NotItsResource = new("ATR1243", "invalid_target", "This client may not ask for tokens for that resource.");

    /// <summary>Exact match with what is registered. Until it is found, nothing is sent to the address in the request (RFC 9700 section 4.11).</summary>
    public static OAuthError? CheckRedirect(Client client, SentRequest sent, out string redirectUri)
    {
        redirectUri = sent.Parameters.ValueOf("redirect_uri") ?? "";
        return client.AcceptsRedirect(redirectUri) ? null : BadRedirect;
    }

    /// <summary>Each rule in turn; the first that is broken is told.</summary>
    public static OAuthError? Check(Client client, string redirectUri, SentRequest sent, out CheckedRequest? request)
    {
        request = null;
        (IReadOnlyDictionary<string, StringValues> parameters, string? pathOrganization, bool wasPushed) = sent;
        Id<Organization>? organization = null;
        IReadOnlyList<string>? scopes = null;
        string? resource = null;
        string? dpopJkt = null;
        Prompts prompts = Prompts.None;
        int? maxAge = null;
        OAuthError? error =
            CheckOrganizationForm(parameters)
            ?? OAuthParameters.CheckRepeated(parameters)
            ?? CheckRequestObject(parameters)
            ?? (client.Settings.Openid.RequirePushedAuthorizationRequests && !wasPushed ? NotPushed : null)
            ?? CheckResponseType(parameters)
            ?? CheckResponseMode(parameters)
            ?? (client.MayUse("authorization_code") ? null : NotForThisClient)
            ?? OAuthParameters.CheckLengths(parameters)
            ?? CheckPkce(client, parameters)
            ?? OAuthParameters.CheckScope(parameters, out scopes)
            ?? OAuthParameters.CheckResource(parameters, out resource)
            ?? (resource is null || TokenAudience.MayAskFor(client, resource) ? null : NotItsResource)
            ?? OAuthParameters.CheckKey(parameters, out dpopJkt)
            ?? CheckPrompt(parameters, out prompts)
            ?? CheckMaxAge(parameters, out maxAge)
            ?? CheckOrganization(client, pathOrganization, parameters, out organization);
        if (error is not null)
            return error;

        request = new CheckedRequest
        {
            Request = new AuthorizationRequest
            {
                RedirectUri = redirectUri,
                Scopes = scopes ?? [],
                State = OAuthParameters.StateOf(parameters),
                Nonce = parameters.ValueOf("nonce"),
                CodeChallenge = parameters.ValueOf("code_challenge"),
                Resource = resource,
                DpopJkt = dpopJkt,
                LoginHint = OAuthParameters.LoginHintOf(parameters),
                AcrValues = OAuthParameters.AcrValuesOf(parameters),
                SelectAccount = prompts.HasFlag(Prompts.SelectAccount),
                Organization = organization?.ToString(),
                AsksConsent = prompts.HasFlag(Prompts.Consent),
                OnOrganizationPath = pathOrganization is not null,
            },
            Choice = organization is { } chosen ? new OrganizationChoice.Chosen(chosen) : OrganizationChoice.Unchosen,
            Prompts = prompts,
            MaxAge = maxAge,
            IdTokenHint = parameters.ValueOf("id_token_hint"),
        };
        return null;
    }

    private static OAuthError? CheckOrganizationForm(IReadOnlyDictionary<string, StringValues> parameters) =>
        OAuthParameters.CheckOrganization(parameters, out _);

    /// <summary>OpenID Connect Core section 6: what is not supported must be refused by name.</summary>
    private static OAuthError? CheckRequestObject(IReadOnlyDictionary<string, StringValues> parameters) =>
        parameters.ContainsKey("request") ? RequestObject : parameters.ContainsKey("request_uri") ? RequestUri : null;

    private static OAuthError? CheckResponseType(IReadOnlyDictionary<string, StringValues> parameters) => parameters.ValueOf("response_type") switch
    {
        null => NoResponseType,
        "code" => null,
        _ => OtherResponseType,
    };

    private static OAuthError? CheckResponseMode(IReadOnlyDictionary<string, StringValues> parameters) =>
        parameters.ValueOf("response_mode") is null or "query" ? null : OtherResponseMode;

    /// <summary>RFC 9700 section 2.1.1. A public client has nothing else that binds a code to it, so in a browser it can't go without.</summary>
    private static OAuthError? CheckPkce(Client client, IReadOnlyDictionary<string, StringValues> parameters)
    {
        string? challenge = parameters.ValueOf("code_challenge");
        string? method = parameters.ValueOf("code_challenge_method");
        if (challenge is null)
            return method is not null || client.Settings.PkceRequired || !client.IsConfidential ? NoChallenge : null;
        if (method != Pkce.Method)
            return OtherChallengeMethod;
        return Pkce.IsChallenge(challenge) ? null : BadChallenge;
    }

    private static OAuthError? CheckPrompt(IReadOnlyDictionary<string, StringValues> parameters, out Prompts prompts)
    {
        prompts = Prompts.None;
        foreach (string word in parameters.ValueOf("prompt")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            Prompts? prompt = word switch
            {
                "none" => Prompts.Silent,
                "login" => Prompts.Login,
                "consent" => Prompts.Consent,
                "select_account" => Prompts.SelectAccount,
                "create" => Prompts.Create,
                _ => null,
            };
            if (prompt is null)
                return BadPrompt;
            prompts |= prompt.Value;
        }

        return prompts.HasFlag(Prompts.Silent) && prompts != Prompts.Silent ? BadPrompt : null;
    }

    private static OAuthError? CheckMaxAge(IReadOnlyDictionary<string, StringValues> parameters, out int? maxAge)
    {
        maxAge = null;
        if (parameters.ValueOf("max_age") is not { } text)
            return null;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds))
            return BadMaxAge;
        maxAge = seconds;
        return null;
    }

    /// <summary>Whether the client may name it is settled here, before anybody signs in; whether the person is in it, when the code is redeemed.</summary>
    private static OAuthError? CheckOrganization(
        Client client, string? pathOrganization, IReadOnlyDictionary<string, StringValues> parameters, out Id<Organization>? organization)
    {
        if (OAuthParameters.CheckOrganization(parameters, out organization) is { } error)
            return error;
        if (pathOrganization is not null)
        {
            if (Id<Organization>.Parse(pathOrganization) is not { } ofPath)
                return BadPathOrganization;
            if (organization is { } named && named != ofPath)
                return TwoOrganizations;
            organization = ofPath;
        }

        return organization is { } chosen && !client.Settings.Restrictions.Organizations.Allows(chosen) ? OrganizationNotAllowed : null;
    }
}
