namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources of people.</summary>
public static class UsersEndpoints
{
    public static void MapUsers(this RouteGroupBuilder api)
    {
    }
}
