using System.Text;
using Atrium.Core;
using Atrium.Core.Connections;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Connections;

/// <summary><c>/connections</c>: the identity providers that may vouch for an organization's people, or for the realm's.</summary>
public static class ConnectionsEndpoints
{
    private static readonly Parameter<Id<Organization>?> OfOrganization =
        Parameter.Text(Field.IdOf<Organization>("organization_id").Describe("Only those of this organization."));

    public static void MapConnections(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder connections = realm.MapGroup("/connections").WithTags("Connections");
        connections.MapGet("", ListAsync).Needs(ApiScopes.ConnectionsRead).TakesPage<Connection>(OfOrganization).WithSummary("Lists the connections.").AnswersMany<ConnectionResource>();
        connections.MapPost("", CreateAsync).Needs(ApiScopes.ConnectionsWrite).Reads([.. ConnectionKind.All.Select(static kind => kind.New)])
            .WithSummary("Makes a connection to an identity provider.").AnswersOne<ConnectionResource>(StatusCodes.Status201Created);
        connections.MapGet("/{id}", GetAsync).Needs(ApiScopes.ConnectionsRead).WithSummary("Shows a connection.").AnswersOne<ConnectionResource>();
        connections.MapPatch("/{id}", ChangeAsync).Needs(ApiScopes.ConnectionsWrite).Patches([.. ConnectionKind.All.Select(static kind => kind.Known)])
            .WithSummary("Changes a connection.").AnswersOne<ConnectionResource>();
        connections.MapDelete("/{id}", DeleteAsync).Needs(ApiScopes.ConnectionsWrite).WithSummary("Deletes a connection; the people that it vouched for stay.").AnswersNothing();
    }

    private static async Task<IResult> ListAsync(HttpContext context, ConnectionStore connections, CancellationToken cancellationToken)
    {
        Id<Organization>? organization = context.Query(OfOrganization);
        return Many.Of(
            await connections.ListAsync(context.Caller().Realm, organization, context.Page<Connection>(), cancellationToken),
            ConnectionResource.Of,
            ResourceJson.Default.ConnectionResource,
            static connection => connection.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, ConnectionStore connections, SecretBox box, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        ConnectionKind kind = ConnectionKind.All.Single(kind => kind.New == body.Shape);
        (ConnectionSettings settings, string? secret) = kind.Read(body);
        DateTimeOffset now = clock.GetUtcNow();
        if (Ended(settings, before: null, now) is { } ended)
            return ended;
        Connection made = new()
        {
            RealmId = context.Caller().Realm,
            Id = Id<Connection>.New(clock),
            OrganizationId = body.Of(ConnectionKind.OrganizationId),
            Type = kind.Type,
            Name = body.Of(ConnectionKind.Name)!,
            Status = body.Of(ConnectionKind.Status) ?? ConnectionStatus.Active,
            Settings = settings,
            CreatedAt = now,
            UpdatedAt = now,
        };
        Connection? created = await connections.CreateAsync(made, Seal(box, made, secret), context.Origin<Connection?>(CreatedAnswer), cancellationToken);
        return CreatedAnswer(created);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, ConnectionStore connections, CancellationToken cancellationToken) =>
        Id<Connection>.Parse(id) is { } known && await connections.FindAsync(context.Caller().Realm, known, cancellationToken) is { } connection
            ? Shown(connection)
            : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(
        HttpContext context, string id, ConnectionStore connections, SecretBox box, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (Id<Connection>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        Connection? changed = await connections.ChangeAsync(
            context.Caller().Realm,
            known,
            current =>
            {
                ConnectionKind kind = ConnectionKind.Of(current.Type);
                if (!patch.TryLayOver(ConnectionResource.Of(current), ResourceJson.Default.ConnectionResource, kind.Known, out Body? body))
                    return null;
                (ConnectionSettings settings, string? secret) = kind.Read(body);
                if (patch.Refuses(Ended(settings, current.Settings, now)))
                    return null;
                Connection laid = current with
                {
                    Name = body.Of(ConnectionKind.Name)!,
                    Status = body.Of(ConnectionKind.Status) ?? ConnectionStatus.Active,
                    Settings = settings,
                    UpdatedAt = now,
                };
                return (laid, Seal(box, laid, secret));
            },
            context.Origin(),
            cancellationToken);
        return changed is null ? patch.Refusal ?? ManagementError.NotFound : Shown(changed);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, ConnectionStore connections, CancellationToken cancellationToken)
    {
        if (Id<Connection>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        Connection? deleted = await connections.DeleteAsync(
            context.Caller().Realm,
            known,
            connection => deletion.Allows(ConnectionResource.Of(connection), ResourceJson.Default.ConnectionResource),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(deleted is not null);
    }

    /// <summary>A certificate that is newly named must still be good; a connection whose certificate has ended meanwhile can be renamed, or disabled.</summary>
    private static ManagementError? Ended(ConnectionSettings settings, ConnectionSettings? before, DateTimeOffset now)
    {
        IReadOnlyList<string> known = (before as SamlSettings)?.Certificates ?? [];
        List<Problem> problems = [];
        foreach ((int index, string pem) in ((settings as SamlSettings)?.Certificates ?? []).Index())
        {
            if (!known.Contains(pem) && ConnectionRules.CertificateEnd(pem) is var end && end <= now)
                problems.Add(new Problem($"/settings/certificates/{index}", $"/settings/certificates/{index} ended on {end:yyyy-MM-dd}."));
        }

        return problems.Count == 0 ? null : ManagementError.Unprocessable(problems);
    }

    private static byte[]? Seal(SecretBox box, Connection connection, string? secret) =>
        secret is null ? null : box.Seal(Encoding.UTF8.GetBytes(secret), SecretPlaces.Of(connection.RealmId, connection.Id));

    private static IResult CreatedAnswer(Connection? connection) =>
        connection is null ? ManagementError.Unprocessable("/organization_id", "There is no such organization.") : Shown(connection, StatusCodes.Status201Created);

    private static One<ConnectionResource> Shown(Connection connection, int status = StatusCodes.Status200OK) =>
        new(ConnectionResource.Of(connection), ResourceJson.Default.ConnectionResource, status);
}
