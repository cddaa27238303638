using Atrium.Server.Doors.Management.ApiKeys;
using Atrium.Server.Doors.Management.Clients;
using Atrium.Server.Doors.Management.Connections;
using Atrium.Server.Doors.Management.Events;
using Atrium.Server.Doors.Management.Explain;
using Atrium.Server.Doors.Management.Invitations;
using Atrium.Server.Doors.Management.MailTemplates;
using Atrium.Server.Doors.Management.OpenApi;
using Atrium.Server.Doors.Management.Operator;
using Atrium.Server.Doors.Management.Organizations;
using Atrium.Server.Doors.Management.SigningKeys;
using Atrium.Server.Doors.Management.Users;
using Atrium.Server.Doors.Management.Webhooks;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.Management;

/// <summary>The management API: everything an operator or a product's back end does that is not a sign-in.</summary>
public static class ManagementDoor
{
    public const string RealmsPath = "/v1/realms";
    public const string RealmPath = $"{RealmsPath}/{{realm}}";

    public static void MapManagementDoor(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder door = routes.MapGroup("").AnswersUnavailable(static (_, why) => ManagementError.Unavailable(why));
        RouteGroupBuilder realm = door.MapGroup(RealmPath).RequireRealmKey();
        realm.MapApiKeys();
        realm.MapClients();
        realm.MapConnections();
        realm.MapEvents();
        realm.MapSigningKeys();
        realm.MapUsers();
        realm.MapExplain();
        realm.MapOrganizations();
        realm.MapMembers();
        realm.MapDomains();
        realm.MapRoles();
        realm.MapInvitations();
        realm.MapMailTemplates();
        door.MapRealms();
        door.MapReferences();
        realm.MapWebhooks();
        door.MapFallback("/v1/{**rest}", static context => ManagementError.NoSuchPath.ExecuteAsync(context));
    }
}
