namespace Atrium.Server.Hosting;

/// <summary>HEAD, which load balancers and link checkers ask with, and others who only look at what a person may come to later.</summary>
public static class HeadRequests
{
    /// <summary>RFC 9110 section 9.3.2: what answers GET answers HEAD, with the same header fields; the web server leaves the body out.</summary>
    public static IApplicationBuilder UseHeadAsGet(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            context.Request.Method = HttpMethods.Get;
            context.Features.Set(new AskedByHead());
        }

        return next(context);
    });

    /// <summary>
    /// Whether nobody is there yet: a HEAD, or a browser that fetches a page before it is wanted (Fetch, <c>Sec-Purpose</c>). What works once must not
    /// be spent on them (RFC 9110 section 9.2.1).
    /// </summary>
    public static bool OnlyLooks(this HttpContext context) =>
        context.Features.Get<AskedByHead>() is not null
        || context.Request.Headers["Sec-Purpose"].ToString().StartsWith("prefetch", StringComparison.OrdinalIgnoreCase);

    private sealed class AskedByHead;
}
