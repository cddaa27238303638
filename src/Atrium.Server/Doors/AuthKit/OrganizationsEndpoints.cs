namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources of organizations.</summary>
public static class OrganizationsEndpoints
{
    public static void MapOrganizations(this RouteGroupBuilder api)
    {
    }
}
