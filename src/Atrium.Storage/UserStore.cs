using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>How a user write ended.</summary>
public enum UserWrite
{
    Done,
    NotFound,
    EmailTaken,
    UsernameTaken,
    ExternalIdTaken,

    /// <summary>The change itself would not have it; nothing was written.</summary>
    Refused,
}

/// <summary>How a change of a user ended, and the user then.</summary>
public readonly record struct UserChange(UserWrite Outcome, User? User);

/// <summary>Which people are asked for; all of it must hold. Each of the first four finds few, or in the order of an index of its own.</summary>
public sealed record UserFilter
{
    public string? Email { get; init; }

    public string? Username { get; init; }

    public string? ExternalId { get; init; }

    /// <summary>Can't be asked for together with an organization: nothing finds the one within the other.</summary>
    public UserStatus? Status { get; init; }

    public Id<Organization>? Organization { get; init; }
}

/// <summary>A user with the hash of the password, which only the check of a password wants to see.</summary>
public sealed record UserAndPassword(User User, string? PasswordHash);

/// <summary>People.</summary>
public sealed class UserStore(Database database)
{
    internal const string Columns =
        """
        realm_id, id, email, email_verified, username, given_name, family_name, name, picture, locale, phone_number,
        phone_number_verified, address, external_id, metadata, status, last_sign_in_at, created_at, updated_at
        """;

    private const string ForSignIn =
        $"SELECT {Columns}, password_hash FROM users WHERE realm_id = @realm AND (email_key = @key OR username_key = @key)";

    private const string ForSignInOfMember =
        $"""
        {ForSignIn}
            AND EXISTS (SELECT 1 FROM memberships
                WHERE memberships.realm_id = @realm AND memberships.user_id = users.id
                    AND memberships.organization_id = @memberOf AND memberships.status = 'Active')
        """;

    private static readonly string OfMember = SqlTypes.Of("u", Columns);

    public Task<User?> FindAsync(Id<Realm> realm, Id<User> user, CancellationToken cancellationToken) =>
        FindByAsync("id = @user", new { realm, user }, cancellationToken);

    public Task<User?> FindByEmailAsync(Id<Realm> realm, string email, CancellationToken cancellationToken) =>
        FindByAsync("email_key = @key", new { realm, key = EmailAddress.Normalize(email) }, cancellationToken);

    /// <summary>Who can sign in under this name; an e-mail is a stronger one than another person's username of the same spelling.</summary>
    public Task<User?> FindByEmailOrUsernameAsync(Id<Realm> realm, string name, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryFirstOrDefaultAsync<User>(
                $"""
                SELECT {Columns} FROM users WHERE realm_id = @realm AND (email_key = @key OR username_key = @key)
                ORDER BY CASE WHEN email_key = @key THEN 0 ELSE 1 END LIMIT 1
                """,
                new { realm, key = EmailAddress.Normalize(name) }),
            cancellationToken);

    public Task<User?> FindByExternalIdAsync(Id<Realm> realm, string externalId, CancellationToken cancellationToken) =>
        FindByAsync("external_id = @externalId", new { realm, externalId }, cancellationToken);

    /// <summary>
    /// Who signs in under this e-mail or username. With <paramref name="memberOf"/>, only an active member of that organization is found:
    /// to everybody else the organization's sign-in behaves as if the account did not exist. Beside it, how often somebody guessed wrong.
    /// </summary>
    public Task<(UserAndPassword? User, IReadOnlyDictionary<SecretHash, long> Guesses)> FindForSignInAsync(
        Id<Realm> realm, string identifier, Id<Organization>? memberOf, GuessWatch watch, CancellationToken cancellationToken)
    {
        string key = EmailAddress.Normalize(identifier);
        DynamicParameters parameters = new(new { realm, key, memberOf });
        return database.ReadTogetherAsync(
            $"{watch.CountSql(parameters)};\n{(memberOf is null ? ForSignIn : ForSignInOfMember)}",
            parameters,
            async results =>
            {
                IReadOnlyDictionary<SecretHash, long> guesses = await GuessWatch.ReadAsync(results);
                UserAndPassword[] all =
                [
                    .. results.Read<User, PasswordRow, UserAndPassword>(
                        static (user, password) => new UserAndPassword(user, password?.PasswordHash), "password_hash"),
                ];

                // An e-mail is a stronger name than another person's username of the same spelling.
                return (all.FirstOrDefault(entry => EmailAddress.Normalize(entry.User.Email) == key) ?? all.FirstOrDefault(), guesses);
            },
            cancellationToken);
    }

