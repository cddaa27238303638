using Atrium.Server.Hosting;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// A refusal of this door, as a value that is also its answer. Which of the envelopes is used depends on the failure, not on the endpoint;
/// what names a failure for good is its code.
/// </summary>
public sealed record AuthKitError(int Status, AuthKitErrorBody Body) : IResult
{
    public static readonly AuthKitError Unauthorized = MessageOnly("Unauthorized", StatusCodes.Status401Unauthorized);

    /// <summary>What organizations answer, and everything that has no entity to name.</summary>
    public static readonly AuthKitError NotFound = MessageOnly("Not Found", StatusCodes.Status404NotFound);

    public static readonly AuthKitError MalformedBody = Plain("invalid_json", "The body is not a JSON object in UTF-8.");

    public static readonly AuthKitError TooLarge =
        Plain("request_too_large", "The body is larger than anything this server takes.", StatusCodes.Status413PayloadTooLarge);

    public static readonly AuthKitError WrongContentType =
        Plain("unsupported_media_type", "Send the body as application/json.", StatusCodes.Status415UnsupportedMediaType);

    /// <summary>How long the caller should wait before another try.</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Why the server could not do it, whoever asked.</summary>
    public Unavailable? Why { get; init; }

    /// <summary><c>{code, message}</c>.</summary>
    public static AuthKitError Plain(string code, string message, int status = StatusCodes.Status400BadRequest) =>
        new(status, new AuthKitErrorBody { Code = code, Message = message });

    /// <summary>
    /// <c>{error, error_description}</c> and <c>{code, message}</c> at once: half of the SDKs look only at the one, half only at the other.
    /// </summary>
    public static AuthKitError OAuth(string code, string message, int status = StatusCodes.Status400BadRequest) =>
        new(status, new AuthKitErrorBody { Error = code, ErrorDescription = message, Code = code, Message = message });

    /// <summary><c>{code, message, errors}</c>; 422 unless the contract says otherwise.</summary>
    public static AuthKitError Invalid(
        IReadOnlyList<FieldError> errors,
        string code = "invalid_request_parameters",
        string message = "Validation failed",
        int status = StatusCodes.Status422UnprocessableEntity) =>
        new(status, new AuthKitErrorBody { Code = code, Message = message, Errors = errors });

    public static AuthKitError Invalid(string field, string code, string message) => Invalid([new FieldError(code, message, field)]);

    /// <summary><c>{message}</c>.</summary>
    public static AuthKitError MessageOnly(string message, int status) => new(status, new AuthKitErrorBody { Message = message });

    /// <summary>Not found, as everything but organizations says it. The id is the caller's own text.</summary>
    /// <param name="kind">Such as <c>User</c> or <c>Organization Membership</c>.</param>
    public static AuthKitError EntityNotFound(string kind, string id) =>
        new(
            StatusCodes.Status404NotFound,
            new AuthKitErrorBody { Message = $"{kind} not found: '{id}'.", Code = "entity_not_found", EntityId = id });

    public static AuthKitError MissingScope(string scope) =>
        Plain("insufficient_scope", $"The API key lacks the scope '{scope}'.", StatusCodes.Status403Forbidden);

    public static AuthKitError TooManyRequests(TimeSpan wait) =>
        OAuth("too_many_requests", "Too many wrong attempts. Try again later.", StatusCodes.Status429TooManyRequests) with
        {
            Wait = wait,
        };

    /// <summary>Through no fault of the request; the SDKs try again by themselves.</summary>
    public static AuthKitError Unavailable(Unavailable why) =>
        OAuth(Http.Unavailable.Code, why.Description, StatusCodes.Status503ServiceUnavailable) with
        {
            Why = why,
        };

    /// <summary>A body that can't be read, as RFC 6749 section 5.2 names it: <c>invalid_request</c>. The status tells what was wrong with it.</summary>
    public AuthKitError AsOAuth() =>
        OAuth("invalid_request", Body.Message!, Status == StatusCodes.Status413PayloadTooLarge ? Status : StatusCodes.Status400BadRequest);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.CacheControl = "no-store";
        if (Body.Code is { } code)
            httpContext.NoteRefusal(code);
        if (Wait is { } wait)
            RetryAfter.Set(httpContext.Response, wait);
        Why?.Announce(httpContext);
        return new JsonAnswer<AuthKitErrorBody>(Body, AuthKitJson.Default.AuthKitErrorBody, Status).ExecuteAsync(httpContext);
    }
}

/// <summary>Everything that a refusal may carry; what is null is left out.</summary>
public sealed record AuthKitErrorBody
{
    public string? Error { get; init; }

    public string? ErrorDescription { get; init; }

    public string? Code { get; init; }

    public string? Message { get; init; }

    public IReadOnlyList<FieldError>? Errors { get; init; }

    public string? EntityId { get; init; }

    public string? PendingAuthenticationToken { get; init; }

    public UserJson? User { get; init; }

    public IReadOnlyList<NamedOrganization>? Organizations { get; init; }

    public IReadOnlyList<TypedFactor>? AuthenticationFactors { get; init; }

    public string? Email { get; init; }

    public string? EmailVerificationId { get; init; }

    public IReadOnlyList<string>? ConnectionIds { get; init; }

    public IReadOnlyList<string>? SsoConnectionIds { get; init; }

    public IReadOnlyDictionary<string, bool>? AuthMethods { get; init; }
}

/// <summary>One thing wrong with a request.</summary>
public sealed record FieldError(string Code, string Message, string? Field = null);

/// <summary>An organization that can be chosen.</summary>
public sealed record NamedOrganization(string Id, string Name);

/// <summary>A factor that can be proved.</summary>
public sealed record TypedFactor(string Id, string Type);
