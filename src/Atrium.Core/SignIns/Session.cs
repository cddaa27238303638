using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>The person's standing sign-in at the realm; one for all organizations. Only a completed <see cref="SignIn"/> makes one.</summary>
public sealed record Session : IIdentified
{
    public static string IdPrefix => "s_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Session> Id { get; init; }

    public required Id<User> UserId { get; init; }

    public required IReadOnlyList<Proof> Proofs { get; init; }

    public required DateTimeOffset AuthenticatedAt { get; init; }

    public string? IpAddress { get; init; }

    public string? UserAgent { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When it was begun, signed in with once more, or refreshed from.</summary>
    public required DateTimeOffset LastUsedAt { get; init; }

    /// <summary>Seconds without a use after which it is over.</summary>
    public required int IdleTimeout { get; init; }

    /// <summary>The absolute end; no refresh reaches beyond it.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it ended; null also of one that ended before reasons were noted.</summary>
    public SessionEnd? EndReason { get; init; }

    public bool IsLive(DateTimeOffset now) => EndedAt is null && now < ExpiresAt && now < LastUsedAt.AddSeconds(IdleTimeout);

    /// <summary>A session that begins now, and lasts as long as the realm lets one.</summary>
    public static Session Begin(
        Id<Realm> realm, Id<Session> id, Id<User> user, IReadOnlyList<Proof> proofs, SessionSettings limits, string? ipAddress, string? userAgent, DateTimeOffset now) => new()
    {
        RealmId = realm,
        Id = id,
        UserId = user,
        Proofs = proofs,
        AuthenticatedAt = proofs.Count == 0 ? now : proofs.Max(static proof => proof.At),
        IpAddress = ipAddress,
        UserAgent = userAgent,
        CreatedAt = now,
        UpdatedAt = now,
        LastUsedAt = now,
        IdleTimeout = limits.IdleTimeout,
        ExpiresAt = now.AddSeconds(limits.MaxAge),
    };
}

/// <summary>What ends a session before its time.</summary>
public enum SessionEnd
{
    /// <summary>The person signed out.</summary>
    SignedOut,

    /// <summary>A back end ended it.</summary>
    Revoked,

    /// <summary>The password that it was opened with is not the person's any more.</summary>
    PasswordChanged,

    /// <summary>Nobody who is disabled stays signed in.</summary>
    UserDisabled,

    /// <summary>The person signed in once more, and has as many sessions as there may be.</summary>
    Displaced,
}
