using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>The organizations that clients are shared with one by one.</summary>
public sealed class ClientSharingStore(Database database)
{
    /// <summary>Lets an organization sign in through this client; false when one of them is gone.</summary>
    public Task<bool> ShareAsync(Id<Realm> realm, Id<Client> client, Id<Organization> organization, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await ClientStore.FindAsync(connection, realm, client, database.ForUpdateOf("clients")) is not { } shared
                    || await connection.QuerySingleOrDefaultAsync<string>(
                        $"""
                        SELECT status FROM organizations
                        WHERE realm_id = @realm AND id = @organization AND status <> 'Deleting'{database.ForUpdateOf("organizations")}
                        """,
                        new { realm, organization }) is null)
                {
                    return false;
                }

                int added = await connection.ExecuteAsync(
                    """
                    INSERT INTO client_organizations (realm_id, client_id, organization_id) VALUES (@realm, @client, @organization)
                    ON CONFLICT DO NOTHING
                    """,
                    new { realm, client, organization });
                if (added == 1)
                    log.Add(EventOf(EventTypes.ClientOrganizationAdded, shared, organization));
                return true;
            },
            cancellationToken);

    /// <summary>Takes back what <see cref="ShareAsync"/> gave; false when there is no such client. That it was not shared is no mistake.</summary>
    public Task<bool> UnshareAsync(Id<Realm> realm, Id<Client> client, Id<Organization> organization, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await ClientStore.FindAsync(connection, realm, client) is not { } shared)
                    return false;
                int removed = await connection.ExecuteAsync(
                    "DELETE FROM client_organizations WHERE realm_id = @realm AND client_id = @client AND organization_id = @organization",
                    new { realm, client, organization });
                if (removed == 1)
                    log.Add(EventOf(EventTypes.ClientOrganizationRemoved, shared, organization));

                // One that never was shared is as it should be; one that is not of this realm is not there.
                return removed == 1 || await connection.ExecuteScalarAsync<bool>(
                    "SELECT EXISTS (SELECT 1 FROM organizations WHERE realm_id = @realm AND id = @organization AND status <> 'Deleting')", new { realm, organization });
            },
            cancellationToken);

    /// <summary>A page of the organizations that a client is shared with one by one.</summary>
    public Task<Page<Organization>> SharedWithAsync(Id<Realm> realm, Id<Client> client, PageRequest<Organization> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"""
                SELECT {SqlTypes.Of("o", OrganizationStore.Columns)}
                FROM client_organizations c JOIN organizations o ON o.realm_id = c.realm_id AND o.id = c.organization_id AND o.status <> 'Deleting'
                WHERE c.realm_id = @realm AND c.client_id = @client
                """,
                "c.organization_id",
                new DynamicParameters(new { realm, client }),
                page),
            cancellationToken);

    private static EventDraft EventOf(string type, Client client, Id<Organization> organization) =>
        EventDraft.Of(
            type, client.Id.ToString(), ClientOrganizationResource.Of(client, organization), ResourceJson.Default.ClientOrganizationResource) with
        {
            OrganizationId = organization,
            ClientId = client.ClientId,
        };
}
