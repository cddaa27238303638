using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Standing sign-ins.</summary>
public sealed class SessionStore(Database database)
{
    internal const string Columns =
        "realm_id, id, user_id, proofs, authenticated_at, ip_address, user_agent, created_at, updated_at, last_used_at, idle_timeout, expires_at, ended_at, end_reason";

    /// <summary>The session <c>s</c> that is named, and each whose place one of them took.</summary>
    private const string InBrowser =
        """
        s.id IN (
            WITH RECURSIVE replaced (id) AS (
                SELECT id FROM sessions WHERE realm_id = @realm AND id = @session
                UNION
                SELECT former.id FROM sessions former JOIN replaced ON former.replaced_by = replaced.id WHERE former.realm_id = @realm)
            SELECT id FROM replaced)
        """;

    public Task<Session?> FindAsync(Id<Realm> realm, Id<Session> session, CancellationToken cancellationToken) =>
        FindAsync(realm, user: null, session, cancellationToken);

    /// <param name="user">Whose it must be, if that is asked.</param>
    public Task<Session?> FindAsync(Id<Realm> realm, Id<User>? user, Id<Session> session, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Session>(
                $"SELECT {Columns} FROM sessions WHERE realm_id = @realm AND id = @session{Of(user)}", new { realm, session, user }),
            cancellationToken);

    /// <summary>When the realm's last session was made.</summary>
    public Task<DateTimeOffset?> NewestAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.QueryAsync(
            async connection => await connection.QueryFirstOrDefaultAsync<long?>(
                "SELECT created_at FROM sessions WHERE realm_id = @realm ORDER BY id DESC LIMIT 1", new { realm }) is { } made
                ? DateTimeOffset.FromUnixTimeMilliseconds(made)
                : (DateTimeOffset?)null,
            cancellationToken);

    /// <summary>The session of a browser's cookie.</summary>
    public Task<Session?> FindByCookieAsync(Id<Realm> realm, SecretHash cookie, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Session>(
                $"SELECT {Columns} FROM sessions WHERE realm_id = @realm AND cookie_hash = @cookie", new { realm, cookie }),
            cancellationToken);

    /// <summary>
    /// The session that a sign-out names, with the sign-out pages registered by the AuthKit clients that have something from it. The address of
    /// the contract has the session's id and nothing else, so this looks without the realm, for one thing: to end what the id already names.
    /// </summary>
    public Task<(Session Session, IReadOnlyList<string> Pages)?> FindForSignOutAsync(Id<Session> session, CancellationToken cancellationToken) =>
        database.ReadAsync<(Session, IReadOnlyList<string>)?>(
            async connection =>
            {
                Session? found = await connection.QuerySingleOrDefaultAsync<Session>(
                    $"SELECT {Columns} FROM sessions WHERE id = @session", new { session });
                if (found is null)
                    return null;
                IEnumerable<Client> clients = await connection.QueryAsync<Client>(
                    $"""
                    SELECT {ClientStore.Columns} FROM clients
                    WHERE realm_id = @RealmId AND id IN (SELECT client_id FROM grants WHERE realm_id = @RealmId AND session_id = @Id)
                    ORDER BY id
                    """,
                    new { found.RealmId, found.Id });
                return (found, [.. clients.Where(static client => client.Settings.Authkit.Enabled).SelectMany(static client => client.PostLogoutRedirectUris)]);
            },
            cancellationToken);

