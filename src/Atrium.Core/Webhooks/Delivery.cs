using Atrium.Core.Events;
using Atrium.Core.Realms;

namespace Atrium.Core.Webhooks;

/// <summary>One event on its way to one endpoint. It is sent at least once: whoever gets it twice knows it by the event's id.</summary>
public sealed record Delivery : IIdentified
{
    public static string IdPrefix => "del_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Delivery> Id { get; init; }

    public required Id<Webhook> WebhookId { get; init; }

    public required Id<Event> EventId { get; init; }

    /// <summary>Where the event stands in the realm's log.</summary>
    public required long Position { get; init; }

    /// <summary>The event's name as the dialect has it.</summary>
    public required string Type { get; init; }

    /// <summary>The id of what the event is about: deliveries of one subject go one after the other.</summary>
    public required string Subject { get; init; }

    public required WebhookDialect Dialect { get; init; }

    /// <summary>What is sent, at every attempt the same.</summary>
    public required string Body { get; init; }

    public DeliveryStatus Status { get; init; }

    /// <summary>Attempts since it was made or was last asked to go again: where it stands in the schedule.</summary>
    public int Tries { get; init; }

    /// <summary>Null of one that is finished, and of one that waits for an earlier one of its subject.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was delivered or given up.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
}

public enum DeliveryStatus
{
    Pending,
    Delivered,
    Failed,
}

/// <summary>One attempt, and what came of it.</summary>
public sealed record DeliveryAttempt
{
    public required DateTimeOffset StartedAt { get; init; }

    public required long DurationMs { get; init; }

    /// <summary>The HTTP status; null when there was no answer.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The beginning of the answer's body.</summary>
    public string? Answer { get; init; }

    /// <summary>Why there was no answer.</summary>
    public string? Error { get; init; }
}
