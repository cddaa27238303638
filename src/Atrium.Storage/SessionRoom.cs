using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>
/// How many sessions a person may have: one more ends the oldest. A sign-in finds out by itself whether there is room; only one that finds none asks
/// which sessions must go, and ends them with what it makes. Two at once may both find room, or end the same one; the next one makes up for it.
/// </summary>
internal static class SessionRoom
{
    public const int Most = 50;

    /// <summary>No sign-in ends more than this, should there be more from before.</summary>
    private const int MostAtOnce = 100;

    /// <summary>The person's sessions that live <c>@now</c>; the same as <see cref="Session.IsLive"/>.</summary>
    private const string Live =
        "user_id = @user AND ended_at IS NULL AND expires_at > @now AND last_used_at + idle_timeout * 1000 > @now";

    /// <summary>Room for one more.</summary>
    public static readonly string Condition = $"(SELECT count(*) FROM (SELECT 1 AS one FROM sessions WHERE realm_id = @realm AND {Live} LIMIT {Most}) held) < {Most}";

    /// <summary>The sessions that must go for one more, the newest first.</summary>
    public static async Task<IReadOnlyList<Session>> DisplacedAsync(DbConnection connection, Id<Realm> realm, Id<User> user, DateTimeOffset now) =>
    [
        .. await connection.QueryAsync<Session>(
            $"SELECT {SessionStore.Columns} FROM sessions WHERE realm_id = @realm AND {Live} ORDER BY id DESC LIMIT {MostAtOnce} OFFSET {Most - 1}", new { realm, user, now }),
    ];
}