    /// <summary>A page of a person's live sessions.</summary>
    public Task<Page<Session>> ListLiveAsync(
        Id<Realm> realm, Id<User> user, DateTimeOffset now, PageRequest<Session> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"SELECT {Columns} FROM sessions WHERE realm_id = @realm AND user_id = @user AND ended_at IS NULL AND expires_at > @now AND last_used_at + idle_timeout * 1000 > @now",
                "id",
                new DynamicParameters(new { realm, user, now }),
                page),
            cancellationToken);

    /// <summary>A page of a person's sessions, those that are over and not cleaned away yet too.</summary>
    public Task<Page<Session>> ListAsync(Id<Realm> realm, Id<User> user, PageRequest<Session> page, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QueryPageAsync(
                $"SELECT {Columns} FROM sessions WHERE realm_id = @realm AND user_id = @user", "id", new DynamicParameters(new { realm, user }), page),
            cancellationToken);

    /// <summary>The organizations that the newest grants of these sessions speak of, for those that speak of one.</summary>
    public Task<IReadOnlyDictionary<Id<Session>, Id<Organization>>> OrganizationsAsync(
        Id<Realm> realm, IReadOnlyList<Id<Session>> sessions, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyDictionary<Id<Session>, Id<Organization>>>(
            async connection =>
            {
                Dictionary<Id<Session>, Id<Organization>> newest = [];
                DynamicParameters parameters = new(new { realm });
                foreach (SessionOrganization row in await connection.QueryAsync<SessionOrganization>(
                    $"""
                    SELECT session_id, organization_id FROM grants
                    WHERE realm_id = @realm AND session_id IN {parameters.AddIds("session", sessions)} ORDER BY created_at, id
                    """,
                    parameters))
                {
                    if (row.OrganizationId is { } organization)
                        newest[row.SessionId] = organization;
                }

                return newest;
            },
            cancellationToken);

    /// <summary>
    /// Ends a session and every grant that came from it where <paramref name="mayEnd"/>, which is pure, says so; the session as it was before. That it
    /// was over already is no mistake. Null when it may not, or there is none.
    /// </summary>
    /// <param name="user">Whose it must be, if that is asked.</param>
    public Task<Session?> EndAsync(
        Id<Realm> realm,
        Id<User>? user,
        Id<Session> session,
        Func<Session, bool> mayEnd,
        SessionEnd reason,
        DateTimeOffset now,
        Origin origin,
        CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) =>
            {
                Session? found = await connection.QuerySingleOrDefaultAsync<Session>(
                    $"SELECT {Columns} FROM sessions WHERE realm_id = @realm AND id = @session{Of(user)}{database.ForUpdateOf("sessions")}",
                    new { realm, session, user });
                if (found is null || !mayEnd(found))
                    return null;
                await EndAsync(connection, log, realm, "s.id = @session", new { realm, session, reason = reason.ToString(), now }, now);
                return found;
            },
            cancellationToken);

    /// <summary>The same for what the id already names, whoever's it is.</summary>
    public Task<Session?> EndAsync(
        Id<Realm> realm, Id<Session> session, SessionEnd reason, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        EndAsync(realm, user: null, session, static _ => true, reason, now, origin, cancellationToken);

    /// <summary>
    /// Ends what a browser stands for, and with it every grant: this session, and those of the same person whose place it took, by a second sign-in or
    /// by showing more. Those that were live are answered.
    /// </summary>
    public Task<IReadOnlyList<Session>> EndInBrowserAsync(
        Id<Realm> realm, Id<Session> session, SessionEnd reason, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm, origin, (connection, log) => EndAsync(connection, log, realm, InBrowser, new { realm, session, reason = reason.ToString(), now }, now), cancellationToken);

    /// <summary>Ends all of a person's sessions, and with them every grant.</summary>
    public Task<int> EndAllAsync(
        Id<Realm> realm, Id<User> user, SessionEnd reason, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        EndOthersAsync(realm, user, except: null, reason, now, origin, cancellationToken);

    /// <summary>Ends all of a person's sessions but this one, and with them every grant.</summary>
    /// <param name="except">Null to end all.</param>
    public Task<int> EndOthersAsync(
        Id<Realm> realm, Id<User> user, Id<Session>? except, SessionEnd reason, DateTimeOffset now, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            async (connection, log) => (await EndAsync(
                connection,
                log,
                realm,
                except is null ? "s.user_id = @user" : "s.user_id = @user AND s.id <> @except",
                new { realm, user, except, reason = reason.ToString(), now },
                now)).Count,
            cancellationToken);

    /// <summary>The clients that have something from a session, and an address for its browser to load when it ends; so many of them at most.</summary>
    public Task<IReadOnlyList<Client>> FrontChannelClientsAsync(Id<Realm> realm, Id<Session> session, int most, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Client>>(
            async connection =>
            [
                .. (await connection.QueryAsync<Client>(
                    $"""
                    SELECT {ClientStore.Columns} FROM clients
                    WHERE realm_id = @realm AND id IN (SELECT client_id FROM grants WHERE realm_id = @realm AND session_id = @session AND door = 'OAuth')
                    ORDER BY id
                    """,
                    new { realm, session })).Where(static client => client.Settings.Logout.FrontchannelUri is not null).Take(most),
            ],
            cancellationToken);

    /// <summary>Makes a session as part of a larger change, where no client is signed in to.</summary>
    internal static async Task InsertAsync(DbConnection connection, EventLog log, Session session, SecretHash? cookie)
    {
        if (await SessionRoom.DisplacedAsync(connection, session.RealmId, session.UserId, session.CreatedAt) is { Count: > 0 } displaced)
        {
            DynamicParameters parameters = new(
                new { realm = session.RealmId, reason = nameof(SessionEnd.Displaced), now = session.CreatedAt });
            string ids = parameters.AddIds("displaced", [.. displaced.Select(static one => one.Id)]);
            await EndAsync(connection, log, session.RealmId, $"s.id IN {ids}", parameters, session.CreatedAt);
        }

        await connection.ExecuteAsync(
            """
            INSERT INTO sessions (realm_id, id, user_id, cookie_hash, proofs, authenticated_at, ip_address, user_agent, created_at, updated_at,
                last_used_at, idle_timeout, expires_at, ended_at)
            VALUES (@RealmId, @Id, @UserId, @cookie, @Proofs, @AuthenticatedAt, @IpAddress, @UserAgent, @CreatedAt, @UpdatedAt,
                @LastUsedAt, @IdleTimeout, @ExpiresAt, NULL)
            """,
            new
            {
                session.RealmId, session.Id, session.UserId, session.Proofs, session.AuthenticatedAt, session.IpAddress, session.UserAgent,
                session.CreatedAt, session.UpdatedAt, session.LastUsedAt, session.IdleTimeout, session.ExpiresAt, cookie,
            });
        await connection.ExecuteAsync(
            "UPDATE users SET last_sign_in_at = @CreatedAt WHERE realm_id = @RealmId AND id = @UserId", new { session.RealmId, session.UserId, session.CreatedAt });
    }

    internal static Task<IReadOnlyList<Session>> EndAllAsync(
        DbConnection connection, EventLog log, Id<Realm> realm, Id<User> user, SessionEnd reason, DateTimeOffset now) =>
        EndAsync(connection, log, realm, "s.user_id = @user", new { realm, user, reason = reason.ToString(), now }, now);

    /// <summary>What the log says of the end of a session.</summary>
    internal static EventDraft EndOf(Session ended) =>
        EventDraft.Of(EventTypes.SessionEnded, ended.Id.ToString(), SessionResource.Of(ended), ResourceJson.Default.SessionResource) with { UserId = ended.UserId };

    /// <summary>
    /// Ends sessions <c>s</c> with the grants that came from them, and queues whom to tell. The log hears nothing of the end of a session that was over by
    /// itself. Sessions come before grants here as in a refresh, so that neither waits for the other.
    /// </summary>
    private static async Task<IReadOnlyList<Session>> EndAsync(
        DbConnection connection, EventLog log, Id<Realm> realm, string which, object parameters, DateTimeOffset now)
    {
        Session[] ended =
        [
            .. (await connection.QueryAsync<Session>(
                $"""
                UPDATE sessions AS s SET ended_at = @now, updated_at = @now, end_reason = @reason
                WHERE realm_id = @realm AND {which} AND ended_at IS NULL RETURNING {Columns}
                """,
                parameters)).OrderBy(static session => session.Id.ToString(), StringComparer.Ordinal),
        ];
        await connection.ExecuteAsync(
            $"""
            UPDATE grants SET ended_at = @now WHERE realm_id = @realm AND ended_at IS NULL
                AND session_id IN (SELECT s.id FROM sessions s WHERE s.realm_id = @realm AND {which})
            """,
            parameters);
        if (ended.Length > 0)
            await LogoutNoticeStore.QueueAsync(connection, log, realm, $"{which} AND {LogoutNoticeStore.EndedNow}", parameters);
        foreach (Session session in ended.Where(session => (session with { EndedAt = null }).IsLive(now)))
            log.Add(EndOf(session));
        return ended;
    }

    private static string Of(Id<User>? user) => user is null ? "" : " AND user_id = @user";

    private sealed record SessionOrganization
    {
        public Id<Session> SessionId { get; init; }

        public Id<Organization>? OrganizationId { get; init; }
    }
}
