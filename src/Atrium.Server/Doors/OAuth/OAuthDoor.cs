namespace Atrium.Server.Doors.OAuth;

/// <summary>The OAuth door.</summary>
public static class OAuthDoor
{
    public static IServiceCollection AddOAuthDoor(this IServiceCollection services) => services;

    public static void MapOAuthDoor(this IEndpointRouteBuilder routes)
    {
    }
}
