using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Connections;
using Atrium.Core.Mail;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Core.Webhooks;
using Dapper;

namespace Atrium.Storage;

/// <summary>A column of secrets that are sealed under the key file.</summary>
/// <param name="First">What comes before every key of the table.</param>
public sealed record SealedColumn<TKey>(string Table, string Key, string Column, TKey First);

public static class SealedColumns
{
    public static SealedColumn<string> SigningKeys { get; } = new("signing_keys", "kid", "sealed_private_key", "");

    public static SealedColumn<Id<Factor>> Factors { get; } = new("factors", "id", "sealed_secret", default);

    public static SealedColumn<Id<Factor>> FactorEnrolments { get; } = new("factor_enrolments", "factor_id", "sealed_secret", default);

    /// <summary>Null of those in which nobody is shown new recovery codes.</summary>
    public static SealedColumn<Id<SignIn>> RecoveryCodes { get; } = new("sign_ins", "id", "sealed_codes", default);

    public static SealedColumn<Id<EmailVerification>> EmailVerifications { get; } = new("email_verifications", "id", "sealed_code", default);

    /// <summary>Null of those that have nothing secret.</summary>
    public static SealedColumn<Id<Connection>> Connections { get; } = new("connections", "id", "sealed_secret", default);

    public static SealedColumn<Id<WebhookSecret>> WebhookSecrets { get; } = new("webhook_secrets", "id", "sealed_secret", default);

    public static SealedColumn<Id<QueuedMail>> Mails { get; } = new("mails", "id", "sealed_letter", default);
}

/// <summary>A sealed secret where it lies.</summary>
public sealed record SealedValue<TKey>
{
    public required TKey Key { get; init; }

    public required byte[] Value { get; init; }
}

/// <summary>The fingerprints of the keys that the database needs.</summary>
/// <param name="Sealing">The one that new secrets are sealed under.</param>
/// <param name="Opening">Those that older secrets may still be sealed under.</param>
public sealed record StorageKeys(string Sealing, IReadOnlyList<string> Opening)
{
    public IEnumerable<string> All => Opening.Prepend(Sealing);
}

/// <summary>Which keys the secrets of the database are sealed under, and the secrets themselves when they are sealed anew.</summary>
public sealed class StorageKeyStore(Database database)
{
    /// <summary>The schema from which on a database records its keys.</summary>
    public const long Since = 2;

    /// <summary>Null in a database where none was recorded yet.</summary>
    public Task<StorageKeys?> FindAsync(CancellationToken cancellationToken) => database.QueryAsync(FindAsync, cancellationToken);

    /// <summary>Records the first keys and answers what is recorded then: another node may have been faster, with other keys.</summary>
    public Task<StorageKeys> RecordAsync(StorageKeys first, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                int recorded = await connection.ExecuteAsync(
                    "INSERT INTO storage_keys (fingerprint, state, added_at) VALUES (@Sealing, 'sealing', @now) ON CONFLICT DO NOTHING",
                    new { first.Sealing, now });
                foreach (string fingerprint in recorded == 1 ? first.Opening : [])
                {
                    await connection.ExecuteAsync(
                        "INSERT INTO storage_keys (fingerprint, state, added_at) VALUES (@fingerprint, 'opening', @now)", new { fingerprint, now });
                }

                return (await FindAsync(connection))!;
            },
            cancellationToken);

    /// <summary>From here on secrets are sealed under this key; what is sealed under the one before is still opened.</summary>
    public Task SealUnderAsync(string fingerprint, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("UPDATE storage_keys SET state = 'opening' WHERE state = 'sealing'");
                return await connection.ExecuteAsync(
                    "INSERT INTO storage_keys (fingerprint, state, added_at) VALUES (@fingerprint, 'sealing', @now)", new { fingerprint, now });
            },
            cancellationToken);

    /// <summary>Forgets the keys that nothing is sealed under any more.</summary>
    public Task ForgetAsync(IReadOnlyList<string> fingerprints, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                "DELETE FROM storage_keys WHERE state = 'opening' AND fingerprint IN @fingerprints", new { fingerprints = fingerprints.ToArray() }),
            cancellationToken);

    public Task<IReadOnlyList<Id<Realm>>> RealmsAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Realm>>>(
            static async connection => [.. (await connection.QueryAsync<Realm>("SELECT id FROM realms ORDER BY id")).Select(static realm => realm.Id)],
            cancellationToken);

    /// <summary>The next sealed secrets of a realm, in the order of their keys.</summary>
    public Task<IReadOnlyList<SealedValue<TKey>>> NextAsync<TKey>(
        SealedColumn<TKey> column, Id<Realm> realm, TKey after, int count, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<SealedValue<TKey>>>(
            async connection =>
            [
                .. await connection.QueryAsync<SealedValue<TKey>>(
                    $"""
                    SELECT {column.Key} AS key, {column.Column} AS value FROM {column.Table}
                    WHERE realm_id = @realm AND {column.Key} > @after AND {column.Column} IS NOT NULL ORDER BY {column.Key} LIMIT @count
                    """,
                    new { realm, after, count }),
            ],
            cancellationToken);

    /// <summary>Puts newly sealed secrets in the place of the old ones. One that was changed or deleted meanwhile stays as it is.</summary>
    public Task ReplaceAsync<TKey>(
        SealedColumn<TKey> column, Id<Realm> realm, IReadOnlyList<(SealedValue<TKey> Old, byte[] New)> values, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                foreach ((SealedValue<TKey> old, byte[] @new) in values)
                {
                    await connection.ExecuteAsync(
                        $"UPDATE {column.Table} SET {column.Column} = @new WHERE realm_id = @realm AND {column.Key} = @Key AND {column.Column} = @Value",
                        new { @new, realm, old.Key, old.Value });
                }

                return values.Count;
            },
            cancellationToken);

    private static async Task<StorageKeys?> FindAsync(DbConnection connection)
    {
        (string Fingerprint, string State)[] rows =
            [.. await connection.QueryAsync<(string, string)>("SELECT fingerprint, state FROM storage_keys ORDER BY added_at DESC, fingerprint")];
        return rows.Length == 0
            ? null
            : new StorageKeys(
                rows.Single(static row => row.State == "sealing").Fingerprint,
                [.. rows.Where(static row => row.State != "sealing").Select(static row => row.Fingerprint)]);
    }
}
