using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Server.Doors.Management.Bodies;

namespace Atrium.Server.Doors.Management.Clients;

/// <summary>A client's settings as a body says them. What is left out has its default.</summary>
internal static class ClientSettingsBodies
{
    private static readonly Field<int?> AccessTokenAge = Age("default_access_token_age")
        .Describe("Seconds an access token lives; 1800 unless said, and 300 at the AuthKit door.");

    private static readonly Field<int?> IdTokenAge = Age("default_id_token_age").Describe("Seconds an ID token lives; 3600 unless said.");

    private static readonly Field<int?> RefreshTokenAge = Age("default_refresh_token_age").Describe("Seconds a refresh token lives; 604800 unless said.");

    private static readonly Field<int?> RefreshGrace = Field.Whole("refresh_grace_seconds", 0, ClientSettingsRules.LongestGrace)
        .Describe("Seconds during which a spent refresh token still answers with its successor; 30 unless said.");

    private static readonly Field<bool?> RequirePushed = Field.Flag("require_pushed_authorization_requests")
        .Describe("Whether the client's authorization requests are taken only where it pushed them before (RFC 9126); false unless said.");

    private static readonly Field<IReadOnlyList<string>> Resources = Field
        .List("resources", Field.Text("resource", ResourceUris.MaxLength), ResourceUris.MaxOfClient)
        .Describe("The resources that the client's tokens may be for (RFC 8707), absolute URIs. Null: any for an application of the realm's own owner, none for a third party's.");

    private static readonly Field<string> DefaultResource = Field.Text("default_resource", ResourceUris.MaxLength)
        .Describe("The resource that a token is for where none was asked for, an absolute URI; null for the client itself.");

    private static readonly Field<bool?> DpopBound = Field.Flag("dpop_bound_access_tokens")
        .Describe("Whether every token request needs a DPoP proof, so that the client gets no bearer tokens (RFC 9449).");

    private static readonly Field<bool?> DpopNonce = Field.Flag("dpop_nonce_required")
        .Describe("Whether the client's DPoP proofs need a nonce that the server gave (RFC 9449).");

    private static readonly Field<Body> Openid = Field.Nested(
        "openid", new Shape(AccessTokenAge, IdTokenAge, RefreshTokenAge, RefreshGrace, RequirePushed, Resources, DefaultResource, DpopBound, DpopNonce));

    private static readonly Field<OrganizationPolicy?> Policy = Field.Choice<OrganizationPolicy>("policy")
        .Describe("`all` memberships, `none` of them, or those of an `allowlist`.");

    private static readonly Field<IReadOnlyList<Id<Organization>?>> AllowedOrgIds = Field
        .List("allowed_org_ids", Field.IdOf<Organization>("id"), ClientSettingsRules.MaxAllowedOrganizations)
        .Describe("The organizations of an allowlist, at least one; each one of the realm.");

    private static readonly Field<Body> Organizations = Field.Nested("organizations", new Shape(Policy, AllowedOrgIds))
        .Describe("Which organizations the client's tokens may speak of.");

    private static readonly Field<Body> Restrictions = Field.Nested("restrictions", new Shape(Organizations));

    private static readonly Field<TokenProfile?> Profile = Field.Choice<TokenProfile>("profile")
        .Describe("How organizations are projected into a token; null leaves it to the door.");

    private static readonly Field<int?> Budget = Field
        .Whole("organization_budget_bytes", ClientSettingsRules.SmallestBudget, ClientSettingsRules.LargestBudget)
        .Describe("How many bytes organizations may take up in a token; 4096 unless said.");

    private static readonly Field<Body> Tokens = Field.Nested("tokens", new Shape(Profile, Budget));

    private static readonly Field<bool?> AppNativeEnabled = Field.Flag("enabled").Describe("Whether the client may sign people in as JSON, without a browser.");

    private static readonly Field<bool?> EnhancedOrganizations = Field.Flag("enhanced_organization_authentication")
        .Describe("Whether the first step at the root offers the organization option beside the client's own; true unless said.");

    private static readonly Field<IReadOnlyList<IReadOnlyList<string>>> Steps = Field
        .List(
            "steps",
            Field.List("step", Field.Word("method", ClientSettingsRules.Methods), max: ClientSettingsRules.Methods.Count, min: 1),
            ClientSettingsRules.MaxSteps,
            min: 1)
        .Describe("The methods asked for, step by step; a step may offer several.");

