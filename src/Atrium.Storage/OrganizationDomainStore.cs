using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>How a write to a domain ended.</summary>
public enum DomainWrite
{
    Done,

    /// <summary>The organization or the claim is not there.</summary>
    NotFound,

    /// <summary>The organization claims it already.</summary>
    Claimed,

    /// <summary>Another organization has verified it.</summary>
    Taken,

    /// <summary>The organization claims as many as it may.</summary>
    TooMany,
}

/// <summary>A claim whose record was looked for.</summary>
public sealed record CheckedDomain(DomainWrite Outcome, OrganizationDomain? Domain);

/// <summary>
/// The domains of organizations. A claim stands in nobody's way; a verified one is unique in its realm, which an index holds, whoever
/// verifies at the same moment.
/// </summary>
public sealed class OrganizationDomainStore(Database database)
{
    private const string Columns = "realm_id, id, organization_id, domain, state, checked_at, created_at, updated_at";

    public Task<OrganizationDomain?> FindAsync(
        Id<Realm> realm, Id<Organization> organization, Id<OrganizationDomain> domain, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => FindAsync(connection, realm, organization, domain, ""), cancellationToken);

    public Task<Page<OrganizationDomain>> ListAsync(
        Id<Realm> realm, Id<Organization> organization, PageRequest<OrganizationDomain> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"SELECT {Columns} FROM organization_domains WHERE realm_id = @realm AND organization_id = @organization",
                "id",
                new DynamicParameters(new { realm, organization }),
                page),
            cancellationToken);

    /// <summary>The domains of several organizations, in the order they were added.</summary>
    public Task<ILookup<Id<Organization>, OrganizationDomain>> OfAsync(
        Id<Realm> realm, IReadOnlyList<Id<Organization>> organizations, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => OfAsync(connection, realm, organizations), cancellationToken);

    /// <summary>The first of these domains that another organization has verified.</summary>
    public Task<string?> FindTakenAsync(
        Id<Realm> realm, Id<Organization> organization, IReadOnlyList<string> domains, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => FindTakenAsync(connection, realm, organization, domains), cancellationToken);

    public Task<DomainWrite> CreateAsync(OrganizationDomain domain, Origin origin, CancellationToken cancellationToken) =>
        WriteAsync(
            domain.RealmId,
            static outcome => outcome,
            origin,
            async (connection, log) =>
            {
                // Held, so that claims made at once are counted one after the other.
                if (await OrganizationStore.LockAsync(database, connection, domain.RealmId, domain.OrganizationId) is null)
                    return DomainWrite.NotFound;
                OrganizationDomain[] present = [.. (await OfAsync(connection, domain.RealmId, [domain.OrganizationId]))[domain.OrganizationId]];
                if (present.Any(claim => claim.Domain == domain.Domain))
                    return DomainWrite.Claimed;
                if (present.Length >= OrganizationRules.MaxDomains)
                    return DomainWrite.TooMany;
                if (await FindTakenAsync(connection, domain.RealmId, domain.OrganizationId, [domain.Domain]) is not null)
                    return DomainWrite.Taken;
                await ReplaceAsync(connection, log, present, [.. present, domain]);
                return DomainWrite.Done;
            },
            cancellationToken);

    /// <summary>Writes what came of looking for a claim's record. One that is verified by now stays so.</summary>
    /// <param name="records">What was found under the record's name.</param>
    public Task<CheckedDomain> CheckedAsync(
        OrganizationDomain looked, IReadOnlyList<string> records, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        WriteAsync(
            looked.RealmId,
            static outcome => new CheckedDomain(outcome, null),
            origin,
            async (connection, log) =>
            {
                OrganizationDomain? current =
                    await FindAsync(connection, looked.RealmId, looked.OrganizationId, looked.Id, database.ForUpdateOf("organization_domains"));
                if (current is null)
                    return new CheckedDomain(DomainWrite.NotFound, null);
                if (current.Verified)
                    return new CheckedDomain(DomainWrite.Done, current);
                OrganizationDomain made = current.After(records, now);
                await UpdateAsync(connection, made);
                OrganizationEvents.Add(
                    log, made.Verified ? EventTypes.OrganizationDomainVerified : EventTypes.OrganizationDomainVerificationFailed, made);
                return new CheckedDomain(DomainWrite.Done, made);
            },
            cancellationToken);

    /// <summary>False when there is none, or <paramref name="mayGo"/>, which is pure, says no.</summary>
    public Task<bool> DeleteAsync(
        Id<Realm> realm,
        Id<Organization> organization,
        Id<OrganizationDomain> id,
        Func<OrganizationDomain, bool> mayGo,
        Origin origin,
        CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, organization, id, database.ForUpdateOf("organization_domains")) is not { } domain || !mayGo(domain))
                    return false;
                await ReplaceAsync(connection, log, [domain], []);
                return true;
            },
            cancellationToken);

    internal static async Task<ILookup<Id<Organization>, OrganizationDomain>> OfAsync(
        DbConnection connection, Id<Realm> realm, IReadOnlyList<Id<Organization>> organizations)
    {
        DynamicParameters parameters = new(new { realm });
        IEnumerable<OrganizationDomain> found = await connection.QueryAsync<OrganizationDomain>(
            $"""
            SELECT {Columns} FROM organization_domains
            WHERE realm_id = @realm AND organization_id IN {parameters.AddIds("organization", organizations)}
            """,
            parameters);

        // Sorted here: asked for the order, SQLite would read every domain of the realm in it.
        return found.OrderBy(static domain => domain.Id.Value).ToLookup(static domain => domain.OrganizationId);
    }

    /// <summary>Whether another organization has verified one of these.</summary>
    internal static async Task<bool> IsTakenAsync(DbConnection connection, Organization organization, IReadOnlyList<OrganizationDomain> domains) =>
        domains.Count > 0
        && await FindTakenAsync(connection, organization.RealmId, organization.Id, [.. domains.Select(static domain => domain.Domain)]) is not null;

    /// <summary>Makes an organization's domains what they are to be, and tells of each that is new, gone, or of another state.</summary>
    internal static async Task ReplaceAsync(
        DbConnection connection, EventLog log, IReadOnlyList<OrganizationDomain> before, IReadOnlyList<OrganizationDomain> after)
    {
        foreach (OrganizationDomain gone in before.Where(old => after.All(domain => domain.Id != old.Id)))
        {
            await connection.ExecuteAsync("DELETE FROM organization_domains WHERE realm_id = @RealmId AND id = @Id", new { gone.RealmId, gone.Id });
            OrganizationEvents.Add(log, EventTypes.OrganizationDomainDeleted, gone);
        }

        foreach (OrganizationDomain domain in after)
        {
            DomainState? state = before.FirstOrDefault(old => old.Id == domain.Id)?.State;
            if (state == domain.State)
                continue;
            if (state is null)
            {
                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO organization_domains ({Columns})
                    VALUES (@RealmId, @Id, @OrganizationId, @Domain, @State, @CheckedAt, @CreatedAt, @UpdatedAt)
                    """,
                    Row(domain));
                OrganizationEvents.Add(log, EventTypes.OrganizationDomainCreated, domain);
            }
            else
            {
                await UpdateAsync(connection, domain);
            }

            if (domain.Verified)
                OrganizationEvents.Add(log, EventTypes.OrganizationDomainVerified, domain);
        }
    }

    private static Task UpdateAsync(DbConnection connection, OrganizationDomain domain) =>
        connection.ExecuteAsync(
            "UPDATE organization_domains SET state = @State, checked_at = @CheckedAt, updated_at = @UpdatedAt WHERE realm_id = @RealmId AND id = @Id",
            Row(domain));

    private static Task<OrganizationDomain?> FindAsync(
        DbConnection connection, Id<Realm> realm, Id<Organization> organization, Id<OrganizationDomain> domain, string forUpdate) =>
        connection.QuerySingleOrDefaultAsync<OrganizationDomain>(
            $"SELECT {Columns} FROM organization_domains WHERE realm_id = @realm AND id = @domain AND organization_id = @organization{forUpdate}",
            new { realm, organization, domain });

    private static Task<string?> FindTakenAsync(
        DbConnection connection, Id<Realm> realm, Id<Organization> organization, IReadOnlyList<string> domains) =>
        connection.QueryFirstOrDefaultAsync<string>(
            """
            SELECT domain FROM organization_domains
            WHERE realm_id = @realm AND domain IN @domains AND state = 'Verified' AND organization_id <> @organization
            ORDER BY domain
            """,
            new { realm, domains = domains.ToArray(), organization });

    private static object Row(OrganizationDomain domain) => new
    {
        domain.RealmId,
        domain.Id,
        domain.OrganizationId,
        domain.Domain,
        State = domain.State.ToString(),
        domain.CheckedAt,
        domain.CreatedAt,
        domain.UpdatedAt,
    };

    private async Task<T> WriteAsync<T>(
        Id<Realm> realm,
        Func<DomainWrite, T> refused,
        Origin origin,
        Func<DbConnection, EventLog, Task<T>> change,
        CancellationToken cancellationToken)
    {
        try
        {
            return await database.RecordAsync(realm, origin, change, cancellationToken);
        }
        catch (DbException e) when (database.IsUniqueViolation(e))
        {
            // Verified by another organization, meanwhile or long ago.
            return refused(DomainWrite.Taken);
        }
    }
}
