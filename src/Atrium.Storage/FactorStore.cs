using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Second factors, the challenges asked of them, and codes sent to mailboxes.</summary>
public sealed class FactorStore(Database database)
{
    internal const string Columns = "realm_id, id, user_id, issuer, account, sealed_secret, confirmed, last_used_step, created_at, updated_at";
    private const string ChallengeColumns = "realm_id, id, factor_id, failed_tries, spent_at, created_at, expires_at";
    private const string VerificationColumns = "realm_id, id, user_id, email, sealed_code, failed_tries, spent_at, created_at, expires_at";

    public Task<Factor?> FindAsync(Id<Realm> realm, Id<Factor> factor, CancellationToken cancellationToken) =>
        FindAsync(realm, user: null, factor, cancellationToken);

    /// <param name="user">Whose it must be, if that is asked.</param>
    public Task<Factor?> FindAsync(Id<Realm> realm, Id<User>? user, Id<Factor> factor, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Factor>(
                $"SELECT {Columns} FROM factors WHERE realm_id = @realm AND id = @factor{Of(user)}", new { realm, factor, user }),
            cancellationToken);

    public Task<Page<Factor>> ListAsync(Id<Realm> realm, Id<User> user, PageRequest<Factor> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"SELECT {Columns} FROM factors WHERE realm_id = @realm AND user_id = @user", "id", new DynamicParameters(new { realm, user }), page),
            cancellationToken);

    /// <summary>Makes a factor; false when the person is gone.</summary>
    public Task<bool> CreateAsync(Factor factor, Origin origin, CancellationToken cancellationToken) =>
        CreateAsync(factor, challenge: null, origin, cancellationToken);

    /// <summary>Makes a factor and the first challenge to it.</summary>
    public Task<bool> CreateAsync(Factor factor, FactorChallenge? challenge, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            factor.RealmId,
            origin,
            async (connection, log) =>
            {
                if (!await InsertAsync(database, connection, factor))
                    return false;
                if (challenge is not null)
                    await InsertChallengeAsync(connection, challenge);
                log.Add(EventOf(EventTypes.UserFactorCreated, factor));
                return true;
            },
            cancellationToken);

    /// <summary>Deletes a factor where <paramref name="mayDelete"/>, which is pure, says so; null when it doesn't, or there is none.</summary>
    /// <param name="user">Whose it must be, if that is asked.</param>
    public Task<Factor?> DeleteAsync(
        Id<Realm> realm, Id<User>? user, Id<Factor> factor, Func<Factor, bool> mayDelete, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                Factor? current = await connection.QuerySingleOrDefaultAsync<Factor>(
                    $"SELECT {Columns} FROM factors WHERE realm_id = @realm AND id = @factor{Of(user)}{database.ForDeleteOf("factors")}",
                    new { realm, factor, user });
                if (current is null || !mayDelete(current))
                    return null;
                await connection.ExecuteAsync("DELETE FROM factors WHERE realm_id = @realm AND id = @factor", new { realm, factor });
                await RecoveryCodeStore.ForgetWithoutFactorAsync(connection, realm, current.UserId);
                log.Add(EventOf(EventTypes.UserFactorDeleted, current));
                return current;
            },
            cancellationToken);

    public Task<FactorChallenge?> FindChallengeAsync(Id<Realm> realm, Id<FactorChallenge> challenge, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<FactorChallenge>(
                $"SELECT {ChallengeColumns} FROM factor_challenges WHERE realm_id = @realm AND id = @challenge", new { realm, challenge }),
            cancellationToken);

    /// <summary>Makes a challenge; false when the factor is gone.</summary>
    public Task<bool> CreateChallengeAsync(FactorChallenge challenge, CancellationToken cancellationToken) =>
        database.TryWriteAsync(async connection => await InsertChallengeAsync(connection, challenge) == 1, cancellationToken);

    /// <summary>Answers a challenge outside of a sign-in; false when the challenge or the code was spent meanwhile.</summary>
    public Task<bool> SpendAsync(Id<Realm> realm, SpentProof proof, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.TryRecordAsync(realm, origin, (connection, log) => SpendAsync(database, connection, log, realm, proof, now), cancellationToken);

    /// <summary>Counts a wrong code against the challenge; false when it changed meanwhile.</summary>
    public Task<bool> FailChallengeAsync(FactorChallenge challenge, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection => await connection.ExecuteAsync(
                """
                UPDATE factor_challenges SET failed_tries = failed_tries + 1
                WHERE realm_id = @RealmId AND id = @Id AND failed_tries = @FailedTries
                """,
                new { challenge.RealmId, challenge.Id, challenge.FailedTries }) == 1,
            cancellationToken);

    public Task<EmailVerification?> FindVerificationAsync(Id<Realm> realm, Id<EmailVerification> verification, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<EmailVerification>(
                $"SELECT {VerificationColumns} FROM email_verifications WHERE realm_id = @realm AND id = @verification", new { realm, verification }),
            cancellationToken);

    /// <summary>The code that was sent last to this person's address.</summary>
    public Task<EmailVerification?> FindLatestVerificationAsync(Id<Realm> realm, Id<User> user, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryFirstOrDefaultAsync<EmailVerification>(
                $"SELECT {VerificationColumns} FROM email_verifications WHERE realm_id = @realm AND user_id = @user ORDER BY id DESC LIMIT 1",
                new { realm, user }),
            cancellationToken);

    /// <summary>Makes a verification and queues the letter with its code, if one is to be sent; false when the person is gone.</summary>
    public Task<bool> CreateVerificationAsync(EmailVerification verification, QueuedMail? letter, CancellationToken cancellationToken) =>
        database.TryWriteAsync(
            async connection =>
            {
                if (letter is not null)
                    await MailStore.QueueAsync(connection, letter);
                return await connection.ExecuteAsync(
                    $"""
                    INSERT INTO email_verifications ({VerificationColumns})
                    VALUES (@RealmId, @Id, @UserId, @Email, @SealedCode, @FailedTries, @SpentAt, @CreatedAt, @ExpiresAt)
                    """,
                    verification) == 1;
            },
            cancellationToken);

    /// <summary>Counts a wrong code against the verification; false when it changed meanwhile.</summary>
    public Task<bool> FailVerificationAsync(EmailVerification verification, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection => await connection.ExecuteAsync(
                """
                UPDATE email_verifications SET failed_tries = failed_tries + 1
                WHERE realm_id = @RealmId AND id = @Id AND failed_tries = @FailedTries
                """,
                new { verification.RealmId, verification.Id, verification.FailedTries }) == 1,
            cancellationToken);

    private static Task<int> InsertChallengeAsync(DbConnection connection, FactorChallenge challenge) =>
        connection.ExecuteAsync(
            $"""
            INSERT INTO factor_challenges ({ChallengeColumns})
            VALUES (@RealmId, @Id, @FactorId, @FailedTries, @SpentAt, @CreatedAt, @ExpiresAt)
            """,
            challenge);

    /// <summary>Makes a factor as part of a larger change, holding the person; false when they are gone.</summary>
    internal static async Task<bool> InsertAsync(Database database, DbConnection connection, Factor factor) =>
        await connection.ExecuteAsync(
            $"""
            INSERT INTO factors ({Columns})
            SELECT @RealmId, @Id, @UserId, @Issuer, @Account, @SealedSecret, @Confirmed, @LastUsedStep, @CreatedAt, @UpdatedAt
            WHERE EXISTS (SELECT 1 FROM users WHERE realm_id = @RealmId AND id = @UserId{database.ForUpdateOf("users")})
            """,
            factor) == 1;

    private static string Of(Id<User>? user) => user is null ? "" : " AND user_id = @user";

    /// <summary>What the log says of it.</summary>
    public static EventDraft EventOf(string type, Factor factor) =>
        EventDraft.Of(type, factor.Id.ToString(), FactorResource.Of(factor), ResourceJson.Default.FactorResource) with { UserId = factor.UserId };

    /// <summary>
    /// Spends what a proof was made with: the time step of a code, the challenge it answered, a recovery code, the code that was mailed (which also
    /// makes the address the person's). False when one of them was spent before, or the password that was checked is another one by now; the caller's change is then undone, and with it what was spent here.
    /// </summary>
    internal static async Task<bool> SpendAsync(
        Database database, DbConnection connection, EventLog log, Id<Realm> realm, SpentProof proof, DateTimeOffset now)
    {
        if (proof.Password is { } password
            && await connection.QuerySingleOrDefaultAsync<Id<User>?>(
                $"SELECT id FROM users WHERE realm_id = @realm AND id = @User AND password_hash = @Hash{database.ForUpdateOf("users")}",
                new { realm, password.User, password.Hash }) is null)
        {
            return false;
        }

        if (proof.Challenge is { } challenge
            && await connection.ExecuteAsync(
                "UPDATE factor_challenges SET spent_at = @now WHERE realm_id = @realm AND id = @challenge AND spent_at IS NULL",
                new { realm, challenge, now }) == 0)
        {
            return false;
        }

        if (proof.Factor is { } factor
            && await connection.ExecuteAsync(
                """
                UPDATE factors SET last_used_step = @Step, confirmed = @isConfirmed, updated_at = @now
                WHERE realm_id = @realm AND id = @factor AND (last_used_step IS NULL OR last_used_step < @Step)
                """,
                new { realm, factor, proof.Step, isConfirmed = true, now }) == 0)
        {
            return false;
        }

        if (proof.Confirmed is { } confirmed)
            log.Add(EventOf(EventTypes.UserFactorConfirmed, confirmed));
        if (proof.RecoveryCode is { } code && !await RecoveryCodeStore.SpendAsync(connection, log, realm, code))
            return false;

        if (proof.Verification is { } verification)
        {
            if (await connection.ExecuteAsync(
                    "UPDATE email_verifications SET spent_at = @now WHERE realm_id = @realm AND id = @verification AND spent_at IS NULL",
                    new { realm, verification, now }) == 0)
            {
                return false;
            }

            User? user = await connection.QuerySingleOrDefaultAsync<User>(
                $"""
                SELECT {UserStore.Columns} FROM users
                WHERE realm_id = @realm
                    AND (id, email) IN (SELECT user_id, email FROM email_verifications WHERE realm_id = @realm AND id = @verification){database.ForUpdateOf("users")}
                """,
                new { realm, verification });
            if (user is null)
                return false;
            if (!user.EmailVerified)
                await UserStore.VerifyEmailAsync(connection, log, user, now);
        }

        return true;
    }
}

