namespace Atrium.Server.Doors;

/// <summary>The scope of <see cref="Core.Realms.ApiScopes"/> that a key must have for a route.</summary>
public sealed record RequiredScope(string Scope);

public static class RequiredScopes
{
    public static RouteHandlerBuilder Needs(this RouteHandlerBuilder route, string scope) => route.WithMetadata(new RequiredScope(scope));

    /// <summary>What the route that the request is for needs.</summary>
    public static string RequiredScope(this HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Scope
            ?? throw new InvalidOperationException($"The route {context.Request.Path} names no scope.");
}
