using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>
/// Rows that wait to be worked off, each by one node at a time. Who takes one moves <c>due_at</c> to where its time is over, so that a node that dies
/// leaves it to the others, and counts <c>attempts</c>, which tells the taker whether it is still theirs. What is done is deleted; done twice it may
/// be, never not at all.
/// </summary>
/// <param name="Table">Where they are.</param>
/// <param name="Key">What names one within its realm.</param>
/// <param name="One">The same as a condition, with parameters of what was taken.</param>
/// <param name="Columns">What is read of it.</param>
internal sealed record LeasedQueue(Database Database, string Table, string Key, string One, string Columns)
{
    /// <summary>Takes rows that are due; nobody else gets them until <paramref name="until"/>.</summary>
    /// <param name="which">More that they must be, with its parameters among <paramref name="parameters"/>.</param>
    public Task<IReadOnlyList<T>> TakeAsync<T>(
        Id<Realm> realm, string which, DynamicParameters parameters, int count, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellationToken)
    {
        parameters.AddDynamicParams(new { realm, count, now, until });
        return Database.WriteAsync<IReadOnlyList<T>>(
            async connection =>
            [
                .. await connection.QueryAsync<T>(
                    $"""
                    WITH due AS MATERIALIZED (
                        SELECT {Key} FROM {Table} WHERE realm_id = @realm AND due_at <= @now{which} ORDER BY due_at LIMIT @count{Database.SkipLocked})
                    UPDATE {Table} SET due_at = @until, attempts = attempts + 1 WHERE realm_id = @realm AND ({Key}) IN (SELECT * FROM due)
                    RETURNING {Columns}
                    """,
                    parameters),
            ],
            cancellationToken);
    }

    /// <summary>It is done.</summary>
    public Task DoneAsync(object taken, CancellationToken cancellationToken) =>
        Database.WriteOneAsync(connection => RemoveAsync(connection, taken), cancellationToken);

    /// <summary>It failed and is tried again.</summary>
    public Task RetryAsync(object taken, string error, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(taken);
        parameters.AddDynamicParams(new { error, dueAt });
        return Database.WriteOneAsync(
            connection => connection.ExecuteAsync(
                $"UPDATE {Table} SET due_at = @dueAt, last_error = @error WHERE realm_id = @RealmId AND {One} AND attempts = @Attempts", parameters),
            cancellationToken);
    }

    /// <summary>It is done, within a change; how many rows there were of it, none where somebody else has it by now.</summary>
    public Task<int> RemoveAsync(DbConnection connection, object taken) =>
        connection.ExecuteAsync($"DELETE FROM {Table} WHERE realm_id = @RealmId AND {One} AND attempts = @Attempts", taken);
}
