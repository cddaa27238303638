using Atrium.Core.Realms;
using System.Text.Json.Serialization;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>People's standing sign-ins, as a back end sees and ends them.</summary>
public static class SessionsEndpoints
{
    public static void MapSessions(this RouteGroupBuilder api)
    {
        api.MapGet("/user_management/users/{id}/sessions", ListAsync).Needs(ApiScopes.UsersRead);
        api.MapPost("/user_management/sessions/revoke", RevokeAsync).Needs(ApiScopes.SessionsWrite);
    }

    private static async Task<IResult> ListAsync(
        string id, HttpContext context, UserStore users, SessionStore sessions, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!ListQuery<Session>.TryRead(context.Request, out ListQuery<Session>? query, out AuthKitError? error))
            return error;
        Caller caller = context.Caller();
        if (Id<User>.Parse(id) is not { } user || await users.FindAsync(caller.Realm, user, cancellationToken) is null)
            return UsersEndpoints.NotFound(id);

        DateTimeOffset now = clock.GetUtcNow();
        Page<Session> page = await sessions.ListLiveAsync(caller.Realm, user, now, query.Page, cancellationToken);
        IReadOnlyDictionary<Id<Session>, Id<Organization>> organizations =
            await sessions.OrganizationsAsync(caller.Realm, [.. page.Items.Select(static session => session.Id)], cancellationToken);
        return new JsonAnswer<ListJson<SessionJson>>(
            query.ToJson(
                page,
                static session => session.Id,
                session => SessionJson.From(session, organizations.TryGetValue(session.Id, out Id<Organization> organization) ? organization : null, now)),
            AuthKitJson.Default.ListJsonSessionJson);
    }

    /// <summary>Ending a session that has ended is no mistake.</summary>
    private static async Task<IResult> RevokeAsync(
        HttpContext context, SessionStore sessions, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? unreadable, out Fields? fields))
            return unreadable;
        string id = fields.RequiredText("session_id");
        if (fields.Error is { } wrong)
            return wrong;

        Caller caller = context.Caller();
        DateTimeOffset now = clock.GetUtcNow();
        return Id<Session>.Parse(id) is { } parsed
            ? Ended(await sessions.EndAsync(caller.Realm, parsed, SessionEnd.Revoked, now, context.Origin<Session>(Ended), cancellationToken))
            : Ended(null);

        IResult Ended(Session? session) => session is null
            ? AuthKitError.EntityNotFound("Session", id)
            : new JsonAnswer<SessionJson>(
                SessionJson.From(session with { EndedAt = session.EndedAt ?? now }, organization: null, now), AuthKitJson.Default.SessionJson);
    }
}

/// <summary>A session (<c>UserSession</c>).</summary>
public sealed record SessionJson
{
    [JsonPropertyName("object")]
    public string Kind => "session";

    public required string Id { get; init; }

    public required string UserId { get; init; }

    public required string? OrganizationId { get; init; }

    public required string AuthMethod { get; init; }

    public required string Status { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? IpAddress { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? UserAgent { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? EndedAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public static SessionJson From(Session session, Id<Organization>? organization, DateTimeOffset now) => new()
    {
        Id = session.Id.ToString(),
        UserId = session.UserId.ToString(),
        OrganizationId = organization?.ToString(),
        AuthMethod = session.Proofs is [{ Method: AuthenticationMethod.EmailCode }, ..] ? "magic_code" : "password",
        Status = session.EndedAt is not null ? "revoked" : session.IsLive(now) ? "active" : "expired",
        IpAddress = session.IpAddress,
        UserAgent = session.UserAgent,
        ExpiresAt = session.ExpiresAt,
        EndedAt = session.EndedAt,
        CreatedAt = session.CreatedAt,
        UpdatedAt = session.UpdatedAt,
    };
}
