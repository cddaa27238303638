using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Dapper;

namespace Atrium.Storage;

/// <summary>Authorization requests that wait for the browser that refers to them.</summary>
public sealed class PushedRequestStore(Database database)
{
    private const string Columns = "realm_id, uri_hash, client_id, parameters, path_organization, created_at, expires_at";

    /// <summary>Keeps a request; false when its client is gone.</summary>
    public Task<bool> CreateAsync(PushedRequest request, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection => await connection.ExecuteAsync(
                $"""
                INSERT INTO pushed_requests ({Columns})
                SELECT @RealmId, @UriHash, @ClientId, @parameters, @PathOrganization, @CreatedAt, @ExpiresAt
                WHERE EXISTS (SELECT 1 FROM clients WHERE realm_id = @RealmId AND id = @ClientId)
                """,
                new
                {
                    request.RealmId,
                    request.UriHash,
                    request.ClientId,
                    parameters = SqlTypes.Json(request.Parameters),
                    request.PathOrganization,
                    request.CreatedAt,
                    request.ExpiresAt,
                }) == 1,
            cancellationToken);

    /// <summary>
    /// Takes a request away; null when it is unknown, expired, taken already, or another client's, whose it stays. Of several who ask at once,
    /// one gets it.
    /// </summary>
    public Task<PushedRequest?> TakeAsync(
        Id<Realm> realm, Id<Client> client, SecretHash uri, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection =>
            {
                PushedRow? row = await connection.QuerySingleOrDefaultAsync<PushedRow>(
                    $"""
                    DELETE FROM pushed_requests WHERE realm_id = @realm AND uri_hash = @uri AND client_id = @client AND expires_at > @now
                    RETURNING {Columns}
                    """,
                    new { realm, client, uri, now });
                return row is null ? null : new PushedRequest
                {
                    RealmId = row.RealmId,
                    UriHash = row.UriHash,
                    ClientId = row.ClientId,
                    Parameters = SqlTypes.FromJson<IReadOnlyDictionary<string, string>>(row.Parameters),
                    PathOrganization = row.PathOrganization,
                    CreatedAt = row.CreatedAt,
                    ExpiresAt = row.ExpiresAt,
                };
            },
            cancellationToken);

    /// <summary>No two of them are alike, so what they say is no text to remember as read.</summary>
    private sealed record PushedRow
    {
        public Id<Realm> RealmId { get; init; }

        public SecretHash UriHash { get; init; }

        public Id<Client> ClientId { get; init; }

        public string Parameters { get; init; } = "";

        public string? PathOrganization { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset ExpiresAt { get; init; }
    }
}