/// <summary>The one-time things that a proof was made with.</summary>
public sealed record SpentProof(
    Id<Factor>? Factor = null,
    long Step = 0,
    Id<FactorChallenge>? Challenge = null,
    Id<EmailVerification>? Verification = null,
    SpentRecoveryCode? RecoveryCode = null)
{
    /// <summary>The factor as it is from now on, where this is its first right code.</summary>
    public Factor? Confirmed { get; init; }

    /// <summary>The password that was just checked. It is not spent, but must be the person's still when what it opens is stored.</summary>
    public VerifiedPassword? Password { get; init; }

    /// <summary>Whether nothing of it is good only once.</summary>
    internal bool SpendsNothing => this is { Factor: null, Challenge: null, Verification: null, RecoveryCode: null };

    /// <summary>Of a code of this factor.</summary>
    public static SpentProof Of(Factor factor, long step, Id<FactorChallenge>? challenge, DateTimeOffset now) => new(factor.Id, step, challenge)
    {
        Confirmed = factor.Confirmed ? null : factor with { Confirmed = true, LastUsedStep = step, UpdatedAt = now },
    };
}

/// <summary>Whose password was checked, and the hash that it matched.</summary>
public sealed record VerifiedPassword(Id<User> User, string Hash)
{
    /// <summary>Tells this password of the person from one that takes its place, and nothing else of it.</summary>
    public string Mark => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Hash)));

    public override string ToString() => User.ToString();
}
