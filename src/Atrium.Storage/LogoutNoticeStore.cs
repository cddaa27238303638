using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Dapper;

namespace Atrium.Storage;

/// <summary>A client that has something to be told.</summary>
public sealed record ClientWithNotices
{
    public required Id<Realm> RealmId { get; init; }

    public required Id<Client> ClientId { get; init; }
}

/// <summary>
/// Whom to tell that a session has ended. The transaction that ends a session queues a notice for every client that has a grant of it and an address to
/// be told at.
/// </summary>
public sealed class LogoutNoticeStore(Database database)
{
    private const string Columns =
        "realm_id, session_id, client_id, door, organization_id, user_id, attempts, last_error, created_at, expires_at";

    /// <summary>Sessions <c>s</c> that the transaction has ended at <c>@now</c>.</summary>
    internal const string EndedNow = "s.ended_at = @now";

    private readonly LeasedQueue queue = new(
        database, "logout_notices", "session_id, client_id, door", "session_id = @SessionId AND client_id = @ClientId AND door = @Door", Columns);

    /// <summary>The statement that queues what is to be told of sessions <c>s</c>; with <c>@realm</c> and <c>@now</c>.</summary>
    /// <param name="which">Which sessions.</param>
    internal static string QueueText(string which) =>
        $"""
        INSERT INTO logout_notices ({Columns}, due_at)
        SELECT DISTINCT g.realm_id, g.session_id, g.client_id, g.door, g.organization_id, g.user_id, 0, NULL, @now, @now + {(long)LogoutNotice.Patience.TotalMilliseconds}, @now
        FROM sessions s
            JOIN grants g ON g.realm_id = s.realm_id AND g.session_id = s.id
            JOIN clients c ON c.realm_id = g.realm_id AND c.id = g.client_id AND c.backchannel_logout
        WHERE s.realm_id = @realm AND {which}
        ON CONFLICT DO NOTHING
        """;

    internal static async Task QueueAsync(DbConnection connection, EventLog log, Id<Realm> realm, string which, object parameters)
    {
        if (await connection.ExecuteAsync(QueueText(which), parameters) > 0)
            log.TellAfter(Change.OfLogoutNotices(realm));
    }

    /// <summary>The clients that have something to be told now.</summary>
    public Task<IReadOnlyList<ClientWithNotices>> ClientsWithDueAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<ClientWithNotices>>(
            async connection =>
            [
                .. await connection.QueryAsync<ClientWithNotices>(
                    "SELECT DISTINCT n.realm_id, n.client_id FROM logout_notices n JOIN realms r ON r.id = n.realm_id AND r.deleted_at IS NULL WHERE n.due_at <= @now", new { now }),
            ],
            cancellationToken);

    /// <summary>Takes notices of a client; nobody else gets them until <paramref name="until"/>.</summary>
    public Task<IReadOnlyList<LogoutNotice>> TakeAsync(
        Id<Realm> realm, Id<Client> client, int count, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellationToken) =>
        queue.TakeAsync<LogoutNotice>(realm, " AND client_id = @client", new DynamicParameters(new { client }), count, now, until, cancellationToken);

    public Task ToldAsync(LogoutNotice notice, CancellationToken cancellationToken) => queue.DoneAsync(Row(notice), cancellationToken);

    public Task RetryAsync(LogoutNotice notice, string error, DateTimeOffset dueAt, CancellationToken cancellationToken) =>
        queue.RetryAsync(Row(notice), error, dueAt, cancellationToken);

    /// <summary>The client was not told, or could not do what it was told; the log says so.</summary>
    public Task GiveUpAsync(LogoutNotice notice, Client client, string error, CancellationToken cancellationToken) =>
        database.RecordAsync(
            notice.RealmId,
            Origin.System,
            async (connection, log) =>
            {
                if (await queue.RemoveAsync(connection, Row(notice)) == 0)
                    return false;
                LogoutNoticeResource shown = LogoutNoticeResource.Of(notice, client, error);
                log.Add(EventDraft.Of(EventTypes.SessionLogoutFailed, shown.SessionId, shown, ResourceJson.Default.LogoutNoticeResource) with
                {
                    UserId = notice.UserId, ClientId = client.ClientId,
                });
                return true;
            },
            cancellationToken);

    private static object Row(LogoutNotice notice) =>
        new { notice.RealmId, notice.SessionId, notice.ClientId, Door = notice.Door.ToString(), notice.Attempts };
}
