using System.Data.Common;
using Atrium.Storage.Sqlite;

namespace Atrium.Storage;

/// <summary>
/// Where everything is kept. Stores hand it their SQL; it brings the connection, the transaction and the durability.
/// What <see cref="WriteAsync"/> has answered survives any crash.
/// </summary>
public abstract class Database : IAsyncDisposable
{
    static Database() => SqlTypes.Register();

    /// <summary>Opens the database that the connection string names and brings its schema up to date.</summary>
    /// <exception cref="DatabaseConfigurationException">The connection string can't be used, or the schema is newer than this program.</exception>
    public static async Task<Database> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        Database database = new SqliteDatabase(connectionString);
        try
        {
            await database.MigrateAsync(cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>The connection string as it can be shown: complete from any folder, without a password.</summary>
    public abstract string Display { get; }

    /// <summary>Where the key file lies unless another place is named: beside the database.</summary>
    public abstract string DefaultKeyFile { get; }

    /// <summary>Runs queries that change nothing, all of them on one moment's state; never waits for a writer.</summary>
    public abstract Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken);

    /// <summary>
    /// Runs a change in a transaction of its own and answers once its commit is durable. An exception undoes the change.
    /// The change may be run again by a database that asks for it, so it does nothing but SQL.
    /// </summary>
    public abstract Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> change, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="WriteAsync"/>, for a change that may come too late: where it answers false, or what it rests on was deleted meanwhile,
    /// all of it is undone and the answer is false.
    /// </summary>
    public async Task<bool> TryWriteAsync(Func<DbConnection, Task<bool>> change, CancellationToken cancellationToken)
    {
        try
        {
            return await WriteAsync(async connection => await change(connection) ? true : throw new TooLateException(), cancellationToken);
        }
        catch (TooLateException)
        {
            return false;
        }
        catch (DbException e) when (IsMissingParent(e))
        {
            return false;
        }
    }

    /// <summary>Whether a change failed because something unique is taken.</summary>
    public abstract bool IsUniqueViolation(DbException exception);

    /// <summary>Whether a change failed because what it belongs to is not there.</summary>
    protected abstract bool IsMissingParent(DbException exception);

    public abstract ValueTask DisposeAsync();

    protected abstract Task MigrateAsync(CancellationToken cancellationToken);

#pragma warning disable CA1064 // Thrown and caught here alone: it undoes a change by leaving it.
    private sealed class TooLateException : Exception;
#pragma warning restore CA1064
}

/// <summary>The database can't be used as configured; the message says what to change.</summary>
public sealed class DatabaseConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
