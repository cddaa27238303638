namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// The AuthKit door: the wire format of WorkOS User Management, so that its SDKs can be pointed at this server. It stands at the root of the
/// host because the SDKs build their paths from there; the realm follows from the API key or from the client.
/// </summary>
public static class AuthKitDoor
{
    public static IServiceCollection AddAuthKitDoor(this IServiceCollection services) => services;

    public static void MapAuthKitDoor(this IEndpointRouteBuilder routes)
    {
        // Behind an API key. Each route names the scope that the key must have.
        RouteGroupBuilder api = routes.MapGroup("").RequireApiKey();
        api.MapUsers();
        api.MapOrganizations();
        api.MapMemberships();
    }
}
