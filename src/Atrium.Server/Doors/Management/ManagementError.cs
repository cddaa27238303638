using System.ComponentModel;
using System.Text.Json.Serialization;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Hosting;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.Management;

/// <summary>A refusal of the management API, as a value that is also its answer. What names it for good is its code.</summary>
public sealed record ManagementError(int Status, string Code, string Description) : IResult
{
    public static readonly ManagementError Unauthorized = new(
        StatusCodes.Status401Unauthorized,
        "unauthorized_client",
        "Send an API key as \"Authorization: Bearer sk_...\", or its id and secret with HTTP Basic. This one is missing, unknown or has ended.");

    /// <summary>Of another realm or organization, malformed, or not there: all the same.</summary>
    public static readonly ManagementError NotFound = new(StatusCodes.Status404NotFound, "not_found", "There is no such thing here.");

    public static readonly ManagementError NoSuchPath = new(StatusCodes.Status404NotFound, "not_found", "There is no such path. The reference is at /v1/docs.");

    public static readonly ManagementError PreconditionFailed = new(
        StatusCodes.Status412PreconditionFailed,
        "precondition_failed",
        "It was changed since it was read: its ETag is no longer that of If-Match. Read it again, and decide anew.");

    public static readonly ManagementError MalformedBody = Invalid("The body is not a JSON object in UTF-8.");

    public static readonly ManagementError TooLarge = new(
        StatusCodes.Status413PayloadTooLarge, "invalid_request", "The body is larger than anything this server takes.");

    public static readonly ManagementError WrongContentType = new(
        StatusCodes.Status415UnsupportedMediaType, "invalid_content_type", "Send the body as application/json; a PATCH may be application/merge-patch+json.");

    public IReadOnlyList<Problem>? Errors { get; init; }

    /// <summary>How long the caller should wait before another try.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Why the server could not do it, whoever asked.</summary>
    public Unavailable? Why { get; init; }

    public static ManagementError Invalid(string description) => new(StatusCodes.Status400BadRequest, "invalid_request", description);

    public static ManagementError InvalidQuery(IReadOnlyList<Problem> problems) => Invalid(string.Join(' ', problems.Select(static problem => problem.Message)));

    public static ManagementError MissingScope(string scope) =>
        new(StatusCodes.Status403Forbidden, "insufficient_scope", $"The API key lacks the scope \"{scope}\".");

    /// <summary>Something else is in its way.</summary>
    public static ManagementError Conflict(string description) => new(StatusCodes.Status409Conflict, "conflict", description);

    /// <summary>Readable, and yet it can't be.</summary>
    public static ManagementError Unprocessable(IReadOnlyList<Problem> errors) =>
        new(StatusCodes.Status422UnprocessableEntity, "unprocessable", string.Join(' ', errors.Select(static error => error.Message))) { Errors = errors };

    public static ManagementError Unprocessable(string field, string message) => Unprocessable([new Problem(field, message)]);

    public static ManagementError Unavailable(Unavailable why) =>
        new(StatusCodes.Status503ServiceUnavailable, Http.Unavailable.Code, why.Description) { Why = why };

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.CacheControl = "no-store";
        httpContext.NoteRefusal(Code);
        if (Status == StatusCodes.Status401Unauthorized)
            httpContext.Response.Headers.WWWAuthenticate = "Bearer, Basic realm=\"Atrium\", charset=\"UTF-8\"";
        if (Wait is { } wait)
            RetryAfter.Set(httpContext.Response, wait);
        Why?.Announce(httpContext);
        ManagementErrorBody body = new() { Error = Code, ErrorDescription = Description, RequestId = httpContext.TraceIdentifier, Errors = Errors };
        return new JsonAnswer<ManagementErrorBody>(body, ManagementJson.Default.ManagementErrorBody, Status).ExecuteAsync(httpContext);
    }
}

/// <summary>What every refusal carries.</summary>
public sealed record ManagementErrorBody
{
    [Description("What names the failure for good.")]
    public required string Error { get; init; }

    [Description("What is wrong, and what to do, in a sentence for developers.")]
    public required string ErrorDescription { get; init; }

    [Description("The `X-Request-ID`; the server's log has more under it.")]
    public required string RequestId { get; init; }

    [Description("Of a body that can't be, everything that is wrong with it.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Problem>? Errors { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ManagementErrorBody))]
internal sealed partial class ManagementJson : JsonSerializerContext;
