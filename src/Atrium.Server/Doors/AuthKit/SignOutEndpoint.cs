using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.SignIns;
using Atrium.Server.Http;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// <c>GET /user_management/sessions/logout</c>: a browser comes here to end the session whose id (<c>sid</c>) the application knows, and
/// goes on to a page that the application registered, to no other.
/// </summary>
public static class SignOutEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/user_management/sessions/logout", AnswerAsync);

    private static async Task<IResult> AnswerAsync(HttpContext context, SessionStore sessions, TimeProvider clock, CancellationToken cancellationToken)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (Single(context, "session_id") is not { } id
            || Id<Session>.Parse(id) is not { } parsed
            || await sessions.FindForSignOutAsync(parsed, cancellationToken) is not var (session, registered))
        {
            return Refuse("The session_id names no session.");
        }

        // RFC 9700 section 4.11: an address that is not registered is never redirected to; the session lives until a good request comes.
        StringValues returnTo = context.Request.Query["return_to"];
        string? target = returnTo.Count == 0
            ? registered.Count > 0 ? registered[0] : null
            : registered.FirstOrDefault(uri => uri == Single(context, "return_to"));
        if (target is null)
            return Refuse("The return_to is not a registered sign-out redirect.");
        Origin person = context.OriginOf(ActorType.User, session.UserId.ToString());
        await sessions.EndAsync(session.RealmId, session.Id, SessionEnd.SignedOut, clock.GetUtcNow(), person, cancellationToken);
        return TypedResults.Redirect(SeeOther.HeaderSafe(target));
    }

    private static string? Single(HttpContext context, string name) => context.Request.Query[name] is [{ Length: > 0 } value] ? value : null;

    private static AuthKitError Refuse(string message) => AuthKitError.MessageOnly(message, StatusCodes.Status422UnprocessableEntity);
}
