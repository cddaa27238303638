using System.Globalization;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Hosting;
using Atrium.Server.Mail;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Invitations;

/// <summary>What somebody chooses who has no account yet.</summary>
/// <param name="PasswordHash">Null where they will sign in by something else.</param>
public sealed record NewPerson(string? GivenName, string? FamilyName, string? Name, string? PasswordHash);

/// <summary>A session to stand in from now on, by what was shown, how long it may last, and the secret of its cookie.</summary>
public sealed record NewSession(SignInProgress Progress, SessionSettings Limits, Secret Cookie);

/// <summary>Where invitations are made, sent and accepted, for pages and back ends alike.</summary>
public sealed class InvitationDesk(
    InvitationStore store, InvitationAcceptance acceptances, MailDesk mail, MailDispatcher dispatcher, PublicUrl publicUrl, TimeProvider clock)
{
    /// <summary>What opened a link is decided on.</summary>
    /// <param name="standing">Who is signed in there.</param>
    public static InvitationFacts FactsOf(OpenedInvitation? opened, User? standing, DateTimeOffset now) => new(
        now, opened?.Invitation, opened?.Organization, standing, opened?.Invited?.User, opened?.Invited?.PasswordHash is not null);

    public Task<OpenedInvitation?> OpenAsync(Id<Realm> realm, Secret token, CancellationToken cancellationToken) =>
        store.OpenAsync(realm, token.Hash(), cancellationToken);

    public async Task<InvitationChange> CreateAsync(
        Realm realm, Organization organization, Invitation invitation, Origin origin, CancellationToken cancellationToken)
    {
        Secret token = Secret.New();
        QueuedMail letter = await LetterAsync(realm, organization, invitation, token, cancellationToken);
        InvitationChange change = await store.CreateAsync(invitation, token.Hash(), letter, origin, cancellationToken);
        dispatcher.Wake();
        return change;
    }

    /// <summary>Sends it again with a new secret, for its whole time or another.</summary>
    public async Task<InvitationChange> ResendAsync(
        Realm realm, Organization organization, Invitation invitation, TimeSpan? lifetime, Origin origin, CancellationToken cancellationToken)
    {
        Secret token = Secret.New();
        DateTimeOffset now = clock.GetUtcNow();
        TimeSpan standsFor = lifetime ?? TimeSpan.FromSeconds(invitation.LifetimeSeconds);
        Invitation again = invitation with { LifetimeSeconds = (long)standsFor.TotalSeconds, ExpiresAt = now + standsFor };
        QueuedMail letter = await LetterAsync(realm, organization, again, token, cancellationToken);
        InvitationChange change = await store.ResendAsync(again, token.Hash(), now, letter, origin, cancellationToken);
        dispatcher.Wake();
        return change;
    }

    /// <summary>Accepts for somebody who has an account.</summary>
    /// <param name="passwordHash">What an account without a password gets.</param>
    public Task<AcceptanceResult> AcceptAsync(
        User user, Secret token, string? passwordHash, NewSession? session, Origin origin, CancellationToken cancellationToken) =>
        AcceptAsync(user, isNew: false, passwordHash, token, session, origin, cancellationToken);

    /// <summary>Accepts for somebody new. The link proved the mailbox, so the address is theirs.</summary>
    public Task<AcceptanceResult> AcceptAsync(
        Invitation invitation, NewPerson person, Secret token, NewSession? session, Func<Id<User>, Origin> originOf, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        User user = new()
        {
            RealmId = invitation.RealmId,
            Id = Id<User>.New(clock),
            Email = invitation.Email,
            EmailVerified = true,
            GivenName = person.GivenName,
            FamilyName = person.FamilyName,
            Name = person.Name,
            CreatedAt = now,
            UpdatedAt = now,
        };
        return AcceptAsync(user, isNew: true, person.PasswordHash, token, session, originOf(user.Id), cancellationToken);
    }

    private Task<AcceptanceResult> AcceptAsync(
        User user, bool isNew, string? passwordHash, Secret token, NewSession? session, Origin origin, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        Session? made = session is null
            ? null
            : Session.Begin(
                user.RealmId, Id<Session>.New(clock), user.Id, session.Progress.SignIn.Proofs, session.Limits, origin.IpAddress, origin.UserAgent, now);
        return acceptances.AcceptAsync(
            new Acceptance
            {
                RealmId = user.RealmId,
                Token = token.Hash(),
                User = user,
                IsNewUser = isNew,
                PasswordHash = passwordHash,
                MembershipId = Id<Membership>.New(clock),
                Session = made,
                Cookie = session?.Cookie.Hash(),
                Proof = session?.Progress.Proof,
                Events = session is null
                    ? []
                    : SignInEvents.Completed(session.Progress, new SignInStep.Complete(user, OrganizationChoice.NoOrganization), made!, isNewSession: true),
                Now = now,
            },
            origin,
            cancellationToken);
    }

    private Task<QueuedMail> LetterAsync(Realm realm, Organization organization, Invitation invitation, Secret token, CancellationToken cancellationToken) =>
        mail.WriteAsync(
            realm.Id,
            MailKind.Invitation,
            organization,
            invitation.Email,
            invitation.Id.ToString(),
            invitation.ExpiresAt,
            new Dictionary<string, string>
            {
                ["invitation.email"] = invitation.Email,
                ["invitation.title"] = invitation.Title ?? "",
                ["invitation.message"] = invitation.Message ?? "",
                ["invitation.expires_at"] = invitation.ExpiresAt.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture),
                ["inviter.name"] = invitation.InviterName ?? "",
                ["link"] = publicUrl.Invitation(realm.Handle, token),
                ["token"] = token.Reveal(),
            },
            cancellationToken);
}
