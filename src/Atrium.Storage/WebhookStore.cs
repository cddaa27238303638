using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Webhooks;
using Dapper;

namespace Atrium.Storage;

/// <summary>Endpoints that are told what happens, and the secrets that they know the messages by.</summary>
public sealed class WebhookStore(Database database)
{
    internal const string Columns = "realm_id, id, name, url, events, dialect, organization_id, status, status_reason, paused_until, since, created_at, updated_at";
    private const string SecretColumns = "realm_id, id, webhook_id, sealed_secret, created_at, expires_at";

    /// <summary>How far the log has come.</summary>
    private const string LogPosition = "(SELECT coalesce(max(position), 0) FROM event_positions WHERE realm_id = @RealmId)";

    public Task<Webhook?> FindAsync(Id<Realm> realm, Id<Webhook> webhook, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => FindAsync(connection, realm, webhook), cancellationToken);

    /// <summary>A page of them; those of one organization, or all.</summary>
    public Task<Page<Webhook>> ListAsync(
        Id<Realm> realm, Id<Organization>? organization, PageRequest<Webhook> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm });
        string where = "realm_id = @realm";
        if (organization is { } only)
        {
            where += " AND organization_id = @only";
            parameters.Add("only", only);
        }

        return database.QueryAsync(
            connection => connection.QueryPageAsync($"SELECT {Columns} FROM webhooks WHERE {where}", "id", parameters, page), cancellationToken);
    }

    /// <summary>Makes an endpoint, which is told what happens from now on, this included.</summary>
    public Task<Webhook> CreateAsync(Webhook webhook, WebhookSecret secret, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            webhook.RealmId,
            origin,
            async (connection, log) =>
            {
                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO webhooks ({Columns})
                    VALUES (@RealmId, @Id, @Name, @Url, @Events, @Dialect, @OrganizationId, @Status, @StatusReason, NULL, {LogPosition}, @CreatedAt, @UpdatedAt)
                    """,
                    Row(webhook));
                await InsertAsync(connection, secret);

                // Whoever is the first in the realm brings its reader of the log.
                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO event_positions (realm_id, reader, position) SELECT realm_id, '{DeliveryStore.Reader}', since FROM webhooks
                    WHERE realm_id = @RealmId AND id = @Id
                    ON CONFLICT DO NOTHING
                    """,
                    new { webhook.RealmId, webhook.Id });
                log.Add(Happened(EventTypes.WebhookCreated, webhook));
                return webhook;
            },
            cancellationToken);

    /// <summary>
    /// Changes an endpoint as it is at that moment; <paramref name="change"/> is pure and gives null to leave it as it is. One that becomes active
    /// is told what happens from now on. Null: there is no such endpoint.
    /// </summary>
    public Task<Webhook?> ChangeAsync(
        Id<Realm> realm, Id<Webhook> id, Func<Webhook, Webhook?> change, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForUpdateOf("webhooks")) is not { } current)
                    return null;
                if (change(current) is not { } changed)
                    return current;
                bool wakes = changed.Status == WebhookStatus.Active && current.Status != WebhookStatus.Active;
                await connection.ExecuteAsync(
                    $"""
                    UPDATE webhooks SET name = @Name, url = @Url, events = @Events, dialect = @Dialect, organization_id = @OrganizationId, status = @Status,
                        status_reason = @StatusReason, paused_until = NULL, since = {(wakes ? LogPosition : "since")}, updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(changed));
                EventDraft happened = EventDraft.Updated(
                    EventTypes.WebhookUpdated, id.ToString(), WebhookResource.Of(current), WebhookResource.Of(changed), ResourceJson.Default.WebhookResource);
                log.Add(happened with { OrganizationId = changed.OrganizationId });
                return changed;
            },
            cancellationToken);

    /// <summary>Removes an endpoint; what is on its way to it is not sent any more. False: there is none.</summary>
    public Task<bool> DeleteAsync(Id<Realm> realm, Id<Webhook> id, Func<Webhook, bool> may, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForUpdateOf("webhooks")) is not { } current || !may(current))
                    return false;
                await connection.ExecuteAsync("DELETE FROM webhooks WHERE realm_id = @realm AND id = @id", new { realm, id });
                log.Add(Happened(EventTypes.WebhookDeleted, current));
                return true;
            },
            cancellationToken);

    /// <summary>
    /// A new secret. The one before it still signs until <paramref name="oldEndsAt"/>; older ones end at once, so that there are never more than
    /// two. Null: there is no such endpoint.
    /// </summary>
    public Task<Webhook?> RotateSecretAsync(
        WebhookSecret secret, DateTimeOffset oldEndsAt, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            secret.RealmId,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, secret.RealmId, secret.WebhookId, database.ForUpdateOf("webhooks")) is not { } webhook)
                    return null;
                await connection.ExecuteAsync(
                    "DELETE FROM webhook_secrets WHERE realm_id = @RealmId AND webhook_id = @WebhookId AND expires_at IS NOT NULL",
                    new { secret.RealmId, secret.WebhookId });
                await connection.ExecuteAsync(
                    "UPDATE webhook_secrets SET expires_at = @oldEndsAt WHERE realm_id = @RealmId AND webhook_id = @WebhookId",
                    new { oldEndsAt, secret.RealmId, secret.WebhookId });
                await InsertAsync(connection, secret);
                log.Add(Happened(EventTypes.WebhookSecretRotated, webhook));
                return webhook;
            },
            cancellationToken);

    internal static Task<Webhook?> FindAsync(DbConnection connection, Id<Realm> realm, Id<Webhook> webhook, string forUpdate = "") =>
        connection.QuerySingleOrDefaultAsync<Webhook>(
            $"SELECT {Columns} FROM webhooks WHERE realm_id = @realm AND id = @webhook{forUpdate}", new { realm, webhook });

    /// <summary>Those that sign at this moment, the newest first.</summary>
    internal static async Task<IReadOnlyList<WebhookSecret>> SecretsAsync(DbConnection connection, Webhook webhook, DateTimeOffset now) =>
        [
            .. await connection.QueryAsync<WebhookSecret>(
                $"""
                SELECT {SecretColumns} FROM webhook_secrets WHERE realm_id = @RealmId AND webhook_id = @Id AND (expires_at IS NULL OR expires_at > @now)
                ORDER BY expires_at IS NULL DESC, id DESC
                """,
                new { webhook.RealmId, webhook.Id, now }),
        ];

    internal static EventDraft Happened(string type, Webhook webhook) =>
        EventDraft.Of(type, webhook.Id.ToString(), WebhookResource.Of(webhook), ResourceJson.Default.WebhookResource) with { OrganizationId = webhook.OrganizationId };

    private static Task InsertAsync(DbConnection connection, WebhookSecret secret) =>
        connection.ExecuteAsync(
            $"INSERT INTO webhook_secrets ({SecretColumns}) VALUES (@RealmId, @Id, @WebhookId, @SealedSecret, @CreatedAt, @ExpiresAt)", secret);

    private static object Row(Webhook webhook) => new
    {
        webhook.RealmId,
        webhook.Id,
        webhook.Name,
        webhook.Url,
        webhook.Events,
        Dialect = webhook.Dialect.ToString(),
        webhook.OrganizationId,
        Status = webhook.Status.ToString(),
        webhook.StatusReason,
        webhook.CreatedAt,
        webhook.UpdatedAt,
    };
}
