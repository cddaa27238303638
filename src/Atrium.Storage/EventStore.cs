using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Which events are asked for.</summary>
public sealed record EventFilter
{
    /// <summary>Of one of these types; empty for all.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    public Id<Organization>? Organization { get; init; }

    public Id<User>? User { get; init; }

    public string? ClientId { get; init; }

    /// <summary>Not earlier than this.</summary>
    public DateTimeOffset? After { get; init; }

    /// <summary>Earlier than this.</summary>
    public DateTimeOffset? Before { get; init; }
}

/// <summary>A part of the log.</summary>
/// <param name="Next">Where to go on, in the direction of the page.</param>
/// <param name="HasMore">Whether there is anything left to look at now.</param>
public sealed record EventPage(IReadOnlyList<Event> Events, long Next, bool HasMore);

/// <summary>The log of what happened. It is the audit log, and the outbox that webhooks are sent from.</summary>
public sealed class EventStore(Database database)
{
    /// <summary>
    /// A page looks at no more events than this: one that finds few ends early and says that there is more, so that it costs the same
    /// however much of the log nobody asked for.
    /// </summary>
    public const int MostLookedAt = 5000;

    /// <summary>Sequenced in one transaction.</summary>
    private const int BatchSize = 500;

    private const string Columns =
        "realm_id, id, position, type, created_at, subject, organization_id, user_id, client_id, actor, request_id, data, changed";

    /// <summary>The reader that has come as far as the log goes.</summary>
    private const string LogItself = "log";

    /// <summary>Tells the log of something that changes nothing else.</summary>
    public Task RecordAsync(Id<Realm> realm, EventDraft happened, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            (_, log) =>
            {
                log.Add(happened);
                return Task.FromResult(true);
            },
            cancellationToken);

    /// <summary>The realms in which something happened that has no place in the log yet.</summary>
    public Task<IReadOnlyList<Id<Realm>>> RealmsWithFreshAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Realm>>>(
            static async connection =>
            [
                .. await connection.QueryAsync<Id<Realm>>(
                    "SELECT DISTINCT realm_id FROM fresh_events"),
            ],
            cancellationToken);

    /// <summary>
    /// Gives what happened in a realm its places in the log: one after the other, whoever else is at it. What is committed later comes later.
    /// </summary>
    public async Task SequenceAsync(Id<Realm> realm, CancellationToken cancellationToken)
    {
        int moved;
        do
        {
            if (!await HasFreshAsync(realm, cancellationToken))
                return;
            moved = await database.WriteAndTellAsync(Change.OfEvents(realm), connection => MoveAsync(connection, realm), cancellationToken);
        }
        while (moved == BatchSize);
    }

