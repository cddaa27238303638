using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Hosting;

/// <summary>
/// Lets browsers call the endpoints that applications call, from the origins of registered redirect URIs and from no other.
/// Hosted pages are never readable from elsewhere.
/// </summary>
public static class Cors
{
    private static readonly string[] CallableEndings =
    [
        "/token", "/par", "/userinfo", "/jwks.json", "/jwks", "/authn", "/authorize", "/revoke", "/introspect",
        "/openid-configuration", "/oauth-authorization-server",
    ];

    public static IApplicationBuilder UseCorsForRegisteredOrigins(this IApplicationBuilder app) => app.Use(static async (context, next) =>
    {
        StringValues origin = context.Request.Headers.Origin;
        if (!IsCallable(context.Request.Path))
        {
            await next(context);
            return;
        }

        context.Response.Headers.Append("Vary", "Origin");
        bool known = origin is [{ Length: > 0 and <= 512 } value]
            && await context.RequestServices.GetRequiredService<ClientStore>().IsRegisteredOriginAsync(value, context.RequestAborted);
        if (known)
        {
            context.Response.Headers.AccessControlAllowOrigin = origin;
            context.Response.Headers.AccessControlAllowCredentials = "true";
            context.Response.Headers.AccessControlExposeHeaders = $"{RequestIds.Header}, Retry-After, WWW-Authenticate, DPoP-Nonce";
        }

        if (HttpMethods.IsOptions(context.Request.Method))
        {
            if (known)
            {
                context.Response.Headers.AccessControlAllowMethods = "GET, POST";
                context.Response.Headers.AccessControlAllowHeaders = context.Request.Headers.AccessControlRequestHeaders;
                context.Response.Headers.AccessControlMaxAge = "600";
            }

            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await next(context);
    });

    private static bool IsCallable(PathString path)
    {
        string text = path.Value?.TrimEnd('/') ?? "";
        return text == "/user_management/authenticate"
            || text.StartsWith("/sso/jwks/", StringComparison.Ordinal)
            || (text.StartsWith("/t/", StringComparison.Ordinal) && CallableEndings.Any(ending => text.EndsWith(ending, StringComparison.Ordinal)));
    }
}
