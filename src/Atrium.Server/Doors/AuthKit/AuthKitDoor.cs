namespace Atrium.Server.Doors.AuthKit;

/// <summary>The AuthKit door.</summary>
public static class AuthKitDoor
{
    public static IServiceCollection AddAuthKitDoor(this IServiceCollection services) => services;

    public static void MapAuthKitDoor(this IEndpointRouteBuilder routes)
    {
    }
}
