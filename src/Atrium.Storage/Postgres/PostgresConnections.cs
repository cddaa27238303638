using System.Net.Sockets;
using Npgsql;

namespace Atrium.Storage.Postgres;

/// <summary>
/// Lends sessions on the pool's connections to pieces of work. It bounds what waits for one, and knows what a failure means: that the work
/// may be done once more because nothing of it was done, or that the database is in trouble.
/// <para>
/// A commit is never cancelled. One that waits for its synchronous standby would be taken for made by the server: everybody could read it, and
/// be answered from it, and it would be gone with the primary. Whoever waits for it gives up, and the connection stays with it to the end.
/// </para>
/// </summary>
#pragma warning disable CA1001 // A semaphore whose wait handle nobody asks for holds nothing, and work in flight leaves through it even after the end.
internal sealed class PostgresConnections(NpgsqlDataSource source, NpgsqlConnectionStringBuilder settings)
#pragma warning restore CA1001
{
    /// <summary>Waiting for a connection. More would wait for longer than anybody who asked does.</summary>
    private const int MostWaiting = 1000;

    /// <summary>Of work that the server stops because it got in another's way.</summary>
    private const int MaxAttempts = 5;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(10);

    /// <summary>After such a silence the server may have been restarted, and nobody here has noticed.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim free = new(settings.MaxPoolSize);
    private readonly TimeSpan timeToConnect = settings.Timeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(settings.Timeout);
    private readonly TimeSpan? timeToCommit = settings.CommandTimeout == 0 ? null : TimeSpan.FromSeconds(settings.CommandTimeout);
    private readonly int mostGivenUp = Math.Max(1, settings.MaxPoolSize / 2);
    private int asking;
    private int givenUp;
    private long heardAt;

    /// <summary>
    /// Runs work in a session, begun and committed as the transaction says. Work that changes nothing, or whose commit was not yet sent, is done
    /// a second time where the first connection turns out to be of no use: such work does nothing but SQL.
    /// </summary>
    /// <exception cref="DatabaseUnavailableException">The database can't do it just now.</exception>
    public async Task<T> RunAsync<T>(Transaction transaction, Func<PostgresSession, Task<T>> work, CancellationToken cancellationToken)
    {
        if (!transaction.Writes)
            return await RunToTheEndAsync(transaction, work, patience: null, cancellationToken);

        // The connections that are left are for those who only read.
        if (Volatile.Read(ref givenUp) >= mostGivenUp)
            throw new DatabaseUnavailableException(DatabaseTrouble.Slow, $"{mostGivenUp} commits are being waited for in vain");
        CancellationTokenSource patience = new();
        CancellationToken isOver = patience.Token;
        Task<T> running = RunToTheEndAsync(transaction, work, patience, cancellationToken);
        try
        {
            return await running.WaitAsync(isOver);
        }
        catch (OperationCanceledException e) when (e.CancellationToken == isOver)
        {
            Interlocked.Increment(ref givenUp);
            _ = running.ContinueWith(_ => Interlocked.Decrement(ref givenUp), TaskScheduler.Default);
            throw new DatabaseUnavailableException(DatabaseTrouble.Slow, $"a commit takes longer than {settings.CommandTimeout} s", e) { MayHaveBeenDone = true };
        }
    }

    /// <param name="patience">Begins to run out when the commit is sent.</param>
    private async Task<T> RunToTheEndAsync<T>(
        Transaction transaction, Func<PostgresSession, Task<T>> work, CancellationTokenSource? patience, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken);
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                bool isUnconfirmed = false;
                await using NpgsqlConnection connection = await OpenAsync(transaction, cancellationToken);
                connection.Notice += (_, told) => isUnconfirmed |= told.Notice.Routine == "SyncRepWaitForLSN";
                await using PostgresSession session = new(connection, transaction);
                try
                {
                    if (transaction.CommitsAtOnce && timeToCommit is { } timeForAll)
                        patience?.CancelAfter(timeForAll);
                    T result = await work(session);
                    if (!transaction.CommitsAtOnce && timeToCommit is { } time)
                        patience?.CancelAfter(time);
                    await session.CommitAsync();
                    Volatile.Write(ref heardAt, Environment.TickCount64);
                    return isUnconfirmed ? throw Unconfirmed() : result;
                }
                catch (NpgsqlException e) when (DelayBefore(attempt, transaction, session, e) is { } delay)
                {
                    // Left without a commit, a session undoes what was done in it.
                    if (delay == TimeSpan.Zero)
                        source.Clear();
                    await Task.Delay(delay, cancellationToken);
                }
                catch (NpgsqlException e) when (TroubleOf(e, transaction) is { } trouble)
                {
                    if (trouble is DatabaseTrouble.Unreachable or DatabaseTrouble.ReadOnly)
                        source.Clear();
                    throw Unavailable(trouble, e, IsInDoubt(transaction, session) && PostgresTroubles.EndsConnection(e));
                }
            }
        }
        finally
        {
            patience?.Dispose();
            free.Release();
            Interlocked.Decrement(ref asking);
        }
    }

    /// <summary>How long to wait before the next attempt, zero for one on a fresh connection; null for none.</summary>
    private static TimeSpan? DelayBefore(int attempt, Transaction transaction, PostgresSession session, NpgsqlException e) => e switch
    {
        // The server has undone all of it. The one that it got in the way of goes first now.
        PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected } =>
            attempt < MaxAttempts ? attempt * RetryDelay : null,

        // A fresh connection plans anew. While somebody else clears the pool too, one that isn't may still come out of it.
        PostgresException refused when PostgresTroubles.IsStalePlan(refused) => attempt < MaxAttempts ? TimeSpan.Zero : null,
        _ when attempt > 1 => null,

        // Its parent was deleted between two of its statements: the second time it sees that, as it would have with one writer at a time.
        PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation } => RetryDelay,

        // A fresh connection leads to the server that was restarted or to the new primary.
        _ => TroubleOf(e, transaction) switch
        {
            DatabaseTrouble.Unreachable when !IsInDoubt(transaction, session) => TimeSpan.Zero,
            DatabaseTrouble.ReadOnly => TimeSpan.Zero,
            _ => null,
        },
    };

    /// <summary>A read that tries to change something is a mistake of ours, whatever the state of the database.</summary>
    private static DatabaseTrouble? TroubleOf(NpgsqlException e, Transaction transaction) =>
        PostgresTroubles.Of(e) is { } trouble && (transaction.Writes || trouble != DatabaseTrouble.ReadOnly) ? trouble : null;

    /// <summary>Once the commit is on its way, an end of the connection leaves open whether it was made.</summary>
    private static bool IsInDoubt(Transaction transaction, PostgresSession session) => transaction.CommitsAtOnce || session.IsCommitting;

    private static DatabaseUnavailableException Unavailable(DatabaseTrouble trouble, Exception e, bool mayHaveBeenDone = false) =>
        new(trouble, e is PostgresException refused ? refused.MessageText : (e.InnerException ?? e).Message, e) { MayHaveBeenDone = mayHaveBeenDone };

    /// <summary>
    /// Of a commit that somebody else cancelled while it waited for the synchronous standby, the server says that it was made, and warns that it may
    /// be lost.
    /// </summary>
    private static DatabaseUnavailableException Unconfirmed() =>
        new(DatabaseTrouble.Slow, "no synchronous standby has confirmed the commit") { MayHaveBeenDone = true };

    /// <summary>Waits for a connection to be free, but not in a crowd and not for ever.</summary>
    private async Task EnterAsync(CancellationToken cancellationToken)
    {
        // A free one is taken without a look at the token.
        cancellationToken.ThrowIfCancellationRequested();
        bool entered = false;
        try
        {
            entered = Interlocked.Increment(ref asking) <= settings.MaxPoolSize + MostWaiting && await free.WaitAsync(timeToConnect, cancellationToken);
        }
        finally
        {
            if (!entered)
                Interlocked.Decrement(ref asking);
        }

        if (!entered)
            throw new DatabaseUnavailableException(DatabaseTrouble.Overloaded, $"all {settings.MaxPoolSize} connections are in use");
    }

    private async Task<NpgsqlConnection> OpenAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        try
        {
            NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken);
            if (!transaction.CommitsAtOnce || Environment.TickCount64 - Volatile.Read(ref heardAt) < Silence.TotalMilliseconds)
                return connection;
            try
            {
                if (await AnswersAsync(connection, cancellationToken))
                    return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }

            await connection.DisposeAsync();
            source.Clear();
            return await source.OpenConnectionAsync(cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException)
        {
            throw Unavailable(e is PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } ? DatabaseTrouble.Overloaded : DatabaseTrouble.Unreachable, e);
        }
    }

    /// <summary>A connection that broke meanwhile is found out by a question, and not by a change of which nobody knows then whether it was made.</summary>
    private static async Task<bool> AnswersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using NpgsqlCommand nothing = new("SELECT 1", connection);
            await nothing.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException e) when (PostgresTroubles.Of(e) == DatabaseTrouble.Unreachable)
        {
            return false;
        }
    }
}
