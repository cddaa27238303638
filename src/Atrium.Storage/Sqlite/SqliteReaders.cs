using System.Collections.Concurrent;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Atrium.Storage.Sqlite;

/// <summary>Open connections for reading. In the write-ahead log they see the last commit and wait for nobody.</summary>
internal sealed class SqliteReaders(string connectionString) : IDisposable
{
    /// <summary>Reads are done by processors: more idle connections than this would only hold memory.</summary>
    private static readonly int MaxIdle = Environment.ProcessorCount * 4;

    private readonly ConcurrentBag<SqliteSession> idle = [];
    private volatile bool disposed;

    public async Task<T> ReadAsync<T>(Func<System.Data.Common.DbConnection, Task<T>> query)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!idle.TryTake(out SqliteSession? session))
            session = Open();
        T result;
        try
        {
            // One moment for all queries of a read: without it, what the first found could be gone for the second.
            await session.ExecuteAsync("BEGIN DEFERRED");
            result = await query(session);
            await session.ExecuteAsync("COMMIT");
        }
        catch
        {
            // What a failed read left behind is not worth finding out.
            await session.DisposeAsync();
            throw;
        }

        if (idle.Count >= MaxIdle)
            await session.DisposeAsync();
        else
            idle.Add(session);
        if (disposed)
            Dispose();
        return result;
    }

    public void Dispose()
    {
        disposed = true;
        while (idle.TryTake(out SqliteSession? session))
            session.Dispose();
    }

    private SqliteSession Open()
    {
        SqliteConnection connection = new(connectionString);
        connection.Open();
        return new SqliteSession(connection);
    }
}
