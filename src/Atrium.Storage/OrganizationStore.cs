using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Organizations. One that is being deleted is not found by any of these.</summary>
public sealed class OrganizationStore(Database database)
{
    internal const string Columns =
        "realm_id, id, handle, name, status, status_reason, parent_id, external_id, metadata, settings, created_at, updated_at";

    internal const string Visible = "realm_id = @realm AND status <> 'Deleting'";

    public Task<Organization?> FindAsync(Id<Realm> realm, Id<Organization> organization, CancellationToken cancellationToken) =>
        FindByAsync(realm, "id = @organization", new { realm, organization }, cancellationToken);

    public Task<Organization?> FindByHandleAsync(Id<Realm> realm, string handle, CancellationToken cancellationToken) =>
        FindByAsync(realm, "handle = @handle", new { realm, handle }, cancellationToken);

    public Task<Organization?> FindByExternalIdAsync(Id<Realm> realm, string externalId, CancellationToken cancellationToken) =>
        FindByAsync(realm, "external_id = @externalId", new { realm, externalId }, cancellationToken);

    /// <summary>Names need not be unique: the organization of that name that is oldest.</summary>
    public Task<Organization?> FindByNameAsync(Id<Realm> realm, string name, CancellationToken cancellationToken) =>
        FindByAsync(realm, "name = @name", new { realm, name }, cancellationToken);

    /// <summary>Only a verified domain leads anywhere.</summary>
    public Task<Organization?> FindByDomainAsync(Id<Realm> realm, string domain, CancellationToken cancellationToken) =>
        FindByAsync(
            realm,
            "id = (SELECT organization_id FROM organization_domains WHERE realm_id = @realm AND domain = @domain AND state = 'Verified')",
            new { realm, domain },
            cancellationToken);

    /// <summary>Whether the organization may sign in through the client at the app-native door.</summary>
    public Task<bool> IsSharedAsync(Client client, Id<Organization> organization, CancellationToken cancellationToken) =>
        client.SharedWithAll
            ? Task.FromResult(true)
            : database.QueryAsync(
                connection => connection.ExecuteScalarAsync<bool>(
                    """
                    SELECT EXISTS (SELECT 1 FROM client_organizations
                        WHERE realm_id = @RealmId AND client_id = @Id AND organization_id = @organization)
                    """,
                    new { client.RealmId, client.Id, organization }),
                cancellationToken);

