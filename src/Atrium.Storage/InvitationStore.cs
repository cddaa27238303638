using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>How a change of an invitation ended.</summary>
public enum InvitationWrite
{
    Done,
    NotFound,

    /// <summary>The organization is suspended.</summary>
    Frozen,

    /// <summary>The address is a member's already.</summary>
    AlreadyMember,

    /// <summary>An invitation to this address is pending.</summary>
    AlreadyInvited,

    /// <summary>It was accepted, or revoked.</summary>
    Over,
}

/// <summary>How it ended, and the invitation then.</summary>
public readonly record struct InvitationChange(InvitationWrite Outcome, Invitation? Invitation);

/// <summary>An invitation by its secret, with all that opening its link is decided on.</summary>
/// <param name="Organization">Null when it is on its way out.</param>
/// <param name="Invited">Who has the address.</param>
public sealed record OpenedInvitation(Invitation Invitation, Organization? Organization, UserAndPassword? Invited);

/// <summary>Invitations to organizations. They go with their organization.</summary>
public sealed class InvitationStore(Database database)
{
    internal const string Columns =
        """
        realm_id, id, organization_id, email, scopes, title, message, inviter_name, metadata, lifetime_seconds, created_at, updated_at, expires_at,
        accepted_at, accepted_by, revoked_at
        """;

    public Task<Invitation?> FindAsync(Id<Realm> realm, Id<Organization> organization, Id<Invitation> invitation, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Invitation>(
                $"SELECT {Columns} FROM invitations WHERE realm_id = @realm AND id = @invitation AND organization_id = @organization",
                new { realm, organization, invitation }),
            cancellationToken);

