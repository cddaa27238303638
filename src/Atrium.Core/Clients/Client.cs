using System.Text.Json.Serialization;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;

namespace Atrium.Core.Clients;

/// <summary>An application. Its settings restrict which organizations its tokens may speak of.</summary>
public sealed record Client : IIdentified
{
    public static string IdPrefix => "c_";

    /// <summary>How long a secret works after another one took its place.</summary>
    public static readonly TimeSpan SecretOverlap = TimeSpan.FromMinutes(15);

    public required Id<Realm> RealmId { get; init; }

    public required Id<Client> Id { get; init; }

    /// <summary>The <c>client_id</c> of the wire; unique in the server. Equal to the id unless a name was chosen.</summary>
    public required string ClientId { get; init; }

    public required string Name { get; init; }

    public required ClientType Type { get; init; }

    public SecretHash? SecretHash { get; init; }

    /// <summary>The secret before the last rotation, which is taken until <see cref="PreviousSecretEndsAt"/>.</summary>
    public SecretHash? PreviousSecretHash { get; init; }

    public DateTimeOffset? PreviousSecretEndsAt { get; init; }

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

    /// <summary>Runs where nobody can look into it, and so can prove who it is (RFC 6749 section 2.1).</summary>
    public bool IsConfidential => IsConfidentialType(Type);

    public static bool IsConfidentialType(ClientType type) => type is ClientType.Web or ClientType.M2M;

    /// <summary>Whether it proves who it is by a secret.</summary>
    public bool HasSecret => IsConfidential && Settings.ClientAuth != ClientAuth.PrivateKeyJwt;

    /// <summary>
    /// Whether a caller that sent this secret in this way, or none, is the client. A public client has no secret to be wrong about. Both hashes are
    /// compared, each in constant time, so that an answer's delay does not tell which one is nearer.
    /// </summary>
    public bool IsProvedBy(Secret? secret, ClientAuth way, DateTimeOffset now)
    {
        if (!IsConfidential)
            return secret is null;
        if (secret is not { } presented || !Settings.TakesSecretBy(way))
            return false;
        SecretHash hash = presented.Hash();
        bool isCurrent = SecretHash is { } current && hash == current;
        bool isPrevious = PreviousSecretHash is { } previous && hash == previous;
        return isCurrent | (isPrevious & now < PreviousSecretEndsAt.GetValueOrDefault());
    }

    /// <summary>With another secret; the one before is taken for a while yet, so that nothing that runs is cut off.</summary>
    public Client WithSecret(Secret secret, DateTimeOffset now) => this with
    {
        SecretHash = secret.Hash(),
        PreviousSecretHash = SecretHash,
        PreviousSecretEndsAt = SecretHash is null ? null : now + SecretOverlap,
        UpdatedAt = now,
    };

    /// <summary>
    /// Whether it may show people a sign-in at this door. At every one but the browser's it takes the person's password itself, which is for applications
    /// of the realm's owner alone (draft-ietf-oauth-first-party-apps section 1).
    /// </summary>
    public bool IsTrustedAt(Door door) => Settings.FirstParty || door == Door.OAuth;

    public bool MayUse(string grantType) => GrantTypes.Contains(grantType);

    /// <summary>Exact string match (RFC 9700 section 2.1), but for the port of a loopback address of a native client (RFC 8252 section 7.3).</summary>
    public bool AcceptsRedirect(string redirectUri) =>
        RedirectUris.Contains(redirectUri) || (Type == ClientType.Native && RedirectUris.Any(registered => IsSameLoopback(registered, redirectUri)));

    /// <summary>Origins that a browser may call from: those of the registered redirect URIs.</summary>
    public IEnumerable<string> Origins =>
        RedirectUris.Select(WebOrigin.Of).OfType<string>().Distinct(StringComparer.Ordinal);

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
    [JsonStringEnumMemberName("m2m")]
    M2M,
}

public enum ClientStatus
{
    Active,
    Disabled,
}
