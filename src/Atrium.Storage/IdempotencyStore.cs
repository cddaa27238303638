using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
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
    /// <paramref name="staleBefore"/> without an answer, the caller takes over, because whoever made it died, and its change with it.
    /// </summary>
    /// <param name="owner">The mark of this attempt, made up for it.</param>
    public Task<IdempotentAnswer?> ReserveAsync(
        Id<Realm> realm,
        SecretHash key,
        SecretHash fingerprint,
        SecretHash owner,
        DateTimeOffset now,
        DateTimeOffset staleBefore,
        DateTimeOffset expiredBefore,
        CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                int reserved = await connection.ExecuteAsync(
                    """
                    INSERT INTO idempotent_answers (realm_id, key_hash, fingerprint, owner, status, sealed_body, created_at)
                    VALUES (@realm, @key, @fingerprint, @owner, NULL, NULL, @now)
                    ON CONFLICT (realm_id, key_hash) DO UPDATE SET fingerprint = @fingerprint, owner = @owner, status = NULL, sealed_body = NULL, created_at = @now
                    WHERE idempotent_answers.created_at < @expiredBefore
                        OR (idempotent_answers.status IS NULL AND idempotent_answers.created_at < @staleBefore)
                    """,
                    new { realm, key, fingerprint, owner, now, staleBefore, expiredBefore });
                return reserved == 1
                    ? null
                    : await connection.QuerySingleAsync<IdempotentAnswer>(
                        "SELECT fingerprint, status, sealed_body, created_at FROM idempotent_answers WHERE realm_id = @realm AND key_hash = @key",
                        new { realm, key });
            },
            cancellationToken);

    /// <summary>Keeps the answer of a request that changed nothing, or whose change kept none; the first one stays.</summary>
    public Task KeepAsync(Id<Realm> realm, SecretHash key, SecretHash owner, KeptAnswer answer, CancellationToken cancellationToken) =>
        database.WriteOneAsync(connection => KeepAsync(connection, realm, key, owner, answer), cancellationToken);

    /// <summary>Gives a key free again: the request failed and may be tried with it once more.</summary>
    public Task ReleaseAsync(Id<Realm> realm, SecretHash key, SecretHash owner, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection => connection.ExecuteAsync(
                "DELETE FROM idempotent_answers WHERE realm_id = @realm AND key_hash = @key AND owner = @owner AND status IS NULL", new { realm, key, owner }),
            cancellationToken);

    /// <summary>Keeps an answer in the transaction of its change. Where somebody has taken the key over meanwhile, the change is undone.</summary>
    internal static async Task KeepAsync(DbConnection connection, Id<Realm> realm, Receipt receipt, KeptAnswer answer)
    {
        if (await KeepAsync(connection, realm, receipt.Key, receipt.Owner, answer) != 1)
            throw new ReservationLostException();
    }

    private static Task<int> KeepAsync(DbConnection connection, Id<Realm> realm, SecretHash key, SecretHash owner, KeptAnswer answer) =>
        connection.ExecuteAsync(
            """
            UPDATE idempotent_answers SET status = @Status, sealed_body = @SealedBody
            WHERE realm_id = @realm AND key_hash = @key AND owner = @owner AND status IS NULL
            """,
            new { realm, key, owner, answer.Status, answer.SealedBody });
}

/// <summary>A request worked on for so long that somebody else has begun it anew under the same key; nothing of it was done.</summary>
public sealed class ReservationLostException() : Exception("The idempotency key was taken over by another request.");
