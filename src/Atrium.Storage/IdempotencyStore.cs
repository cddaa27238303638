using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>An answer kept for a caller who may ask again; without a status, the first request is still being worked on.</summary>
public sealed record IdempotentAnswer
{
    public required SecretHash Fingerprint { get; init; }

    public int? Status { get; init; }

    public byte[]? SealedBody { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Answers kept for an <c>Idempotency-Key</c>.</summary>
public sealed class IdempotencyStore(Database database)
{
    /// <summary>
    /// Reserves a key for a request. Null: the caller is the first and goes on. Otherwise what is kept; of a reservation older than
    /// <paramref name="staleBefore"/> without an answer, the caller takes over, because whoever made it died.
    /// </summary>
    public Task<IdempotentAnswer?> ReserveAsync(
        Id<Realm> realm, SecretHash key, SecretHash fingerprint, DateTimeOffset now, DateTimeOffset staleBefore, DateTimeOffset expiredBefore, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                int reserved = await connection.ExecuteAsync(
                    """
                    INSERT INTO idempotent_answers (realm_id, key_hash, fingerprint, status, sealed_body, created_at)
                    VALUES (@realm, @key, @fingerprint, NULL, NULL, @now)
                    ON CONFLICT (realm_id, key_hash) DO UPDATE SET fingerprint = @fingerprint, status = NULL, sealed_body = NULL, created_at = @now
                    WHERE idempotent_answers.created_at < @expiredBefore
                        OR (idempotent_answers.status IS NULL AND idempotent_answers.created_at < @staleBefore)
                    """,
                    new { realm, key, fingerprint, now, staleBefore, expiredBefore });
                return reserved == 1
                    ? null
                    : await connection.QuerySingleAsync<IdempotentAnswer>(
                        "SELECT fingerprint, status, sealed_body, created_at FROM idempotent_answers WHERE realm_id = @realm AND key_hash = @key",
                        new { realm, key });
            },
            cancellationToken);

    /// <summary>Keeps the answer of the request that reserved the key; the first one stays.</summary>
    public Task KeepAsync(Id<Realm> realm, SecretHash key, int status, byte[] sealedBody, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                "UPDATE idempotent_answers SET status = @status, sealed_body = @sealedBody WHERE realm_id = @realm AND key_hash = @key AND status IS NULL",
                new { realm, key, status, sealedBody }),
            cancellationToken);

    /// <summary>Gives a key free again: the request failed and may be tried with it once more.</summary>
    public Task ReleaseAsync(Id<Realm> realm, SecretHash key, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                "DELETE FROM idempotent_answers WHERE realm_id = @realm AND key_hash = @key AND status IS NULL", new { realm, key }),
            cancellationToken);
}
