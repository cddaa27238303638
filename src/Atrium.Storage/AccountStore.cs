using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>An account that somebody makes by themselves, and the sign-in that goes on with it.</summary>
/// <param name="SignIn">As it becomes: theirs, with what they have shown.</param>
public sealed record NewAccount(SignIn SignIn, User User, string PasswordHash)
{
    public Id<Realm> RealmId => SignIn.RealmId;

    /// <summary>The organization that they make with it; null for none. Its handle is the best of <see cref="Handles"/> that is free.</summary>
    public Organization? Organization { get; init; }

    /// <summary>Best first; the last one is the organization's alone.</summary>
    public IReadOnlyList<string> Handles { get; init; } = [];

    /// <summary>What makes them its first member.</summary>
    public Membership? Membership { get; init; }
}

/// <summary>A password in the place of a forgotten one, and the sign-in that goes on with it.</summary>
/// <param name="SignIn">As it becomes: theirs, with what they have shown.</param>
/// <param name="Letter">Tells of it.</param>
public sealed record PasswordReset(SignIn SignIn, User User, string PasswordHash, QueuedMail Letter)
{
    public Id<Realm> RealmId => SignIn.RealmId;
}

/// <summary>How something ended that a shown mailbox was for. Where it is not done, nothing was written.</summary>
public enum AccountWrite
{
    Done,

    /// <summary>The mailbox was not shown, or something was made of it before; the sign-in tells how it stands.</summary>
    Outdated,

    /// <summary>There is an account under the address meanwhile.</summary>
    EmailTaken,

    /// <summary>The account is disabled or gone, or has another address now.</summary>
    NoAccount,
}

/// <summary>What people who can't sign in yet do to be able to. Each spends the mailbox that was shown, in the transaction that it is for.</summary>
public sealed class AccountStore(Database database, MembershipStore memberships)
{
    /// <summary>Makes the person, their organization if there is one, and makes the sign-in theirs.</summary>
    public async Task<AccountWrite> SignUpAsync(NewAccount made, Origin origin, CancellationToken cancellationToken)
    {
        if (made.Organization is { } organization)
        {
            IReadOnlyList<string> handles = made.Handles;
            string[] taken = await database.QueryAsync(
                async connection => (await connection.QueryAsync<string>(
                    "SELECT handle FROM organizations WHERE realm_id = @RealmId AND handle IN @handles", new { organization.RealmId, handles = handles.ToArray() })).ToArray(),
                cancellationToken);
            made = made with { Organization = organization with { Handle = handles.FirstOrDefault(handle => !taken.Contains(handle)) ?? handles[^1] } };
        }

        AccountWrite? outcome = await TrySignUpAsync(made, origin, cancellationToken);

        // Of the names that are unique, the handle can be another one, should somebody have taken it just now; the address can't.
        if (outcome is null && made.Organization is not null)
            outcome = await TrySignUpAsync(made with { Organization = made.Organization with { Handle = made.Handles[^1] } }, origin, cancellationToken);
        return outcome ?? AccountWrite.EmailTaken;
    }

    /// <summary>
    /// Sets the password, which shows that the address is the person's too. All that the old one opened ends: sessions with their grants, and
    /// sign-ins that are half way.
    /// </summary>
    public async Task<AccountWrite> ResetPasswordAsync(PasswordReset reset, Origin origin, CancellationToken cancellationToken)
    {
        AccountWrite outcome = AccountWrite.Outdated;
        bool done = await database.TryRecordAsync(
            reset.RealmId,
            origin,
            async (connection, log) => (outcome = await ResetAsync(connection, log, reset)) == AccountWrite.Done,
            cancellationToken);
        return done || outcome != AccountWrite.Done ? outcome : AccountWrite.NoAccount;
    }

    /// <summary>Null where something unique was taken.</summary>
    private async Task<AccountWrite?> TrySignUpAsync(NewAccount made, Origin origin, CancellationToken cancellationToken)
    {
        try
        {
            return await database.TryRecordAsync(made.RealmId, origin, (connection, log) => SignUpAsync(connection, log, made), cancellationToken)
                ? AccountWrite.Done
                : AccountWrite.Outdated;
        }
        catch (DbException e) when (database.IsUniqueViolation(e))
        {
            return null;
        }
    }

    private async Task<bool> SignUpAsync(DbConnection connection, EventLog log, NewAccount made)
    {
        User user = made.User;
        if (await MailedCodeStore.SpendAsync(connection, user.RealmId, made.SignIn.Id, MailedCodePurpose.SignUp) is not { } shown || shown.Email != user.Email)
            return false;
        await UserStore.InsertAsync(connection, log, user, made.PasswordHash);
        if (made.Organization is { } organization && made.Membership is { } membership)
        {
            await OrganizationStore.InsertAsync(connection, log, organization);
            if (await memberships.JoinAsync(connection, log, membership) != MembershipWrite.Done)
                return false;
        }

        return await SignInStore.ChangeAsync(connection, made.SignIn, newHandle: null);
    }

    private async Task<AccountWrite> ResetAsync(DbConnection connection, EventLog log, PasswordReset reset)
    {
        User before = reset.User;
        DateTimeOffset now = reset.Letter.CreatedAt;
        if (await MailedCodeStore.SpendAsync(connection, before.RealmId, reset.SignIn.Id, MailedCodePurpose.PasswordReset) is not { } shown || shown.UserId != before.Id)
            return AccountWrite.Outdated;
        if (await connection.ExecuteAsync(
            """
            UPDATE users SET password_hash = @PasswordHash, email_verified = @verified, updated_at = @now
            WHERE realm_id = @RealmId AND id = @Id AND email_key = @key AND status = 'Active'
            """,
            new { reset.PasswordHash, verified = true, now, before.RealmId, before.Id, key = EmailAddress.Normalize(shown.Email) }) == 0)
        {
            return AccountWrite.NoAccount;
        }

        User after = before with { EmailVerified = true, UpdatedAt = now };
        if (!before.EmailVerified)
            log.Add(UserStore.UpdateOf(before, after));
        log.Add(EventDraft.Of(EventTypes.UserPasswordChanged, after.Id.ToString(), UserResource.Of(after), ResourceJson.Default.UserResource) with { UserId = after.Id });
        await SessionStore.EndAllAsync(connection, log, after.RealmId, after.Id, SessionEnd.PasswordChanged, now);
        await connection.ExecuteAsync(
            "DELETE FROM mailed_codes WHERE realm_id = @RealmId AND user_id = @Id", new { after.RealmId, after.Id });
        await connection.ExecuteAsync(
            "DELETE FROM sign_ins WHERE realm_id = @RealmId AND user_id = @Id AND id <> @signIn", new { after.RealmId, after.Id, signIn = reset.SignIn.Id });
        await MailStore.QueueAsync(connection, reset.Letter);
        return await SignInStore.ChangeAsync(connection, reset.SignIn, newHandle: null) ? AccountWrite.Done : AccountWrite.Outdated;
    }
}
