using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
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

/// <summary>A user with the hash of the password, which only the check of a password wants to see.</summary>
public sealed record UserAndPassword(User User, string? PasswordHash);

/// <summary>People.</summary>
public sealed class UserStore(Database database)
{
    internal const string Columns =
        """
        realm_id, id, email, email_verified, username, given_name, family_name, name, picture, locale, external_id, metadata, status,
        last_sign_in_at, created_at, updated_at
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

    /// <summary>A page of people; those of one address, of one organization, or all.</summary>
    public Task<Page<User>> ListAsync(
        Id<Realm> realm, string? email, Id<Organization>? organization, PageRequest<User> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm });
        string select = $"SELECT {Columns} FROM users u WHERE realm_id = @realm";
        string idColumn = "u.id";
        if (organization is { } of)
        {
            // Read in the order of the memberships' own index: a page costs the same however many the organization or the realm has.
            select = $"SELECT {OfMember} FROM memberships m JOIN users u ON u.realm_id = m.realm_id AND u.id = m.user_id WHERE m.realm_id = @realm AND m.organization_id = @organization";
            idColumn = "m.user_id";
            parameters.Add("organization", of);
        }

        if (email is not null)
        {
            select += " AND u.email_key = @key";
            parameters.Add("key", EmailAddress.Normalize(email));
        }

        return database.QueryAsync(connection => connection.QueryPageAsync(select, idColumn, parameters, page), cancellationToken);
    }

    public Task<UserWrite> CreateAsync(User user, string? passwordHash, CancellationToken cancellationToken) =>
        WriteAsync(
            () => user,
            async connection =>
            {
                await connection.ExecuteAsync(
                    """
                    INSERT INTO users (realm_id, id, email, email_key, email_verified, username, username_key, given_name, family_name, name,
                        picture, locale, external_id, metadata, status, password_hash, last_sign_in_at, created_at, updated_at)
                    VALUES (@RealmId, @Id, @Email, @EmailKey, @EmailVerified, @Username, @UsernameKey, @GivenName, @FamilyName, @Name,
                        @Picture, @Locale, @ExternalId, @Metadata, @Status, @passwordHash, @LastSignInAt, @CreatedAt, @UpdatedAt)
                    """,
                    Row(user, passwordHash));
                return UserWrite.Done;
            },
            cancellationToken);

    /// <summary>
    /// Changes a user as they are at that moment, so that two changes of different things both stay; null from
    /// <paramref name="change"/>, which is pure, refuses. A new password ends the sessions that the old one opened; a user who is disabled has none (OWASP ASVS 7.4.2).
    /// </summary>
    public async Task<(UserWrite Outcome, User? User)> ChangeAsync(
        Id<Realm> realm, Id<User> id, Func<User, User?> change, string? newPasswordHash, CancellationToken cancellationToken)
    {
        User? user = null;
        UserWrite outcome = await WriteAsync(
            () => user,
            async connection =>
            {
                User? current = await connection.QuerySingleOrDefaultAsync<User>(
                    $"SELECT {Columns} FROM users WHERE realm_id = @realm AND id = @id{database.ForUpdateOf("users")}", new { realm, id });
                if (current is null)
                    return UserWrite.NotFound;
                user = change(current);
                if (user is null)
                    return UserWrite.Refused;
                await connection.ExecuteAsync(
                    """
                    UPDATE users SET email = @Email, email_key = @EmailKey, email_verified = @EmailVerified, username = @Username,
                        username_key = @UsernameKey, given_name = @GivenName, family_name = @FamilyName, name = @Name, picture = @Picture,
                        locale = @Locale, external_id = @ExternalId, metadata = @Metadata, status = @Status,
                        password_hash = coalesce(@passwordHash, password_hash), updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(user, newPasswordHash));
                if (newPasswordHash is not null || user.Status == UserStatus.Disabled)
                    await SessionStore.EndAllOfUserAsync(connection, user.RealmId, user.Id, user.UpdatedAt);
                return UserWrite.Done;
            },
            cancellationToken);
        return (outcome, outcome == UserWrite.Done ? user : null);
    }

    /// <summary>Stores a password's hash made with today's settings over one made with older ones, if it is still that one.</summary>
    public Task RehashPasswordAsync(Id<Realm> realm, Id<User> user, string oldHash, string newHash, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                "UPDATE users SET password_hash = @newHash WHERE realm_id = @realm AND id = @user AND password_hash = @oldHash",
                new { realm, user, oldHash, newHash }),
            cancellationToken);

    /// <summary>Removes a person and everything of theirs: memberships, factors, sessions, grants.</summary>
    public Task<bool> DeleteAsync(Id<Realm> realm, Id<User> user, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection => await connection.ExecuteAsync(
                "DELETE FROM users WHERE realm_id = @realm AND id = @user", new { realm, user }) == 1,
            cancellationToken);

    /// <summary>People of the realm with their hashes; <paramref name="condition"/> may go on to order and limit.</summary>
    internal static Task<IEnumerable<UserAndPassword>> WithPasswordsAsync(DbConnection connection, string condition, object parameters) =>
        connection.QueryAsync<User, PasswordRow, UserAndPassword>(
            $"SELECT {Columns}, password_hash FROM users WHERE realm_id = @realm AND {condition}",
            static (user, password) => new UserAndPassword(user, password?.PasswordHash),
            parameters,
            splitOn: "password_hash");

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
        user.ExternalId,
        user.Metadata,
        Status = user.Status.ToString(),
        passwordHash,
        user.LastSignInAt,
        user.CreatedAt,
        user.UpdatedAt,
    };

    private Task<User?> FindByAsync(string condition, object parameters, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<User>(
                $"SELECT {Columns} FROM users WHERE realm_id = @realm AND {condition}", parameters),
            cancellationToken);

    private async Task<UserWrite> WriteAsync(Func<User?> written, Func<DbConnection, Task<UserWrite>> change, CancellationToken cancellationToken)
    {
        try
        {
            return await database.WriteAsync(change, cancellationToken);
        }
        catch (DbException e) when (database.IsUniqueViolation(e) && written() is not null)
        {
            User user = written()!;

            // The transaction is undone; which of the unique things was taken is only asked for the message.
            User? sameEmail = await FindByEmailAsync(user.RealmId, user.Email, cancellationToken);
            if (sameEmail is not null && sameEmail.Id != user.Id)
                return UserWrite.EmailTaken;
            User? sameExternalId = user.ExternalId is null ? null : await FindByExternalIdAsync(user.RealmId, user.ExternalId, cancellationToken);
            return sameExternalId is not null && sameExternalId.Id != user.Id ? UserWrite.ExternalIdTaken : UserWrite.UsernameTaken;
        }
    }

    private sealed record PasswordRow
    {
        public string? PasswordHash { get; init; }
    }
}
