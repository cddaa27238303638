namespace Atrium.Server.Hosting;

/// <summary>
/// One line for each request that was refused, with the code or id that its answer carries: what somebody who has a request id, or a caller who
/// complains, needs to find. What went well is logged at debug level. The query is left out, because secrets travel in it.
/// </summary>
public static partial class RequestLog
{
    public static IApplicationBuilder UseRequestLog(this IApplicationBuilder app)
    {
        ILogger logger = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Atrium.Server.Requests");
        TimeProvider clock = app.ApplicationServices.GetRequiredService<TimeProvider>();
        return app.Use(async (context, next) =>
        {
            long start = clock.GetTimestamp();
            await next(context);
            int status = context.Response.StatusCode;
            if (status >= StatusCodes.Status400BadRequest)
            {
                LogRefused(logger, context.Request.Method, context.LoggedPath(), status, context.Items[typeof(RequestLog)] as string ?? "-", Elapsed());
            }
            else if (logger.IsEnabled(LogLevel.Debug))
            {
                LogAnswered(logger, context.Request.Method, context.LoggedPath(), status, Elapsed());
            }

            int Elapsed() => (int)clock.GetElapsedTime(start).TotalMilliseconds;
        });
    }

    /// <summary>Marks a route in whose path a secret stands: its pattern is logged instead.</summary>
    public static RouteHandlerBuilder HasSecretInPath(this RouteHandlerBuilder route) => route.WithMetadata(new SecretInPath());

    /// <summary>The path as it may be logged.</summary>
    public static string LoggedPath(this HttpContext context) =>
        context.GetEndpoint() is RouteEndpoint route && route.Metadata.GetMetadata<SecretInPath>() is not null
            ? route.RoutePattern.RawText ?? ""
            : context.Request.Path.Value ?? "";

    /// <summary>Notes why a request is refused, for its line.</summary>
    /// <param name="reason">A stable code or id of ours, never anything that came from outside.</param>
    public static void NoteRefusal(this HttpContext context, string reason) => context.Items[typeof(RequestLog)] = reason;

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} {Reason} {Milliseconds} ms")]
    private static partial void LogRefused(ILogger logger, string method, string path, int status, string reason, int milliseconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path} {Status} {Milliseconds} ms")]
    private static partial void LogAnswered(ILogger logger, string method, string path, int status, int milliseconds);

    private sealed record SecretInPath;
}
