using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>The keys of those who run the installation: a few, and of no realm. Nobody remembers them, so one that is deleted opens nothing from then on.</summary>
public sealed class OperatorKeyStore(Database database)
{
    private const string Columns = "id, name, created_at";

    public Task CreateAsync(OperatorKey key, SecretHash secretHash, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection => connection.ExecuteAsync(
                $"INSERT INTO operator_keys ({Columns}, secret_hash) VALUES (@Id, @Name, @CreatedAt, @secretHash)",
                new { key.Id, key.Name, key.CreatedAt, secretHash }),
            cancellationToken);

    /// <summary>The key that a caller presented.</summary>
    public Task<OperatorKey?> FindAsync(SecretHash secretHash, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<OperatorKey>(
                $"SELECT {Columns} FROM operator_keys WHERE secret_hash = @secretHash", new { secretHash }),
            cancellationToken);

    /// <summary>All of them, oldest first.</summary>
    public Task<IReadOnlyList<OperatorKey>> ListAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<OperatorKey>>(
            static async connection => [.. await connection.QueryAsync<OperatorKey>($"SELECT {Columns} FROM operator_keys ORDER BY id")],
            cancellationToken);

    /// <summary>False when there is no such key.</summary>
    public Task<bool> DeleteAsync(Id<OperatorKey> key, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection => await connection.ExecuteAsync("DELETE FROM operator_keys WHERE id = @key", new { key }) == 1, cancellationToken);
}
