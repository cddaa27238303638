namespace Atrium.Server.Doors.AppNative;

/// <summary>The AppNative door.</summary>
public static class AppNativeDoor
{
    public static IServiceCollection AddAppNativeDoor(this IServiceCollection services) => services;

    public static void MapAppNativeDoor(this IEndpointRouteBuilder routes)
    {
    }
}
