using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>A consent, the application that it was given to, and the name of the organization that it is for, where it is for one.</summary>
public sealed record NamedConsent(Consent Consent, Client Client, string? Organization);

/// <summary>What people have let applications have. It is given where a sign-in completes (<see cref="SignInStore"/>), and taken away here.</summary>
public sealed class ConsentStore(Database database)
{
    internal const string Columns = "realm_id, id, user_id, client_id, scopes, choice, organization_id, resource, granted_at";

    private static readonly string NamedText =
        $"""
        SELECT {SqlTypes.Of("n", Columns)}, o.name AS organization, c.realm_id AS client_split, {SqlTypes.Of("c", ClientStore.Columns)}
        FROM consents n
            JOIN clients c ON c.realm_id = n.realm_id AND c.id = n.client_id
            LEFT JOIN organizations o ON o.realm_id = n.realm_id AND o.id = n.organization_id
        WHERE n.realm_id = @realm AND n.user_id = @user
        """;

    /// <summary>A page of a person's consents.</summary>
    public Task<Page<NamedConsent>> ListAsync(Id<Realm> realm, Id<User> user, PageRequest<Consent> page, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm, user });
        return database.QueryAsync(
            connection => Paging.QueryPageAsync<Consent, NamedConsent>(NamedText, "n.id", parameters, page, sql => QueryAsync(connection, sql, parameters)),
            cancellationToken);
    }

    public Task<NamedConsent?> FindAsync(Id<Realm> realm, Id<User> user, Id<Consent> consent, CancellationToken cancellationToken) =>
        database.QueryAsync(
            async connection => (await QueryAsync(connection, $"{NamedText} AND n.id = @consent", new { realm, user, consent })).SingleOrDefault(),
            cancellationToken);

    /// <summary>
    /// Takes a consent away where <paramref name="mayRevoke"/>, which is pure, says so, and ends every grant that the client has of the person: what is
    /// still allowed it may get anew. Null when it may not, or there is none.
    /// </summary>
    public Task<NamedConsent?> RevokeAsync(
        Id<Realm> realm,
        Id<User> user,
        Id<Consent> consent,
        Func<NamedConsent, bool> mayRevoke,
        DateTimeOffset now,
        Origin origin,
        CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                await HoldAsync(connection, "id = @consent", new { realm, user, consent });
                NamedConsent? found = (await QueryAsync(connection, $"{NamedText} AND n.id = @consent", new { realm, user, consent })).SingleOrDefault();
                if (found is null || !mayRevoke(found))
                    return null;
                await RevokeAsync(connection, log, found.Client, user, [found], now);
                return found;
            },
            cancellationToken);

    /// <summary>Takes all of a client's consents away, and ends every grant that it has of the person. False when there is nothing to take away.</summary>
    public Task<bool> RevokeAllAsync(
        Id<Realm> realm, Id<User> user, Id<Client> client, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                await HoldAsync(connection, "client_id = @client", new { realm, user, client });
                NamedConsent[] found = [.. await QueryAsync(connection, $"{NamedText} AND n.client_id = @client ORDER BY n.id", new { realm, user, client })];
                if (found.Length == 0)
                    return false;
                await RevokeAsync(connection, log, found[0].Client, user, found, now);
                return true;
            },
            cancellationToken);

    /// <summary>What the log says of it.</summary>
    public static EventDraft EventOf(string type, Consent consent, Client client) =>
        EventDraft.Of(type, consent.Id.ToString(), ConsentResource.Of(consent, client), ResourceJson.Default.ConsentResource) with
        {
            UserId = consent.UserId,
            OrganizationId = consent.Terms.Choice.Selected,
            ClientId = client.ClientId,
        };

    /// <summary>Keeps a sign-in that rests on a consent from being completed beside its end: it is there before, and ends with the others, or not at all.</summary>
    private async Task HoldAsync(DbConnection connection, string condition, object parameters) => await connection.QueryAsync<Id<Consent>>(
        $"SELECT id FROM consents WHERE realm_id = @realm AND user_id = @user AND {condition} ORDER BY id{database.ForDeleteOf("consents")}", parameters);

    private static async Task RevokeAsync(
        DbConnection connection, EventLog log, Client client, Id<User> user, IReadOnlyList<NamedConsent> consents, DateTimeOffset now)
    {
        DynamicParameters parameters = new(new { realm = client.RealmId });
        await connection.ExecuteAsync(
            $"DELETE FROM consents WHERE realm_id = @realm AND id IN {parameters.AddIds("consent", [.. consents.Select(static one => one.Consent.Id)])}", parameters);
        await connection.ExecuteAsync(
            """
            UPDATE grants SET ended_at = @now WHERE realm_id = @realm AND client_id = @client AND ended_at IS NULL
                AND session_id IN (SELECT id FROM sessions WHERE realm_id = @realm AND user_id = @user)
            """,
            new { realm = client.RealmId, client = client.Id, user, now });
        foreach (NamedConsent revoked in consents)
            log.Add(EventOf(EventTypes.UserConsentRevoked, revoked.Consent, client));
    }

    private static Task<IEnumerable<NamedConsent>> QueryAsync(DbConnection connection, string sql, object parameters) =>
        connection.QueryAsync<ConsentRow, Client, NamedConsent>(
            sql, static (row, client) => new NamedConsent(row.ToConsent(), client, row.Organization), parameters, splitOn: "client_split");
}

/// <summary>A consent as its columns hold it.</summary>
internal sealed record ConsentRow
{
    public Id<Realm> RealmId { get; init; }

    public Id<Consent> Id { get; init; }

    public Id<User> UserId { get; init; }

    public Id<Client> ClientId { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required string Choice { get; init; }

    public Id<Organization>? OrganizationId { get; init; }

    public string? Resource { get; init; }

    public DateTimeOffset GrantedAt { get; init; }

    /// <summary>The name of the organization, where it is asked for.</summary>
    public string? Organization { get; init; }

    public Consent ToConsent() => new()
    {
        RealmId = RealmId,
        Id = Id,
        UserId = UserId,
        ClientId = ClientId,
        Terms = new ConsentTerms(Scopes, OrganizationChoice.FromStored(Choice, OrganizationId), Resource),
        GrantedAt = GrantedAt,
    };
}
