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

/// <summary>All that accepting an invitation leaves behind, written in one transaction.</summary>
public sealed record Acceptance
{
    public required Id<Realm> RealmId { get; init; }

    public required SecretHash Token { get; init; }

    /// <summary>Who accepts; made here where <see cref="IsNewUser"/> says so.</summary>
    public required User User { get; init; }

    public required bool IsNewUser { get; init; }

    /// <summary>The password that the person has chosen; null for one who has one.</summary>
    public string? PasswordHash { get; init; }

    public required Id<Membership> MembershipId { get; init; }

    /// <summary>The session that the person stands in from now on; null where they are in one, or in none of ours.</summary>
    public Session? Session { get; init; }

    public SecretHash? Cookie { get; init; }

    /// <summary>What the person has shown, to be spent.</summary>
    public SpentProof? Proof { get; init; }

    /// <summary>What the log says of the sign-in that it was.</summary>
    public IReadOnlyList<EventDraft> Events { get; init; } = [];

    public required DateTimeOffset Now { get; init; }
}

/// <summary>How an acceptance ended. Where a refusal is named, nothing was written.</summary>
/// <param name="IsOutdated">What it rested on was changed or spent meanwhile: it is to be decided anew.</param>
public readonly record struct AcceptanceResult(Invitation? Invitation, InvitationRefusal? Refusal = null, bool IsOutdated = false);

/// <summary>Accepts invitations.</summary>
public sealed class InvitationAcceptance(Database database, MembershipStore memberships)
{
    /// <summary>
    /// Spends the invitation, and makes of it the membership, the account where there is none, and the session. The secret is spent by one
    /// statement: however often it is sent at once, there is one membership.
    /// </summary>
    public async Task<AcceptanceResult> AcceptAsync(Acceptance acceptance, Origin origin, CancellationToken cancellationToken)
    {
        try
        {
            return await database.RecordAsync(acceptance.RealmId, origin, (connection, log) => AcceptAsync(connection, log, acceptance), cancellationToken);
        }
        catch (UndoneException e)
        {
            return e.Result;
        }
        catch (DbException e) when (database.IsUniqueViolation(e))
        {
            // Somebody made an account under the address meanwhile.
            return new AcceptanceResult(null, IsOutdated: true);
        }
    }

    private async Task<AcceptanceResult> AcceptAsync(DbConnection connection, EventLog log, Acceptance acceptance)
    {
        Id<Realm> realm = acceptance.RealmId;
        DateTimeOffset now = acceptance.Now;
        Id<Organization>? invitedTo = await connection.QuerySingleOrDefaultAsync<Id<Organization>?>(
            "SELECT organization_id FROM invitations WHERE realm_id = @realm AND token_hash = @Token", new { realm, acceptance.Token });
        if (invitedTo is null || await OrganizationStore.LockAsync(database, connection, realm, invitedTo.Value) is not { } organization)
            return new AcceptanceResult(null, InvitationRefusal.Unknown);
        if (organization.Status != OrganizationStatus.Active)
            return new AcceptanceResult(null, InvitationRefusal.Frozen);
        if (await connection.QuerySingleOrDefaultAsync<Invitation>(
            $"""
            UPDATE invitations SET accepted_at = @now, accepted_by = @user, updated_at = @now
            WHERE realm_id = @realm AND token_hash = @Token AND email = @email AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > @now
            RETURNING {InvitationStore.Columns}
            """,
            new { realm, acceptance.Token, user = acceptance.User.Id, email = EmailAddress.Normalize(acceptance.User.Email), now }) is not { } invitation)
        {
            return new AcceptanceResult(null, IsOutdated: true);
        }

        if (acceptance.IsNewUser)
            await UserStore.InsertAsync(connection, log, acceptance.User, acceptance.PasswordHash);
        else if (!await ProveAsync(connection, log, acceptance))
            throw new UndoneException(new AcceptanceResult(null, IsOutdated: true));
        if (acceptance.Proof is { } proof && !await FactorStore.SpendAsync(database, connection, log, realm, proof, now))
            throw new UndoneException(new AcceptanceResult(null, IsOutdated: true));
        if (await JoinAsync(connection, log, acceptance, invitation) is { } refusal)
            throw new UndoneException(new AcceptanceResult(null, refusal));
        if (acceptance.Session is { } session)
            await SessionStore.InsertAsync(connection, log, session, acceptance.Cookie);
        await MailStore.WithdrawAsync(connection, realm, invitation.Id.ToString());
        log.Add(InvitationStore.EventOf(EventTypes.InvitationAccepted, invitation, now));
        foreach (EventDraft happened in acceptance.Events)
            log.Add(happened);
        return new AcceptanceResult(invitation);
    }

