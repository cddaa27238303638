using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Server.Mail;
using Atrium.Server.Pages;
using Atrium.Storage;

namespace Atrium.Server.Doors.OAuth;

/// <summary>What the server says of itself (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2): what exists, and nothing else.</summary>
public sealed record MetadataBody
{
    public required string Issuer { get; init; }

    public required string AuthorizationEndpoint { get; init; }

    public required string TokenEndpoint { get; init; }

    /// <summary>RFC 9126 section 5; null where direct flows alone begin, which are not pushed.</summary>
    public string? PushedAuthorizationRequestEndpoint { get; init; }

    /// <summary>Of every client (RFC 9126 section 5); the settings of one may still ask it of that one.</summary>
    public bool? RequirePushedAuthorizationRequests => PushedAuthorizationRequestEndpoint is null ? null : false;

    public required string UserinfoEndpoint { get; init; }

    public required string JwksUri { get; init; }

    public required string IntrospectionEndpoint { get; init; }

    public required string RevocationEndpoint { get; init; }

    public required string EndSessionEndpoint { get; init; }

    /// <summary>OpenID Connect Session Management 1.0 section 2.1; only a browser has a session to check.</summary>
    public string? CheckSessionIframe { get; init; }

    /// <summary>OpenID Connect Front-Channel Logout 1.0 section 3, Back-Channel Logout 1.0 section 2.1.</summary>
    public bool FrontchannelLogoutSupported => true;

    public bool FrontchannelLogoutSessionSupported => true;

    public bool BackchannelLogoutSupported => true;

    public bool BackchannelLogoutSessionSupported => true;

    /// <summary>Where the app-native door goes on; no standard names it.</summary>
    public string? AuthnEndpoint { get; init; }

    public IReadOnlyList<string> ScopesSupported => ["openid", "profile", "email", "phone", "address", "offline_access"];

    public required IReadOnlyList<string> ClaimsSupported { get; init; }

    /// <summary>Said because the default is normal claims alone: organizations over a client's budget are distributed.</summary>
    public IReadOnlyList<string> ClaimTypesSupported => ["normal", "distributed"];

    public IReadOnlyList<string> ResponseTypesSupported => ["code"];

    public required IReadOnlyList<string> ResponseModesSupported { get; init; }

    public IReadOnlyList<string> GrantTypesSupported => ["authorization_code", "refresh_token", "client_credentials"];

    public IReadOnlyList<string> SubjectTypesSupported => ["public"];

    public required IReadOnlyList<string> IdTokenSigningAlgValuesSupported { get; init; }

    public IReadOnlyList<string> TokenEndpointAuthMethodsSupported => ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

    public required IReadOnlyList<string> TokenEndpointAuthSigningAlgValuesSupported { get; init; }

    public IReadOnlyList<string> IntrospectionEndpointAuthMethodsSupported => ["client_secret_basic", "client_secret_post", "private_key_jwt"];

    public IReadOnlyList<string> IntrospectionEndpointAuthSigningAlgValuesSupported => TokenEndpointAuthSigningAlgValuesSupported;

    public IReadOnlyList<string> RevocationEndpointAuthMethodsSupported => TokenEndpointAuthMethodsSupported;

    public IReadOnlyList<string> RevocationEndpointAuthSigningAlgValuesSupported => TokenEndpointAuthSigningAlgValuesSupported;

    public IReadOnlyList<string> CodeChallengeMethodsSupported => [Pkce.Method];

    /// <summary>RFC 9449 section 5.1.</summary>
    public required IReadOnlyList<string> DpopSigningAlgValuesSupported { get; init; }

    public IReadOnlyList<string> PromptValuesSupported { get; init; } = ["none", "login", "consent", "select_account"];

    /// <summary>Null where no browser is sent: direct flows take no <c>acr_values</c>.</summary>
    public IReadOnlyList<string>? AcrValuesSupported { get; init; }

    public IReadOnlyList<string> UiLocalesSupported => ["en"];

    /// <summary>RFC 9207 section 3.</summary>
    public required bool AuthorizationResponseIssParameterSupported { get; init; }

    public bool ClaimsParameterSupported => false;

    public bool RequestParameterSupported => false;

    /// <summary>Said aloud because the default is true (OpenID Connect Discovery section 3).</summary>
    public bool RequestUriParameterSupported => false;
}

