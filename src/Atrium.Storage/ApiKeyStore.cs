using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>The keys of the back ends that may call for a realm.</summary>
public sealed class ApiKeyStore(Database database)
{
    private const string Columns = "realm_id, id, name, scopes, expires_at, created_at, updated_at";

    /// <summary>The key that a caller presented, whatever the realm: it is how a caller's realm becomes known. It may have ended.</summary>
    public Task<ApiKey?> FindAsync(SecretHash secretHash, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<ApiKey>(
                $"""
                SELECT {Columns}, CASE WHEN secret_hash = @secretHash THEN NULL ELSE old_secret_ends_at END AS secret_ends_at
                FROM api_keys WHERE (secret_hash = @secretHash OR old_secret_hash = @secretHash) AND {RealmStore.IsOfRealm}
                """,
                new { secretHash }),
            cancellationToken);

    public Task<ApiKey?> FindAsync(Id<Realm> realm, Id<ApiKey> key, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<ApiKey>(
                $"SELECT {Columns} FROM api_keys WHERE realm_id = @realm AND id = @key", new { realm, key }),
            cancellationToken);

    public Task<Page<ApiKey>> ListAsync(Id<Realm> realm, PageRequest<ApiKey> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"SELECT {Columns} FROM api_keys WHERE realm_id = @realm", "id", new DynamicParameters(new { realm }), page),
            cancellationToken);

    public Task<ApiKey> CreateAsync(ApiKey key, SecretHash secretHash, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAndTellAsync(
            key.RealmId,
            origin,
            Change.OfApiKey(key.Id),
            async (connection, log) =>
            {
                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO api_keys ({Columns}, secret_hash)
                    VALUES (@RealmId, @Id, @Name, @Scopes, @ExpiresAt, @CreatedAt, @UpdatedAt, @secretHash)
                    """,
                    Row(key, secretHash));
                log.Add(Draft(EventTypes.ApiKeyCreated, key));
                return key;
            },
            cancellationToken);

    /// <summary>Changes a key as it is at that moment; null from <paramref name="change"/>, which is pure, refuses. Null when refused or not there.</summary>
    public Task<ApiKey?> ChangeAsync(
        Id<Realm> realm, Id<ApiKey> id, Func<ApiKey, ApiKey?> change, Origin origin, CancellationToken cancellationToken) =>
        WriteAsync(
            realm,
            id,
            origin,
            change,
            changed => ("UPDATE api_keys SET name = @Name, scopes = @Scopes, expires_at = @ExpiresAt, updated_at = @UpdatedAt WHERE realm_id = @RealmId AND id = @Id", Row(changed)),
            static (before, after) => EventDraft.Updated(
                EventTypes.ApiKeyUpdated, after.Id.ToString(), ApiKeyResource.Of(before), ApiKeyResource.Of(after), ResourceJson.Default.ApiKeyResource),
            cancellationToken);

    /// <summary>
    /// Gives a key a new secret where <paramref name="mayRotate"/>, which is pure, says so; the one before it works until <paramref name="oldEndsAt"/>,
    /// and one before that no longer. Null when it doesn't, or there is none.
    /// </summary>
    public Task<ApiKey?> RotateAsync(
        Id<Realm> realm,
        Id<ApiKey> id,
        Func<ApiKey, bool> mayRotate,
        SecretHash secretHash,
        DateTimeOffset now,
        DateTimeOffset oldEndsAt,
        Origin origin,
        CancellationToken cancellationToken) =>
        WriteAsync(
            realm,
            id,
            origin,
            current => mayRotate(current) ? current with { UpdatedAt = now } : null,
            changed => (
                """
                UPDATE api_keys SET old_secret_hash = secret_hash, old_secret_ends_at = @oldEndsAt, secret_hash = @secretHash, updated_at = @now
                WHERE realm_id = @RealmId AND id = @Id
                """,
                new { changed.RealmId, changed.Id, secretHash, now, oldEndsAt }),
            static (_, after) => Draft(EventTypes.ApiKeyRotated, after),
            cancellationToken);

    /// <summary>Deletes a key where <paramref name="mayDelete"/>, which is pure, says so; null when it doesn't, or there is none.</summary>
    public Task<ApiKey?> DeleteAsync(Id<Realm> realm, Id<ApiKey> id, Func<ApiKey, bool> mayDelete, Origin origin, CancellationToken cancellationToken) =>
        WriteAsync(
            realm,
            id,
            origin,
            current => mayDelete(current) ? current : null,
            static key => ("DELETE FROM api_keys WHERE realm_id = @RealmId AND id = @Id", new { key.RealmId, key.Id }),
            static (_, key) => Draft(EventTypes.ApiKeyDeleted, key),
            cancellationToken);

    private static EventDraft Draft(string type, ApiKey key) => EventDraft.Of(type, key.Id.ToString(), ApiKeyResource.Of(key), ResourceJson.Default.ApiKeyResource);

    private static object Row(ApiKey key, SecretHash? secretHash = null) =>
        new { key.RealmId, key.Id, key.Name, key.Scopes, key.ExpiresAt, key.CreatedAt, key.UpdatedAt, secretHash };

    private Task<ApiKey?> WriteAsync(
        Id<Realm> realm,
        Id<ApiKey> id,
        Origin origin,
        Func<ApiKey, ApiKey?> change,
        Func<ApiKey, (string Sql, object Parameters)> statement,
        Func<ApiKey, ApiKey, EventDraft> draft,
        CancellationToken cancellationToken) =>
        database.RecordAndTellAsync(
            realm,
            origin,
            Change.OfApiKey(id),
            async (connection, log) =>
            {
                ApiKey? current = await connection.QuerySingleOrDefaultAsync<ApiKey>(
                    $"SELECT {Columns} FROM api_keys WHERE realm_id = @realm AND id = @id{database.ForUpdateOf("api_keys")}", new { realm, id });
                ApiKey? changed = current is null ? null : change(current);
                if (changed is null)
                    return null;
                (string sql, object parameters) = statement(changed);
                await connection.ExecuteAsync(sql, parameters);
                log.Add(draft(current!, changed));
                return changed;
            },
            cancellationToken);
}
