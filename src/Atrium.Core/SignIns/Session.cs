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

    /// <summary>The absolute end; no refresh reaches beyond it.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it ended; null also of one that ended before reasons were noted.</summary>
    public SessionEnd? EndReason { get; init; }

    public bool IsLive(DateTimeOffset now) => EndedAt is null && now < ExpiresAt;
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
}
