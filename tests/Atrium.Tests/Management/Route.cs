using Atrium.Server.Doors;
using Atrium.Server.Doors.Management;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Tests.Harness;
using Microsoft.AspNetCore.Routing;

namespace Atrium.Tests.Management;

/// <summary>A route of the management API as the server has mapped it: tests that go through all of them miss none that is added.</summary>
/// <param name="Path">Below the realm: <c>/organizations/{id}/members/{user}</c>.</param>
/// <param name="Shapes">The bodies that it takes; none without a body.</param>
internal sealed record Route(string Method, string Path, string Scope, IReadOnlyList<Shape> Shapes, bool IsPatch)
{
    /// <summary>What the path names, outermost first: <c>organizations</c>, <c>organizations/members</c>.</summary>
    public IReadOnlyList<string> Things { get; } = ThingsOf(Path);

    public override string ToString() => $"{Method} {Path}";

    /// <summary>The path with ids in the places of its parameters.</summary>
    public string With(IReadOnlyList<string> ids)
    {
        int next = 0;
        return string.Join('/', Path.Split('/').Select(part => part.StartsWith('{') ? ids[next++] : part));
    }

    public static IReadOnlyList<Route> All(DemoServer server) =>
    [
        .. from endpoint in server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           let path = endpoint.RoutePattern.RawText!
           where path.StartsWith($"{ManagementDoor.RealmPath}/", StringComparison.Ordinal)
           let request = endpoint.Metadata.GetMetadata<RequestShape>()
           from method in endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
           select new Route(
               method,
               path[ManagementDoor.RealmPath.Length..].TrimEnd('/'),
               endpoint.Metadata.GetRequiredMetadata<RequiredScope>().Scope,
               request?.Shapes ?? [],
               request?.IsPatch ?? false),
    ];

    private static List<string> ThingsOf(string path)
    {
        List<string> things = [];
        List<string> words = [];
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.StartsWith('{'))
                things.Add(string.Join('/', words));
            else
                words.Add(part);
        }

        return things;
    }
}