    /// <summary>The hash of a person's password as it is now; null where there is none.</summary>
    public Task<string?> FindPasswordHashAsync(Id<Realm> realm, Id<User> user, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<string?>(
                "SELECT password_hash FROM users WHERE realm_id = @realm AND id = @user", new { realm, user }),
            cancellationToken);

    /// <summary>A page of people.</summary>
    public Task<Page<User>> ListAsync(Id<Realm> realm, UserFilter filter, PageRequest<User> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm });
        string select = $"SELECT {Columns} FROM users u WHERE realm_id = @realm";
        string idColumn = "u.id";
        if (filter.Organization is { } of)
        {
            // Read in the order of the memberships' own index: a page costs the same however many the organization or the realm has.
            select = $"SELECT {OfMember} FROM memberships m JOIN users u ON u.realm_id = m.realm_id AND u.id = m.user_id WHERE m.realm_id = @realm AND m.organization_id = @organization";
            idColumn = "m.user_id";
            parameters.Add("organization", of);
        }

        Narrow("email_key", filter.Email is null ? null : EmailAddress.Normalize(filter.Email));
        Narrow("username_key", filter.Username is null ? null : EmailAddress.Normalize(filter.Username));
        Narrow("external_id", filter.ExternalId);
        Narrow("status", filter.Status?.ToString());
        return database.QueryAsync(connection => connection.QueryPageAsync(select, idColumn, parameters, page), cancellationToken);

        void Narrow(string column, string? value)
        {
            if (value is null)
                return;
            select += $" AND u.{column} = @{column}";
            parameters.Add(column, value);
        }
    }

    public Task<UserWrite> CreateAsync(User user, string? passwordHash, Origin origin, CancellationToken cancellationToken) =>
        WriteAsync(
            user.RealmId,
            origin,
            () => user,
            async (connection, log) =>
            {
                await InsertAsync(connection, log, user, passwordHash);
                return UserWrite.Done;
            },
            static taken => taken,
            cancellationToken);

    /// <summary>
    /// Changes a user as they are at that moment, so that two changes of different things both stay; null from
    /// <paramref name="change"/>, which is pure, refuses. A new password ends the sessions that the old one opened, and the sign-ins that are half way with it; a user
    /// who is disabled has none (OWASP ASVS 7.4.2).
    /// </summary>
    public Task<UserChange> ChangeAsync(
        Id<Realm> realm, Id<User> id, Func<User, User?> change, string? newPasswordHash, Origin origin, CancellationToken cancellationToken)
    {
        User? user = null;
        return WriteAsync(
            realm,
            origin,
            () => user,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForUpdateOf("users")) is not { } current)
                    return new UserChange(UserWrite.NotFound, null);
                user = change(current);
                if (user is null)
                    return new UserChange(UserWrite.Refused, null);
                EventDraft updated = UpdateOf(current, user);
                bool differs = updated.Changed is { Count: > 0 };
                if (!differs && newPasswordHash is null)
                    return new UserChange(UserWrite.Done, current);
                await connection.ExecuteAsync(
                    """
                    UPDATE users SET email = @Email, email_key = @EmailKey, email_verified = @EmailVerified, username = @Username,
                        username_key = @UsernameKey, given_name = @GivenName, family_name = @FamilyName, name = @Name, picture = @Picture,
                        locale = @Locale, phone_number = @PhoneNumber, phone_number_verified = @PhoneNumberVerified, address = @Address,
                        external_id = @ExternalId, metadata = @Metadata, status = @Status, password_hash = coalesce(@passwordHash, password_hash), updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(user, newPasswordHash));
                if (differs)
                    log.Add(updated);
                if (newPasswordHash is not null)
                    log.Add(EventOf(EventTypes.UserPasswordChanged, user));
                if (user.Status == UserStatus.Disabled)
                    await SessionStore.EndAllAsync(connection, log, realm, id, SessionEnd.UserDisabled, user.UpdatedAt);
                else if (newPasswordHash is not null)
                    await SessionStore.EndAllAsync(connection, log, realm, id, SessionEnd.PasswordChanged, user.UpdatedAt);
                if (user.Status == UserStatus.Disabled || newPasswordHash is not null)
                    await connection.ExecuteAsync("DELETE FROM sign_ins WHERE realm_id = @realm AND user_id = @id", new { realm, id });
                return new UserChange(UserWrite.Done, user);
            },
            static taken => new UserChange(taken, null),
            cancellationToken);
    }

    /// <summary>
    /// Stores a password's hash made with today's settings over one made with older ones, if it is still that one. The hash that there is then.
    /// </summary>
    public Task<string?> RehashPasswordAsync(Id<Realm> realm, Id<User> user, string oldHash, string newHash, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteScalarAsync<string?>(
                """
                UPDATE users SET password_hash = @newHash WHERE realm_id = @realm AND id = @user AND password_hash = @oldHash;
                SELECT password_hash FROM users WHERE realm_id = @realm AND id = @user
                """,
                new { realm, user, oldHash, newHash }),
            cancellationToken);

    /// <summary>
    /// Removes a person and everything of theirs (memberships, factors, sessions, grants) where <paramref name="mayDelete"/>, which is pure, says so;
    /// null when it doesn't, or there is none.
    /// </summary>
    public Task<User?> DeleteAsync(
        Id<Realm> realm, Id<User> user, Func<User, bool> mayDelete, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, user, database.ForDeleteOf("users")) is not { } current || !mayDelete(current))
                    return null;
                await LogoutNoticeStore.QueueAsync(
                    connection, log, realm, "s.user_id = @user AND s.ended_at IS NULL", new { realm, user, now = database.Time.GetUtcNow() });
                await connection.ExecuteAsync("DELETE FROM users WHERE realm_id = @realm AND id = @user", new { realm, user });
                log.Add(EventOf(EventTypes.UserDeleted, current));
                return current;
            },
            cancellationToken);

    /// <summary>People of the realm with their hashes; <paramref name="condition"/> may go on to order and limit.</summary>
    internal static Task<IEnumerable<UserAndPassword>> WithPasswordsAsync(DbConnection connection, string condition, object parameters) =>
        connection.QueryAsync<User, PasswordRow, UserAndPassword>(
            $"SELECT {Columns}, password_hash FROM users WHERE realm_id = @realm AND {condition}",
            static (user, password) => new UserAndPassword(user, password?.PasswordHash),
            parameters,
            splitOn: "password_hash");

    /// <summary>Makes a person, within a change.</summary>
    internal static async Task InsertAsync(DbConnection connection, EventLog log, User user, string? passwordHash)
    {
        await connection.ExecuteAsync(
            """
            INSERT INTO users (realm_id, id, email, email_key, email_verified, username, username_key, given_name, family_name, name,
                picture, locale, phone_number, phone_number_verified, address, external_id, metadata, status, password_hash, last_sign_in_at,
                created_at, updated_at)
            VALUES (@RealmId, @Id, @Email, @EmailKey, @EmailVerified, @Username, @UsernameKey, @GivenName, @FamilyName, @Name,
                @Picture, @Locale, @PhoneNumber, @PhoneNumberVerified, @Address, @ExternalId, @Metadata, @Status, @passwordHash, @LastSignInAt,
                @CreatedAt, @UpdatedAt)
            """,
            Row(user, passwordHash));
        log.Add(EventOf(EventTypes.UserCreated, user));
    }

    private static object Row(User user, string? passwordHash) => new
    {
        user.RealmId,
        user.Id,
        user.Email,
        EmailKey = EmailAddress.Normalize(user.Email),
        user.EmailVerified,
        user.Username,
        UsernameKey = user.Username is null ? null : EmailAddress.Normalize(user.Username),
        user.GivenName,
        user.FamilyName,
        user.Name,
        user.Picture,
        user.Locale,
        user.PhoneNumber,
        user.PhoneNumberVerified,
        user.Address,
        user.ExternalId,
        user.Metadata,
        Status = user.Status.ToString(),
        passwordHash,
        user.LastSignInAt,
        user.CreatedAt,
        user.UpdatedAt,
    };

    /// <summary>The address was shown to be the person's.</summary>
    internal static async Task VerifyEmailAsync(DbConnection connection, EventLog log, User user, DateTimeOffset now)
    {
        User verified = user with { EmailVerified = true, UpdatedAt = now };
        await connection.ExecuteAsync(
            "UPDATE users SET email_verified = @EmailVerified, updated_at = @UpdatedAt WHERE realm_id = @RealmId AND id = @Id",
            new { verified.EmailVerified, verified.UpdatedAt, verified.RealmId, verified.Id });
        log.Add(UpdateOf(user, verified));
    }

    private static Task<User?> FindAsync(DbConnection connection, Id<Realm> realm, Id<User> id, string held) =>
        connection.QuerySingleOrDefaultAsync<User>($"SELECT {Columns} FROM users WHERE realm_id = @realm AND id = @id{held}", new { realm, id });

    private Task<User?> FindByAsync(string condition, object parameters, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<User>(
                $"SELECT {Columns} FROM users WHERE realm_id = @realm AND {condition}", parameters),
            cancellationToken);

    /// <summary>What the log says of a change.</summary>
    public static EventDraft UpdateOf(User before, User after) =>
        EventDraft.Updated(
            EventTypes.UserUpdated, after.Id.ToString(), UserResource.Of(before), UserResource.Of(after), ResourceJson.Default.UserResource) with { UserId = after.Id };

    private static EventDraft EventOf(string type, User user) =>
        EventDraft.Of(type, user.Id.ToString(), UserResource.Of(user), ResourceJson.Default.UserResource) with { UserId = user.Id };

    private async Task<T> WriteAsync<T>(
        Id<Realm> realm,
        Origin origin,
        Func<User?> written,
        Func<DbConnection, EventLog, Task<T>> change,
        Func<UserWrite, T> refused,
        CancellationToken cancellationToken)
    {
        try
        {
            return await database.RecordAsync(realm, origin, change, cancellationToken);
        }
        catch (DbException e) when (database.IsUniqueViolation(e) && written() is not null)
        {
            User user = written()!;

            // The transaction is undone; which of the unique things was taken is only asked for the message.
            User? sameEmail = await FindByEmailAsync(user.RealmId, user.Email, cancellationToken);
            if (sameEmail is not null && sameEmail.Id != user.Id)
                return refused(UserWrite.EmailTaken);
            User? sameExternalId = user.ExternalId is null ? null : await FindByExternalIdAsync(user.RealmId, user.ExternalId, cancellationToken);
            return refused(sameExternalId is not null && sameExternalId.Id != user.Id ? UserWrite.ExternalIdTaken : UserWrite.UsernameTaken);
        }
    }

    private sealed record PasswordRow
    {
        public string? PasswordHash { get; init; }
    }
}
