using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>The keys that realms sign with.</summary>
public sealed class SigningKeyStore(Database database)
{
    private const string Columns = "realm_id, kid, algorithm, sealed_private_key, certificate, created_at, activated_at, replaced_at";

    /// <summary>Every key of the realm, oldest first.</summary>
    public Task<IReadOnlyList<SigningKey>> AllAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<SigningKey>>(
            async connection =>
            [
                .. await connection.QueryAsync<SigningKey>($"SELECT {Columns} FROM signing_keys WHERE realm_id = @realm ORDER BY created_at, kid", new { realm }),
            ],
            cancellationToken);

    /// <summary>Every key that a token of the realm may have been signed with, and the next ones; oldest first.</summary>
    public Task<IReadOnlyList<SigningKey>> PublishedAsync(Id<Realm> realm, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<SigningKey>>(
            async connection =>
            [
                .. await connection.QueryAsync<SigningKey>(
                    $"SELECT {Columns} FROM signing_keys WHERE realm_id = @realm AND (replaced_at IS NULL OR replaced_at > @since) ORDER BY created_at, kid",
                    new { realm, since = now - SigningKey.Retirement }),
            ],
            cancellationToken);

    /// <summary>A page of the realm's keys, newest first, and whether there are more behind it.</summary>
    /// <param name="after">Start behind the key of that name.</param>
    public Task<(IReadOnlyList<SigningKey> Keys, bool HasMore)> ListAsync(Id<Realm> realm, string? after, int limit, CancellationToken cancellationToken) =>
        database.QueryAsync<(IReadOnlyList<SigningKey>, bool)>(
            async connection =>
            {
                SigningKey[] keys =
                [
                    .. await connection.QueryAsync<SigningKey>(
                        $"""
                        SELECT {Columns} FROM signing_keys WHERE realm_id = @realm{(after is null ? "" : " AND kid < @after")} ORDER BY kid DESC LIMIT @most
                        """,
                        new { realm, after, most = limit + 1 }),
                ];
                return keys.Length > limit ? (keys[..limit], true) : (keys, false);
            },
            cancellationToken);

    /// <summary>
    /// Lets the next keys sign from now on. Of two at once, one comes after the other, and decides on what that one left. The keys that no other has
    /// replaced then.
    /// </summary>
    /// <param name="decide">What changes, given the keys that no other has replaced; it is pure.</param>
    public Task<IReadOnlyList<SigningKey>> RotateAsync(
        Id<Realm> realm,
        Func<IReadOnlyList<SigningKey>, SigningKeyRotation> decide,
        DateTimeOffset now,
        Origin origin,
        CancellationToken cancellationToken) =>
        database.RecordAndTellAsync<IReadOnlyList<SigningKey>>(
            realm,
            origin,
            Change.OfSigningKeys(realm),
            async (connection, log) =>
            {
                // Whoever waited here for another rotation must see what that one left, which the statement that waited does not.
                await connection.QueryAsync<string>(
                    $"SELECT kid FROM signing_keys WHERE realm_id = @realm AND replaced_at IS NULL ORDER BY kid{database.ForUpdateOf("signing_keys")}", new { realm });
                SigningKeyRotation rotation = decide(await UnreplacedAsync(connection, realm));
                foreach (SigningKey key in rotation.Changed)
                {
                    await connection.ExecuteAsync(
                        "UPDATE signing_keys SET activated_at = @ActivatedAt, replaced_at = @ReplacedAt WHERE realm_id = @RealmId AND kid = @Kid",
                        new { key.ActivatedAt, key.ReplacedAt, key.RealmId, key.Kid });
                }

                foreach (SigningKey key in rotation.Added)
                    await InsertAsync(connection, key);
                foreach (SigningKey key in rotation.Activated)
                {
                    log.Add(EventDraft.Of(
                        EventTypes.SigningKeyRotated, key.Kid, SigningKeyResource.Of(key, now), ResourceJson.Default.SigningKeyResource));
                }

                return await UnreplacedAsync(connection, realm);
            },
            cancellationToken);

    internal static Task InsertAsync(DbConnection connection, SigningKey key) =>
        connection.ExecuteAsync(
            $"""
            INSERT INTO signing_keys ({Columns})
            VALUES (@RealmId, @Kid, @Algorithm, @SealedPrivateKey, @Certificate, @CreatedAt, @ActivatedAt, @ReplacedAt)
            """,
            new { key.RealmId, key.Kid, key.Algorithm, key.SealedPrivateKey, key.Certificate, key.CreatedAt, key.ActivatedAt, key.ReplacedAt });

    private static async Task<IReadOnlyList<SigningKey>> UnreplacedAsync(DbConnection connection, Id<Realm> realm) =>
    [
        .. await connection.QueryAsync<SigningKey>(
            $"SELECT {Columns} FROM signing_keys WHERE realm_id = @realm AND replaced_at IS NULL ORDER BY created_at, kid", new { realm }),
    ];
}
