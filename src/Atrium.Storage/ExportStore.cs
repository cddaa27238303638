using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Takes what an export reads, in the order in which an import wants it.</summary>
public interface IExportTarget
{
    Task RolesAsync(IReadOnlyList<Role> roles);

    Task OrganizationsAsync(IReadOnlyList<Organization> organizations, ILookup<Id<Organization>, OrganizationDomain> domains);

    Task UsersAsync(IReadOnlyList<UserAndPassword> users);

    Task MembershipsAsync(IReadOnlyList<Membership> memberships);
}

/// <summary>Reads a realm's people, organizations, memberships and roles, page by page, all of it as of one moment.</summary>
public sealed class ExportStore(Database database)
{
    private const int PageSize = 1000;

    public Task<bool> ReadAsync(Id<Realm> realm, IExportTarget target, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async connection =>
            {
                await target.RolesAsync(
                [
                    .. await connection.QueryAsync<Role>($"SELECT {RoleStore.RealmColumns} FROM roles WHERE realm_id = @realm ORDER BY slug", new { realm }),
                ]);
                for (int depth = 1; depth <= OrganizationRules.MaxDepth; depth++)
                    await OrganizationsAsync(connection, realm, depth, target);
                await OrganizationRolesAsync(connection, realm, target);
                await PagesAsync<User, UserAndPassword>(
                    after => UserStore.WithPasswordsAsync(connection, $"id > @after ORDER BY id LIMIT {PageSize}", new { realm, after }),
                    static entry => entry.User.Id,
                    target.UsersAsync);
                await PagesAsync<Membership, Membership>(
                    after => connection.QueryAsync<Membership>(
                        $"""
                        SELECT {SqlTypes.Of("m", MembershipStore.Columns)}
                        FROM memberships m JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id AND o.status <> 'Deleting'
                        WHERE m.realm_id = @realm AND m.id > @after ORDER BY m.id LIMIT {PageSize}
                        """,
                        new { realm, after }),
                    static membership => membership.Id,
                    target.MembershipsAsync);
                return true;
            },
            cancellationToken);

    /// <summary>Those of one depth, so that a parent comes before its children.</summary>
    private static Task OrganizationsAsync(DbConnection connection, Id<Realm> realm, int depth, IExportTarget target) =>
        PagesAsync<Organization, Organization>(
            after => connection.QueryAsync<Organization>(
                $"""
                SELECT {SqlTypes.Of("a0", OrganizationStore.Columns)} FROM organizations a0{OrganizationParents.Line}
                WHERE a0.realm_id = @realm AND a0.id > @after AND a0.status <> 'Deleting' AND {OrganizationParents.Depth} = @depth ORDER BY a0.id LIMIT {PageSize}
                """,
                new { realm, after, depth }),
            static organization => organization.Id,
            async page => await target.OrganizationsAsync(
                page, await OrganizationDomainStore.OfAsync(connection, realm, [.. page.Select(static organization => organization.Id)])));

    private static async Task OrganizationRolesAsync(DbConnection connection, Id<Realm> realm, IExportTarget target)
    {
        Role? last = null;
        Role[] page;
        do
        {
            page =
            [
                .. await connection.QueryAsync<Role>(
                    $"""
                    SELECT {RoleStore.OfOrganization("r")}
                    FROM organization_roles r JOIN organizations o ON o.realm_id = r.realm_id AND o.id = r.organization_id AND o.status <> 'Deleting'
                    WHERE r.realm_id = @realm AND (r.organization_id, r.slug) > (@after, @slug) ORDER BY r.organization_id, r.slug LIMIT {PageSize}
                    """,
                    new { realm, after = last?.OrganizationId ?? new Id<Organization>(Guid.Empty), slug = last?.Slug ?? "" }),
            ];
            await target.RolesAsync(page);
            last = page.LastOrDefault();
        }
        while (page.Length == PageSize);
    }

    /// <summary>Page after page in the order of the ids, each begun behind the last of the one before; the nil UUID is before all.</summary>
    private static async Task PagesAsync<T, TRow>(Func<Id<T>, Task<IEnumerable<TRow>>> query, Func<TRow, Id<T>> idOf, Func<IReadOnlyList<TRow>, Task> write)
        where T : IIdentified
    {
        Id<T> after = new(Guid.Empty);
        TRow[] page;
        do
        {
            page = [.. await query(after)];
            if (page.Length == 0)
                return;
            await write(page);
            after = idOf(page[^1]);
        }
        while (page.Length == PageSize);
    }
}