    public Task<Page<Organization>> ListAsync(
        Id<Realm> realm, OrganizationFilter filter, PageRequest<Organization> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm, handle = filter.Handle, externalId = filter.ExternalId });
        string where = Visible;
        if (filter.Search is { } search)
        {
            where += " AND name_key LIKE @pattern ESCAPE '\\'";
            parameters.Add("pattern", $"%{NameKey(search).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%");
        }

        if (filter.Domains.Count > 0)
        {
            where += " AND id IN (SELECT organization_id FROM organization_domains WHERE realm_id = @realm AND domain IN @domains)";
            parameters.Add("domains", filter.Domains.ToArray());
        }

        if (filter.Handle is not null)
            where += " AND handle = @handle";
        if (filter.ExternalId is not null)
            where += " AND external_id = @externalId";
        if (filter.ParentId is { } parent)
        {
            where += " AND parent_id = @parent";
            parameters.Add("parent", parent);
        }

        if (filter.Status is { } status)
        {
            where += " AND status = @status";
            parameters.Add("status", status.ToString());
        }

        return database.QueryAsync(
            connection => connection.QueryPageAsync($"SELECT {Columns} FROM organizations WHERE {where}", "id", parameters, page), cancellationToken);
    }

    /// <summary>Which of these handles are in use.</summary>
    public Task<IReadOnlyList<string>> TakenHandlesAsync(Id<Realm> realm, IReadOnlyList<string> handles, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<string>>(
            async connection =>
            [
                .. await connection.QueryAsync<string>(
                    "SELECT handle FROM organizations WHERE realm_id = @realm AND handle IN @handles", new { realm, handles = handles.ToArray() }),
            ],
            cancellationToken);

    /// <summary>Makes an organization under the best of these handles that is free; the last one should be its alone.</summary>
    public async Task<MadeOrganization> CreateAsync(
        Organization organization,
        IReadOnlyList<string> handles,
        IReadOnlyList<OrganizationDomain> domains,
        Origin origin,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<string> taken = await TakenHandlesAsync(organization.RealmId, handles, cancellationToken);
        string best = handles.FirstOrDefault(handle => !taken.Contains(handle)) ?? handles[^1];
        MadeOrganization made = await CreateAsync(organization with { Handle = best }, domains, origin, cancellationToken);

        // Somebody else may take the best one meanwhile.
        return made.Outcome == OrganizationWrite.HandleTaken && best != handles[^1]
            ? await CreateAsync(organization with { Handle = handles[^1] }, domains, origin, cancellationToken)
            : made;
    }

    public Task<MadeOrganization> CreateAsync(
        Organization organization, IReadOnlyList<OrganizationDomain> domains, Origin origin, CancellationToken cancellationToken) =>
        WriteAsync(
            organization.RealmId,
            () => organization,
            outcome => new MadeOrganization(outcome, organization, domains),
            origin,
            async (connection, log) =>
            {
                if (await OrganizationParents.ProblemAsync(database, connection, organization, before: null) is { } problem)
                    return new MadeOrganization(problem, organization, domains);
                if (await OrganizationDomainStore.IsTakenAsync(connection, organization, domains))
                    return new MadeOrganization(OrganizationWrite.DomainTaken, organization, domains);
                await InsertAsync(connection, log, organization);
                await OrganizationDomainStore.ReplaceAsync(connection, log, [], domains);
                return new MadeOrganization(OrganizationWrite.Done, organization, domains);
            },
            cancellationToken);

    /// <summary>
    /// Changes an organization and its domains as they are at that moment, so that two changes of different things both stay; null from
    /// <paramref name="change"/>, which is pure, refuses. What shows as the same is not written.
    /// </summary>
    public async Task<(OrganizationWrite Outcome, OrganizationChange? Change)> ChangeAsync(
        Id<Realm> realm,
        Id<Organization> id,
        Func<Organization, IReadOnlyList<OrganizationDomain>, OrganizationChange?> change,
        Origin origin,
        CancellationToken cancellationToken)
    {
        OrganizationChange? made = null;
        OrganizationWrite outcome = await WriteAsync(
            realm,
            () => made?.Organization,
            static outcome => outcome,
            origin,
            async (connection, log) =>
            {
                if (await LockAsync(database, connection, realm, id) is not { } current)
                    return OrganizationWrite.NotFound;
                IReadOnlyList<OrganizationDomain> domains = [.. (await OrganizationDomainStore.OfAsync(connection, realm, [id]))[id]];
                made = change(current, domains);
                if (made is null)
                    return OrganizationWrite.Refused;
                Organization organization = made.Organization;
                if (await OrganizationParents.ProblemAsync(database, connection, organization, current) is { } problem)
                    return problem;
                if (await OrganizationDomainStore.IsTakenAsync(connection, organization, made.Domains ?? []))
                    return OrganizationWrite.DomainTaken;
                if (OrganizationEvents.Updated(log, current, organization))
                {
                    await connection.ExecuteAsync(
                        """
                        UPDATE organizations SET handle = @Handle, name = @Name, name_key = @NameKey, status = @Status, status_reason = @StatusReason,
                            parent_id = @ParentId, external_id = @ExternalId, metadata = @Metadata, settings = @Settings, updated_at = @UpdatedAt
                        WHERE realm_id = @RealmId AND id = @Id
                        """,
                        Row(organization));
                    if (organization.Status != OrganizationStatus.Active)
                        await GrantStore.EndForOrganizationAsync(connection, organization.RealmId, organization.Id, organization.UpdatedAt);
                }
                else
                {
                    made = made with { Organization = current };
                }

                if (made.Domains is { } wanted)
                    await OrganizationDomainStore.ReplaceAsync(connection, log, domains, wanted);
                made = made with { Domains = made.Domains ?? domains };
                return OrganizationWrite.Done;
            },
            cancellationToken);
        return (outcome, outcome == OrganizationWrite.Done ? made : null);
    }

    /// <summary>
    /// From here on the organization is not found anywhere, its names and domains are free, and no token speaks of it: whatever it has. Of a
    /// small one nothing is left; what a large one leaves, the cleaner takes away bit by bit (<see cref="OrganizationRemains"/>).
    /// </summary>
    /// <param name="mayGo">Asked of the organization as it is at that moment; pure.</param>
    public async Task<OrganizationWrite> DeleteAsync(
        Id<Realm> realm, Id<Organization> id, Func<Organization, bool> mayGo, DateTimeOffset now, Origin origin, CancellationToken cancellationToken)
    {
        OrganizationWrite outcome = await database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await LockAsync(database, connection, realm, id) is not { } organization)
                    return OrganizationWrite.NotFound;
                if (!mayGo(organization))
                    return OrganizationWrite.Refused;
                if (await OrganizationParents.HasChildrenAsync(connection, realm, id))
                    return OrganizationWrite.HasChildren;
                await connection.ExecuteAsync(
                    "DELETE FROM organization_domains WHERE realm_id = @realm AND organization_id = @id", new { realm, id });

                // No handle has an underscore, so nobody else's can be this one.
                await connection.ExecuteAsync(
                    """
                    UPDATE organizations SET status = 'Deleting', handle = @handle, external_id = NULL, parent_id = NULL, updated_at = @now
                    WHERE realm_id = @realm AND id = @id
                    """,
                    new { realm, id, handle = id.ToString(), now });
                OrganizationEvents.Deleted(log, organization);
                return OrganizationWrite.Done;
            },
            cancellationToken);
        if (outcome == OrganizationWrite.Done)
            await new OrganizationRemains(database).RemoveAsync(realm, id, now, cancellationToken);
        return outcome;
    }

    /// <summary>Makes an organization, within a change.</summary>
    internal static async Task InsertAsync(DbConnection connection, EventLog log, Organization organization)
    {
        await connection.ExecuteAsync(
            $"""
            INSERT INTO organizations ({Columns}, name_key)
            VALUES (@RealmId, @Id, @Handle, @Name, @Status, @StatusReason, @ParentId, @ExternalId, @Metadata, @Settings, @CreatedAt, @UpdatedAt, @NameKey)
            """,
            Row(organization));
        OrganizationEvents.Created(log, organization);
    }

    internal static Task<bool> ExistsAsync(DbConnection connection, Id<Realm> realm, Id<Organization> organization) =>
        connection.ExecuteScalarAsync<bool>($"SELECT EXISTS (SELECT 1 FROM organizations WHERE {Visible} AND id = @organization)", new { realm, organization });

    /// <summary>The form in which names are searched: the databases' own case folding knows ASCII at least, and no more in common.</summary>
    internal static string NameKey(string name) => NormalizationFormC.Of(name).ToLowerInvariant();

    private static object Row(Organization organization) => new
    {
        organization.RealmId,
        organization.Id,
        organization.Handle,
        organization.Name,
        NameKey = NameKey(organization.Name),
        Status = organization.Status.ToString(),
        organization.StatusReason,
        organization.ParentId,
        organization.ExternalId,
        organization.Metadata,
        organization.Settings,
        organization.CreatedAt,
        organization.UpdatedAt,
    };

    /// <summary>The organization, held against others until the commit.</summary>
    internal static Task<Organization?> LockAsync(Database database, DbConnection connection, Id<Realm> realm, Id<Organization> id) =>
        connection.QuerySingleOrDefaultAsync<Organization>(
            $"SELECT {Columns} FROM organizations WHERE {Visible} AND id = @id{database.ForUpdateOf("organizations")}", new { realm, id });

    private Task<Organization?> FindByAsync(Id<Realm> realm, string condition, object parameters, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryFirstOrDefaultAsync<Organization>(
                $"SELECT {Columns} FROM organizations WHERE {Visible} AND {condition} ORDER BY id LIMIT 1", parameters),
            cancellationToken);

    /// <param name="written">What was about to be written.</param>
    /// <param name="refused">The result where something of it was taken.</param>
    private async Task<T> WriteAsync<T>(
        Id<Realm> realm,
        Func<Organization?> written,
        Func<OrganizationWrite, T> refused,
        Origin origin,
        Func<DbConnection, EventLog, Task<T>> change,
        CancellationToken cancellationToken)
    {
        try
        {
            return await database.RecordAsync(realm, origin, change, cancellationToken);
        }
        catch (DbException e) when (database.IsUniqueViolation(e) && written() is not null)
        {
            // The transaction is undone; which of the unique things was taken is only asked for the message.
            Organization organization = written()!;
            Organization[] others = await database.QueryAsync(
                async connection => (await connection.QueryAsync<Organization>(
                    $"""
                    SELECT {Columns} FROM organizations
                    WHERE realm_id = @RealmId AND id <> @Id AND (handle = @Handle OR external_id = @ExternalId)
                    """,
                    new { organization.RealmId, organization.Id, organization.Handle, organization.ExternalId })).ToArray(),
                cancellationToken);
            if (others.Any(other => other.Handle == organization.Handle))
                return refused(OrganizationWrite.HandleTaken);
            return refused(others.Length > 0 ? OrganizationWrite.ExternalIdTaken : OrganizationWrite.DomainTaken);
        }
    }
}
