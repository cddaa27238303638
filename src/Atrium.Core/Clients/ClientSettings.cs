using Atrium.Core.Organizations;

namespace Atrium.Core.Clients;

/// <summary>How a client's tokens and sign-ins behave. Ages are seconds.</summary>
public sealed record ClientSettings
{
    public OpenIdSettings Openid { get; init; } = new();

    public RestrictionSettings Restrictions { get; init; } = new();

    public TokenSettings Tokens { get; init; } = new();

    public AppNativeSettings AppNative { get; init; } = new();

    public AuthKitSettings Authkit { get; init; } = new();

    public LogoutSettings Logout { get; init; } = new();

    /// <summary>May be false only for app-native and confidential clients; a challenge that was sent is always checked.</summary>
    public bool PkceRequired { get; init; } = true;

    /// <summary>
    /// An application of the realm's own owner: it may show people a sign-in of its own making, and nobody is asked to let it have what they have there
    /// themselves. One that an operator registers is theirs unless they say otherwise.
    /// </summary>
    public bool FirstParty { get; init; } = true;

    /// <summary>When the hosted pages ask which organization a sign-in is for.</summary>
    public OrganizationPicker OrganizationPicker { get; init; }

    /// <summary>How a confidential client proves who it is; null leaves it the choice of the two ways to send its secret.</summary>
    public ClientAuth? ClientAuth { get; init; }

    /// <summary>The public keys of a client that proves itself by its own signature.</summary>
    public ClientKeySet? Jwks { get; init; }

    public bool TakesSecretBy(ClientAuth way) => ClientAuth is { } only ? only == way : way != Clients.ClientAuth.PrivateKeyJwt;
}

/// <summary>When people are asked, on a page of this server, which organization a sign-in is for.</summary>
public enum OrganizationPicker
{
    /// <summary>Where the client's tokens speak of one organization only.</summary>
    Auto,

    /// <summary>Also where they could speak of all: the person picks one, or all of them.</summary>
    Always,
}

/// <summary>The ways in which a confidential client proves who it is (OpenID Connect Core section 9).</summary>
public enum ClientAuth
{
    /// <summary>The secret in the header: <c>client_secret_basic</c>.</summary>
    Basic,

    /// <summary>The secret in the form: <c>client_secret_post</c>.</summary>
    Post,

    /// <summary>A JWT signed with the client's own key (RFC 7523).</summary>
    PrivateKeyJwt,
}

public sealed record OpenIdSettings
{
    /// <summary>Seconds an access token lives; null leaves it to the door: 1800, and 300 for AuthKit.</summary>
    public int? DefaultAccessTokenAge { get; init; }

    public int DefaultIdTokenAge { get; init; } = 3600;

    public int DefaultRefreshTokenAge { get; init; } = 7 * 24 * 3600;

    /// <summary>Seconds during which a spent refresh token still answers with its successor; 0 to 60.</summary>
    public int RefreshGraceSeconds { get; init; } = 30;

    /// <summary>Whether the client's authorization requests are taken only where it pushed them before (RFC 9126 section 6).</summary>
    public bool RequirePushedAuthorizationRequests { get; init; }

    /// <summary>The resources that its tokens may be for (RFC 8707); null leaves it to <see cref="ClientSettings.FirstParty"/>: any, or none.</summary>
    public IReadOnlyList<string>? Resources { get; init; }

    /// <summary>What its tokens are for where none was asked for; null for the client itself.</summary>
    public string? DefaultResource { get; init; }

    /// <summary>Whether it gets no token that is not bound to a key of its own (RFC 9449 section 5.2).</summary>
    public bool DpopBoundAccessTokens { get; init; }

    /// <summary>Whether its proofs must have a nonce of the server's (RFC 9449 section 8).</summary>
    public bool DpopNonceRequired { get; init; }
}

public sealed record RestrictionSettings
{
    public OrganizationRestriction Organizations { get; init; } = new();
}

/// <summary>Which organizations a client's tokens may speak of (<c>settings.restrictions.organizations</c>).</summary>
public sealed record OrganizationRestriction
{
    public OrganizationPolicy Policy { get; init; } = OrganizationPolicy.All;

    /// <summary>Ids as text, as they stand in the setting; read only when the policy is <see cref="OrganizationPolicy.Allowlist"/>.</summary>
    public IReadOnlyList<string> AllowedOrgIds { get; init; } = [];

    public bool Allows(Id<Organization> organization) => Policy switch
    {
        OrganizationPolicy.All => true,
        OrganizationPolicy.Allowlist => AllowedOrgIds.Contains(organization.ToString()),
        _ => false,
    };
}

public enum OrganizationPolicy
{
    All,
    None,
    Allowlist,
}

public sealed record TokenSettings
{
    /// <summary>Null leaves it to the door that the grant came through.</summary>
    public TokenProfile? Profile { get; init; }

    /// <summary>How many bytes organizations may take up in a token.</summary>
    public int OrganizationBudgetBytes { get; init; } = 4096;
}

/// <summary>How organizations are projected into a token.</summary>
public enum TokenProfile
{
    /// <summary>An array of all memberships, or of the selected one.</summary>
    MultiOrg,

    /// <summary><c>org_id</c>, <c>role</c>, <c>roles</c>, <c>permissions</c> of one organization, or none of them.</summary>
    SingleOrg,

    /// <summary><c>org_id</c>, <c>org_name</c>, <c>org_handle</c>, and <c>user_org</c> after an organization sign-in.</summary>
    Organization,
}

public sealed record AppNativeSettings
{
    public bool Enabled { get; init; }

    /// <summary>Whether the first step at the root offers the organization option beside the client's own.</summary>
    public bool EnhancedOrganizationAuthentication { get; init; } = true;

    /// <summary>The methods asked for, step by step; a step may offer several.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Steps { get; init; } = [["password"]];

    /// <summary>The parameter that the organization prompt asks for; the others are understood all the same.</summary>
    public string DiscoveryParameter { get; init; } = "orgHandle";

    /// <summary>Whose issuer the tokens of an organization sign-in name.</summary>
    public TokenIssuerSetting TokenIssuer { get; init; } = TokenIssuerSetting.Root;
}

public enum TokenIssuerSetting
{
    Root,
    Organization,
}

public sealed record AuthKitSettings
{
    /// <summary>Whether the client may sign people in through the AuthKit door.</summary>
    public bool Enabled { get; init; }
}
