using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Which organization may belong to which.</summary>
internal static class OrganizationParents
{
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
}
