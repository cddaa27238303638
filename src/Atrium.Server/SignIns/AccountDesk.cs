using System.Globalization;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Mail;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>
/// Makes accounts and new passwords for those who have shown a mailbox, and lets their sign-in go on with it. What else the sign-in asks for, a
/// second factor above all, is the engine's to say as ever (OWASP ASVS 6.4.3).
/// </summary>
public sealed class AccountDesk(AccountStore accounts, UserStore users, MailDesk mail, MailDispatcher dispatcher, TimeProvider clock)
{
    /// <param name="name">What the person is called; null where they don't say.</param>
    /// <param name="organization">The name of the organization that they make; null for none.</param>
    public async Task<AccountWrite> SignUpAsync(
        SignInProgress progress, MailedCode shown, string? name, string? organization, string passwordHash, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        User user = new()
        {
            RealmId = shown.RealmId,
            Id = Id<User>.New(clock),
            Email = shown.Email,
            EmailVerified = true,
            Name = name,
            CreatedAt = now,
            UpdatedAt = now,
        };
        NewAccount made = new(Proved(progress.SignIn, user.Id, now), user, passwordHash);
        if (organization is not null)
            made = WithOrganization(made, organization, now);
        return await accounts.SignUpAsync(made, SignInEvents.OriginOf(progress, user.Id), cancellationToken);
    }

    public async Task<AccountWrite> ResetPasswordAsync(SignInProgress progress, MailedCode shown, string passwordHash, CancellationToken cancellationToken)
    {
        if (shown.UserId is not { } id || await users.FindAsync(shown.RealmId, id, cancellationToken) is not { } user)
            return AccountWrite.NoAccount;
        DateTimeOffset now = clock.GetUtcNow();
        QueuedMail letter = await mail.WriteAsync(
            user.RealmId,
            MailKind.PasswordChanged,
            organization: null,
            user.Email,
            user.Id.ToString(),
            now + QueuedMail.Patience,
            new Dictionary<string, string>
            {
                ["user.email"] = user.Email,
                ["user.name"] = user.DisplayName ?? "",
                ["changed_at"] = now.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture),
            },
            cancellationToken);
        AccountWrite outcome = await accounts.ResetPasswordAsync(
            new PasswordReset(Proved(progress.SignIn, user.Id, now), user, passwordHash, letter), SignInEvents.OriginOf(progress, user.Id), cancellationToken);
        dispatcher.Wake();
        return outcome;
    }

    /// <summary>The sign-in as it goes on: theirs, by the password that was just chosen and the mailbox that was shown. It rests on no session any more.</summary>
    private static SignIn Proved(SignIn signIn, Id<User> user, DateTimeOffset now) => signIn with
    {
        UserId = user,
        SessionId = null,
        Proofs = [new Proof(AuthenticationMethod.Password, now), new Proof(AuthenticationMethod.EmailCode, now)],
    };

    private NewAccount WithOrganization(NewAccount made, string name, DateTimeOffset now)
    {
        Id<Realm> realm = made.User.RealmId;
        Id<Organization> organization = Id<Organization>.New(clock);
        return made with
        {
            Organization = new Organization
            {
                RealmId = realm, Id = organization, Handle = "", Name = name, Status = OrganizationStatus.Active, CreatedAt = now, UpdatedAt = now,
            },
            Handles = Handles.Candidates(name, organization),
            Membership = new Membership
            {
                RealmId = realm,
                Id = Id<Membership>.New(clock),
                UserId = made.User.Id,
                OrganizationId = organization,
                Scopes = SignUpRules.FounderScopes,
                Status = MembershipStatus.Active,
                JoinedAt = now,
                CreatedAt = now,
                UpdatedAt = now,
            },
        };
    }
}
