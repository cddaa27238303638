using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Clients;

/// <summary><c>/clients</c>: applications, their secrets and settings, and the organizations that they are shared with.</summary>
public static class ClientsEndpoints
{
    private static readonly Parameter<string> ClientId =
        Parameter.Text(Field.Text("client_id", ClientRules.MaxClientIdLength).Describe("The one that has this `client_id`."));

    public static void MapClients(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder clients = realm.MapGroup("/clients").WithTags("Clients");
        clients.MapGet("", ListAsync).Needs(ApiScopes.ClientsRead).TakesPage<Client>(ClientId).WithSummary("Lists the clients.").AnswersMany<ClientResource>();
        clients.MapPost("", CreateAsync).Needs(ApiScopes.ClientsWrite).Reads(ClientBodies.Creation)
            .WithSummary("Makes a client; its secret is shown this once.").AnswersOne<ClientWithSecretResource>(StatusCodes.Status201Created);
        clients.MapGet("/{id}", GetAsync).Needs(ApiScopes.ClientsRead).WithSummary("Shows a client.").AnswersOne<ClientResource>();
        clients.MapPatch("/{id}", ChangeAsync).Needs(ApiScopes.ClientsWrite).Patches(ClientBodies.Change)
            .WithSummary("Changes a client, on every node at once.").AnswersOne<ClientResource>();
        clients.MapDelete("/{id}", DeleteAsync).Needs(ApiScopes.ClientsWrite)
            .WithSummary("Deletes a client; everything that it was granted ends.").AnswersNothing();
        clients.MapPost("/{id}/rotate-secret", RotateAsync).Needs(ApiScopes.ClientsWrite).Reads(Shape.Empty)
            .WithSummary("Gives a client a new secret, shown this once; the old one works for 15 more minutes.").AnswersOne<ClientWithSecretResource>();
        clients.MapGet("/{id}/organizations", ListOrganizationsAsync).Needs(ApiScopes.ClientsRead).TakesPage<Organization>()
            .WithSummary("Lists the organizations that a client is shared with one by one.").AnswersMany<ClientOrganizationResource>();
        clients.MapPut("/{id}/organizations/{organization}", ShareAsync).Needs(ApiScopes.ClientsWrite)
            .WithSummary("Shares a client with an organization.").AnswersNothing();
        clients.MapDelete("/{id}/organizations/{organization}", UnshareAsync).Needs(ApiScopes.ClientsWrite)
            .WithSummary("Ends the sharing of a client with an organization.").AnswersNothing();
    }

