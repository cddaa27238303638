using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>The roles of realms and, in a table of their own, those of organizations.</summary>
public sealed class RoleStore(Database database)
{
    private const string OwnColumns = "slug, name, permissions, created_at, updated_at";

    internal const string RealmColumns = $"realm_id, {OwnColumns}";

    internal const string OrganizationColumns = $"realm_id, organization_id, {OwnColumns}";

    /// <summary>The columns of a realm's role under an alias, with nothing where an organization's has its organization.</summary>
    internal static string OfRealm(string alias) => $"{alias}.realm_id, CAST(NULL AS uuid) AS organization_id, {SqlTypes.Of(alias, OwnColumns)}";

    internal static string OfOrganization(string alias) => SqlTypes.Of(alias, OrganizationColumns);

    public Task CreateAsync(Role role, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                $"INSERT INTO roles ({RealmColumns}) VALUES (@RealmId, @Slug, @Name, @Permissions, @CreatedAt, @UpdatedAt)", role),
            cancellationToken);

    /// <summary>The roles that these slugs name: the realm's, and those of these organizations.</summary>
    public Task<IReadOnlyList<Role>> NamedAsync(
        Id<Realm> realm, IReadOnlyList<Id<Organization>> organizations, IReadOnlyList<string> slugs, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => NamedAsync(connection, realm, organizations, slugs), cancellationToken);

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
}
