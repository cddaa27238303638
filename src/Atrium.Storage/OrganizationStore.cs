using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>How an organization write ended.</summary>
public enum OrganizationWrite
{
    Done,
    NotFound,
    HandleTaken,
    ExternalIdTaken,

    /// <summary>A domain belongs to another organization of the realm.</summary>
    DomainTaken,

    /// <summary>The change itself would not have it; nothing was written.</summary>
    Refused,
}

/// <summary>What an organization becomes; without domains, its domains stay.</summary>
public sealed record OrganizationChange(Organization Organization, IReadOnlyList<OrganizationDomain>? Domains);

/// <summary>Organizations and their domains. One that is being deleted is not found by any of these.</summary>
public sealed class OrganizationStore(Database database)
{
    internal const string Columns = "realm_id, id, handle, name, status, status_reason, parent_id, external_id, metadata, settings, created_at, updated_at";
    private const string Visible = "realm_id = @realm AND status <> 'Deleting'";
    private const string DomainColumns = "realm_id, id, organization_id, domain, state, checked_at, created_at, updated_at";

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

    /// <summary>A page of organizations; by part of the name, by domain, or all.</summary>
    public Task<Page<Organization>> ListAsync(
        Id<Realm> realm, string? search, IReadOnlyList<string> domains, PageRequest<Organization> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm });
        string where = Visible;
        if (search is not null)
        {
            where += " AND name_key LIKE @pattern ESCAPE '\\'";
            parameters.Add("pattern", $"%{NameKey(search).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%");
        }

        if (domains.Count > 0)
        {
            where += " AND id IN (SELECT organization_id FROM organization_domains WHERE realm_id = @realm AND domain IN @domains)";
            parameters.Add("domains", domains.ToArray());
        }

        return database.QueryAsync(
            connection => connection.QueryPageAsync($"SELECT {Columns} FROM organizations WHERE {where}", "id", parameters, page), cancellationToken);
    }

    /// <summary>The domains of several organizations, in the order they were added.</summary>
    public Task<ILookup<Id<Organization>, OrganizationDomain>> DomainsAsync(
        Id<Realm> realm, IReadOnlyList<Id<Organization>> organizations, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => DomainsAsync(connection, realm, organizations), cancellationToken);

    /// <summary>Which of these handles are in use.</summary>
    public Task<IReadOnlyList<string>> TakenHandlesAsync(Id<Realm> realm, IReadOnlyList<string> handles, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<string>>(
            async connection =>
            [
                .. await connection.QueryAsync<string>(
                    "SELECT handle FROM organizations WHERE realm_id = @realm AND handle IN @handles", new { realm, handles = handles.ToArray() }),
            ],
            cancellationToken);

    /// <summary>The first of these domains that is another organization's.</summary>
    public Task<string?> TakenDomainAsync(
        Id<Realm> realm, Id<Organization> organization, IReadOnlyList<string> domains, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryFirstOrDefaultAsync<string>(
                "SELECT domain FROM organization_domains WHERE realm_id = @realm AND domain IN @domains AND organization_id <> @organization ORDER BY domain",
                new { realm, domains = domains.ToArray(), organization }),
            cancellationToken);

    public Task<OrganizationWrite> CreateAsync(Organization organization, IReadOnlyList<OrganizationDomain> domains, CancellationToken cancellationToken) =>
        WriteAsync(
            () => organization,
            async connection =>
            {
                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO organizations ({Columns}, name_key)
                    VALUES (@RealmId, @Id, @Handle, @Name, @Status, @StatusReason, @ParentId, @ExternalId, @Metadata, @Settings, @CreatedAt, @UpdatedAt, @NameKey)
                    """,
                    Row(organization));
                await InsertDomainsAsync(connection, domains);
                return OrganizationWrite.Done;
            },
            cancellationToken);

    /// <summary>
    /// Changes an organization and its domains as they are at that moment, so that two changes of different things both stay; null from
    /// <paramref name="change"/>, which is pure, refuses.
    /// </summary>
    public async Task<(OrganizationWrite Outcome, OrganizationChange? Change)> ChangeAsync(
        Id<Realm> realm,
        Id<Organization> id,
        Func<Organization, IReadOnlyList<OrganizationDomain>, OrganizationChange?> change,
        CancellationToken cancellationToken)
    {
        OrganizationChange? made = null;
        OrganizationWrite outcome = await WriteAsync(
            () => made?.Organization,
            async connection =>
            {
                Organization? current = await connection.QuerySingleOrDefaultAsync<Organization>(
                    $"SELECT {Columns} FROM organizations WHERE {Visible} AND id = @id{database.ForUpdateOf("organizations")}", new { realm, id });
                if (current is null)
                    return OrganizationWrite.NotFound;
                OrganizationDomain[] currentDomains =
                [
                    .. await connection.QueryAsync<OrganizationDomain>(
                        $"SELECT {DomainColumns} FROM organization_domains WHERE realm_id = @realm AND organization_id = @id ORDER BY id", new { realm, id }),
                ];
                made = change(current, currentDomains);
                if (made is null)
                    return OrganizationWrite.Refused;
                Organization organization = made.Organization;
                await connection.ExecuteAsync(
                    """
                    UPDATE organizations SET handle = @Handle, name = @Name, name_key = @NameKey, status = @Status, status_reason = @StatusReason,
                        parent_id = @ParentId, external_id = @ExternalId, metadata = @Metadata,
                        settings = @Settings, updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(organization));
                if (organization.Status != OrganizationStatus.Active)
                    await GrantStore.EndForOrganizationAsync(connection, organization.RealmId, organization.Id, organization.UpdatedAt);
                if (made.Domains is { } domains)
                {
                    await connection.ExecuteAsync(
                        "DELETE FROM organization_domains WHERE realm_id = @RealmId AND organization_id = @Id", new { organization.RealmId, organization.Id });
                    await InsertDomainsAsync(connection, domains);
                }

                made = made with { Domains = made.Domains ?? currentDomains };
                return OrganizationWrite.Done;
            },
            cancellationToken);
        return (outcome, outcome == OrganizationWrite.Done ? made : null);
    }

    /// <summary>Removes an organization, its memberships, and every grant that speaks of it alone; the people stay.</summary>
    public Task<bool> DeleteAsync(Id<Realm> realm, Id<Organization> organization, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                await GrantStore.EndForOrganizationAsync(connection, realm, organization, now);
                return await connection.ExecuteAsync(
                    "DELETE FROM organizations WHERE realm_id = @realm AND id = @organization", new { realm, organization }) == 1;
            },
            cancellationToken);

    internal static async Task<ILookup<Id<Organization>, OrganizationDomain>> DomainsAsync(
        DbConnection connection, Id<Realm> realm, IReadOnlyList<Id<Organization>> organizations)
    {
        DynamicParameters parameters = new(new { realm });
        IEnumerable<OrganizationDomain> found = await connection.QueryAsync<OrganizationDomain>(
            $"""
            SELECT {DomainColumns} FROM organization_domains
            WHERE realm_id = @realm AND organization_id IN {parameters.AddIds("organization", organizations)}
            """,
            parameters);

        // Sorted here: asked for the order, SQLite would read every domain of the realm in it.
        return found.OrderBy(static domain => domain.Id.Value).ToLookup(static domain => domain.OrganizationId);
    }

    private static async Task InsertDomainsAsync(DbConnection connection, IReadOnlyList<OrganizationDomain> domains)
    {
        foreach (OrganizationDomain domain in domains)
        {
            await connection.ExecuteAsync(
                $"""
                INSERT INTO organization_domains ({DomainColumns})
                VALUES (@RealmId, @Id, @OrganizationId, @Domain, @State, @CheckedAt, @CreatedAt, @UpdatedAt)
                """,
                new { domain.RealmId, domain.Id, domain.OrganizationId, domain.Domain, State = domain.State.ToString(), domain.CheckedAt, domain.CreatedAt, domain.UpdatedAt });
        }
    }

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

    private Task<Organization?> FindByAsync(Id<Realm> realm, string condition, object parameters, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryFirstOrDefaultAsync<Organization>(
                $"SELECT {Columns} FROM organizations WHERE {Visible} AND {condition} ORDER BY id LIMIT 1", parameters),
            cancellationToken);

    private async Task<OrganizationWrite> WriteAsync(
        Func<Organization?> written, Func<DbConnection, Task<OrganizationWrite>> change, CancellationToken cancellationToken)
    {
        try
        {
            return await database.WriteAsync(change, cancellationToken);
        }
        catch (DbException e) when (database.IsUniqueViolation(e) && written() is not null)
        {
            // The transaction is undone; which of the unique things was taken is only asked for the message. One that is being deleted
            // still has its own.
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
                return OrganizationWrite.HandleTaken;
            return others.Length > 0 ? OrganizationWrite.ExternalIdTaken : OrganizationWrite.DomainTaken;
        }
    }
}