    private static readonly Field<string> DiscoveryParameter = Field.Word("discovery_parameter", ClientSettingsRules.DiscoveryParameters)
        .Describe("The parameter that the organization prompt asks for; `orgHandle` unless said.");

    private static readonly Field<TokenIssuerSetting?> Issuer = Field.Choice<TokenIssuerSetting>("token_issuer")
        .Describe("Whose issuer the tokens of an organization sign-in name: that of the realm's `root` unless said, or the `organization`'s.");

    private static readonly Field<Body> AppNative = Field.Nested(
        "app_native", new Shape(AppNativeEnabled, EnhancedOrganizations, Steps, DiscoveryParameter, Issuer));

    private static readonly Field<bool?> AuthkitEnabled = Field.Flag("enabled").Describe("Whether the client may sign people in through the AuthKit door.");

    private static readonly Field<Body> Authkit = Field.Nested("authkit", new Shape(AuthkitEnabled));

    private static readonly Field<string> BackchannelUri = Field.Text("backchannel_uri", ClientRules.MaxUriLength)
        .Describe("Where the application's server is told of the end of a session (OpenID Connect Back-Channel Logout); null not to be.");

    private static readonly Field<bool?> BackchannelSessionRequired = Field.Flag("backchannel_session_required")
        .Describe("Whether a logout token must name the session. It always does.");

    private static readonly Field<string> FrontchannelUri = Field.Text("frontchannel_uri", ClientRules.MaxUriLength)
        .Describe("What the signed-out page loads in a frame (OpenID Connect Front-Channel Logout); of the origin of a redirect URI, or null.");

    private static readonly Field<bool?> FrontchannelSessionRequired = Field.Flag("frontchannel_session_required")
        .Describe("Whether that frame's address says `iss` and `sid`.");

    private static readonly Field<Body> Logout = Field.Nested(
        "logout", new Shape(BackchannelUri, BackchannelSessionRequired, FrontchannelUri, FrontchannelSessionRequired))
        .Describe("How the application hears that a session has ended.");

    private static readonly Field<bool?> PkceRequired = Field.Flag("pkce_required")
        .Describe("May be false only for app-native and confidential clients; a challenge that was sent is always checked. True unless said.");

    private static readonly Field<bool?> FirstParty = Field.Flag("first_party")
        .Describe("An application of the realm's own owner, as it is unless said: it may show people a sign-in of its own making. People are asked before a third party's gets anything.");

    private static readonly Field<OrganizationPicker?> Picker = Field.Choice<OrganizationPicker>("organization_picker")
        .Describe("When the hosted pages ask which organization a sign-in is for: where the tokens speak of one only (`auto`), or also where they could speak of all (`always`).");

    private static readonly Field<ClientAuth?> Authentication = Field.Choice<ClientAuth>("client_auth")
        .Describe("How a confidential client proves who it is: its secret in the header (`basic`) or in the form (`post`), either unless said; or `private_key_jwt`.");

    private static readonly Field<string> Kty = Field.Word("kty", ClientKey.Types).Required();
    private static readonly Field<string> Use = Field.Word("use", ClientKey.Uses);
    private static readonly Field<string> Alg = Field.Word("alg", ClientKey.Algorithms);
    private static readonly Field<string> Kid = Field.Text("kid", ClientKey.MaxKidLength);
    private static readonly Field<string> Crv = Field.Word("crv", ClientKey.Curves);
    private static readonly Field<string> X = Field.Text("x", ClientKey.MaxNumberLength);
    private static readonly Field<string> Y = Field.Text("y", ClientKey.MaxNumberLength);
    private static readonly Field<string> N = Field.Text("n", ClientKey.MaxNumberLength);
    private static readonly Field<string> E = Field.Text("e", ClientKey.MaxNumberLength);

    private static readonly Field<IReadOnlyList<Body>> Keys = Field
        .List("keys", Field.Nested("key", new Shape(Kty, Use, Alg, Kid, Crv, X, Y, N, E)), ClientKeySet.MaxKeys, min: 1)
        .Required();

    private static readonly Field<Body> Jwks = Field.Nested("jwks", new Shape(Keys))
        .Describe("The public keys of a client that proves itself by its own signature (RFC 7517); needed for `private_key_jwt`.");

    public static Field<Body> Settings { get; } = Field.Nested(
        "settings", new Shape(Openid, Restrictions, Tokens, AppNative, Authkit, Logout, PkceRequired, FirstParty, Picker, Authentication, Jwks));

