using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Who is in which organization.</summary>
public sealed class MembershipStore(Database database)
{
    internal const string Columns = "realm_id, id, user_id, organization_id, scopes, title, status, joined_at, metadata, created_at, updated_at";

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
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Membership>(
                $"SELECT {Columns} FROM memberships WHERE realm_id = @realm AND id = @membership", new { realm, membership }),
            cancellationToken);

    public Task<Membership?> FindAsync(Id<Realm> realm, Id<User> user, Id<Organization> organization, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Membership>(
                $"SELECT {Columns} FROM memberships WHERE realm_id = @realm AND user_id = @user AND organization_id = @organization",
                new { realm, user, organization }),
            cancellationToken);

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

    /// <summary>Makes a membership; false when the pair is one already, or the person or the organization is gone.</summary>
    public async Task<bool> CreateAsync(Membership membership, CancellationToken cancellationToken) =>
        await database.WriteAsync(
            connection => connection.ExecuteAsync(
                $"""
                INSERT INTO memberships ({Columns})
                SELECT @RealmId, @Id, @UserId, @OrganizationId, @Scopes, @Title, @Status, @JoinedAt, @Metadata, @CreatedAt, @UpdatedAt
                WHERE EXISTS (SELECT 1 FROM users WHERE realm_id = @RealmId AND id = @UserId)
                    AND EXISTS (SELECT 1 FROM organizations WHERE realm_id = @RealmId AND id = @OrganizationId AND status <> 'Deleting')
                ON CONFLICT DO NOTHING
                """,
                Row(membership)),
            cancellationToken) == 1;

    /// <summary>
    /// Changes a membership as it is at that moment; one that is no longer active ends the grants that rested on it. Where
    /// <paramref name="change"/>, which is pure, returns the membership itself, nothing is written. Null when there is none.
    /// </summary>
    public Task<MembershipDetails?> ChangeAsync(
        Id<Realm> realm, Id<Membership> id, Func<MembershipDetails, Membership> change, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                MembershipDetails? current = await DetailsAsync(connection, realm, id, database.ForUpdateOf("m"));
                if (current is null)
                    return null;
                Membership changed = change(current);
                if (ReferenceEquals(changed, current.Membership))
                    return current;
                await connection.ExecuteAsync(
                    """
                    UPDATE memberships SET scopes = @Scopes, title = @Title, status = @Status, metadata = @Metadata, updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(changed));
                if (changed.Status != MembershipStatus.Active)
                    await GrantStore.EndForMembershipAsync(connection, realm, changed.OrganizationId, changed.UserId, changed.UpdatedAt);
                return current with { Membership = changed, Roles = await RoleStore.NamedAsync(connection, realm, [changed.OrganizationId], changed.Scopes) };
            },
            cancellationToken);

    public Task<bool> DeleteAsync(Membership membership, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                int deleted = await connection.ExecuteAsync(
                    "DELETE FROM memberships WHERE realm_id = @RealmId AND id = @Id", new { membership.RealmId, membership.Id });
                if (deleted == 1)
                    await GrantStore.EndForMembershipAsync(connection, membership.RealmId, membership.OrganizationId, membership.UserId, now);
                return deleted == 1;
            },
            cancellationToken);

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
