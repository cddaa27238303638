namespace Atrium.Server.Hosting;

/// <summary>Gives every request an id that its answer (<c>X-Request-ID</c>) and every log line about it carry.</summary>
public static class RequestIds
{
    public const string Header = "X-Request-ID";

    /// <summary>The name of the value in log scopes.</summary>
    public const string LogKey = "request_id";

    public static IApplicationBuilder UseRequestIds(this IApplicationBuilder app) => app.Use(static async (context, next) =>
    {
        context.TraceIdentifier = $"req_{Guid.CreateVersion7():n}";
        context.Response.Headers[Header] = context.TraceIdentifier;
        ILogger logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Atrium.Server");
        using (logger.BeginScope(new KeyValuePair<string, object>[] { new(LogKey, context.TraceIdentifier) }))
            await next(context);
    });
}