/// <summary>Discovery documents and keys.</summary>
public sealed class MetadataEndpoint(
    PublicUrl publicUrl, RealmKeys keys, ClientSignatures signatures, OrganizationStore organizations, IMailTransport mail)
{
    private static readonly string[] PersonClaims =
    [
        "iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "acr", "nonce", "amr", "sid", "name", "given_name", "family_name", "preferred_username",
        "picture", "locale", "updated_at", "email", "email_verified", "phone_number", "phone_number_verified", "address",
    ];

    private static readonly OAuthError NoSuchPath = new("ATR1701", "not_found", "The path names no organization.", StatusCodes.Status404NotFound);

    /// <summary>The realm's own issuer, of <c>multi_org</c> tokens.</summary>
    public async Task<IResult> OfRealmAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        string root = publicUrl.Realm(realm.Handle);
        MetadataBody body = new()
        {
            Issuer = root,
            AuthorizationEndpoint = $"{root}/authorize",
            TokenEndpoint = $"{root}/token",
            PushedAuthorizationRequestEndpoint = $"{root}/par",
            UserinfoEndpoint = $"{root}/userinfo",
            JwksUri = $"{root}/jwks.json",
            IntrospectionEndpoint = $"{root}/introspect",
            RevocationEndpoint = $"{root}/revoke",
            EndSessionEndpoint = $"{root}/logout",
            CheckSessionIframe = root + CheckSessionPage.Path,
            ResponseModesSupported = ["query"],
            AcrValuesSupported = AuthenticationLevels.Names,
            AuthorizationResponseIssParameterSupported = true,
            DpopSigningAlgValuesSupported = signatures.Algorithms,
            IdTokenSigningAlgValuesSupported = await keys.AlgorithmsOfAsync(realm.Id, cancellationToken),
            TokenEndpointAuthSigningAlgValuesSupported = signatures.Algorithms,
            ClaimsSupported = [.. PersonClaims, "organizations"],
        };

        // OpenID Connect Initiating User Registration 1.0 section 4.
        return Answer(
            context,
            SignUpRules.IsOpen(realm.Settings, mail.Sends) ? body with { PromptValuesSupported = [.. body.PromptValuesSupported, "create"] } : body);
    }

    /// <summary>
    /// The issuer of <c>organization</c> tokens, which is the realm's also on an organization's path, where the endpoints are the organization's.
    /// Only direct flows are this issuer's; a browser's sign-in is the realm's own issuer's, on whichever path it begins.
    /// </summary>
    public async Task<IResult> OfTokenPathAsync(HttpContext context, string? org, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        string root = publicUrl.Realm(realm.Handle);
        if (org is not null)
        {
            if (Id<Organization>.Parse(org) is not { } id || await organizations.FindAsync(realm.Id, id, cancellationToken) is null)
                return NoSuchPath.ToAnswer(context);
            root = publicUrl.Organization(realm.Handle, id);
        }

        return Answer(context, new MetadataBody
        {
            Issuer = publicUrl.AppNativeIssuer(realm.Handle),
            AuthorizationEndpoint = $"{root}/oauth2/authorize",
            AuthnEndpoint = $"{root}/oauth2/authn",
            TokenEndpoint = $"{root}/oauth2/token",
            UserinfoEndpoint = $"{root}/oauth2/userinfo",
            JwksUri = $"{root}/oauth2/jwks",
            IntrospectionEndpoint = $"{root}/oauth2/introspect",
            RevocationEndpoint = $"{root}/oauth2/revoke",
            EndSessionEndpoint = $"{root}/oidc/logout",
            ResponseModesSupported = ["direct"],
            AuthorizationResponseIssParameterSupported = false,
            IdTokenSigningAlgValuesSupported = [RealmKeys.RS256],
            DpopSigningAlgValuesSupported = signatures.Algorithms,
            TokenEndpointAuthSigningAlgValuesSupported = signatures.Algorithms,
            ClaimsSupported = [.. PersonClaims, "org_id", "org_name", "org_handle", "user_org"],
        });
    }

    /// <summary>Every key of the realm. Kept for a minute only, so that a new key is known before it is used and a withdrawn one soon forgotten.</summary>
    public async Task<IResult> KeysAsync(HttpContext context, CancellationToken cancellationToken)
    {
        JwkSet set = new([.. (await keys.AllAsync(context.Realm().Id, cancellationToken)).Select(static key => key.PublicJwk)]);
        context.Response.Headers.CacheControl = "public, max-age=60";
        return new JsonAnswer<JwkSet>(set, JwkJson.Default.JwkSet);
    }

    private static JsonAnswer<MetadataBody> Answer(HttpContext context, MetadataBody body)
    {
        context.Response.Headers.CacheControl = "public, max-age=300";
        return new JsonAnswer<MetadataBody>(body, OAuthJson.Default.MetadataBody);
    }
}
