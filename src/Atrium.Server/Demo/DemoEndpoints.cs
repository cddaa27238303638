namespace Atrium.Server.Demo;

/// <summary>The demo's front page.</summary>
public static class DemoEndpoints
{
    public static void MapDemo(this IEndpointRouteBuilder routes)
    {
    }
}
