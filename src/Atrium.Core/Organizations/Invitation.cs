using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.Organizations;

/// <summary>A letter that asks somebody to join an organization. Whoever has its secret link has the mailbox that it was sent to.</summary>
public sealed record Invitation : IIdentified
{
    public static string IdPrefix => "inv_";

    public const int MaxMessageLength = 2000;

    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromDays(7);
    public static readonly TimeSpan ShortestLifetime = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(90);

    public required Id<Realm> RealmId { get; init; }

    public required Id<Invitation> Id { get; init; }

    public required Id<Organization> OrganizationId { get; init; }

    /// <summary>Lower case. Only the person of this address can accept.</summary>
    public required string Email { get; init; }

    /// <summary>What the membership will have.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>What the membership will have.</summary>
    public string? Title { get; init; }

    /// <summary>A few words to the person.</summary>
    public string? Message { get; init; }

    /// <summary>Who invites, in words.</summary>
    public string? InviterName { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>How long it stands, from when it is made or sent again.</summary>
    public required long LifetimeSeconds { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? AcceptedAt { get; init; }

    /// <summary>Who accepted it.</summary>
    public Id<User>? AcceptedBy { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    public InvitationState StateAt(DateTimeOffset now) => this switch
    {
        { AcceptedAt: not null } => InvitationState.Accepted,
        { RevokedAt: not null } => InvitationState.Revoked,
        _ when now >= ExpiresAt => InvitationState.Expired,
        _ => InvitationState.Pending,
    };
}

public enum InvitationState
{
    Pending,
    Accepted,
    Revoked,

    /// <summary>Not accepted in time; it can be sent again.</summary>
    Expired,
}
