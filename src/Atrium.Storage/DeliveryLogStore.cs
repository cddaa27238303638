using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Dapper;

namespace Atrium.Storage;

/// <summary>Whether a delivery goes again.</summary>
public sealed record Redelivery(RedeliveryOutcome Outcome, Delivery? Delivery);

public enum RedeliveryOutcome
{
    Done,
    NotFound,

    /// <summary>Nothing goes to a disabled endpoint.</summary>
    Disabled,

    /// <summary>It is being sent at this moment.</summary>
    UnderWay,
}

/// <summary>What was sent to endpoints and what came back, until it goes by age.</summary>
public sealed class DeliveryLogStore(Database database)
{
    private static readonly string ListColumns = DeliveryStore.Columns.Replace(" body,", " '' AS body,", StringComparison.Ordinal);

    /// <summary>A page of an endpoint's deliveries, without their bodies.</summary>
    public Task<Page<Delivery>> ListAsync(
        Id<Realm> realm, Id<Webhook> webhook, DeliveryStatus? status, PageRequest<Delivery> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm, webhook });
        string where = "realm_id = @realm AND webhook_id = @webhook";
        if (status is { } only)
        {
            where += " AND status = @only";
            parameters.Add("only", only.ToString());
        }

        return database.QueryAsync(
            connection => connection.QueryPageAsync($"SELECT {ListColumns} FROM webhook_deliveries WHERE {where}", "id", parameters, page), cancellationToken);
    }

    public Task<(Delivery Delivery, IReadOnlyList<DeliveryAttempt> Attempts)?> FindAsync(
        Id<Realm> realm, Id<Webhook> webhook, Id<Delivery> id, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync<(Delivery Delivery, IReadOnlyList<DeliveryAttempt> Attempts)?>(
            $"""
            SELECT {DeliveryStore.Columns} FROM webhook_deliveries WHERE realm_id = @realm AND id = @id AND webhook_id = @webhook;
            SELECT started_at, duration_ms, status_code, answer, error FROM webhook_attempts
            WHERE realm_id = @realm AND delivery_id = @id ORDER BY number
            """,
            new { realm, id, webhook },
            async results =>
            {
                Delivery? delivery = await results.ReadSingleOrDefaultAsync<Delivery>();
                DeliveryAttempt[] attempts = [.. await results.ReadAsync<DeliveryAttempt>()];
                return delivery is null ? null : (delivery, attempts);
            },
            cancellationToken);

    /// <summary>
    /// Sends a delivery again now, whatever became of it, from the beginning of the schedule and out of turn. An attempt that is under way is not
    /// doubled.
    /// </summary>
    public Task<Redelivery> RedeliverAsync(Id<Realm> realm, Id<Delivery> id, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, _) =>
            {
                Delivery? delivery = await connection.QuerySingleOrDefaultAsync<Delivery>(
                    $"SELECT {DeliveryStore.Columns} FROM webhook_deliveries WHERE realm_id = @realm AND id = @id", new { realm, id });
                Webhook? webhook = delivery is null
                    ? null
                    : await WebhookStore.FindAsync(connection, realm, delivery.WebhookId, database.ForUpdateOf("webhooks"));
                if (delivery is null || webhook is null)
                    return new Redelivery(RedeliveryOutcome.NotFound, Delivery: null);
                if (webhook.Status != WebhookStatus.Active)
                    return new Redelivery(RedeliveryOutcome.Disabled, delivery);
                Delivery? again = await connection.QuerySingleOrDefaultAsync<Delivery>(
                    $"""
                    UPDATE webhook_deliveries SET status = 'Pending', tries = 0, holds = FALSE, next_attempt_at = @now, claim = NULL, finished_at = NULL
                    WHERE realm_id = @realm AND id = @id AND (claim IS NULL OR next_attempt_at <= @now)
                    RETURNING {DeliveryStore.Columns}
                    """,
                    new { realm, id, now });
                if (again is null)
                    return new Redelivery(RedeliveryOutcome.UnderWay, delivery);
                await connection.ExecuteAsync(DeliveryStore.LetNextGo, new { again.RealmId, again.WebhookId, again.Subject, now });
                return new Redelivery(RedeliveryOutcome.Done, again);
            },
            cancellationToken);
}
