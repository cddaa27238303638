using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>How a client write ended.</summary>
public enum ClientWrite
{
    Done,
    NotFound,
    ClientIdTaken,

    /// <summary>The change itself would not have it; nothing was written.</summary>
    Refused,

    /// <summary>The allowlist names organizations that the realm does not have.</summary>
    UnknownOrganizations,
}

/// <summary>How a change of a client ended, and the client then.</summary>
public readonly record struct ClientChange(ClientWrite Outcome, Client? Client)
{
    /// <summary>The places in the allowlist that name no organization of the realm.</summary>
    public IReadOnlyList<int> Unknown { get; init; } = [];
}

/// <summary>Clients.</summary>
public sealed class ClientStore(Database database)
{
    internal const string Columns =
        """
        realm_id, id, client_id, name, type, secret_hash, previous_secret_hash, previous_secret_ends_at, redirect_uris, post_logout_redirect_uris,
        grant_types, signature_algorithm, status, shared_with_all, settings, created_at, updated_at
        """;

    /// <summary>The client of that <c>client_id</c>, whatever the realm: client ids are unique in the server.</summary>
    public Task<Client?> FindByClientIdAsync(string clientId, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Client>(
                $"SELECT {Columns} FROM clients WHERE client_id = @clientId AND {RealmStore.IsOfRealm}", new { clientId }),
            cancellationToken);

    public Task<Client?> FindAsync(Id<Realm> realm, string clientId, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Client>(
                $"SELECT {Columns} FROM clients WHERE realm_id = @realm AND client_id = @clientId", new { realm, clientId }),
            cancellationToken);

    public Task<Client?> FindAsync(Id<Realm> realm, Id<Client> client, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => FindAsync(connection, realm, client), cancellationToken);

