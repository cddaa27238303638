using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Users;

/// <summary><c>/users/{id}/sessions</c>: a person's standing sign-ins, those that are over and not cleaned away yet too.</summary>
public static class SessionsEndpoints
{
    public static void MapSessions(this RouteGroupBuilder users)
    {
        RouteGroupBuilder sessions = users.MapGroup("/{id}/sessions").WithTags("Sessions");
        sessions.MapGet("", ListAsync).Needs(ApiScopes.SessionsRead).TakesPage<Session>()
            .WithSummary("Lists a person's sessions, those that have ended lately too.").AnswersMany<SessionResource>();
        sessions.MapDelete("", EndAllAsync).Needs(ApiScopes.SessionsWrite)
            .WithSummary("Ends all of a person's sessions, with every grant that came from them.").AnswersNothing();
        sessions.MapGet("/{session}", GetAsync).Needs(ApiScopes.SessionsRead).WithSummary("Shows a session.").AnswersOne<SessionResource>();
        sessions.MapDelete("/{session}", EndAsync).Needs(ApiScopes.SessionsWrite)
            .WithSummary("Ends a session, with every grant that came from it.").AnswersNothing();
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, string id, UserStore users, SessionStore sessions, CancellationToken cancellationToken)
    {
        return await UsersEndpoints.FindAsync(context, id, users, cancellationToken) is { } user
            ? Many.Of(
                await sessions.ListAsync(user.RealmId, user.Id, context.Page<Session>(), cancellationToken),
                SessionResource.Of,
                ResourceJson.Default.SessionResource,
                static session => session.Id.ToString())
            : ManagementError.NotFound;
    }

    private static async Task<IResult> EndAllAsync(
        HttpContext context, string id, UserStore users, SessionStore sessions, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await UsersEndpoints.FindAsync(context, id, users, cancellationToken) is not { } user)
            return ManagementError.NotFound;
        await sessions.EndAllAsync(user.RealmId, user.Id, SessionEnd.Revoked, clock.GetUtcNow(), context.Origin(), cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> GetAsync(
        HttpContext context, string id, string session, SessionStore sessions, CancellationToken cancellationToken) =>
        Id<User>.Parse(id) is { } user && Id<Session>.Parse(session) is { } known
            && await sessions.FindAsync(context.Caller().Realm, user, known, cancellationToken) is { } found
            ? new One<SessionResource>(SessionResource.Of(found), ResourceJson.Default.SessionResource)
            : ManagementError.NotFound;

    private static async Task<IResult> EndAsync(
        HttpContext context, string id, string session, SessionStore sessions, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (Id<User>.Parse(id) is not { } user || Id<Session>.Parse(session) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        Session? ended = await sessions.EndAsync(
            context.Caller().Realm,
            user,
            known,
            found => deletion.Allows(SessionResource.Of(found), ResourceJson.Default.SessionResource),
            SessionEnd.Revoked,
            clock.GetUtcNow(),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(ended is not null);
    }
}
