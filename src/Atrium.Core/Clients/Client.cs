using Atrium.Core.Realms;
using Atrium.Core.SignIns;

namespace Atrium.Core.Clients;

/// <summary>An application. Its settings restrict which organizations its tokens may speak of.</summary>
public sealed record Client : IIdentified
{
    public static string IdPrefix => "c_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Client> Id { get; init; }

    /// <summary>The <c>client_id</c> of the wire; unique in the server. Equal to the id unless a name was chosen.</summary>
    public required string ClientId { get; init; }

    public required string Name { get; init; }

    public required ClientType Type { get; init; }

    public SecretHash? SecretHash { get; init; }

    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];

    public required IReadOnlyList<string> GrantTypes { get; init; }

    /// <summary>The signature of its tokens; null leaves it to the door: ES256 for OAuth, RS256 for AuthKit and app-native.</summary>
    public string? SignatureAlgorithm { get; init; }

    public ClientStatus Status { get; init; }

    /// <summary>Whether every organization of the realm may sign in here by the app-native door, or only those it is shared with.</summary>
    public bool SharedWithAll { get; init; } = true;

    public ClientSettings Settings { get; init; } = new();

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public bool IsConfidential => SecretHash is not null;

    public bool MayUse(string grantType) => GrantTypes.Contains(grantType);

    /// <summary>Exact string match (RFC 9700 section 2.1), but for the port of a loopback address of a native client (RFC 8252 section 7.3).</summary>
    public bool AcceptsRedirect(string redirectUri) =>
        RedirectUris.Contains(redirectUri) || (Type == ClientType.Native && RedirectUris.Any(registered => IsSameLoopback(registered, redirectUri)));

    /// <summary>Origins that a browser may call from: those of the registered redirect URIs.</summary>
    public IEnumerable<string> Origins =>
        RedirectUris.Select(static uri => Uri.TryCreate(uri, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "http" or "https"
                ? parsed.GetLeftPart(UriPartial.Authority)
                : null)
            .OfType<string>()
            .Distinct(StringComparer.Ordinal);

    public TokenProfile ProfileFor(Door door) => Settings.Tokens.Profile ?? door switch
    {
        Door.AuthKit => TokenProfile.SingleOrg,
        Door.AppNative => TokenProfile.Organization,
        _ => TokenProfile.MultiOrg,
    };

    private static bool IsSameLoopback(string registered, string presented) =>
        Uri.TryCreate(registered, UriKind.Absolute, out Uri? left)
        && Uri.TryCreate(presented, UriKind.Absolute, out Uri? right)
        && left is { Scheme: "http", Host: "127.0.0.1" or "[::1]" }
        && right.Scheme == left.Scheme && right.Host == left.Host && right.UserInfo.Length == 0
        && right.PathAndQuery == left.PathAndQuery && right.Fragment.Length == 0;
}

public enum ClientType
{
    /// <summary>Runs in a browser; public.</summary>
    Spa,

    /// <summary>Runs on a device; public.</summary>
    Native,

    /// <summary>Runs on a server; confidential.</summary>
    Web,

    /// <summary>Speaks for itself, never for a person.</summary>
    M2M,
}

public enum ClientStatus
{
    Active,
    Disabled,
}
