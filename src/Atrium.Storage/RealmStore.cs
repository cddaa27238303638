using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Realms, and their roles.</summary>
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

    public Task CreateRoleAsync(Role role, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                "INSERT INTO roles (realm_id, slug, name, permissions) VALUES (@RealmId, @Slug, @Name, @Permissions)", role),
            cancellationToken);

    /// <summary>The roles of the realm that these scopes name.</summary>
    public Task<IReadOnlyList<Role>> RolesAsync(Id<Realm> realm, IReadOnlyList<string> slugs, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => RolesAsync(connection, realm, slugs), cancellationToken);

    internal static async Task<IReadOnlyList<Role>> RolesAsync(DbConnection connection, Id<Realm> realm, IEnumerable<string> slugs) =>
        [
            .. await connection.QueryAsync<Role>(
                "SELECT realm_id, slug, name, permissions FROM roles WHERE realm_id = @realm AND slug IN @slugs",
                new { realm, slugs = slugs.Distinct(StringComparer.Ordinal).ToArray() }),
        ];
}