    public Task<Page<Invitation>> ListAsync(Id<Realm> realm, Id<Organization> organization, PageRequest<Invitation> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"SELECT {Columns} FROM invitations WHERE realm_id = @realm AND organization_id = @organization",
                "id",
                new DynamicParameters(new { realm, organization }),
                page),
            cancellationToken);

    /// <summary>What an opened link leads to; null for a secret that is nobody's.</summary>
    public Task<OpenedInvitation?> OpenAsync(Id<Realm> realm, SecretHash token, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async connection =>
            {
                if (await connection.QuerySingleOrDefaultAsync<Invitation>(
                    $"SELECT {Columns} FROM invitations WHERE realm_id = @realm AND token_hash = @token", new { realm, token }) is not { } invitation)
                {
                    return null;
                }

                Organization? organization = await connection.QuerySingleOrDefaultAsync<Organization>(
                    $"SELECT {OrganizationStore.Columns} FROM organizations WHERE realm_id = @realm AND id = @OrganizationId AND status <> 'Deleting'",
                    new { realm, invitation.OrganizationId });
                UserAndPassword? invited = (await UserStore.WithPasswordsAsync(connection, "email_key = @Email", new { realm, invitation.Email })).SingleOrDefault();
                return new OpenedInvitation(invitation, organization, invited);
            },
            cancellationToken);

    /// <summary>Makes an invitation and queues its letter. Of two to one address at once, one is made.</summary>
    public Task<InvitationChange> CreateAsync(Invitation invitation, SecretHash token, QueuedMail letter, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            invitation.RealmId,
            origin,
            async (connection, log) =>
            {
                if (await OrganizationStore.LockAsync(database, connection, invitation.RealmId, invitation.OrganizationId) is not { } organization)
                    return new InvitationChange(InvitationWrite.NotFound, null);
                if (organization.Status != OrganizationStatus.Active)
                    return new InvitationChange(InvitationWrite.Frozen, null);
                if (await connection.ExecuteScalarAsync<bool>(
                    """
                    SELECT EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.realm_id = m.realm_id AND u.id = m.user_id
                        WHERE m.realm_id = @RealmId AND m.organization_id = @OrganizationId AND u.email_key = @Email)
                    """,
                    new { invitation.RealmId, invitation.OrganizationId, invitation.Email }))
                {
                    return new InvitationChange(InvitationWrite.AlreadyMember, null);
                }

                if (await connection.ExecuteScalarAsync<bool>(
                    """
                    SELECT EXISTS (SELECT 1 FROM invitations WHERE realm_id = @RealmId AND organization_id = @OrganizationId AND email = @Email
                        AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > @CreatedAt)
                    """,
                    new { invitation.RealmId, invitation.OrganizationId, invitation.Email, invitation.CreatedAt }))
                {
                    return new InvitationChange(InvitationWrite.AlreadyInvited, null);
                }

                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO invitations ({Columns}, token_hash)
                    VALUES (@RealmId, @Id, @OrganizationId, @Email, @Scopes, @Title, @Message, @InviterName, @Metadata, @LifetimeSeconds, @CreatedAt, @UpdatedAt,
                        @ExpiresAt, NULL, NULL, NULL, @token)
                    """,
                    new
                    {
                        invitation.RealmId, invitation.Id, invitation.OrganizationId, invitation.Email, invitation.Scopes, invitation.Title, invitation.Message,
                        invitation.InviterName, invitation.Metadata, invitation.LifetimeSeconds, invitation.CreatedAt, invitation.UpdatedAt, invitation.ExpiresAt, token,
                    });
                await MailStore.QueueAsync(connection, letter);
                log.Add(EventOf(EventTypes.InvitationCreated, invitation, invitation.CreatedAt));
                return new InvitationChange(InvitationWrite.Done, invitation);
            },
            cancellationToken);

    /// <summary>Gives an invitation that was not accepted a new secret, for its whole time once more, and queues the letter; the one before opens nothing.</summary>
    public Task<InvitationChange> ResendAsync(
        Invitation invitation, SecretHash token, DateTimeOffset now, QueuedMail letter, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            invitation.RealmId,
            origin,
            async (connection, log) =>
            {
                if (await OrganizationStore.LockAsync(database, connection, invitation.RealmId, invitation.OrganizationId) is not { } organization)
                    return new InvitationChange(InvitationWrite.NotFound, null);
                if (organization.Status != OrganizationStatus.Active)
                    return new InvitationChange(InvitationWrite.Frozen, null);
                if (await connection.ExecuteScalarAsync<bool>(
                    """
                    SELECT EXISTS (SELECT 1 FROM invitations WHERE realm_id = @RealmId AND organization_id = @OrganizationId AND email = @Email AND id <> @Id
                        AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > @now)
                    """,
                    new { invitation.RealmId, invitation.OrganizationId, invitation.Email, invitation.Id, now }))
                {
                    return new InvitationChange(InvitationWrite.AlreadyInvited, null);
                }

                Invitation? sent = await connection.QuerySingleOrDefaultAsync<Invitation>(
                    $"""
                    UPDATE invitations SET token_hash = @token, lifetime_seconds = @LifetimeSeconds, expires_at = @ExpiresAt, updated_at = @now
                    WHERE realm_id = @RealmId AND id = @Id AND accepted_at IS NULL AND revoked_at IS NULL
                    RETURNING {Columns}
                    """,
                    new { invitation.RealmId, invitation.Id, invitation.LifetimeSeconds, invitation.ExpiresAt, token, now });
                if (sent is null)
                    return await OverAsync(connection, invitation);
                await MailStore.WithdrawAsync(connection, sent.RealmId, sent.Id.ToString());
                await MailStore.QueueAsync(connection, letter);
                log.Add(EventOf(EventTypes.InvitationResent, sent, now));
                return new InvitationChange(InvitationWrite.Done, sent);
            },
            cancellationToken);

    /// <summary>Takes an invitation back; done, too, where it was taken back before.</summary>
    public Task<InvitationChange> RevokeAsync(Invitation invitation, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            invitation.RealmId,
            origin,
            async (connection, log) =>
            {
                Invitation? revoked = await connection.QuerySingleOrDefaultAsync<Invitation>(
                    $"""
                    UPDATE invitations SET revoked_at = @now, updated_at = @now
                    WHERE realm_id = @RealmId AND id = @Id AND accepted_at IS NULL AND revoked_at IS NULL
                    RETURNING {Columns}
                    """,
                    new { invitation.RealmId, invitation.Id, now });
                if (revoked is null)
                {
                    InvitationChange over = await OverAsync(connection, invitation);
                    return over.Invitation?.RevokedAt is null ? over : over with { Outcome = InvitationWrite.Done };
                }

                await MailStore.WithdrawAsync(connection, revoked.RealmId, revoked.Id.ToString());
                log.Add(EventOf(EventTypes.InvitationRevoked, revoked, now));
                return new InvitationChange(InvitationWrite.Done, revoked);
            },
            cancellationToken);

    internal static EventDraft EventOf(string type, Invitation invitation, DateTimeOffset now) =>
        EventDraft.Of(type, invitation.Id.ToString(), InvitationResource.Of(invitation, now), ResourceJson.Default.InvitationResource) with
        {
            OrganizationId = invitation.OrganizationId,
            UserId = invitation.AcceptedBy,
        };

    private static async Task<InvitationChange> OverAsync(DbConnection connection, Invitation invitation) =>
        await connection.QuerySingleOrDefaultAsync<Invitation>(
            $"SELECT {Columns} FROM invitations WHERE realm_id = @RealmId AND id = @Id", new { invitation.RealmId, invitation.Id }) is { } over
            ? new InvitationChange(InvitationWrite.Over, over)
            : new InvitationChange(InvitationWrite.NotFound, null);
}
