using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Which organization may belong to which.</summary>
internal static class OrganizationParents
{
    /// <summary>Joins that lead from an organization <c>a0</c> up to its parents, <c>a1</c> and so on.</summary>
    public static readonly string Line = string.Concat(Enumerable.Range(1, OrganizationRules.MaxDepth).Select(static level =>
        $"\n    LEFT JOIN organizations a{level} ON a{level}.realm_id = a{level - 1}.realm_id AND a{level}.id = a{level - 1}.parent_id"));

    /// <summary>How deep <c>a0</c> stands, up to one more than it may: 1 without a parent.</summary>
    public static readonly string Depth =
        $"(1{string.Concat(Enumerable.Range(1, OrganizationRules.MaxDepth).Select(static level => $" + CASE WHEN a{level}.id IS NULL THEN 0 ELSE 1 END"))})";

    /// <summary>Those of these that are there, held against others until the commit.</summary>
    public static async Task<HashSet<Id<Organization>>> HoldAsync(
        Database database, DbConnection connection, Id<Realm> realm, IReadOnlyList<Id<Organization>> organizations)
    {
        DynamicParameters parameters = new(new { realm });
        string ids = parameters.AddIds("organization", organizations);
        return
        [
            .. await connection.QueryAsync<Id<Organization>>(
                $"SELECT id FROM organizations WHERE realm_id = @realm AND status <> 'Deleting' AND id IN {ids}{database.ForUpdateOf("organizations")}", parameters),
        ];
    }

    /// <summary>How deep these stand: 1 without a parent.</summary>
    public static async Task<IReadOnlyDictionary<Guid, int>> DepthsAsync(
        Database database, DbConnection connection, Id<Realm> realm, IEnumerable<Guid> organizations) =>
        (await connection.QueryAsync<DepthRow>(
            $"""
            SELECT a0.id, {Depth} AS depth
            FROM {database.RowsOf("@rows", "id uuid")} JOIN organizations a0 ON a0.realm_id = @realm AND a0.id = r.id{Line}
            """,
            new { realm, rows = JsonRows.Write(organizations.Distinct().Select(static id => new { Id = id.ToString("N") })) }))
        .ToDictionary(static row => row.Id.Value, static row => (int)row.Depth);

    public static Task<bool> HasChildrenAsync(DbConnection connection, Id<Realm> realm, Id<Organization> id) =>
        connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM organizations WHERE realm_id = @realm AND parent_id = @id)", new { realm, id });

    /// <summary>
    /// What is wrong with a new parent. Who has children can't be put below another: so there can be no circle, nobody below gets deeper, and
    /// the line above the parent stays as it is read while the parent is held.
    /// </summary>
    /// <param name="before">The organization as it was, and is held; null for a new one.</param>
    public static async Task<OrganizationWrite?> ProblemAsync(Database database, DbConnection connection, Organization organization, Organization? before)
    {
        if (organization.ParentId is not { } parent || parent == before?.ParentId)
            return null;
        if (parent == organization.Id)
            return OrganizationWrite.ParentNotFound;
        if (before is not null && await HasChildrenAsync(connection, organization.RealmId, organization.Id))
            return OrganizationWrite.HasChildren;
        if (await OrganizationStore.LockAsync(database, connection, organization.RealmId, parent) is not { } above)
            return OrganizationWrite.ParentNotFound;
        for (int depth = 2; above.ParentId is { } next; depth++)
        {
            if (depth == OrganizationRules.MaxDepth)
                return OrganizationWrite.ParentTooDeep;
            above = await connection.QuerySingleAsync<Organization>(
                $"SELECT {OrganizationStore.Columns} FROM organizations WHERE realm_id = @RealmId AND id = @next", new { organization.RealmId, next });
        }

        return null;
    }

    private sealed record DepthRow
    {
        public Id<Organization> Id { get; init; }

        public long Depth { get; init; }
    }
}
