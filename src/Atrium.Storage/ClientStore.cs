using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Clients, and the organizations that they are shared with.</summary>
public sealed class ClientStore(Database database)
{
    internal const string Columns =
        """
        realm_id, id, client_id, name, type, secret_hash, redirect_uris, post_logout_redirect_uris, grant_types, signature_algorithm,
        status, shared_with_all, settings, created_at, updated_at
        """;

    /// <summary>The client of that <c>client_id</c>, whatever the realm: client ids are unique in the server.</summary>
    public Task<Client?> FindByClientIdAsync(string clientId, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Client>($"SELECT {Columns} FROM clients WHERE client_id = @clientId", new { clientId }),
            cancellationToken);

    public Task<Client?> FindAsync(Id<Realm> realm, string clientId, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Client>(
                $"SELECT {Columns} FROM clients WHERE realm_id = @realm AND client_id = @clientId", new { realm, clientId }),
            cancellationToken);

    public Task<Client?> FindAsync(Id<Realm> realm, Id<Client> client, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Client>(
                $"SELECT {Columns} FROM clients WHERE realm_id = @realm AND id = @client", new { realm, client }),
            cancellationToken);

    /// <summary>Whether some client of the server registered this origin, so that a browser's preflight, which names no client, can be answered.</summary>
    public Task<bool> IsRegisteredOriginAsync(string origin, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM client_origins WHERE origin = @origin)", new { origin }),
            cancellationToken);

    /// <summary>Makes a client; false when the <c>client_id</c> is taken.</summary>
    public Task<bool> CreateAsync(Client client, CancellationToken cancellationToken) =>
        database.WriteAndTellAsync(
            Change.OfClient(client.ClientId),
            async connection =>
            {
                int made = await connection.ExecuteAsync(
                    $"""
                    INSERT INTO clients ({Columns})
                    VALUES (@RealmId, @Id, @ClientId, @Name, @Type, @SecretHash, @RedirectUris, @PostLogoutRedirectUris, @GrantTypes,
                        @SignatureAlgorithm, @Status, @SharedWithAll, @Settings, @CreatedAt, @UpdatedAt)
                    ON CONFLICT DO NOTHING
                    """,
                    new
                    {
                        client.RealmId,
                        client.Id,
                        client.ClientId,
                        client.Name,
                        Type = client.Type.ToString(),
                        client.SecretHash,
                        client.RedirectUris,
                        client.PostLogoutRedirectUris,
                        client.GrantTypes,
                        client.SignatureAlgorithm,
                        Status = client.Status.ToString(),
                        client.SharedWithAll,
                        client.Settings,
                        client.CreatedAt,
                        client.UpdatedAt,
                    });
                if (made == 0)
                    return false;
                foreach (string origin in client.Origins)
                {
                    await connection.ExecuteAsync(
                        "INSERT INTO client_origins (realm_id, client_id, origin) VALUES (@RealmId, @Id, @origin)",
                        new { client.RealmId, client.Id, origin });
                }

                return true;
            },
            cancellationToken);

    /// <summary>Lets the client be used or not; false when there is no such client.</summary>
    public Task<bool> SetStatusAsync(Id<Realm> realm, string clientId, ClientStatus status, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAndTellAsync(
            Change.OfClient(clientId),
            async connection => await connection.ExecuteAsync(
                "UPDATE clients SET status = @status, updated_at = @now WHERE realm_id = @realm AND client_id = @clientId",
                new { realm, clientId, status = status.ToString(), now }) == 1,
            cancellationToken);

    /// <summary>Lets an organization sign in through this client; false when one of them is gone.</summary>
    public Task<bool> ShareAsync(Id<Realm> realm, Id<Client> client, Id<Organization> organization, CancellationToken cancellationToken) =>
        database.TryWriteAsync(
            async connection => await connection.ExecuteAsync(
                """
                INSERT INTO client_organizations (realm_id, client_id, organization_id) VALUES (@realm, @client, @organization)
                ON CONFLICT DO NOTHING
                """,
                new { realm, client, organization }) >= 0,
            cancellationToken);
}
