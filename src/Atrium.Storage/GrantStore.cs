using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Grants, and the one-time things that they are carried by: authorization codes and refresh tokens.</summary>
public sealed class GrantStore(Database database)
{
    private const string Columns =
        "realm_id, id, session_id, client_id, user_id, door, profile, scopes, choice, organization_id, on_organization_path, resource, created_at, ended_at";

    private const string CodeColumns = "realm_id, code_hash, grant_id, redirect_uri, nonce, code_challenge, created_at, expires_at, spent_at";
    private const string TokenColumns = "realm_id, token_hash, grant_id, created_at, expires_at, spent_at, sealed_successor";

    /// <summary>A grant and all that issuing from it depends on, as it is now.</summary>
    public Task<GrantFacts?> LoadAsync(Id<Realm> realm, Id<Grant> grant, CancellationToken cancellationToken) =>
        database.ReadAsync(connection => LoadFactsAsync(connection, realm, grant), cancellationToken);

    /// <summary>A code, spent or not, with the facts of its grant.</summary>
    public Task<(AuthorizationCode Code, GrantFacts Facts)?> FindCodeAsync(Id<Realm> realm, SecretHash code, CancellationToken cancellationToken) =>
        database.ReadAsync<(AuthorizationCode, GrantFacts)?>(
            async connection =>
            {
                AuthorizationCode? found = await connection.QuerySingleOrDefaultAsync<AuthorizationCode>(
                    $"SELECT {CodeColumns} FROM authorization_codes WHERE realm_id = @realm AND code_hash = @code", new { realm, code });
                return found is not null && await LoadFactsAsync(connection, realm, found.GrantId) is { } facts ? (found, facts) : null;
            },
            cancellationToken);

    /// <summary>A refresh token, spent or not, with the facts of its grant: as they are, or as they would be for another organization.</summary>
    public Task<(RefreshToken Token, GrantFacts Facts)?> FindRefreshTokenAsync(
        Id<Realm> realm, SecretHash token, Id<Organization>? switchTo, CancellationToken cancellationToken) =>
        database.ReadAsync<(RefreshToken, GrantFacts)?>(
            async connection =>
            {
                RefreshToken? found = await connection.QuerySingleOrDefaultAsync<RefreshToken>(
                    $"SELECT {TokenColumns} FROM refresh_tokens WHERE realm_id = @realm AND token_hash = @token", new { realm, token });
                return found is not null && await LoadFactsAsync(connection, realm, found.GrantId, switchTo) is { } facts ? (found, facts) : null;
            },
            cancellationToken);