    private static async Task<IResult> ListAsync(HttpContext context, ClientStore clients, CancellationToken cancellationToken)
    {
        string? clientId = context.Query(ClientId);
        return Many.Of(
            await clients.ListAsync(context.Caller().Realm, clientId, context.Page<Client>(), cancellationToken),
            ClientResource.Of,
            ResourceJson.Default.ClientResource,
            static client => client.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(HttpContext context, ClientStore clients, RealmKeys keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        Client client = ClientBodies.Make(body, context.Caller().Realm, clock);
        if (ClientBodies.Refuse(client, await keys.EdDsaOfAsync(client.RealmId, cancellationToken)) is { } refusal)
            return refusal;
        Secret? secret = client.HasSecret ? Secret.New() : null;
        client = client with { SecretHash = secret?.Hash() };
        return Answer(await clients.CreateAsync(client, context.Origin<ClientChange>(Answer), cancellationToken));

        IResult Answer(ClientChange change) => change.Outcome == ClientWrite.Done ? Shown(client, secret, StatusCodes.Status201Created) : Refused(change);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, ClientStore clients, CancellationToken cancellationToken) =>
        Id<Client>.Parse(id) is { } known && await clients.FindAsync(context.Caller().Realm, known, cancellationToken) is { } client
            ? Shown(client)
            : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(
        HttpContext context, string id, ClientStore clients, RealmKeys keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (Id<Client>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        EdDsaSupport edDsa = await keys.EdDsaOfAsync(context.Caller().Realm, cancellationToken);
        ClientChange change = await clients.ChangeAsync(
            context.Caller().Realm,
            known,
            current =>
            {
                if (!patch.TryLayOver(ClientResource.Of(current), ResourceJson.Default.ClientResource, ClientBodies.Change, out Body? body))
                    return null;
                Client laid = ClientBodies.Apply(body, current, now);
                return patch.Refuses(ClientBodies.Refuse(laid, edDsa)) ? null : laid;
            },
            context.Origin(),
            cancellationToken);
        return change.Outcome switch
        {
            ClientWrite.Done => Shown(change.Client!),
            ClientWrite.Refused => patch.Refusal!,
            _ => Refused(change),
        };
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, ClientStore clients, CancellationToken cancellationToken)
    {
        if (Id<Client>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        Client? deleted = await clients.DeleteAsync(
            context.Caller().Realm,
            known,
            client => deletion.Allows(ClientResource.Of(client), ResourceJson.Default.ClientResource),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(deleted is not null);
    }

    private static async Task<IResult> RotateAsync(
        HttpContext context, string id, ClientStore clients, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (Id<Client>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Secret secret = Secret.New();
        return Answer(await clients.RotateSecretAsync(
            context.Caller().Realm, known, secret, clock.GetUtcNow(), context.Origin<ClientChange>(Answer), cancellationToken));

        IResult Answer(ClientChange change) => change.Outcome switch
        {
            ClientWrite.Done => Shown(change.Client!, secret, StatusCodes.Status200OK),
            ClientWrite.Refused => ManagementError.Conflict("This client has no secret: it is public, or proves itself by its own key."),
            _ => Refused(change),
        };
    }

    private static async Task<IResult> ListOrganizationsAsync(
        HttpContext context, string id, ClientStore clients, ClientSharingStore sharing, CancellationToken cancellationToken)
    {
        if (Id<Client>.Parse(id) is not { } known || await clients.FindAsync(context.Caller().Realm, known, cancellationToken) is not { } client)
            return ManagementError.NotFound;
        return Many.Of(
            await sharing.SharedWithAsync(client.RealmId, client.Id, context.Page<Organization>(), cancellationToken),
            organization => ClientOrganizationResource.Of(client, organization.Id),
            ResourceJson.Default.ClientOrganizationResource,
            static organization => organization.Id.ToString());
    }

    private static async Task<IResult> ShareAsync(
        HttpContext context, string id, string organization, ClientSharingStore sharing, CancellationToken cancellationToken) =>
        Id<Client>.Parse(id) is { } client && Id<Organization>.Parse(organization) is { } known
            && await sharing.ShareAsync(context.Caller().Realm, client, known, context.Origin(), cancellationToken)
            ? TypedResults.NoContent()
            : ManagementError.NotFound;

    private static async Task<IResult> UnshareAsync(
        HttpContext context, string id, string organization, ClientSharingStore sharing, CancellationToken cancellationToken) =>
        Id<Client>.Parse(id) is { } client && Id<Organization>.Parse(organization) is { } known
            && await sharing.UnshareAsync(context.Caller().Realm, client, known, context.Origin(), cancellationToken)
            ? TypedResults.NoContent()
            : ManagementError.NotFound;

    private static ManagementError Refused(ClientChange change) => change.Outcome switch
    {
        ClientWrite.ClientIdTaken => ManagementError.Conflict("Another client has this client_id. They are unique in the server."),
        ClientWrite.UnknownOrganizations => ManagementError.Unprocessable(
        [
            .. change.Unknown.Select(static i =>
                new Problem($"/settings/restrictions/organizations/allowed_org_ids/{i}", "This is no organization of the realm.")),
        ]),
        _ => ManagementError.NotFound,
    };

    private static One<ClientResource> Shown(Client client) => new(ClientResource.Of(client), ResourceJson.Default.ClientResource);

    private static One<ClientWithSecretResource> Shown(Client client, Secret? secret, int status) => new(
        ClientWithSecretResource.Of(client, secret),
        ResourceJson.Default.ClientWithSecretResource,
        status,
        EntityTag.Of(ClientResource.Of(client), ResourceJson.Default.ClientResource));
}
