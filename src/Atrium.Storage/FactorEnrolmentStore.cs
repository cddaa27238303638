using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>
/// Factors that people are setting up on the realm's own pages. Each belongs to one sign-in and goes with it: nobody else sees it, and an abandoned one
/// leaves nothing behind.
/// </summary>
public sealed class FactorEnrolmentStore(Database database)
{
    /// <summary>The factor that this sign-in sets up for the person; null when none is prepared yet.</summary>
    public Task<Factor?> FindAsync(Id<Realm> realm, Id<SignIn> signIn, Id<User> user, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Factor>(
                """
                SELECT realm_id, factor_id AS id, user_id, issuer, account, sealed_secret, created_at, created_at AS updated_at
                FROM factor_enrolments WHERE realm_id = @realm AND sign_in_id = @signIn AND user_id = @user
                """,
                new { realm, signIn, user }),
            cancellationToken);

    /// <summary>Prepares a factor, unless another is prepared already: two pages of one sign-in show the same.</summary>
    public Task<bool> PrepareAsync(Id<SignIn> signIn, Factor factor, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection => await connection.ExecuteAsync(
                """
                INSERT INTO factor_enrolments (realm_id, factor_id, sign_in_id, user_id, issuer, account, sealed_secret, created_at)
                SELECT @RealmId, @Id, @signIn, @UserId, @Issuer, @Account, @SealedSecret, @CreatedAt
                WHERE EXISTS (SELECT 1 FROM sign_ins WHERE realm_id = @RealmId AND id = @signIn)
                    AND EXISTS (SELECT 1 FROM users WHERE realm_id = @RealmId AND id = @UserId)
                ON CONFLICT DO NOTHING
                """,
                new { factor.RealmId, factor.Id, signIn, factor.UserId, factor.Issuer, factor.Account, factor.SealedSecret, factor.CreatedAt }) == 1,
            cancellationToken);

    /// <summary>
    /// Makes the prepared factor the person's, with the step of its first code spent and recovery codes beside it, together with what the sign-in
    /// becomes, and the letter that tells of it, if one is sent. False, with nothing done, when another submit was faster, or another sign-in in which the person got a factor.
    /// </summary>
    public Task<bool> ConfirmAsync(
        SignIn signIn, Factor factor, IReadOnlyList<SecretHash> recoveryCodes, QueuedMail? letter, Origin origin, CancellationToken cancellationToken) =>
        database.TryRecordAsync(
            factor.RealmId,
            origin,
            async (connection, log) =>
            {
                if (await connection.ExecuteAsync(
                        "DELETE FROM factor_enrolments WHERE realm_id = @RealmId AND factor_id = @Id AND sign_in_id = @signIn",
                        new { factor.RealmId, factor.Id, signIn = signIn.Id }) == 0
                    || !await SignInStore.ChangeAsync(connection, signIn, newHandle: null)
                    || !await FactorStore.InsertAsync(database, connection, factor)
                    || await connection.ExecuteScalarAsync<long>(
                        "SELECT count(*) FROM factors WHERE realm_id = @RealmId AND user_id = @UserId AND confirmed = @Confirmed",
                        new { factor.RealmId, factor.UserId, factor.Confirmed }) > 1)
                {
                    return false;
                }

                log.Add(FactorStore.EventOf(EventTypes.UserFactorCreated, factor));
                log.Add(FactorStore.EventOf(EventTypes.UserFactorConfirmed, factor));
                await RecoveryCodeStore.ReplaceAsync(connection, log, factor.RealmId, factor.UserId, recoveryCodes, factor.UpdatedAt);
                if (letter is not null)
                    await MailStore.QueueAsync(connection, letter);
                return true;
            },
            cancellationToken);
}
