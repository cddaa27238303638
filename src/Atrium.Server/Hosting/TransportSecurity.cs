namespace Atrium.Server.Hosting;

/// <summary>Tells browsers that came over TLS to come over nothing else from now on (RFC 6797).</summary>
public static class TransportSecurity
{
    private const string Policy = "max-age=31536000";

    /// <summary>
    /// Where the public URL is https, and a trusted proxy says that TLS brought the caller: over plain HTTP the header has no place (RFC 6797
    /// section 7.2). Of the domains below, nothing is said: they are not ours.
    /// </summary>
    public static IApplicationBuilder UseTransportSecurity(this IApplicationBuilder app, AtriumOptions options) =>
        options.PublicUrl?.StartsWith("https://", StringComparison.Ordinal) != true
            ? app
            : app.Use(static (context, next) =>
            {
                if (context.Request.IsHttps)
                    context.Response.Headers.StrictTransportSecurity = Policy;
                return next(context);
            });
}
