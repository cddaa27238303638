namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources of organization memberships.</summary>
public static class MembershipsEndpoints
{
    public static void MapMemberships(this RouteGroupBuilder api)
    {
    }
}