    /// <summary>Events in the order of the log, behind a position: what whoever passes them on reads.</summary>
    public Task<IReadOnlyList<Event>> ReadAsync(Id<Realm> realm, long after, int limit, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Event>>(
            async connection =>
            [
                .. await connection.QueryAsync<Event>(
                    $"SELECT {Columns} FROM events WHERE realm_id = @realm AND position > @after ORDER BY position LIMIT @limit", new { realm, after, limit }),
            ],
            cancellationToken);

    public Task<Event?> FindAsync(Id<Realm> realm, Id<Event> id, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleOrDefaultAsync<Event>(
                $"SELECT {Columns} FROM events WHERE realm_id = @realm AND id = @id", new { realm, id }),
            cancellationToken);

    /// <summary>A page of the log.</summary>
    /// <param name="ascending">Oldest first, from behind <paramref name="cursor"/> on; newest first otherwise, from in front of it.</param>
    public Task<EventPage> ListAsync(
        Id<Realm> realm, EventFilter filter, long? cursor, bool ascending, int limit, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm, limit = limit + 1, MostLookedAt, LogItself });
        string order = ascending ? "ASC" : "DESC";
        string looked = $"SELECT {Columns} FROM events WHERE realm_id = @realm{Indexed(filter, parameters)}{Range(filter, cursor, ascending, parameters)} ORDER BY position {order} LIMIT @MostLookedAt";
        string sought = Sought(filter, parameters);
        return database.ReadTogetherAsync(
            $"""
            SELECT * FROM ({looked}) looked WHERE {sought} ORDER BY position {order} LIMIT @limit;
            SELECT count(*) AS count, {(ascending ? "max" : "min")}(position) AS last FROM ({looked}) looked;
            SELECT position FROM event_positions WHERE realm_id = @realm AND reader = @LogItself
            """,
            parameters,
            async results =>
            {
                List<Event> found = [.. await results.ReadAsync<Event>()];
                (long count, long? last) = await results.ReadSingleAsync<(long, long?)>();
                if (found.Count > limit)
                {
                    found.RemoveAt(limit);
                    return new EventPage(found, found[^1].Position, HasMore: true);
                }

                // Whoever has seen all that there is goes on behind all of it, and not behind the last of the few that they want.
                long end = await results.ReadSingleOrDefaultAsync<long?>() ?? 0;
                bool more = count == MostLookedAt;
                return new EventPage(found, more || !ascending ? last ?? 0 : Math.Max(end, cursor ?? 0), more);
            },
            cancellationToken);
    }

    /// <summary>The one condition whose index the page is read from: the rarest.</summary>
    private static string Indexed(EventFilter filter, DynamicParameters parameters)
    {
        if (filter.User is { } user)
        {
            parameters.Add("user", user);
            return " AND user_id = @user";
        }

        if (filter.Organization is { } organization)
        {
            parameters.Add("organization", organization);
            return " AND organization_id = @organization";
        }

        if (filter.Types is not [{ } only])
            return "";
        parameters.Add("type", only);
        return " AND type = @type";
    }

    /// <summary>The positions that come into question. Times grow with positions, so a time is the position of the first event from then on.</summary>
    private static string Range(EventFilter filter, long? cursor, bool ascending, DynamicParameters parameters)
    {
        string range = "";
        if (cursor is { } from)
        {
            range += ascending ? " AND position > @cursor" : " AND position < @cursor";
            parameters.Add("cursor", from);
        }

        if (filter.After is { } after)
        {
            range += " AND position >= coalesce((SELECT position FROM events WHERE realm_id = @realm AND created_at >= @after ORDER BY created_at, position LIMIT 1), 9223372036854775807)";
            parameters.Add("after", after);
        }

        if (filter.Before is { } before)
        {
            range += " AND position < coalesce((SELECT position FROM events WHERE realm_id = @realm AND created_at >= @before ORDER BY created_at, position LIMIT 1), 9223372036854775807)";
            parameters.Add("before", before);
        }

        return range;
    }

    private static string Sought(EventFilter filter, DynamicParameters parameters)
    {
        List<string> conditions = ["TRUE"];
        if (filter.Organization is { } organization)
        {
            parameters.Add("soughtOrganization", organization);
            conditions.Add("organization_id = @soughtOrganization");
        }

        if (filter.ClientId is { } client)
        {
            parameters.Add("soughtClient", client);
            conditions.Add("client_id = @soughtClient");
        }

        if (filter.Types.Count > 0)
        {
            parameters.Add("soughtTypes", filter.Types);
            conditions.Add("type IN @soughtTypes");
        }

        return string.Join(" AND ", conditions);
    }

    private Task<bool> HasFreshAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM fresh_events WHERE realm_id = @realm)", new { realm }),
            cancellationToken);

    private async Task<int> MoveAsync(DbConnection connection, Id<Realm> realm)
    {
        await connection.ExecuteAsync(
            "INSERT INTO event_positions (realm_id, reader, position) VALUES (@realm, @LogItself, 0) ON CONFLICT DO NOTHING", new { realm, LogItself });
        long last = await connection.ExecuteScalarAsync<long>(
            $"SELECT position FROM event_positions WHERE realm_id = @realm AND reader = @LogItself{database.ForUpdateOf("event_positions")}",
            new { realm, LogItself });

        // A clock that runs behind another node's does not take the log's time back.
        long time = await connection.ExecuteScalarAsync<long?>(
            "SELECT created_at FROM events WHERE realm_id = @realm AND position = @last", new { realm, last }) ?? 0;
        int moved = await connection.ExecuteAsync(
            $"""
            INSERT INTO events ({Columns})
            SELECT realm_id, id, @last + place, type, CASE WHEN latest < @time THEN @time ELSE latest END,
                subject, organization_id, user_id, client_id, actor, request_id, data, changed
            FROM (SELECT fresh.*, row_number() OVER (ORDER BY inserted_at, id) AS place, max(created_at) OVER (ORDER BY inserted_at, id) AS latest
                FROM (SELECT * FROM fresh_events WHERE realm_id = @realm ORDER BY inserted_at, id LIMIT {BatchSize}) fresh) placed
            """,
            new { realm, last, time });
        await connection.ExecuteAsync(
            "DELETE FROM fresh_events WHERE realm_id = @realm AND id IN (SELECT id FROM events WHERE realm_id = @realm AND position > @last)", new { realm, last });
        await connection.ExecuteAsync(
            "UPDATE event_positions SET position = @last + @moved WHERE realm_id = @realm AND reader = @LogItself", new { realm, last, moved, LogItself });
        return moved;
    }
}
