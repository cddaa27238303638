using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>How the making of a role ended.</summary>
public enum RoleWrite
{
    Done,

    /// <summary>The organization is not there.</summary>
    NotFound,

    SlugTaken,
}

/// <summary>
/// The roles of realms and, in a table of their own, those of organizations. Without an organization, a method is about the realm's. A role
/// that goes takes its permissions from those who have it; the scope itself stays with them.
/// </summary>
public sealed class RoleStore(Database database)
{
    private const string OwnColumns = "slug, name, permissions, created_at, updated_at";

    internal const string RealmColumns = $"realm_id, {OwnColumns}";

    internal const string OrganizationColumns = $"realm_id, organization_id, {OwnColumns}";

    public Task<Role?> FindAsync(Id<Realm> realm, Id<Organization>? organization, string slug, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => FindAsync(connection, realm, organization, slug, ""), cancellationToken);

    /// <summary>Roles in the order of their slugs, from behind <paramref name="after"/> on.</summary>
    public Task<Page<Role>> ListAsync(
        Id<Realm> realm, Id<Organization>? organization, string? after, int limit, CancellationToken cancellationToken) =>
        database.QueryAsync(
            async connection =>
            {
                Role[] roles =
                [
                    .. await connection.QueryAsync<Role>(
                        $"SELECT {Columns(organization)} FROM {Table(organization)} WHERE realm_id = @realm AND {Of(organization)} AND slug > @after ORDER BY slug LIMIT @most",
                        new { realm, organization, after = after ?? "", most = limit + 1 }),
                ];
                return new Page<Role>(roles[..Math.Min(limit, roles.Length)], HasBefore: after is not null, HasAfter: roles.Length > limit);
            },
            cancellationToken);

    /// <summary>The roles that these slugs name: the realm's, and those of these organizations.</summary>
    public Task<IReadOnlyList<Role>> NamedAsync(
        Id<Realm> realm, IReadOnlyList<Id<Organization>> organizations, IReadOnlyList<string> slugs, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => NamedAsync(connection, realm, organizations, slugs), cancellationToken);

    public Task<RoleWrite> CreateAsync(Role role, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            role.RealmId,
            origin,
            async (connection, log) =>
            {
                if (role.OrganizationId is { } organization && !await OrganizationStore.ExistsAsync(connection, role.RealmId, organization))
                    return RoleWrite.NotFound;
                int made = await connection.ExecuteAsync(
                    role.OrganizationId is null
                        ? $"""
                          INSERT INTO roles ({RealmColumns}) VALUES (@RealmId, @Slug, @Name, @Permissions, @CreatedAt, @UpdatedAt) ON CONFLICT DO NOTHING
                          """
                        : $"""
                          INSERT INTO organization_roles ({OrganizationColumns})
                          VALUES (@RealmId, @OrganizationId, @Slug, @Name, @Permissions, @CreatedAt, @UpdatedAt)
                          ON CONFLICT DO NOTHING
                          """,
                    role);
                if (made == 0)
                    return RoleWrite.SlugTaken;
                log.Add(EventOf(EventTypes.RoleCreated, EventTypes.OrganizationRoleCreated, role));
                return RoleWrite.Done;
            },
            cancellationToken);

    /// <summary>
    /// Changes a role as it is at that moment; null when there is none. Where <paramref name="change"/>, which is pure, returns null or what
    /// shows as the same, nothing is written.
    /// </summary>
    public Task<Role?> ChangeAsync(
        Id<Realm> realm, Id<Organization>? organization, string slug, Func<Role, Role?> change, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, organization, slug, database.ForUpdateOf(Table(organization))) is not { } current)
                    return null;
                if (change(current) is not { } changed)
                    return current;
                EventDraft updated = EventDraft.Updated(
                    organization is null ? EventTypes.RoleUpdated : EventTypes.OrganizationRoleUpdated,
                    slug,
                    RoleResource.Of(current),
                    RoleResource.Of(changed),
                    ResourceJson.Default.RoleResource) with { OrganizationId = organization };
                if (updated.Changed is [])
                    return current;
                await connection.ExecuteAsync(
                    $"""
                    UPDATE {Table(organization)} SET name = @Name, permissions = @Permissions, updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND {Of(organization)} AND slug = @Slug
                    """,
                    new { changed.RealmId, organization, changed.Slug, changed.Name, changed.Permissions, changed.UpdatedAt });
                log.Add(updated);
                return changed;
            },
            cancellationToken);

    /// <summary>False when there is none, or <paramref name="mayGo"/> says no.</summary>
    public Task<bool> DeleteAsync(
        Id<Realm> realm, Id<Organization>? organization, string slug, Func<Role, bool> mayGo, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, organization, slug, database.ForUpdateOf(Table(organization))) is not { } role || !mayGo(role))
                    return false;
                await connection.ExecuteAsync(
                    $"DELETE FROM {Table(organization)} WHERE realm_id = @realm AND {Of(organization)} AND slug = @slug", new { realm, organization, slug });
                log.Add(EventOf(EventTypes.RoleDeleted, EventTypes.OrganizationRoleDeleted, role));
                return true;
            },
            cancellationToken);

    /// <summary>The columns of a realm's role under an alias, with nothing where an organization's has its organization.</summary>
    internal static string OfRealm(string alias) => $"{alias}.realm_id, CAST(NULL AS uuid) AS organization_id, {SqlTypes.Of(alias, OwnColumns)}";

    internal static string OfOrganization(string alias) => SqlTypes.Of(alias, OrganizationColumns);

    internal static async Task<IReadOnlyList<Role>> NamedAsync(
        DbConnection connection, Id<Realm> realm, IEnumerable<Id<Organization>> organizations, IEnumerable<string> slugs)
    {
        DynamicParameters parameters = new(new { realm, slugs = slugs.Distinct(StringComparer.Ordinal).ToArray() });
        string ids = parameters.AddIds("organization", [.. organizations.Distinct()]);
        return
        [
            .. await connection.QueryAsync<Role>(
                $"""
                SELECT {OfRealm("r")} FROM roles r WHERE r.realm_id = @realm AND r.slug IN @slugs
                UNION ALL
                SELECT {OfOrganization("r")} FROM organization_roles r WHERE r.realm_id = @realm AND r.organization_id IN {ids} AND r.slug IN @slugs
                """,
                parameters),
        ];
    }

    private static Task<Role?> FindAsync(DbConnection connection, Id<Realm> realm, Id<Organization>? organization, string slug, string forUpdate) =>
        connection.QuerySingleOrDefaultAsync<Role>(
            $"SELECT {Columns(organization)} FROM {Table(organization)} WHERE realm_id = @realm AND {Of(organization)} AND slug = @slug{forUpdate}", new { realm, organization, slug });

    private static string Table(Id<Organization>? organization) => organization is null ? "roles" : "organization_roles";

    private static string Columns(Id<Organization>? organization) => organization is null ? RealmColumns : OrganizationColumns;

    /// <summary>The condition that tells the roles of one organization; the realm's are all in their table.</summary>
    private static string Of(Id<Organization>? organization) => organization is null ? "@organization IS NULL" : "organization_id = @organization";

    private static EventDraft EventOf(string ofRealm, string ofOrganization, Role role) =>
        EventDraft.Of(role.OrganizationId is null ? ofRealm : ofOrganization, role.Slug, RoleResource.Of(role), ResourceJson.Default.RoleResource)
            with { OrganizationId = role.OrganizationId };
}