    /// <summary>The link came to the mailbox, so the address is the person's. False when the account is not what it was any more.</summary>
    private static async Task<bool> ProveAsync(DbConnection connection, EventLog log, Acceptance acceptance)
    {
        User known = acceptance.User;
        int found = await connection.ExecuteAsync(
            """
            UPDATE users SET email_verified = @verified, password_hash = coalesce(@PasswordHash, password_hash),
                updated_at = CASE WHEN email_verified AND @PasswordHash IS NULL THEN updated_at ELSE @Now END
            WHERE realm_id = @RealmId AND id = @Id AND email_key = @key AND status = 'Active' AND (@PasswordHash IS NULL OR password_hash IS NULL)
            """,
            new { verified = true, acceptance.PasswordHash, acceptance.Now, known.RealmId, known.Id, key = EmailAddress.Normalize(known.Email) });
        if (found == 0)
            return false;
        User proved = known with { EmailVerified = true, UpdatedAt = acceptance.Now };
        if (!known.EmailVerified)
        {
            log.Add(EventDraft.Updated(
                EventTypes.UserUpdated, known.Id.ToString(), UserResource.Of(known), UserResource.Of(proved), ResourceJson.Default.UserResource) with { UserId = known.Id });
        }

        if (acceptance.PasswordHash is not null)
            log.Add(EventDraft.Of(EventTypes.UserPasswordChanged, known.Id.ToString(), UserResource.Of(proved), ResourceJson.Default.UserResource) with { UserId = known.Id });
        return true;
    }

    /// <summary>Makes the membership, or makes a pending one active; one that is active stays as it is.</summary>
    private async Task<InvitationRefusal?> JoinAsync(DbConnection connection, EventLog log, Acceptance acceptance, Invitation invitation)
    {
        Membership? standing = await connection.QuerySingleOrDefaultAsync<Membership>(
            $"""
            SELECT {MembershipStore.Columns} FROM memberships
            WHERE realm_id = @RealmId AND user_id = @user AND organization_id = @OrganizationId{database.ForUpdateOf("memberships")}
            """,
            new { acceptance.RealmId, user = acceptance.User.Id, invitation.OrganizationId });
        switch (standing?.Status)
        {
            case MembershipStatus.Active:
                return null;
            case MembershipStatus.Suspended:
                return InvitationRefusal.MembershipSuspended;
            case MembershipStatus.Pending:
                await MembershipStore.ActivateAsync(
                    connection,
                    log,
                    standing,
                    standing with
                    {
                        Scopes = invitation.Scopes, Title = invitation.Title, Status = MembershipStatus.Active, JoinedAt = acceptance.Now, UpdatedAt = acceptance.Now,
                    });
                return null;
            default:
                Membership made = new()
                {
                    RealmId = acceptance.RealmId,
                    Id = acceptance.MembershipId,
                    UserId = acceptance.User.Id,
                    OrganizationId = invitation.OrganizationId,
                    Scopes = invitation.Scopes,
                    Title = invitation.Title,
                    Status = MembershipStatus.Active,
                    JoinedAt = acceptance.Now,
                    CreatedAt = acceptance.Now,
                    UpdatedAt = acceptance.Now,
                };
                return await memberships.JoinAsync(connection, log, made) == MembershipWrite.OrganizationFull ? InvitationRefusal.Full : null;
        }
    }

#pragma warning disable CA1064 // Thrown and caught here alone: it undoes a change by leaving it.
    private sealed class UndoneException(AcceptanceResult result) : Exception
    {
        public AcceptanceResult Result { get; } = result;
    }
#pragma warning restore CA1064
}
