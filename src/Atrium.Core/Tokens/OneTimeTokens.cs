using Atrium.Core.Realms;

namespace Atrium.Core.Tokens;

/// <summary>What carries a grant through the browser to the client's back end, once.</summary>
public sealed record AuthorizationCode
{
    /// <summary>RFC 9700 section 2.1.1 wants them short; 60 seconds on every door.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    public required Id<Realm> RealmId { get; init; }

    public required SecretHash CodeHash { get; init; }

    public required Id<Grant> GrantId { get; init; }

    public string? RedirectUri { get; init; }

    public string? Nonce { get; init; }

    public string? CodeChallenge { get; init; }

    /// <summary>The key that whoever redeems it must hold (RFC 9449 section 10); null where the request named none.</summary>
    public string? DpopJkt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? SpentAt { get; init; }

    /// <summary>Which redemption spent it: of two at the same moment, one finds its own mark here.</summary>
    public SecretHash? SpentBy { get; init; }
}

/// <summary>One of the family of a grant. It is spent for a successor; presented again within the grace it answers with the same one.</summary>
public sealed record RefreshToken
{
    public required Id<Realm> RealmId { get; init; }

    public required SecretHash TokenHash { get; init; }

    public required Id<Grant> GrantId { get; init; }

    /// <summary>The key that whoever shows it must hold (RFC 9449 section 5); null where it is bound to none.</summary>
    public string? DpopJkt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? SpentAt { get; init; }

    /// <summary>The successor's text, encrypted under a key that only the holder of this token can derive; it opens with the key that the successor is bound to.</summary>
    public byte[]? SealedSuccessor { get; init; }
}
