namespace Atrium.Server.Hosting;

/// <summary>HEAD, which load balancers and link checkers ask with.</summary>
public static class HeadRequests
{
    /// <summary>RFC 9110 section 9.3.2: what answers GET answers HEAD, with the same header fields; the web server leaves the body out.</summary>
    public static IApplicationBuilder UseHeadAsGet(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (HttpMethods.IsHead(context.Request.Method))
            context.Request.Method = HttpMethods.Get;
        return next(context);
    });
}
