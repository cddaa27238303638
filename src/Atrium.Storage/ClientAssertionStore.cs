using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>The assertions by which clients have proved themselves; each is good once, whichever node it is shown to.</summary>
public sealed class ClientAssertionStore(Database database)
{
    /// <summary>Takes an assertion. False when it was taken before, or its client is gone.</summary>
    /// <param name="tokenId">The hash of its <c>jti</c>.</param>
    /// <param name="expiresAt">From when on its time alone refuses it.</param>
    public Task<bool> SpendAsync(
        Id<Realm> realm, Id<Client> client, SecretHash tokenId, DateTimeOffset expiresAt, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.TryWriteAsync(
            async connection => await connection.ExecuteAsync(
                """
                INSERT INTO client_assertions (realm_id, client_id, jti_hash, expires_at) VALUES (@realm, @client, @tokenId, @expiresAt)
                ON CONFLICT (realm_id, client_id, jti_hash) DO UPDATE SET expires_at = @expiresAt WHERE client_assertions.expires_at <= @now
                """,
                new { realm, client, tokenId, expiresAt, now }) == 1,
            cancellationToken);
}
