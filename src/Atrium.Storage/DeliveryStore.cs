using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Dapper;

namespace Atrium.Storage;

/// <summary>Names one attempt that is under way.</summary>
public sealed record DeliveryClaim : IIdentified
{
    public static string IdPrefix => "claim_";
}

/// <summary>Deliveries that one node has taken upon itself until a moment, and what it needs to make the attempts.</summary>
/// <param name="Secrets">What to sign with, the newest first.</param>
public sealed record ClaimedDeliveries(Webhook Webhook, IReadOnlyList<WebhookSecret> Secrets, Id<DeliveryClaim> Claim, IReadOnlyList<Delivery> Deliveries);

/// <summary>Where an endpoint's next delivery stands.</summary>
public sealed record DueDelivery
{
    public required Id<Realm> RealmId { get; init; }

    public required Id<Webhook> WebhookId { get; init; }

    public required DateTimeOffset At { get; init; }
}

/// <summary>How far the log of a realm was read for its endpoints, and those that are active.</summary>
public sealed record FanOutFacts(long Position, IReadOnlyList<Webhook> Webhooks);

/// <summary>
/// Events on their way to endpoints. The log is read by one node at a time, and each attempt is made by one: who claims it has it until a moment, and
/// what a node that died had claimed is claimed again after it.
/// </summary>
public sealed class DeliveryStore(Database database)
{
    /// <summary>By which the log knows how far it was read.</summary>
    internal const string Reader = "webhooks";

    internal const string Columns =
        "realm_id, id, webhook_id, event_id, position, type, subject, dialect, body, status, tries, next_attempt_at, created_at, finished_at";

    private const string NewColumns =
        "id uuid, webhook_id uuid, event_id uuid, position bigint, type text, subject text, dialect text, body text, created_at bigint";

    private static readonly string NewNames = string.Join(", ", JsonRows.NamesOf(NewColumns));

    /// <summary>
    /// Lets the first that waits for its subject go, unless one before it still holds it up. Both ways in which this can change, a new delivery
    /// and a finished attempt, lock the endpoint's row before.
    /// </summary>
    internal const string LetNextGo =
        """
        UPDATE webhook_deliveries SET next_attempt_at = @now
        WHERE realm_id = @RealmId AND id = (SELECT id FROM webhook_deliveries
                WHERE realm_id = @RealmId AND webhook_id = @WebhookId AND subject = @Subject AND status = 'Pending' AND next_attempt_at IS NULL
                ORDER BY position LIMIT 1)
            AND NOT EXISTS (SELECT 1 FROM webhook_deliveries
                WHERE realm_id = @RealmId AND webhook_id = @WebhookId AND subject = @Subject AND status = 'Pending' AND next_attempt_at IS NOT NULL AND holds)
        """;

    /// <summary>The realms in whose logs there is something that active endpoints were not told of yet.</summary>
    public Task<IReadOnlyList<Id<Realm>>> RealmsBehindAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Realm>>>(
            async connection =>
            [
                .. await connection.QueryAsync<Id<Realm>>(
                    $"""
                    SELECT realm_id FROM event_positions p
                    WHERE reader = '{Reader}'
                        AND EXISTS (SELECT 1 FROM webhooks WHERE realm_id = p.realm_id AND status = 'Active')
                        AND EXISTS (SELECT 1 FROM events WHERE realm_id = p.realm_id AND position > p.position)
                    """),
            ],
            cancellationToken);

