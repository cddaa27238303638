using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Tokens;

namespace Atrium.Storage;

/// <summary>A code that a client shows, and what redeeming it gives. It is spent if all of this fits it and what it stands on lives.</summary>
public sealed record CodeRedemption
{
    public required Id<Realm> RealmId { get; init; }

    public required SecretHash CodeHash { get; init; }

    public required Id<Client> ClientId { get; init; }

    public string? RedirectUri { get; init; }

    /// <summary>RFC 7636 section 4.6: what the verifier that was shown comes to; null when none was.</summary>
    public string? CodeChallenge { get; init; }

    /// <summary>The key that was proved.</summary>
    public string? DpopJkt { get; init; }

    /// <summary>The key that the refresh token is bound to.</summary>
    public string? HolderJkt { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>Tells this redemption from every other: the hash that the refresh token is stored under, if one is given.</summary>
    public required SecretHash Mark { get; init; }

    public required bool GivesRefreshToken { get; init; }

    /// <summary>Until when the refresh token lives, unless its session ends before.</summary>
    public required DateTimeOffset RefreshExpiresAt { get; init; }

    /// <summary>How many memberships to read of somebody who speaks of all of theirs.</summary>
    public int MostMemberships { get; init; } = int.MaxValue;
}

/// <summary>A refresh token that a client shows, and its successor. It is spent if it is the client's, unspent, in its time, and what it stands on lives.</summary>
public sealed record RefreshRotation
{
    public required Id<Realm> RealmId { get; init; }

    public required SecretHash TokenHash { get; init; }

    public required Id<Client> ClientId { get; init; }

    /// <summary>The key that was proved.</summary>
    public string? DpopJkt { get; init; }

    /// <summary>The key that the successor is bound to.</summary>
    public string? HolderJkt { get; init; }

    public required DateTimeOffset Now { get; init; }

    public required SecretHash SuccessorHash { get; init; }

    /// <summary>Also what tells this rotation from every other: it is encrypted under a nonce of its own.</summary>
    public required byte[] SealedSuccessor { get; init; }

    /// <summary>Until when the successor lives, unless its session ends before.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The organization that the grant moves to; then the person must be active in it.</summary>
    public Id<Organization>? SwitchTo { get; init; }

    /// <summary>How many memberships to read of somebody who speaks of all of theirs.</summary>
    public int MostMemberships { get; init; } = int.MaxValue;
}

/// <summary>What came of showing a code or a refresh token.</summary>
/// <param name="IsSpentNow">Whether this very call spent it.</param>
/// <param name="Shown">As it was before.</param>
/// <param name="Facts">As they are after.</param>
public sealed record Spending<T>(bool IsSpentNow, T Shown, GrantFacts Facts);
