using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Dapper;

namespace Atrium.Storage;

/// <summary>Codes mailed within sign-ins: one for each sign-in at a time, in the place of the one before.</summary>
public sealed class MailedCodeStore(Database database)
{
    internal const string Columns = "realm_id, sign_in_id, purpose, email, user_id, code_hash, failed_tries, shown_at, created_at, expires_at";

    public Task<MailedCode?> FindAsync(Id<Realm> realm, Id<SignIn> signIn, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<MailedCode>(
                $"SELECT {Columns} FROM mailed_codes WHERE realm_id = @realm AND sign_in_id = @signIn", new { realm, signIn }),
            cancellationToken);

    /// <summary>
    /// Puts a code into the place of the sign-in's last one and queues the letter with it; that one's, should it still wait, is not sent any more.
    /// False, with nothing done, where the sign-in is gone, or one was sent to the same address after <paramref name="justBefore"/>.
    /// </summary>
    /// <param name="isSent">False where the letter goes to nobody; what is done takes the same time.</param>
    public Task<bool> ReplaceAsync(MailedCode code, QueuedMail letter, bool isSent, DateTimeOffset justBefore, CancellationToken cancellationToken) =>
        database.TryWriteAsync(
            async connection =>
            {
                if (await connection.ExecuteAsync(
                    $"""
                    INSERT INTO mailed_codes ({Columns})
                    VALUES (@RealmId, @SignInId, @Purpose, @Email, @UserId, @CodeHash, 0, NULL, @CreatedAt, @ExpiresAt)
                    ON CONFLICT (realm_id, sign_in_id) DO UPDATE SET purpose = excluded.purpose, email = excluded.email, user_id = excluded.user_id,
                        code_hash = excluded.code_hash, failed_tries = 0, shown_at = NULL, created_at = excluded.created_at, expires_at = excluded.expires_at
                    WHERE mailed_codes.email <> excluded.email OR mailed_codes.purpose <> excluded.purpose OR mailed_codes.created_at <= @justBefore
                    """,
                    new
                    {
                        code.RealmId, code.SignInId, Purpose = code.Purpose.ToString(), code.Email, code.UserId, code.CodeHash, code.CreatedAt, code.ExpiresAt,
                        justBefore,
                    }) == 0)
                {
                    return false;
                }

                await MailStore.WithdrawAsync(connection, code.RealmId, letter.About);
                await MailStore.QueueAsync(connection, letter, isSent);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Counts a try before the code is looked at: the code as it stands then; null when none is heard any more, because it is over, was shown
    /// before, or has had all its tries.
    /// </summary>
    public Task<MailedCode?> CountTryAsync(MailedCode code, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection => connection.QuerySingleOrDefaultAsync<MailedCode>(
                $"""
                UPDATE mailed_codes SET failed_tries = failed_tries + 1
                WHERE realm_id = @RealmId AND sign_in_id = @SignInId AND code_hash = @CodeHash AND shown_at IS NULL AND failed_tries < @MaxTries AND expires_at > @now
                RETURNING {Columns}
                """,
                new { code.RealmId, code.SignInId, code.CodeHash, MailedCode.MaxTries, now }),
            cancellationToken);

    /// <summary>The right code came; false where it came before, or another took its place.</summary>
    public Task<bool> ShowAsync(MailedCode code, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection => await connection.ExecuteAsync(
                "UPDATE mailed_codes SET shown_at = @now WHERE realm_id = @RealmId AND sign_in_id = @SignInId AND code_hash = @CodeHash AND shown_at IS NULL",
                new { code.RealmId, code.SignInId, code.CodeHash, now }) == 1,
            cancellationToken);

    /// <summary>Spends what was shown, within a change; null where it is spent, or was never shown.</summary>
    internal static Task<MailedCode?> SpendAsync(DbConnection connection, Id<Realm> realm, Id<SignIn> signIn, MailedCodePurpose purpose) =>
        connection.QuerySingleOrDefaultAsync<MailedCode>(
            $"DELETE FROM mailed_codes WHERE realm_id = @realm AND sign_in_id = @signIn AND purpose = @purpose AND shown_at IS NOT NULL RETURNING {Columns}",
            new { realm, signIn, purpose = purpose.ToString() });
}