    /// <summary>Spends a code for a refresh token, if the client gets one; false when the code was spent or its grant ended meanwhile.</summary>
    public Task<bool> RedeemAsync(AuthorizationCode code, RefreshToken? refreshToken, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                int spent = await connection.ExecuteAsync(
                    """
                    UPDATE authorization_codes SET spent_at = @now
                    WHERE realm_id = @RealmId AND code_hash = @CodeHash AND spent_at IS NULL
                        AND EXISTS (SELECT 1 FROM grants WHERE realm_id = @RealmId AND id = @GrantId AND ended_at IS NULL)
                    """,
                    new { code.RealmId, code.CodeHash, code.GrantId, now });
                if (spent == 1 && refreshToken is not null)
                    await InsertAsync(connection, refreshToken);
                return spent == 1;
            },
            cancellationToken);

    /// <summary>
    /// Spends a refresh token for its successor, and moves the grant to another organization where the client asked for it.
    /// False when the token was spent or its grant ended meanwhile.
    /// </summary>
    public Task<bool> RotateAsync(
        RefreshToken token,
        byte[] sealedSuccessor,
        RefreshToken successor,
        OrganizationChoice choice,
        CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                int spent = await connection.ExecuteAsync(
                    """
                    UPDATE refresh_tokens SET spent_at = @now, sealed_successor = @sealedSuccessor
                    WHERE realm_id = @RealmId AND token_hash = @TokenHash AND spent_at IS NULL
                        AND EXISTS (SELECT 1 FROM grants WHERE realm_id = @RealmId AND id = @GrantId AND ended_at IS NULL)
                    """,
                    new { token.RealmId, token.TokenHash, token.GrantId, now = successor.CreatedAt, sealedSuccessor });
                if (spent == 0)
                    return false;
                await InsertAsync(connection, successor);
                await MoveAsync(connection, token.RealmId, token.GrantId, choice);
                return true;
            },
            cancellationToken);

    /// <summary>Moves a grant to the organization that it has come to speak of.</summary>
    public Task MoveAsync(Grant grant, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => MoveAsync(connection, grant.RealmId, grant.Id, grant.Choice), cancellationToken);

    /// <summary>Ends a grant and with it the whole family of its refresh tokens.</summary>
    public Task EndAsync(Id<Realm> realm, Id<Grant> grant, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                "UPDATE grants SET ended_at = @now WHERE realm_id = @realm AND id = @grant AND ended_at IS NULL", new { realm, grant, now }),
            cancellationToken);

    internal static Task InsertAsync(DbConnection connection, Grant grant) =>
        connection.ExecuteAsync(
            $"""
            INSERT INTO grants ({Columns})
            VALUES (@RealmId, @Id, @SessionId, @ClientId, @UserId, @Door, @Profile, @Scopes, @Word, @Selected, @OnOrganizationPath, @Resource,
                @CreatedAt, @EndedAt)
            """,
            new
            {
                grant.RealmId,
                grant.Id,
                grant.SessionId,
                grant.ClientId,
                grant.UserId,
                Door = grant.Door.ToString(),
                Profile = grant.Profile.ToString(),
                grant.Scopes,
                grant.Choice.Word,
                grant.Choice.Selected,
                grant.OnOrganizationPath,
                grant.Resource,
                grant.CreatedAt,
                grant.EndedAt,
            });

    internal static Task InsertAsync(DbConnection connection, AuthorizationCode code) =>
        connection.ExecuteAsync(
            $"""
            INSERT INTO authorization_codes ({CodeColumns})
            VALUES (@RealmId, @CodeHash, @GrantId, @RedirectUri, @Nonce, @CodeChallenge, @CreatedAt, @ExpiresAt, @SpentAt)
            """,
            code);

    internal static Task InsertAsync(DbConnection connection, RefreshToken token) =>
        connection.ExecuteAsync(
            $"""
            INSERT INTO refresh_tokens ({TokenColumns})
            VALUES (@RealmId, @TokenHash, @GrantId, @CreatedAt, @ExpiresAt, @SpentAt, @SealedSuccessor)
            """,
            token);

    /// <summary>
    /// A membership ended: grants that speak of that organization alone end, and sessions that an API sign-in made for nothing else.
    /// Grants of multi-org tokens live on; the next refresh just no longer speaks of it.
    /// </summary>
    internal static Task EndForMembershipAsync(
        DbConnection connection, Id<Realm> realm, Id<Organization> organization, Id<User> user, DateTimeOffset now) =>
        EndForAsync(connection, "organization_id = @organization AND user_id = @user", new { realm, organization, user, now });

    /// <summary>The same for everybody in an organization.</summary>
    internal static Task EndForOrganizationAsync(DbConnection connection, Id<Realm> realm, Id<Organization> organization, DateTimeOffset now) =>
        EndForAsync(connection, "organization_id = @organization", new { realm, organization, now });

    private static Task<int> MoveAsync(DbConnection connection, Id<Realm> realm, Id<Grant> grant, OrganizationChoice choice) =>
        connection.ExecuteAsync(
            """
            UPDATE grants SET choice = @Word, organization_id = @Selected
            WHERE realm_id = @realm AND id = @grant AND ended_at IS NULL AND (choice <> @Word OR organization_id IS DISTINCT FROM @Selected)
            """,
            new { realm, grant, choice.Word, choice.Selected });

    private static async Task EndForAsync(DbConnection connection, string condition, object parameters)
    {
        int ended = await connection.ExecuteAsync(
            $"UPDATE grants SET ended_at = @now WHERE realm_id = @realm AND {condition} AND profile <> 'MultiOrg' AND ended_at IS NULL", parameters);
        if (ended == 0)
            return;
        await connection.ExecuteAsync(
            $"""
            UPDATE sessions SET ended_at = @now, updated_at = @now
            WHERE realm_id = @realm AND ended_at IS NULL AND cookie_hash IS NULL
                AND id IN (SELECT session_id FROM grants WHERE realm_id = @realm AND {condition} AND profile <> 'MultiOrg' AND ended_at = @now)
                AND NOT EXISTS (SELECT 1 FROM grants live
                    WHERE live.realm_id = @realm AND live.session_id = sessions.id AND live.ended_at IS NULL)
            """,
            parameters);
    }

    private static async Task<GrantFacts?> LoadFactsAsync(DbConnection connection, Id<Realm> realm, Id<Grant> grant, Id<Organization>? switchTo = null)
    {
        GrantRow? row = await connection.QuerySingleOrDefaultAsync<GrantRow>(
            $"SELECT {Columns} FROM grants WHERE realm_id = @realm AND id = @grant", new { realm, grant });
        if (row is null)
            return null;

        Grant read = row.ToGrant();
        if (switchTo is { } organization)
            read = read with { Choice = new OrganizationChoice.Chosen(organization) };
        IReadOnlyList<MembershipInOrganization> memberships = read.Choice == OrganizationChoice.NoOrganization
            ? []
            : await MembershipStore.OfUserAsync(connection, realm, read.UserId, read.Choice.Selected);
        return new GrantFacts
        {
            Grant = read,
            Session = await connection.QuerySingleAsync<Session>(
                $"SELECT {SessionStore.Columns} FROM sessions WHERE realm_id = @realm AND id = @SessionId", new { realm, read.SessionId }),
            Client = await connection.QuerySingleAsync<Client>(
                $"SELECT {ClientStore.Columns} FROM clients WHERE realm_id = @realm AND id = @ClientId", new { realm, read.ClientId }),
            User = await connection.QuerySingleAsync<User>(
                $"SELECT {UserStore.Columns} FROM users WHERE realm_id = @realm AND id = @UserId", new { realm, read.UserId }),
            Realm = await connection.QuerySingleAsync<Realm>("SELECT id, handle, name, created_at FROM realms WHERE id = @realm", new { realm }),
            Memberships = read.Profile == TokenProfile.SingleOrg
                ? await WithRolesAsync(connection, realm, memberships)
                : [.. memberships.Select(static entry => new MembershipInOrganizationAndRoles(entry, []))],
        };
    }

    private static async Task<IReadOnlyList<MembershipInOrganizationAndRoles>> WithRolesAsync(
        DbConnection connection, Id<Realm> realm, IReadOnlyList<MembershipInOrganization> memberships)
    {
        IReadOnlyList<Role> roles = await RealmStore.RolesAsync(connection, realm, memberships.SelectMany(static entry => entry.Membership.Scopes));
        return [.. memberships.Select(entry => new MembershipInOrganizationAndRoles(entry, roles))];
    }

    private sealed record GrantRow
    {
        public Id<Realm> RealmId { get; init; }

        public Id<Grant> Id { get; init; }

        public Id<Session> SessionId { get; init; }

        public Id<Client> ClientId { get; init; }

        public Id<User> UserId { get; init; }

        public Door Door { get; init; }

        public TokenProfile Profile { get; init; }

        public required IReadOnlyList<string> Scopes { get; init; }

        public required string Choice { get; init; }

        public Id<Organization>? OrganizationId { get; init; }

        public bool OnOrganizationPath { get; init; }

        public string? Resource { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset? EndedAt { get; init; }

        public Grant ToGrant() => new()
        {
            RealmId = RealmId,
            Id = Id,
            SessionId = SessionId,
            ClientId = ClientId,
            UserId = UserId,
            Door = Door,
            Profile = Profile,
            Scopes = Scopes,
            Choice = OrganizationChoice.FromStored(Choice, OrganizationId),
            OnOrganizationPath = OnOrganizationPath,
            Resource = Resource,
            CreatedAt = CreatedAt,
            EndedAt = EndedAt,
        };
    }
}
