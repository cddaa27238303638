using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Connections;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Dapper;

namespace Atrium.Storage;

/// <summary>Connections to identity providers.</summary>
public sealed class ConnectionStore(Database database)
{
    private const string Columns = "realm_id, id, organization_id, type, name, status, settings, created_at, updated_at";

    public Task<Connection?> FindAsync(Id<Realm> realm, Id<Connection> id, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => FindAsync(connection, realm, id, ""), cancellationToken);

    /// <summary>A page of connections: all of the realm's, or one organization's.</summary>
    public Task<Page<Connection>> ListAsync(
        Id<Realm> realm, Id<Organization>? organization, PageRequest<Connection> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm });
        string where = "realm_id = @realm";
        if (organization is { } one)
        {
            where += " AND organization_id = @organization";
            parameters.Add("organization", one);
        }

        return database.QueryAsync(
            async connection =>
            {
                Page<Row> rows = await Paging.QueryPageAsync<Connection, Row>(
                    $"SELECT {Columns} FROM connections WHERE {where}", "id", parameters, page, sql => connection.QueryAsync<Row>(sql, parameters));
                return new Page<Connection>([.. rows.Items.Select(static row => row.ToConnection())], rows.HasBefore, rows.HasAfter);
            },
            cancellationToken);
    }

    /// <summary>Null when there is no such organization.</summary>
    /// <param name="sealedSecret">What the provider knows us by, sealed; null where nothing is secret.</param>
    public Task<Connection?> CreateAsync(Connection made, byte[]? sealedSecret, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            made.RealmId,
            origin,
            async (connection, log) =>
            {
                // What is being deleted takes nothing new; its row is held, so that it can't begin to be meanwhile.
                if (made.OrganizationId is { } organization
                    && await connection.ExecuteScalarAsync<long?>(
                        $"SELECT 1 FROM organizations WHERE realm_id = @RealmId AND id = @organization AND status <> 'Deleting'{database.ForUpdateOf("organizations")}",
                        new { made.RealmId, organization }) is null)
                {
                    return null;
                }

                await connection.ExecuteAsync(
                    $"""
                    INSERT INTO connections ({Columns}, sealed_secret)
                    VALUES (@RealmId, @Id, @OrganizationId, @Type, @Name, @Status, @Settings, @CreatedAt, @UpdatedAt, @sealedSecret)
                    """,
                    RowOf(made, sealedSecret));
                log.Add(Draft(EventTypes.ConnectionCreated, made));
                return made;
            },
            cancellationToken);

    /// <summary>
    /// Changes a connection as it is at that moment; without a new sealed secret, the old one stays. Null from <paramref name="change"/>, which is
    /// pure, refuses. Null when refused or not there.
    /// </summary>
    public Task<Connection?> ChangeAsync(
        Id<Realm> realm, Id<Connection> id, Func<Connection, (Connection Changed, byte[]? SealedSecret)?> change, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForUpdateOf("connections")) is not { } current || change(current) is not var (changed, sealedSecret))
                    return null;
                EventDraft draft = EventDraft.Updated(
                    EventTypes.ConnectionUpdated, id.ToString(), ConnectionResource.Of(current), ConnectionResource.Of(changed), ResourceJson.Default.ConnectionResource);

                // The secret is one of the settings, though nobody sees it.
                string[] fields = [.. draft.Changed!.Union(sealedSecret is null ? [] : ["settings"])];
                if (fields.Length == 0)
                    return current;
                await connection.ExecuteAsync(
                    """
                    UPDATE connections SET name = @Name, status = @Status, settings = @Settings, sealed_secret = coalesce(@sealedSecret, sealed_secret),
                        updated_at = @UpdatedAt
                    WHERE realm_id = @RealmId AND id = @Id
                    """,
                    RowOf(changed, sealedSecret));
                log.Add(draft with { OrganizationId = changed.OrganizationId, Changed = fields });
                return changed;
            },
            cancellationToken);

    /// <summary>Deletes a connection where <paramref name="mayDelete"/>, which is pure, says so; null when it doesn't, or there is none.</summary>
    public Task<Connection?> DeleteAsync(
        Id<Realm> realm, Id<Connection> id, Func<Connection, bool> mayDelete, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                if (await FindAsync(connection, realm, id, database.ForUpdateOf("connections")) is not { } current || !mayDelete(current))
                    return null;
                await connection.ExecuteAsync("DELETE FROM connections WHERE realm_id = @realm AND id = @id", new { realm, id });
                log.Add(Draft(EventTypes.ConnectionDeleted, current));
                return current;
            },
            cancellationToken);

    private static async Task<Connection?> FindAsync(DbConnection connection, Id<Realm> realm, Id<Connection> id, string lockText) =>
        (await connection.QuerySingleOrDefaultAsync<Row>($"SELECT {Columns} FROM connections WHERE realm_id = @realm AND id = @id{lockText}", new { realm, id }))?.ToConnection();

    private static EventDraft Draft(string type, Connection connection) =>
        EventDraft.Of(type, connection.Id.ToString(), ConnectionResource.Of(connection), ResourceJson.Default.ConnectionResource) with { OrganizationId = connection.OrganizationId };

    private static object RowOf(Connection connection, byte[]? sealedSecret) => new
    {
        connection.RealmId,
        connection.Id,
        connection.OrganizationId,
        Type = connection.Type.ToString(),
        connection.Name,
        Status = connection.Status.ToString(),
        Settings = SqlTypes.Json(connection.Settings),
        connection.CreatedAt,
        connection.UpdatedAt,
        sealedSecret,
    };

    /// <summary>The row as it lies: the type says as what the settings are read.</summary>
    private sealed record Row
    {
        public required Id<Realm> RealmId { get; init; }

        public required Id<Connection> Id { get; init; }

        public Id<Organization>? OrganizationId { get; init; }

        public required ConnectionType Type { get; init; }

        public required string Name { get; init; }

        public required ConnectionStatus Status { get; init; }

        public required string Settings { get; init; }

        public required DateTimeOffset CreatedAt { get; init; }

        public required DateTimeOffset UpdatedAt { get; init; }

        public Connection ToConnection() => new()
        {
            RealmId = RealmId,
            Id = Id,
            OrganizationId = OrganizationId,
            Type = Type,
            Name = Name,
            Status = Status,
            Settings = Type switch
            {
                ConnectionType.Oidc => SqlTypes.FromJson<OidcSettings>(Settings),
                ConnectionType.Saml => SqlTypes.FromJson<SamlSettings>(Settings),
                ConnectionType.Microsoft => SqlTypes.FromJson<MicrosoftSettings>(Settings),
                ConnectionType.Apple => SqlTypes.FromJson<AppleSettings>(Settings),
                _ => SqlTypes.FromJson<SocialSettings>(Settings),
            },
            CreatedAt = CreatedAt,
            UpdatedAt = UpdatedAt,
        };
    }
}
