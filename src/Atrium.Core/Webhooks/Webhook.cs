using Atrium.Core.Organizations;
using Atrium.Core.Realms;

namespace Atrium.Core.Webhooks;

/// <summary>An address of the product that is told what happens in a realm.</summary>
public sealed record Webhook : IIdentified
{
    public static string IdPrefix => "wh_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Webhook> Id { get; init; }

    public required string Name { get; init; }

    /// <summary>An absolute https address; http only where the operator lets it be reached.</summary>
    public required string Url { get; init; }

    /// <summary>Names of events as the dialect has them, or patterns; see <see cref="EventPatterns"/>.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    public required WebhookDialect Dialect { get; init; }

    /// <summary>The organization whose events alone go there.</summary>
    public Id<Organization>? OrganizationId { get; init; }

    public required WebhookStatus Status { get; init; }

    /// <summary>Why it is disabled, for people.</summary>
    public string? StatusReason { get; init; }

    /// <summary>It asked to be left alone until then.</summary>
    public DateTimeOffset? PausedUntil { get; init; }

    /// <summary>The last position of the realm's log before it became active: what happened until then is not for it.</summary>
    public long Since { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}

public enum WebhookStatus
{
    Active,
    Disabled,
}

/// <summary>What a message looks like and how it is signed.</summary>
public enum WebhookDialect
{
    /// <summary>Standard Webhooks 1.0.</summary>
    Standard,

    /// <summary>CloudEvents 1.0 in its JSON format, signed as Standard Webhooks.</summary>
    Cloudevents,

    /// <summary>WorkOS's events, for products that come from there.</summary>
    Authkit,
}

/// <summary>What the messages to an endpoint are signed with. After a rotation there are two for a while.</summary>
public sealed record WebhookSecret : IIdentified
{
    public static string IdPrefix => "whk_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<WebhookSecret> Id { get; init; }

    public required Id<Webhook> WebhookId { get; init; }

    /// <summary>Encrypted; see the secret box of the server.</summary>
    public required byte[] SealedSecret { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Set once it was rotated out: until then it still signs.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
