using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Realms.</summary>
public sealed class RealmStore(Database database)
{
    internal const string Columns = "id, handle, name, settings, created_at, updated_at";

    public Task<Realm?> FindByHandleAsync(string handle, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Realm>($"SELECT {Columns} FROM realms WHERE handle = @handle", new { handle }),
            cancellationToken);

    public Task<Realm?> FindAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Realm>($"SELECT {Columns} FROM realms WHERE id = @realm", new { realm }),
            cancellationToken);

    /// <summary>Whether there is a realm at all.</summary>
    public Task<bool> AnyAsync(CancellationToken cancellationToken) =>
        database.QueryAsync(connection => connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM realms)"), cancellationToken);

    /// <summary>Makes a realm with its first signing keys; false when the handle is taken.</summary>
    public Task<bool> CreateAsync(Realm realm, IReadOnlyList<SigningKey> signingKeys, CancellationToken cancellationToken) =>
        database.WriteAndTellAsync(
            Change.OfRealm(realm.Handle),
            async connection =>
            {
                int made = await connection.ExecuteAsync(
                    $"INSERT INTO realms ({Columns}) VALUES (@Id, @Handle, @Name, @Settings, @CreatedAt, @UpdatedAt) ON CONFLICT DO NOTHING", realm);
                if (made == 0)
                    return false;
                foreach (SigningKey key in signingKeys)
                    await SigningKeyStore.InsertAsync(connection, key);
                return true;
            },
            cancellationToken);
}