    public static ClientSettings Read(Body? settings)
    {
        ClientSettings otherwise = new();
        if (settings is null)
            return otherwise;
        return new ClientSettings
        {
            Openid = OpenidOf(settings.Of(Openid), otherwise.Openid),
            Restrictions = new RestrictionSettings { Organizations = RestrictionOf(settings.Of(Restrictions)?.Of(Organizations)) },
            Tokens = new TokenSettings
            {
                Profile = settings.Of(Tokens)?.Of(Profile),
                OrganizationBudgetBytes = settings.Of(Tokens)?.Of(Budget) ?? otherwise.Tokens.OrganizationBudgetBytes,
            },
            AppNative = AppNativeOf(settings.Of(AppNative), otherwise.AppNative),
            Authkit = new AuthKitSettings { Enabled = settings.Of(Authkit)?.Of(AuthkitEnabled) ?? false },
            Logout = settings.Of(Logout) is { } logout ? LogoutOf(logout) : otherwise.Logout,
            PkceRequired = settings.Of(PkceRequired) ?? otherwise.PkceRequired,
            FirstParty = settings.Of(FirstParty) ?? otherwise.FirstParty,
            OrganizationPicker = settings.Of(Picker) ?? otherwise.OrganizationPicker,
            ClientAuth = settings.Of(Authentication),
            Jwks = settings.Of(Jwks) is { } jwks ? new ClientKeySet([.. jwks.Of(Keys)!.Select(KeyOf)]) : null,
        };
    }

    private static OpenIdSettings OpenidOf(Body? openid, OpenIdSettings otherwise) => openid is null ? otherwise : new OpenIdSettings
    {
        DefaultAccessTokenAge = openid.Of(AccessTokenAge),
        DefaultIdTokenAge = openid.Of(IdTokenAge) ?? otherwise.DefaultIdTokenAge,
        DefaultRefreshTokenAge = openid.Of(RefreshTokenAge) ?? otherwise.DefaultRefreshTokenAge,
        RefreshGraceSeconds = openid.Of(RefreshGrace) ?? otherwise.RefreshGraceSeconds,
        RequirePushedAuthorizationRequests = openid.Of(RequirePushed) ?? false,
        Resources = openid.Of(Resources),
        DefaultResource = openid.Of(DefaultResource),
        DpopBoundAccessTokens = openid.Of(DpopBound) ?? otherwise.DpopBoundAccessTokens,
        DpopNonceRequired = openid.Of(DpopNonce) ?? otherwise.DpopNonceRequired,
    };

    private static OrganizationRestriction RestrictionOf(Body? organizations) => organizations is null ? new() : new OrganizationRestriction
    {
        Policy = organizations.Of(Policy) ?? OrganizationPolicy.All,
        AllowedOrgIds = [.. (organizations.Of(AllowedOrgIds) ?? []).Select(static id => id!.Value.ToString())],
    };

    private static AppNativeSettings AppNativeOf(Body? appNative, AppNativeSettings otherwise) => appNative is null ? otherwise : new AppNativeSettings
    {
        Enabled = appNative.Of(AppNativeEnabled) ?? false,
        EnhancedOrganizationAuthentication = appNative.Of(EnhancedOrganizations) ?? otherwise.EnhancedOrganizationAuthentication,
        Steps = appNative.Of(Steps) ?? otherwise.Steps,
        DiscoveryParameter = appNative.Of(DiscoveryParameter) ?? otherwise.DiscoveryParameter,
        TokenIssuer = appNative.Of(Issuer) ?? otherwise.TokenIssuer,
    };

    private static LogoutSettings LogoutOf(Body logout) => new()
    {
        BackchannelUri = logout.Of(BackchannelUri),
        BackchannelSessionRequired = logout.Of(BackchannelSessionRequired) ?? false,
        FrontchannelUri = logout.Of(FrontchannelUri),
        FrontchannelSessionRequired = logout.Of(FrontchannelSessionRequired) ?? false,
    };

    private static ClientKey KeyOf(Body key) => new()
    {
        Kty = key.Of(Kty)!,
        Use = key.Of(Use),
        Alg = key.Of(Alg),
        Kid = key.Of(Kid),
        Crv = key.Of(Crv),
        X = key.Of(X),
        Y = key.Of(Y),
        N = key.Of(N),
        E = key.Of(E),
    };

    private static Field<int?> Age(string name) => Field.Whole(name, ClientSettingsRules.ShortestAge, ClientSettingsRules.LongestAge);
}
