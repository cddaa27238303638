using System.Text.Json.Serialization;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Hosting;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.AppNative;

/// <summary>
/// A final failure of the app-native door, as a value: HTTP status, code, and two sentences. The codes are those of the wire contract,
/// section 1.2; what can be tried again is no error but an answer of the flow.
/// </summary>
public sealed record AppNativeError(int Status, string Code, string Message, string Description)
{
    public static readonly AppNativeError Unauthorized = new(
        StatusCodes.Status401Unauthorized, "401", "Unauthorized", "The client did not authenticate as it must.");

    public static readonly AppNativeError TooLarge = new(
        StatusCodes.Status413PayloadTooLarge, "ABA-60001", "Invalid request.", "The request body is too large.");

    /// <summary>Lost against another answer to the same flow. The flow goes on where the other one has brought it.</summary>
    public static readonly AppNativeError Conflict = Invalid(
        "Another request for this flow was answered first. Send one answer at a time.");

    public static readonly AppNativeError AuthenticatorUndecodable = new(
        StatusCodes.Status400BadRequest, "ABA-60004", "Invalid authenticator identifier.", "The authenticatorId cannot be decoded.");

    public static readonly AppNativeError ClientUnknown = new(
        StatusCodes.Status400BadRequest, "ABA-60005", "Application not found.", "There is no application of this client_id here.");

    public static readonly AppNativeError NotEnabled = new(
        StatusCodes.Status400BadRequest,
        "ABA-60007",
        "App-native authentication is not enabled.",
        "App-native authentication is not enabled for this application.");

    public static readonly AppNativeError FlowUnknown = new(
        StatusCodes.Status400BadRequest, "ABA-60009", "Invalid flow identifier.", "The flow is unknown, finished or expired. Start a new one.");

    public static readonly AppNativeError ClientDisabled = new(
        StatusCodes.Status400BadRequest, "ABA-60011", "Application disabled.", "This application is disabled.");

    public static readonly AppNativeError AuthenticatorNotOffered = new(
        StatusCodes.Status400BadRequest,
        "ABA-60012",
        "Unsupported authenticator.",
        "The selected authenticator is not an option of the flow's current step.");

    /// <summary>One answer for an organization that is malformed, unknown, not shared with the client, suspended, or not the flow's own.</summary>
    public static readonly AppNativeError OrganizationUnavailable = AuthenticationFailed(
        "The application does not have access to this organization.");

    private static readonly AppNativeError ConnectionRequired = new(
        StatusCodes.Status501NotImplemented,
        "ABA-60006",
        "Authenticator not supported.",
        "The organization signs people in through an identity provider of its own, which app-native authentication does not support.");

    public static AppNativeError Invalid(string description) =>
        new(StatusCodes.Status400BadRequest, "ABA-60001", "Invalid request.", description);

    /// <summary>The flow is over.</summary>
    public static AppNativeError AuthenticationFailed(string description) =>
        new(StatusCodes.Status400BadRequest, "ABA-60002", "Authentication failed.", description);

    /// <summary>Why a step cannot be shown by this door; null for one that can.</summary>
    public static AppNativeError? Of(SignInStep step) => step switch
    {
        SignInStep.EnrolFactor => AuthenticationFailed("A second factor is required, and none is enrolled."),
        SignInStep.VerifyEmail => AuthenticationFailed("The e-mail address must be verified first."),
        SignInStep.UseConnection => ConnectionRequired,
        SignInStep.Refuse refuse => refuse.Reason switch
        {
            SignInRefusal.Expired => FlowUnknown,
            SignInRefusal.ClientDisabled => ClientDisabled,
            SignInRefusal.NotFirstParty => NotEnabled,
            SignInRefusal.UserDisabled => AuthenticationFailed("The account is disabled."),
            SignInRefusal.MethodNotAllowed => AuthenticationFailed("The organization allows no way of signing in that there is here."),
            SignInRefusal.TooManyTries => AuthenticationFailed("Too many wrong codes. Start a new flow."),
            _ => OrganizationUnavailable,
        },
        _ => null,
    };

    /// <summary>Too many wrong guesses lately: nothing was checked, and the flow stands where it stood (RFC 6585 section 4).</summary>
    public static IResult Limited(HttpContext context, TimeSpan wait)
    {
        RetryAfter.Set(context.Response, wait);
        return new AppNativeError(StatusCodes.Status429TooManyRequests, "429", "Too many requests.", "Too many wrong tries. Wait before the next one.").Answer(context);
    }

    /// <summary>Through no fault of the request.</summary>
    public static IResult Unavailable(HttpContext context, Unavailable why)
    {
        IResult answer = new AppNativeError(StatusCodes.Status503ServiceUnavailable, "ABA-65001", "Unable to proceed.", why.Description).Answer(context);
        why.Announce(context);
        return answer;
    }

    /// <summary>A start that the server can't take just now; null where a person's browser is waiting for a page.</summary>
    public static IResult? UnavailableStart(HttpContext context, Unavailable why) =>
        IsStartByProgram(context.Request) || context.Request.Query["response_mode"] == "direct" ? Unavailable(context, why) : null;

    /// <summary>A start of which nothing could be read, not even that it is one; null where a person's browser is waiting for a page.</summary>
    public static IResult? UnreadableStart(HttpContext context, OAuthError error) =>
        IsStartByProgram(context.Request)
            ? (error.Status == StatusCodes.Status413PayloadTooLarge ? TooLarge : Invalid(error.Sentence)).ToAnswer(context, context.Realm())
            : null;

    /// <summary>A start below a realm that does not exist; null where a person's browser is waiting for a page.</summary>
    public static IResult? StartInUnknownRealm(HttpContext context) =>
        IsStartByProgram(context.Request) ? ClientUnknown.ToAnswer(context, realm: null) : null;

    public IResult ToAnswer(HttpContext context, Realm? realm)
    {
        // RFC 9110 section 15.5.2: a 401 always names a way to authenticate.
        if (Status == StatusCodes.Status401Unauthorized && realm is not null)
            context.Response.Headers.WWWAuthenticate = $"Basic realm=\"{realm.Handle}\"";
        return Answer(context);
    }

    /// <summary>Applications that draw their own screens post to the <c>/oauth2</c> path, and no page is any use to them.</summary>
    private static bool IsStartByProgram(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && !request.WantsPage() && request.Path.Value?.Contains("/oauth2/", StringComparison.Ordinal) == true;

    private JsonAnswer<AppNativeErrorBody> Answer(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.NoteRefusal(Code);
        return new(new AppNativeErrorBody(Code, Message, Description, TraceIdOf(context)), AppNativeJson.Relaxed.AppNativeErrorBody, Status);
    }

    /// <summary>The contract wants a UUID: the one inside the request's id, so that it leads to the same lines of the log.</summary>
    private static string TraceIdOf(HttpContext context) =>
        Guid.TryParse(context.TraceIdentifier.AsSpan(context.TraceIdentifier.IndexOf('_', StringComparison.Ordinal) + 1), out Guid trace)
            ? trace.ToString()
            : Guid.NewGuid().ToString();
}

public sealed record AppNativeErrorBody(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("description")] string Description,
    [property: JsonPropertyName("traceId")] string TraceId);
