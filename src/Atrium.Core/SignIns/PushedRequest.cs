using Atrium.Core.Clients;
using Atrium.Core.Realms;

namespace Atrium.Core.SignIns;

/// <summary>An authorization request that its client sent ahead of the browser (RFC 9126). The browser only brings a reference to it, once.</summary>
public sealed record PushedRequest
{
    /// <summary>What every reference begins with (RFC 9126 section 2.2); a secret follows.</summary>
    public const string UriPrefix = "urn:ietf:params:oauth:request_uri:";

    /// <summary>Long enough for a browser to arrive (FAPI 2.0 section 5.3.2.2 allows less than 600 seconds).</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    public required Id<Realm> RealmId { get; init; }

    /// <summary>Of the secret in the reference.</summary>
    public required SecretHash UriHash { get; init; }

    public required Id<Client> ClientId { get; init; }

    /// <summary>As they were pushed, but for what proves the client.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>The organization of the path that it was pushed on, as it was sent; null on the realm's own.</summary>
    public string? PathOrganization { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}
