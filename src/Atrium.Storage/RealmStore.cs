using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>Realms.</summary>
public sealed class RealmStore(Database database)
{
    internal const string Columns = "id, handle, name, settings, created_at, updated_at";

    /// <summary>What belongs to a deleted realm is not there any more, whoever finds it without the realm.</summary>
    internal const string IsOfRealm = "realm_id IN (SELECT id FROM realms WHERE deleted_at IS NULL)";

    public Task<Realm?> FindByHandleAsync(string handle, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Realm>($"SELECT {Columns} FROM realms WHERE handle = @handle AND deleted_at IS NULL", new { handle }),
            cancellationToken);

    public Task<Realm?> FindAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Realm>($"SELECT {Columns} FROM realms WHERE id = @realm AND deleted_at IS NULL", new { realm }),
            cancellationToken);

    /// <summary>Whether there is a realm at all.</summary>
    public Task<bool> AnyAsync(CancellationToken cancellationToken) =>
        database.QueryAsync(connection => connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM realms)"), cancellationToken);

    public Task<Page<Realm>> ListAsync(PageRequest<Realm> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync($"SELECT {Columns} FROM realms WHERE deleted_at IS NULL", "id", new DynamicParameters(), page), cancellationToken);

    /// <summary>Makes a realm with its first signing keys; false when the handle is taken.</summary>
    public Task<bool> CreateAsync(Realm realm, IReadOnlyList<SigningKey> signingKeys, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAndTellAsync(
            realm.Id,
            origin,
            Change.OfRealm(realm.Handle),
            async (connection, log) =>
            {
                int made = await connection.ExecuteAsync(
                    $"INSERT INTO realms ({Columns}) VALUES (@Id, @Handle, @Name, @Settings, @CreatedAt, @UpdatedAt) ON CONFLICT DO NOTHING", realm);
                if (made == 0)
                    return false;
                foreach (SigningKey key in signingKeys)
                    await SigningKeyStore.InsertAsync(connection, key);

                log.Add(Draft(EventTypes.RealmCreated, realm));
                return true;
            },
            cancellationToken);

    /// <summary>Changes a realm as it is at that moment; null from <paramref name="change"/>, which is pure, refuses. Null when refused or not there.</summary>
    public Task<Realm?> ChangeAsync(Realm realm, Func<Realm, Realm?> change, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAndTellAsync(
            realm.Id,
            origin,
            Change.OfRealm(realm.Handle),
            async (connection, log) =>
            {
                if (await FindToChangeAsync(connection, realm.Id) is not { } current || change(current) is not { } changed)
                    return null;
                EventDraft draft = EventDraft.Updated(
                    EventTypes.RealmUpdated, realm.Id.ToString(), RealmResource.Of(current), RealmResource.Of(changed), ResourceJson.Default.RealmResource);
                if (draft.Changed is [])
                    return current;
                await connection.ExecuteAsync("UPDATE realms SET name = @Name, settings = @Settings, updated_at = @UpdatedAt WHERE id = @Id", changed);
                log.Add(draft);
                return changed;
            },
            cancellationToken);

    /// <summary>
    /// Deletes a realm where <paramref name="mayDelete"/>, which is pure, says so; false when it doesn't, or there is none. Nobody finds it, or any
    /// of its keys and clients, from then on, and its handle is free; what is in it is left to <see cref="DeletedRealmStore"/>.
    /// </summary>
    public Task<bool> DeleteAsync(Realm realm, Func<Realm, bool> mayDelete, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAndTellAsync(
            realm.Id,
            origin,
            Change.OfEverything,
            async (connection, log) =>
            {
                if (await FindToChangeAsync(connection, realm.Id) is not { } current || !mayDelete(current))
                    return false;

                // No realm can have such a handle.
                await connection.ExecuteAsync(
                    "UPDATE realms SET deleted_at = @now, handle = @unusable WHERE id = @Id", new { realm.Id, now, unusable = realm.Id.ToString() });
                log.Add(Draft(EventTypes.RealmDeleted, current));
                return true;
            },
            cancellationToken);

    private static EventDraft Draft(string type, Realm realm) =>
        EventDraft.Of(type, realm.Id.ToString(), RealmResource.Of(realm), ResourceJson.Default.RealmResource);

    private Task<Realm?> FindToChangeAsync(DbConnection connection, Id<Realm> realm) =>
        connection.QuerySingleOrDefaultAsync<Realm>(
            $"SELECT {Columns} FROM realms WHERE id = @realm AND deleted_at IS NULL{database.ForUpdateOf("realms")}", new { realm });
}