    /// <summary>A page of the realm's clients; with <paramref name="clientId"/>, of the one that has it.</summary>
    public Task<Page<Client>> ListAsync(Id<Realm> realm, string? clientId, PageRequest<Client> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"SELECT {Columns} FROM clients WHERE realm_id = @realm{(clientId is null ? "" : " AND client_id = @clientId")}",
                "id",
                new DynamicParameters(new { realm, clientId }),
                page),
            cancellationToken);

    /// <summary>Whether some client of the server registered this origin, so that a browser's preflight, which names no client, can be answered.</summary>
    public Task<bool> IsRegisteredOriginAsync(string origin, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM client_origins WHERE origin = @origin)", new { origin }),
            cancellationToken);

    /// <summary>Makes a client.</summary>
    public Task<ClientChange> CreateAsync(Client client, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAndTellAsync(
            client.RealmId,
            origin,
            Change.OfClient(client.ClientId),
            async (connection, log) =>
            {
                if (await UnknownOrganizationsAsync(connection, client, known: []) is { Count: > 0 } unknown)
                    return new ClientChange(ClientWrite.UnknownOrganizations, null) { Unknown = unknown };
                int made = await connection.ExecuteAsync(
                    $"""
                    INSERT INTO clients ({Columns}, backchannel_logout)
                    VALUES (@RealmId, @Id, @ClientId, @Name, @Type, @SecretHash, @PreviousSecretHash, @PreviousSecretEndsAt, @RedirectUris,
                        @PostLogoutRedirectUris, @GrantTypes, @SignatureAlgorithm, @Status, @SharedWithAll, @Settings, @CreatedAt, @UpdatedAt, @BackchannelLogout)
                    ON CONFLICT DO NOTHING
                    """,
                    Row(client));
                if (made == 0)
                    return new ClientChange(ClientWrite.ClientIdTaken, null);
                await InsertOriginsAsync(connection, client);
                log.Add(EventOf(EventTypes.ClientCreated, client));
                return new ClientChange(ClientWrite.Done, client);
            },
            cancellationToken);

    /// <summary>
    /// Changes a client as it is at that moment, so that two changes of different things both stay; null from <paramref name="change"/>, which is
    /// pure, refuses. The secret is not changed by it.
    /// </summary>
    public async Task<ClientChange> ChangeAsync(
        Id<Realm> realm, Id<Client> id, Func<Client, Client?> change, Origin origin, CancellationToken cancellationToken)
    {
        // What nodes remember is told by a name that never changes.
        if (await FindAsync(realm, id, cancellationToken) is not { } named)
            return new ClientChange(ClientWrite.NotFound, null);
        return await database.RecordAndTellAsync(
            realm,
            origin,
            Change.OfClient(named.ClientId),
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForUpdateOf("clients")) is not { } current)
                    return new ClientChange(ClientWrite.NotFound, null);
                if (change(current) is not { } client)
                    return new ClientChange(ClientWrite.Refused, null);
                EventDraft updated = EventDraft.Updated(
                    EventTypes.ClientUpdated, id.ToString(), ClientResource.Of(current), ClientResource.Of(client), ResourceJson.Default.ClientResource)
                    with { ClientId = client.ClientId };
                if (updated.Changed is not { Count: > 0 })
                    return new ClientChange(ClientWrite.Done, current);
                if (await UnknownOrganizationsAsync(connection, client, AllowedBy(current)) is { Count: > 0 } unknown)
                    return new ClientChange(ClientWrite.UnknownOrganizations, null) { Unknown = unknown };
                await connection.ExecuteAsync(
                    """
                    UPDATE clients SET name = @Name, redirect_uris = @RedirectUris, post_logout_redirect_uris = @PostLogoutRedirectUris,
                        grant_types = @GrantTypes, signature_algorithm = @SignatureAlgorithm, status = @Status, shared_with_all = @SharedWithAll,
                        settings = @Settings, backchannel_logout = @BackchannelLogout, updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(client));
                await connection.ExecuteAsync("DELETE FROM client_origins WHERE realm_id = @realm AND client_id = @id", new { realm, id });
                await InsertOriginsAsync(connection, client);
                log.Add(updated);
                return new ClientChange(ClientWrite.Done, client);
            },
            cancellationToken);
    }

    /// <summary>
    /// Gives a client another secret; the one of now is taken for a while yet (see <see cref="Client.WithSecret"/>). Of two at once, the second ends
    /// what was before the first. Refused for a client that has none.
    /// </summary>
    public async Task<ClientChange> RotateSecretAsync(
        Id<Realm> realm, Id<Client> id, Secret secret, DateTimeOffset now, Origin origin, CancellationToken cancellationToken)
    {
        if (await FindAsync(realm, id, cancellationToken) is not { } named)
            return new ClientChange(ClientWrite.NotFound, null);
        return await database.RecordAndTellAsync(
            realm,
            origin,
            Change.OfClient(named.ClientId),
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForUpdateOf("clients")) is not { } current)
                    return new ClientChange(ClientWrite.NotFound, null);
                if (!current.HasSecret)
                    return new ClientChange(ClientWrite.Refused, null);
                Client client = current.WithSecret(secret, now);
                await connection.ExecuteAsync(
                    """
                    UPDATE clients SET secret_hash = @SecretHash, previous_secret_hash = @PreviousSecretHash,
                        previous_secret_ends_at = @PreviousSecretEndsAt, updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    Row(client));
                log.Add(EventOf(EventTypes.ClientSecretRotated, client));
                return new ClientChange(ClientWrite.Done, client);
            },
            cancellationToken);
    }

    /// <summary>
    /// Removes a client, and with it every grant and sign-in of its, where <paramref name="mayDelete"/>, which is pure, says so; null when it doesn't, or
    /// there is none.
    /// </summary>
    public async Task<Client?> DeleteAsync(
        Id<Realm> realm, Id<Client> id, Func<Client, bool> mayDelete, Origin origin, CancellationToken cancellationToken)
    {
        if (await FindAsync(realm, id, cancellationToken) is not { } named)
            return null;
        return await database.RecordAndTellAsync(
            realm,
            origin,
            Change.OfClient(named.ClientId),
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForDeleteOf("clients")) is not { } current || !mayDelete(current))
                    return null;
                await connection.ExecuteAsync("DELETE FROM clients WHERE realm_id = @realm AND id = @id", new { realm, id });
                log.Add(EventOf(EventTypes.ClientDeleted, current));
                return current;
            },
            cancellationToken);
    }

    internal static Task<Client?> FindAsync(DbConnection connection, Id<Realm> realm, Id<Client> client, string held = "") =>
        connection.QuerySingleOrDefaultAsync<Client>(
            $"SELECT {Columns} FROM clients WHERE realm_id = @realm AND id = @client{held}", new { realm, client });

    private static async Task InsertOriginsAsync(DbConnection connection, Client client)
    {
        foreach (string origin in client.Origins)
        {
            await connection.ExecuteAsync(
                "INSERT INTO client_origins (realm_id, client_id, origin) VALUES (@RealmId, @Id, @origin)", new { client.RealmId, client.Id, origin });
        }
    }

    private static IReadOnlyList<string> AllowedBy(Client client) => client.Settings.Restrictions.Organizations.AllowedOrgIds;

    /// <summary>
    /// Where the allowlist names what is no organization of the realm. What stood there before may have been deleted since: it lets nobody in and is
    /// no reason to refuse another change.
    /// </summary>
    private static async Task<IReadOnlyList<int>> UnknownOrganizationsAsync(DbConnection connection, Client client, IReadOnlyList<string> known)
    {
        IReadOnlyList<string> allowed = AllowedBy(client);
        string[] added = [.. allowed.Except(known, StringComparer.Ordinal)];
        if (added.Length == 0)
            return [];
        DynamicParameters parameters = new(new { client.RealmId });
        string ids = parameters.AddIds("organization", [.. added.Select(Id<Organization>.Parse).OfType<Id<Organization>>()]);
        HashSet<Id<Organization>> found =
        [
            .. await connection.QueryAsync<Id<Organization>>(
                $"SELECT id FROM organizations WHERE realm_id = @RealmId AND status <> 'Deleting' AND id IN {ids}", parameters),
        ];
        return
        [
            .. allowed.Index()
                .Where(item => added.Contains(item.Item) && !(Id<Organization>.Parse(item.Item) is { } id && found.Contains(id)))
                .Select(static item => item.Index),
        ];
    }

    private static EventDraft EventOf(string type, Client client) =>
        EventDraft.Of(type, client.Id.ToString(), ClientResource.Of(client), ResourceJson.Default.ClientResource) with { ClientId = client.ClientId };

    private static object Row(Client client) => new
    {
        client.RealmId,
        client.Id,
        client.ClientId,
        client.Name,
        Type = client.Type.ToString(),
        client.SecretHash,
        client.PreviousSecretHash,
        client.PreviousSecretEndsAt,
        client.RedirectUris,
        client.PostLogoutRedirectUris,
        client.GrantTypes,
        client.SignatureAlgorithm,
        Status = client.Status.ToString(),
        client.SharedWithAll,
        client.Settings,
        BackchannelLogout = client.Settings.Logout.BackchannelUri is not null,
        client.CreatedAt,
        client.UpdatedAt,
    };
}
