using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>
/// Knows whether the database can be used, from what requests meet and from what it finds out itself. While the database is in trouble, it is tried
/// out once a second. The log says when that begins and when it ends, however many requests fail in between.
/// </summary>
public sealed partial class DatabaseWatch(Database database, TimeProvider clock, ILogger<DatabaseWatch> logger) : IAsyncDisposable
{
    /// <summary>A database that takes longer to answer the simplest question is slow.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private DatabaseTrouble? trouble;
    private long since;
    private int failures;
    private Task checking = Task.CompletedTask;
    private Task watching = Task.CompletedTask;
    private bool isWatching;

    private bool IsInTrouble
    {
        get
        {
            lock (gate)
                return trouble is not null;
        }
    }

    /// <summary>A request met the database in trouble.</summary>
    public void Report(DatabaseUnavailableException failure)
    {
        lock (gate)
        {
            // One statement may wait for one lock: whether all of them are slow, trying it out will tell.
            if (failure.Trouble != DatabaseTrouble.Slow)
            {
                failures++;
                Note(failure);
            }

            Watch();
        }
    }

    /// <summary>What keeps the database from being used; null when nothing does. Answers in bounded time, and asks once for all who ask at once.</summary>
    public async Task<DatabaseTrouble?> FindTroubleAsync(CancellationToken cancellationToken)
    {
        Task check;
        lock (gate)
        {
            if (trouble is not null)
                return trouble;
            if (checking.IsCompleted)
                checking = database.CheckAsync(stopping.Token);
            check = checking;
        }

        if (await FailureOfAsync(check, cancellationToken) is not { } failure)
            return null;
        lock (gate)
        {
            Note(failure);
            Watch();
        }

        return failure.Trouble;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
    }

    /// <summary>Trouble that is known stays what it was called first, unless that was only slowness.</summary>
    private void Note(DatabaseUnavailableException failure)
    {
        if (trouble is not null && (trouble == failure.Trouble || failure.Trouble == DatabaseTrouble.Slow))
            return;
        if (trouble is null)
            since = clock.GetTimestamp();
        trouble = failure.Trouble;
        LogTrouble(logger, Unavailable.Of(failure.Trouble).Id, database.Description, failure.Message);
    }

    private void NoteEnd()
    {
        if (trouble is not null)
            LogWell(logger, database.Description, (int)clock.GetElapsedTime(since).TotalSeconds);
        trouble = null;
        isWatching = false;
    }

    private void Watch()
    {
        if (isWatching)
            return;
        isWatching = true;

        // What the watch says later belongs to no request.
        using (ExecutionContext.SuppressFlow())
            watching = Task.Run(WatchAsync);
    }

    /// <summary>Ends when the database keeps changes again, and no request has met trouble meanwhile.</summary>
    private async Task WatchAsync()
    {
        Task attempt = Task.CompletedTask;
        for (bool isOver = false; !isOver;)
        {
            int seen = Volatile.Read(ref failures);
            if (IsInTrouble)
                await Task.Delay(Pause, clock, stopping.Token);
            if (attempt.IsCompleted)
                attempt = database.TryOutAsync(stopping.Token);
            DatabaseUnavailableException? failure = await FailureOfAsync(attempt, stopping.Token);
            lock (gate)
            {
                if (failure is not null)
                    Note(failure);
                isOver = failure is null && seen == failures;
                if (isOver)
                    NoteEnd();
            }
        }
    }

    private async Task<DatabaseUnavailableException?> FailureOfAsync(Task work, CancellationToken cancellationToken)
    {
        try
        {
            await work.WaitAsync(Patience, clock, cancellationToken);
            return null;
        }
        catch (DatabaseUnavailableException e)
        {
            return e;
        }
        catch (TimeoutException e)
        {
            return new DatabaseUnavailableException(DatabaseTrouble.Slow, $"it has not answered the simplest question for {Patience.TotalSeconds} s", e);
        }
#pragma warning disable CA1031 // A watch that ends by a surprise would leave the node unready for good.
        catch (Exception e) when (e is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return new DatabaseUnavailableException(DatabaseTrouble.Failing, e.Message, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Id} {Database}: {Trouble} Requests are answered 503; no restart is needed once that is done.")]
    private static partial void LogTrouble(ILogger logger, string id, string database, string trouble);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Database} can be used again, after {Seconds} s.")]
    private static partial void LogWell(ILogger logger, string database, int seconds);
}
