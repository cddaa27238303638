using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>How the making of a membership ended.</summary>
public enum MembershipWrite
{
    Done,

    /// <summary>The person or the organization is not there.</summary>
    NotFound,

    /// <summary>The pair is one already.</summary>
    MemberAlready,

    /// <summary>The organization has as many members as it may.</summary>
    OrganizationFull,
}

/// <summary>Who is in which organization.</summary>
public sealed class MembershipStore(Database database)
{
    internal const string Columns = "realm_id, id, user_id, organization_id, scopes, title, status, joined_at, metadata, created_at, updated_at";

    private static readonly string SelectVisible =
        $"""
        SELECT {SqlTypes.Of("m", Columns)}
        FROM memberships m JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id AND o.status <> 'Deleting'
        WHERE m.realm_id = @realm
        """;

    /// <summary>A membership with both of its ends, in one row; an organization that is being deleted has none to show.</summary>
    private static readonly string SelectDetails =
        $"""
        SELECT {SqlTypes.Of("m", Columns)},
            u.realm_id AS user_split, {SqlTypes.Of("u", UserStore.Columns)},
            o.realm_id AS organization_split, {SqlTypes.Of("o", OrganizationStore.Columns)}
        FROM memberships m
            JOIN users u ON u.realm_id = m.realm_id AND u.id = m.user_id
            JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id AND o.status <> 'Deleting'
        WHERE m.realm_id = @realm
        """;

    public Task<Membership?> FindAsync(Id<Realm> realm, Id<Membership> membership, CancellationToken cancellationToken) =>
        FindByAsync("m.id = @membership", new { realm, membership }, cancellationToken);

    public Task<Membership?> FindAsync(Id<Realm> realm, Id<User> user, Id<Organization> organization, CancellationToken cancellationToken) =>
        FindByAsync("m.user_id = @user AND m.organization_id = @organization", new { realm, user, organization }, cancellationToken);

    public Task<MembershipDetails?> FindDetailsAsync(Id<Realm> realm, Id<Membership> membership, CancellationToken cancellationToken) =>
        database.ReadAsync(connection => DetailsAsync(connection, realm, membership), cancellationToken);