    /// <summary>Null in a realm that never had an endpoint.</summary>
    public Task<FanOutFacts?> FanOutFactsAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            $"""
            SELECT position FROM event_positions WHERE realm_id = @realm AND reader = '{Reader}';
            SELECT {WebhookStore.Columns} FROM webhooks WHERE realm_id = @realm AND status = 'Active'
            """,
            new { realm },
            async results =>
            {
                long? position = await results.ReadSingleOrDefaultAsync<long?>();
                Webhook[] webhooks = [.. await results.ReadAsync<Webhook>()];
                return position is { } read ? new FanOutFacts(read, webhooks) : null;
            },
            cancellationToken);

    /// <summary>
    /// Moves the reader of the log on, with the deliveries that come of what it read. False, and nothing done: another node was faster. A delivery
    /// whose subject has an earlier one under way waits for it.
    /// </summary>
    public Task<bool> FanOutAsync(
        Id<Realm> realm, long from, long to, IReadOnlyList<Delivery> deliveries, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                int moved = await connection.ExecuteAsync(
                    "UPDATE event_positions SET position = @to WHERE realm_id = @realm AND reader = @Reader AND position = @from", new { realm, Reader, from, to });
                if (moved == 0 || deliveries.Count == 0)
                    return moved == 1;
                await connection.QueryAsync<Id<Webhook>>(
                    $"SELECT id FROM webhooks WHERE realm_id = @realm AND status = 'Active' ORDER BY id{database.ForUpdateOf("webhooks")}", new { realm });
                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO webhook_deliveries (realm_id, {NewNames}, status, tries, holds, next_attempt_at)
                    SELECT @realm, {NewNames}, 'Pending', 0, TRUE,
                        CASE WHEN place = 1 AND NOT EXISTS (SELECT 1 FROM webhook_deliveries earlier
                            WHERE earlier.realm_id = @realm AND earlier.webhook_id = ranked.webhook_id AND earlier.subject = ranked.subject
                                AND earlier.status = 'Pending' AND earlier.holds) THEN @now END
                    FROM (SELECT r.*, row_number() OVER (PARTITION BY r.webhook_id, r.subject ORDER BY r.position) AS place
                        FROM {database.RowsOf("@rows", NewColumns)}) ranked
                    WHERE EXISTS (SELECT 1 FROM webhooks w WHERE w.realm_id = @realm AND w.id = ranked.webhook_id AND w.status = 'Active')
                    """,
                    new { realm, now, rows = JsonRows.Write(deliveries.Select(JsonRows.Of)) });
                return true;
            },
            cancellationToken);

    /// <summary>For each active endpoint that has one, in every realm or in one, when its next delivery is due.</summary>
    public Task<IReadOnlyList<DueDelivery>> DueAsync(Id<Realm>? realm, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new();
        string which = "";
        if (realm is { } one)
        {
            which = " AND w.realm_id = @one";
            parameters.Add("one", one);
        }

        return database.QueryAsync<IReadOnlyList<DueDelivery>>(
            async connection =>
            [
                .. await connection.QueryAsync<DueDelivery>(
                    $"""
                    SELECT realm_id, webhook_id, CASE WHEN paused_until > due THEN paused_until ELSE due END AS at
                    FROM (SELECT w.realm_id, w.id AS webhook_id, w.paused_until,
                            (SELECT min(next_attempt_at) FROM webhook_deliveries d WHERE d.realm_id = w.realm_id AND d.webhook_id = w.id AND d.status = 'Pending') AS due
                        FROM webhooks w WHERE w.status = 'Active'{which}) found
                    WHERE due IS NOT NULL
                    """,
                    parameters),
            ],
            cancellationToken);
    }

    /// <summary>
    /// Takes deliveries of an endpoint that are due, those that are due for longest first. Nobody else gets them until <paramref name="lease"/>.
    /// Null: there is none.
    /// </summary>
    public Task<ClaimedDeliveries?> ClaimAsync(
        Id<Realm> realm, Id<Webhook> id, int count, DateTimeOffset now, DateTimeOffset lease, Id<DeliveryClaim> claim, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                if (await WebhookStore.FindAsync(connection, realm, id) is not { Status: WebhookStatus.Active } webhook || webhook.PausedUntil > now)
                    return null;
                Delivery[] deliveries =
                [
                    .. await connection.QueryAsync<Delivery>(
                        $"""
                        WITH due AS MATERIALIZED (
                            SELECT id FROM webhook_deliveries WHERE realm_id = @realm AND webhook_id = @id AND status = 'Pending' AND next_attempt_at <= @now
                            ORDER BY next_attempt_at, position LIMIT @count{database.SkipLocked})
                        UPDATE webhook_deliveries SET claim = @claim, next_attempt_at = @lease WHERE realm_id = @realm AND id IN (SELECT id FROM due)
                        RETURNING {Columns}
                        """,
                        new { realm, id, now, lease, claim, count }),
                ];
                return deliveries.Length == 0
                    ? null
                    : new ClaimedDeliveries(webhook, await WebhookStore.SecretsAsync(connection, webhook, now), claim, deliveries);
            },
            cancellationToken);

    /// <summary>Gives a delivery back whose attempt was not made.</summary>
    public Task GiveBackAsync(Delivery delivery, Id<DeliveryClaim> claim, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection => connection.ExecuteAsync(
                "UPDATE webhook_deliveries SET claim = NULL, next_attempt_at = @now WHERE realm_id = @RealmId AND id = @Id AND claim = @claim",
                new { delivery.RealmId, delivery.Id, claim, now }),
            cancellationToken);

    /// <summary>
    /// Writes down what came of an attempt. Where somebody else has claimed the delivery meanwhile, because this took too long, it is theirs to
    /// decide what becomes of it.
    /// </summary>
    /// <param name="disabledBecause">What an endpoint that is disabled by the answer says of it.</param>
    public Task RecordAsync(
        Delivery delivery,
        Id<DeliveryClaim> claim,
        DeliveryAttempt attempt,
        DeliveryDecision decision,
        string disabledBecause,
        DateTimeOffset now,
        CancellationToken cancellationToken) =>
        database.RecordAsync(
            delivery.RealmId,
            Origin.System,
            async (connection, log) =>
            {
                Webhook? webhook = await WebhookStore.FindAsync(connection, delivery.RealmId, delivery.WebhookId, database.ForUpdateOf("webhooks"));
                await connection.ExecuteAsync(
                    """
                    INSERT INTO webhook_attempts (realm_id, delivery_id, number, started_at, duration_ms, status_code, answer, error)
                    SELECT realm_id, id, 1 + (SELECT coalesce(max(number), 0) FROM webhook_attempts WHERE realm_id = @RealmId AND delivery_id = @Id),
                        @StartedAt, @DurationMs, @StatusCode, @Answer, @Error
                    FROM webhook_deliveries WHERE realm_id = @RealmId AND id = @Id
                    """,
                    new { delivery.RealmId, delivery.Id, attempt.StartedAt, attempt.DurationMs, attempt.StatusCode, attempt.Answer, attempt.Error });
                int tries = delivery.Tries + 1;
                await connection.ExecuteAsync(
                    $"""
                    UPDATE webhook_deliveries SET status = @status, tries = @tries, holds = holds AND @inOrder, next_attempt_at = @next, claim = NULL, finished_at = @finished
                    WHERE realm_id = @RealmId AND id = @Id AND claim = @claim;
                    {LetNextGo}
                    """,
                    new
                    {
                        delivery.RealmId,
                        delivery.Id,
                        delivery.WebhookId,
                        delivery.Subject,
                        claim,
                        status = decision.Status.ToString(),
                        tries,
                        inOrder = tries < DeliveryRules.TriesInOrder,
                        next = now + decision.Wait,
                        finished = decision.Wait is null ? now : (DateTimeOffset?)null,
                        now,
                    });
                if (webhook is { Status: WebhookStatus.Active })
                    await ApplyAsync(connection, log, webhook, decision, disabledBecause, now);
                return true;
            },
            cancellationToken);

    private static async Task ApplyAsync(
        DbConnection connection, EventLog log, Webhook webhook, DeliveryDecision decision, string disabledBecause, DateTimeOffset now)
    {
        if (decision.Disables)
        {
            Webhook disabled = webhook with { Status = WebhookStatus.Disabled, StatusReason = disabledBecause, UpdatedAt = now };
            await connection.ExecuteAsync(
                "UPDATE webhooks SET status = 'Disabled', status_reason = @StatusReason, updated_at = @UpdatedAt WHERE realm_id = @RealmId AND id = @Id",
                new { disabled.RealmId, disabled.Id, disabled.StatusReason, disabled.UpdatedAt });
            log.Add(WebhookStore.Happened(EventTypes.WebhookDisabled, disabled));
        }
        else if (decision.Pause is { } pause && !(webhook.PausedUntil > now + pause))
        {
            await connection.ExecuteAsync(
                "UPDATE webhooks SET paused_until = @until WHERE realm_id = @RealmId AND id = @Id", new { until = now + pause, webhook.RealmId, webhook.Id });
        }
    }
}
