using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>
/// Takes away what organizations leave that are being deleted: members, grants, consents, choices, and at last the organization itself with the rest. A few rows
/// at a time, so that a million members go without anybody having to wait.
/// </summary>
public sealed class OrganizationRemains(Database database)
{
    /// <summary>Organizations of the realm that are on their way out, a few of them.</summary>
    public Task<IReadOnlyList<Id<Organization>>> ListAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Organization>>>(
            async connection =>
            [
                .. await connection.QueryAsync<Id<Organization>>(
                    $"SELECT id FROM organizations WHERE realm_id = @realm AND status = 'Deleting' ORDER BY id LIMIT {CleaningStore.BatchSize}", new { realm }),
            ],
            cancellationToken);

    /// <summary>The realms that have any.</summary>
    public Task<IReadOnlyList<Id<Realm>>> RealmsAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Realm>>>(
            static async connection =>
            [
                .. await connection.QueryAsync<Id<Realm>>(
                    "SELECT id FROM realms WHERE EXISTS (SELECT 1 FROM organizations WHERE realm_id = realms.id AND status = 'Deleting')"),
            ],
            cancellationToken);

    /// <summary>Takes away some of what an organization on its way out leaves: how many rows of the kind with most; less than <see cref="CleaningStore.BatchSize"/> when nothing is left.</summary>
    public Task<int> RemoveAsync(Id<Realm> realm, Id<Organization> organization, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                // Held, so that two nodes do not do the same; one that is in use is none of ours.
                if (await connection.QuerySingleOrDefaultAsync<string>(
                    $"SELECT name FROM organizations WHERE realm_id = @realm AND id = @organization AND status = 'Deleting'{database.ForUpdateOf("organizations")}",
                    new { realm, organization }) is null)
                {
                    return 0;
                }

                // Grants go with the members whose they are: those of people who left before have ended then.
                await GrantStore.EndForMembersAsync(connection, realm, organization, CleaningStore.BatchSize, now);
                int gone = await connection.ExecuteAsync(
                    """
                    DELETE FROM memberships WHERE realm_id = @realm AND id IN (
                        SELECT id FROM memberships WHERE realm_id = @realm AND organization_id = @organization ORDER BY id LIMIT @most)
                    """,
                    new { realm, organization, most = CleaningStore.BatchSize });
                gone = Math.Max(gone, await RemoveFromAsync(connection, "consents", "id", realm, organization));
                gone = Math.Max(gone, await RemoveFromAsync(connection, "organization_choices", "(user_id, client_id)", realm, organization));
                if (gone < CleaningStore.BatchSize)
                    await connection.ExecuteAsync("DELETE FROM organizations WHERE realm_id = @realm AND id = @organization", new { realm, organization });
                return gone;
            },
            cancellationToken);

    /// <summary>Some of the rows that name the organization, in a table where others do too.</summary>
    private static Task<int> RemoveFromAsync(DbConnection connection, string table, string key, Id<Realm> realm, Id<Organization> organization) =>
        connection.ExecuteAsync(
            $"""
            DELETE FROM {table} WHERE realm_id = @realm AND {key} IN (
                SELECT {key.Trim('(', ')')} FROM {table} WHERE realm_id = @realm AND organization_id = @organization LIMIT @most)
            """,
            new { realm, organization, most = CleaningStore.BatchSize });
}