    /// <summary>A page of the memberships of a person, of an organization, or of both, in the statuses named; two queries, whatever its length.</summary>
    public Task<Page<MembershipDetails>> ListDetailsAsync(
        Id<Realm> realm,
        Id<User>? user,
        Id<Organization>? organization,
        IReadOnlyList<MembershipStatus> statuses,
        PageRequest<Membership> page,
        CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm });
        string where = "m.status IN @statuses";
        parameters.Add("statuses", statuses.Select(static status => status.ToString()).ToArray());
        if (user is { } ofUser)
        {
            where += " AND m.user_id = @user";
            parameters.Add("user", ofUser);
        }

        if (organization is { } ofOrganization)
        {
            where += " AND m.organization_id = @organization";
            parameters.Add("organization", ofOrganization);
        }

        return database.ReadAsync(
            connection => Paging.QueryPageAsync(
                $"{SelectDetails} AND {where}", "m.id", parameters, page, sql => DetailsAsync(connection, realm, sql, parameters)),
            cancellationToken);
    }

    /// <summary>A page of the memberships of an organization or of a person, of one status or of all.</summary>
    public Task<Page<Membership>> ListAsync(
        Id<Realm> realm, Id<Organization> organization, MembershipStatus? status, PageRequest<Membership> page, CancellationToken cancellationToken) =>
        ListAsync("m.organization_id = @organization", new DynamicParameters(new { realm, organization }), status, page, cancellationToken);

    public Task<Page<Membership>> ListAsync(
        Id<Realm> realm, Id<User> user, MembershipStatus? status, PageRequest<Membership> page, CancellationToken cancellationToken) =>
        ListAsync("m.user_id = @user", new DynamicParameters(new { realm, user }), status, page, cancellationToken);

    public Task<MembershipWrite> CreateAsync(Membership membership, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(membership.RealmId, origin, (connection, log) => JoinAsync(connection, log, membership), cancellationToken);

    /// <summary>
    /// Changes a membership as it is at that moment; one that is no longer active ends the grants that rested on it. Where
    /// <paramref name="change"/>, which is pure, returns null or what shows as the same, nothing is written. Null when there is none.
    /// </summary>
    public Task<MembershipDetails?> ChangeAsync(
        Id<Realm> realm, Id<Membership> id, Func<MembershipDetails, Membership?> change, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                MembershipDetails? current = await DetailsAsync(connection, realm, id, database.ForUpdateOf("m"));
                if (current is null || change(current) is not { } changed || !OrganizationEvents.Updated(log, current.Membership, changed))
                    return current;
                await connection.ExecuteAsync(
                    """
                    UPDATE memberships SET scopes = @Scopes, title = @Title, status = @Status, joined_at = @JoinedAt, metadata = @Metadata, updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(changed));
                if (changed.Status != MembershipStatus.Active)
                    await GrantStore.EndForMembershipAsync(connection, realm, changed.OrganizationId, changed.UserId, changed.UpdatedAt);
                return current with
                {
                    Membership = changed,
                    Roles = await RoleStore.NamedAsync(connection, realm, [changed.OrganizationId], changed.Scopes),
                };
            },
            cancellationToken);

    /// <summary>False when there is none, or <paramref name="mayGo"/>, which is pure, says no.</summary>
    public Task<bool> DeleteAsync(
        Id<Realm> realm, Id<Membership> id, Func<Membership, bool> mayGo, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await DetailsAsync(connection, realm, id, database.ForUpdateOf("m")) is not { Membership: { } membership } || !mayGo(membership))
                    return false;
                await connection.ExecuteAsync("DELETE FROM memberships WHERE realm_id = @realm AND id = @id", new { realm, id });
                await GrantStore.EndForMembershipAsync(connection, realm, membership.OrganizationId, membership.UserId, now);
                OrganizationEvents.Add(log, EventTypes.MembershipDeleted, membership);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Makes a membership, within a change. Where the organization has a maximum, it is held until the commit and its members are counted as
    /// far as there: two who join at once are counted one after the other. Where it has none, nothing is held or counted.
    /// </summary>
    internal async Task<MembershipWrite> JoinAsync(DbConnection connection, EventLog log, Membership membership)
    {
        int? most = await MaximumAsync(connection, membership, "");
        if (most is not null)
        {
            most = await MaximumAsync(connection, membership, database.ForUpdateOf("organizations"));
            int members = await connection.ExecuteScalarAsync<int>(
                """
                SELECT count(*) FROM (
                    SELECT 1 FROM memberships WHERE realm_id = @RealmId AND organization_id = @OrganizationId AND user_id <> @UserId LIMIT @most) AS counted
                """,
                new { membership.RealmId, membership.OrganizationId, membership.UserId, most });
            if (members >= most)
                return MembershipWrite.OrganizationFull;
        }

        int made = await connection.ExecuteAsync(
            $"""
            INSERT INTO memberships ({Columns})
            SELECT @RealmId, @Id, @UserId, @OrganizationId, @Scopes, @Title, @Status, @JoinedAt, @Metadata, @CreatedAt, @UpdatedAt
            WHERE EXISTS (SELECT 1 FROM users WHERE realm_id = @RealmId AND id = @UserId)
                AND EXISTS (SELECT 1 FROM organizations WHERE realm_id = @RealmId AND id = @OrganizationId AND status <> 'Deleting')
            ON CONFLICT DO NOTHING
            """,
            Row(membership));
        if (made == 1)
        {
            OrganizationEvents.Add(log, EventTypes.MembershipCreated, membership);
            return MembershipWrite.Done;
        }

        return await connection.ExecuteScalarAsync<bool>(
            "SELECT EXISTS (SELECT 1 FROM memberships WHERE realm_id = @RealmId AND user_id = @UserId AND organization_id = @OrganizationId)", Row(membership))
            ? MembershipWrite.MemberAlready
            : MembershipWrite.NotFound;
    }

    /// <summary>Makes a pending membership active, within a change.</summary>
    internal static async Task ActivateAsync(DbConnection connection, EventLog log, Membership pending, Membership active)
    {
        await connection.ExecuteAsync(
            """
            UPDATE memberships SET scopes = @Scopes, title = @Title, status = @Status, joined_at = @JoinedAt, updated_at = @UpdatedAt
            WHERE realm_id = @RealmId AND id = @Id
            """,
            Row(active));
        OrganizationEvents.Updated(log, pending, active);
    }

    /// <summary>None where the organization is being deleted.</summary>
    private Task<Membership?> FindByAsync(string which, object parameters, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Membership>($"{SelectVisible} AND {which}", parameters), cancellationToken);

    private static async Task<int?> MaximumAsync(DbConnection connection, Membership membership, string forUpdate) =>
        (await connection.QuerySingleOrDefaultAsync<OrganizationSettings>(
            $"SELECT settings FROM organizations WHERE realm_id = @RealmId AND id = @OrganizationId{forUpdate}",
            new { membership.RealmId, membership.OrganizationId }))?.MaxMembers;

    private Task<Page<Membership>> ListAsync(
        string of, DynamicParameters parameters, MembershipStatus? status, PageRequest<Membership> page, CancellationToken cancellationToken)
    {
        if (status is { } only)
        {
            of += " AND m.status = @status";
            parameters.Add("status", only.ToString());
        }

        return database.QueryAsync(
            connection => connection.QueryPageAsync($"{SelectVisible} AND {of}", "m.id", parameters, page), cancellationToken);
    }

    private static async Task<MembershipDetails?> DetailsAsync(
        DbConnection connection, Id<Realm> realm, Id<Membership> membership, string forUpdate = "") =>
        (await DetailsAsync(connection, realm, $"{SelectDetails} AND m.id = @membership{forUpdate}", new { realm, membership })).SingleOrDefault();

    /// <summary>Runs a text made of <see cref="SelectDetails"/> and adds the roles of all its rows in one more query.</summary>
    private static async Task<IEnumerable<MembershipDetails>> DetailsAsync(DbConnection connection, Id<Realm> realm, string sql, object parameters)
    {
        MembershipDetails[] rows =
        [
            .. await connection.QueryAsync<Membership, User, Organization, MembershipDetails>(
                sql,
                static (membership, user, organization) => new MembershipDetails(membership, user, organization, []),
                parameters,
                splitOn: "user_split,organization_split"),
        ];
        IReadOnlyList<Role> roles = await RoleStore.NamedAsync(
            connection, realm, rows.Select(static row => row.Organization.Id), rows.SelectMany(static row => row.Membership.Scopes));
        return rows.Select(row => row with { Roles = roles });
    }

    private static object Row(Membership membership) => new
    {
        membership.RealmId,
        membership.Id,
        membership.UserId,
        membership.OrganizationId,
        membership.Scopes,
        membership.Title,
        Status = membership.Status.ToString(),
        membership.JoinedAt,
        membership.Metadata,
        membership.CreatedAt,
        membership.UpdatedAt,
    };
}
