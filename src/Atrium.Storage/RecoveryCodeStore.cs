using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>The codes that stand in for people's authenticator apps. What is stored of them is hashed, and a used one is gone.</summary>
public sealed class RecoveryCodeStore(Database database)
{
    public Task<RecoveryCodes> FindAsync(Id<Realm> realm, Id<User> user, CancellationToken cancellationToken) =>
        database.QueryAsync(
            async connection =>
            {
                Row[] rows =
                [
                    .. await connection.QueryAsync<Row>(
                        "SELECT code_hash, created_at FROM recovery_codes WHERE realm_id = @realm AND user_id = @user", new { realm, user }),
                ];
                return new RecoveryCodes([.. rows.Select(static row => row.CodeHash)], rows.Length == 0 ? null : rows[0].CreatedAt);
            },
            cancellationToken);

    /// <summary>Gives a person new codes in the place of the old ones; false when the person is gone.</summary>
    public Task<bool> ReplaceAsync(
        Id<Realm> realm, Id<User> user, IReadOnlyList<SecretHash> codes, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                // Held to the end, so that two sets made at once don't mix.
                if (await connection.ExecuteScalarAsync<long?>(
                        $"SELECT 1 FROM users WHERE realm_id = @realm AND id = @user{database.ForUpdateOf("users")}", new { realm, user }) is null)
                {
                    return false;
                }

                await ReplaceAsync(connection, log, realm, user, codes, now);
                return true;
            },
            cancellationToken);

    /// <summary>The same as part of a larger change that holds the person.</summary>
    internal static async Task ReplaceAsync(
        DbConnection connection, EventLog log, Id<Realm> realm, Id<User> user, IReadOnlyList<SecretHash> codes, DateTimeOffset now)
    {
        await connection.ExecuteAsync("DELETE FROM recovery_codes WHERE realm_id = @realm AND user_id = @user", new { realm, user });
        foreach (SecretHash code in codes)
        {
            await connection.ExecuteAsync(
                "INSERT INTO recovery_codes (realm_id, user_id, code_hash, created_at) VALUES (@realm, @user, @code, @now)", new { realm, user, code, now });
        }

        log.Add(EventOf(EventTypes.UserRecoveryCodesCreated, user, RecoveryCodesResource.Of(user, codes.Count, now)));
    }

    /// <summary>What goes with the last factor that they stood in for.</summary>
    internal static Task ForgetWithoutFactorAsync(DbConnection connection, Id<Realm> realm, Id<User> user) =>
        connection.ExecuteAsync(
            """
            DELETE FROM recovery_codes WHERE realm_id = @realm AND user_id = @user
                AND NOT EXISTS (SELECT 1 FROM factors WHERE realm_id = @realm AND user_id = @user AND confirmed = @confirmed)
            """,
            new { realm, user, confirmed = true });

    /// <summary>Uses a code up as part of a larger change; false when it was used before.</summary>
    internal static async Task<bool> SpendAsync(DbConnection connection, EventLog log, Id<Realm> realm, SpentRecoveryCode code)
    {
        if (await connection.ExecuteAsync(
                "DELETE FROM recovery_codes WHERE realm_id = @realm AND user_id = @User AND code_hash = @Hash", new { realm, code.User, code.Hash }) == 0)
        {
            return false;
        }

        log.Add(UseOf(code));
        return true;
    }

    /// <summary>What the log says of it.</summary>
    public static EventDraft UseOf(SpentRecoveryCode code) => EventOf(EventTypes.UserRecoveryCodeUsed, code.User, code.Left);

    private static EventDraft EventOf(string type, Id<User> user, RecoveryCodesResource codes) =>
        EventDraft.Of(type, user.ToString(), codes, ResourceJson.Default.RecoveryCodesResource) with { UserId = user };

    private sealed record Row
    {
        public SecretHash CodeHash { get; init; }

        public DateTimeOffset CreatedAt { get; init; }
    }
}

/// <summary>A recovery code that was shown.</summary>
/// <param name="Left">What the person has left without it.</param>
public sealed record SpentRecoveryCode(Id<User> User, SecretHash Hash, RecoveryCodesResource Left);
