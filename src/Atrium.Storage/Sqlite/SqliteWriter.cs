using System.Data.Common;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Atrium.Storage.Sqlite;

/// <summary>
/// SQLite's one writer, on a thread of its own. It takes every change that is waiting, runs each inside a savepoint, and commits them
/// together: one flush to disk for the group, each caller answered only after it, and a failing change undone without harming its neighbours.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    /// <summary>Enough to fill a group under load; more would only make the first in it wait.</summary>
    private const int LargestGroup = 256;

    /// <summary>What a slow disk commits in a few seconds. More would wait for longer than anybody who asked does.</summary>
    internal const int MostWaiting = 4096;

    private readonly Channel<IChange> waiting = Channel.CreateBounded<IChange>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly SqliteSession connection;
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SqliteCommand begin;
    private readonly SqliteCommand commit;
    private readonly SqliteCommand rollback;
    private readonly SqliteCommand save;
    private readonly SqliteCommand release;
    private readonly SqliteCommand undo;
    private volatile bool stopping;

    public SqliteWriter(SqliteConnection connection)
    {
        this.connection = new SqliteSession(connection);
        begin = Command(connection, "BEGIN IMMEDIATE");
        commit = Command(connection, "COMMIT");
        rollback = Command(connection, "ROLLBACK");
        save = Command(connection, "SAVEPOINT change");
        release = Command(connection, "RELEASE change");
        undo = Command(connection, "ROLLBACK TO change");
        new Thread(Run) { IsBackground = true, Name = "sqlite-writer" }.Start();
    }

    public Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> change, CancellationToken cancellationToken)
    {
        Change<T> queued = new(change, cancellationToken);
        if (waiting.Writer.TryWrite(queued))
            return queued.Completion.Task;
        ObjectDisposedException.ThrowIf(stopping, this);
        throw new DatabaseUnavailableException(DatabaseTrouble.Overloaded, $"{MostWaiting} changes wait to be written");
    }

    /// <summary>Finishes what is waiting, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        stopping = true;
        waiting.Writer.TryComplete();
        await stopped.Task;
        foreach (SqliteCommand command in new[] { begin, commit, rollback, save, release, undo })
            await command.DisposeAsync();
        await connection.DisposeAsync();
    }

    private static SqliteCommand Command(SqliteConnection onWriter, string sql)
    {
        SqliteCommand command = onWriter.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    private void Run()
    {
        List<IChange> group = [];
        while (waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (group.Count < LargestGroup && waiting.Reader.TryRead(out IChange? change))
            {
                if (!change.IsCanceled())
                    group.Add(change);
            }

            if (group.Count > 0 && CommitTogether(group) is { } shutOut)
                RefuseWaiting(shutOut);
            group.Clear();
        }

        stopped.SetResult();
    }

    /// <summary>Whoever came while the database was held by somebody else has waited as well: one by one they would only wait as many times.</summary>
    private void RefuseWaiting(Exception shutOut)
    {
        for (int i = 0; i < MostWaiting && waiting.Reader.TryRead(out IChange? change); i++)
            change.Fail(shutOut);
    }

#pragma warning disable CA1031 // Whatever a change or the commit throws belongs to the callers who wait for it, not to this thread.
    /// <returns>Why the database let nobody in, and nothing was run; null when it did.</returns>
    private Exception? CommitTogether(List<IChange> group)
    {
        try
        {
            begin.ExecuteNonQuery();
        }
        catch (Exception e)
        {
            group.ForEach(change => change.Fail(e));
            return e;
        }

        try
        {
            foreach (IChange change in group)
            {
                save.ExecuteNonQuery();
                if (!change.TryRun(connection))
                    undo.ExecuteNonQuery();
                release.ExecuteNonQuery();
            }

            commit.ExecuteNonQuery();
        }
        catch (Exception e)
        {
            RollBack();
            if (group.Count > 1)
                return CommitOneByOne(group);
            group[0].Fail(e);
            return null;
        }

        group.ForEach(static change => change.Answer());
        return null;
    }

    /// <summary>The whole transaction is lost (a full disk, an I/O error), perhaps by one change alone: each gets another try of its own.</summary>
    private Exception? CommitOneByOne(List<IChange> group)
    {
        Exception? shutOut = null;
        foreach (IChange change in group)
        {
            if (shutOut is null)
                shutOut = CommitTogether([change]);
            else
                change.Fail(shutOut);
        }

        return shutOut;
    }

    private void RollBack()
    {
        try
        {
            rollback.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
            // A full disk has rolled back already.
        }
    }

    private interface IChange
    {
        bool IsCanceled();

        bool TryRun(DbConnection connection);

        void Fail(Exception e);

        void Answer();
    }

    private sealed class Change<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken) : IChange
    {
        private T? result;
        private Exception? failure;

        public TaskCompletionSource<T> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsCanceled() => cancellationToken.IsCancellationRequested && Completion.TrySetCanceled(cancellationToken);

        public bool TryRun(DbConnection connection)
        {
            failure = null;
            try
            {
                // SQLite's provider completes every call before it returns.
                result = work(connection).GetAwaiter().GetResult();
                return true;
            }
            catch (Exception e)
            {
                failure = e;
                return false;
            }
        }

        public void Fail(Exception e) => Completion.TrySetException(failure ?? e);

        public void Answer()
        {
            if (failure is not null)
                Completion.TrySetException(failure);
            else
                Completion.TrySetResult(result!);
        }
    }
#pragma warning restore CA1031
}
