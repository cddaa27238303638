using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>
/// The last net. A database that can't just now is the caller's to wait for; any other exception is a bug of ours: it is logged whole, and the
/// caller learns the request's id and nothing else.
/// </summary>
public static partial class UnexpectedErrors
{
    public static IApplicationBuilder UseUnexpectedErrors(this IApplicationBuilder app) => app.Use(static async (context, next) =>
    {
        try
        {
            await next(context);
            await AnswerWhatNobodyServedAsync(context);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, e.StatusCode, "invalid_request", "The request could not be read.");
        }
        catch (DatabaseUnavailableException e) when (!context.Response.HasStarted)
        {
            context.RequestServices.GetRequiredService<DatabaseWatch>().Report(e);
            await AnswerUnavailableAsync(context, Unavailable.Of(e));
        }
        catch (MissingLibraryException) when (!context.Response.HasStarted)
        {
            await AnswerUnavailableAsync(context, Unavailable.Ed25519);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; there is nobody to answer.
        }
#pragma warning disable CA1031 // Everything that got this far ends here.
        catch (Exception e) when (!context.Response.HasStarted)
#pragma warning restore CA1031
        {
            LogFailed(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Atrium.Server"), e, context.Request.Method, context.LoggedPath());
            await AnswerAsync(context, StatusCodes.Status500InternalServerError, "server_error", "Something went wrong on our side. The log has more under the request id.");
        }
    });

    /// <summary>No route took the request, or none with its method.</summary>
    private static Task AnswerWhatNobodyServedAsync(HttpContext context) =>
        context.Response is { HasStarted: false, ContentType: null, ContentLength: null } response
            ? response.StatusCode switch
            {
                StatusCodes.Status404NotFound => AnswerAsync(context, StatusCodes.Status404NotFound, "not_found", "There is nothing at this path."),
                StatusCodes.Status405MethodNotAllowed =>
                    AnswerAsync(context, StatusCodes.Status405MethodNotAllowed, "method_not_allowed", $"This path takes {response.Headers.Allow}."),
                _ => Task.CompletedTask,
            }
            : Task.CompletedTask;

    private static Task AnswerUnavailableAsync(HttpContext context, Unavailable why)
    {
        if (why.Answer(context) is { } answer)
            return answer.ExecuteAsync(context);
        why.Announce(context);
        return AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, Unavailable.Code, why.Description);
    }

    private static Task AnswerAsync(HttpContext context, int statusCode, string error, string description) =>
        new JsonAnswer<Dictionary<string, string>>(
            new() { ["error"] = error, ["error_description"] = description, ["request_id"] = context.TraceIdentifier },
            PlainJson.Default.DictionaryStringString,
            statusCode).ExecuteAsync(context);

    [LoggerMessage(Level = LogLevel.Error, Message = "ATR9000 {Method} {Path} failed.")]
    private static partial void LogFailed(ILogger logger, Exception e, string method, string path);
}
