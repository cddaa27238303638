using System.Data.Common;
using System.Security.Cryptography;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Storage.Postgres;
using Atrium.Storage.Sqlite;
using Dapper;

namespace Atrium.Storage;

/// <summary>
/// Where everything is kept. Stores hand it their SQL; it brings the connection, the transaction and the durability.
/// What <see cref="WriteAsync"/> has answered survives any crash.
/// </summary>
public abstract class Database : IAsyncDisposable
{
    /// <summary>More than the room that is left over on a page.</summary>
    private const int TryOutLength = 64 * 1024;

    static Database() => SqlTypes.Register();

    /// <summary>
    /// Opens the database that the connection string names and brings its schema up to date: a string with a <c>Host</c> is PostgreSQL,
    /// any other SQLite.
    /// </summary>
    /// <exception cref="DatabaseConfigurationException">The connection string can't be used, or the schema is newer than this program.</exception>
    public static Task<Database> OpenAsync(string connectionString, CancellationToken cancellationToken) =>
        OpenAsync(connectionString, Migrations.All, cancellationToken);

    /// <summary>Opens a database to look at it: nothing is made, no step of the schema is taken, and on SQLite nothing can be written.</summary>
    /// <exception cref="DatabaseConfigurationException">The connection string can't be used, or there is no database of Atrium.</exception>
    public static Task<Database> OpenAsItIsAsync(string connectionString, CancellationToken cancellationToken) =>
        OpenAsync(
            IsPostgres(connectionString) ? new PostgresDatabase(connectionString) : new SqliteDatabase(connectionString, asItIs: true),
            static (database, cancellationToken) => database.ReachAsync(cancellationToken),
            cancellationToken);

    /// <summary>As <see cref="OpenAsync(string, CancellationToken)"/>, with the steps of another version.</summary>
    internal static Task<Database> OpenAsync(string connectionString, IReadOnlyList<Migration> steps, CancellationToken cancellationToken) =>
        OpenAsync(
            IsPostgres(connectionString) ? new PostgresDatabase(connectionString) : new SqliteDatabase(connectionString),
            (database, cancellationToken) => database.MigrateAsync(steps, cancellationToken),
            cancellationToken);

    private static async Task<Database> OpenAsync(
        Database database, Func<Database, CancellationToken, Task> prepare, CancellationToken cancellationToken)
    {
        try
        {
            await prepare(database, cancellationToken);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Where the key file lies unless another place is named: beside a SQLite database. Null where there is no such place: several nodes
    /// share a PostgreSQL, and each must be told where the one key is that they share too.
    /// </summary>
    /// <exception cref="DatabaseConfigurationException">The connection string can't be used.</exception>
    public static string? DefaultKeyFile(string connectionString) =>
        IsPostgres(connectionString) ? null : SqliteDatabase.KeyFileBeside(connectionString);

    /// <summary>What is changed here, and by other nodes.</summary>
    public ChangeFeed Changes { get; } = new();

    /// <summary>The clock that events are told by.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>What database this is, for people to read; no password.</summary>
    public abstract string Description { get; }

    /// <summary>The connection string as it can be shown, complete from any folder.</summary>
    public abstract string ConnectionStringWithoutPassword { get; }

    /// <summary>
    /// What a SELECT ends in when the same change goes on to write the row it finds: until then, nobody else changes that row. Empty where
    /// there is one writer at a time.
    /// </summary>
    /// <param name="table">The table, by the name that it has in the query.</param>
    public abstract string ForUpdateOf(string table);

    /// <summary>
    /// The same where the change goes on to delete the row: whoever is adding something that belongs to it comes first, and needs nothing of it that
    /// is held here meanwhile.
    /// </summary>
    /// <param name="table">The table, by the name that it has in the query.</param>
    public abstract string ForDeleteOf(string table);

    /// <summary>The texts of a JSON array, as a table with the column <c>value</c>, to stand behind JOIN under an alias.</summary>
    /// <param name="column">The column that holds the array.</param>
    public abstract string ElementsOf(string column);

    /// <summary>How many rows a long piece of work best writes at a time: few where nobody else can write meanwhile.</summary>
    public abstract int RowsAtATime { get; }

    /// <summary>What a SELECT ends in when rows that somebody else is changing are to be passed over. Empty where there is one writer at a time.</summary>
    public abstract string SkipLocked { get; }

    /// <summary>A parameter that holds a JSON array of objects, as rows to stand behind FROM under the name <c>r</c>.</summary>
    /// <param name="parameter">The parameter, with its sign.</param>
    /// <param name="columns">What the rows have, such as <c>id uuid, name text</c>; ids are 32 hexadecimal digits in the JSON.</param>
    public abstract string RowsOf(string parameter, string columns);

    /// <summary>Asks cheaply whether it can be used, for changes too.</summary>
    /// <exception cref="DatabaseUnavailableException">It can't.</exception>
    public abstract Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Proves that it keeps changes: makes one that needs room on its disk, and takes it back.</summary>
    /// <exception cref="DatabaseUnavailableException">It doesn't.</exception>
    public Task TryOutAsync(CancellationToken cancellationToken) => WriteAsync(
        static async connection =>
        {
            await connection.ExecuteAsync(
                "INSERT INTO schema_migrations (version, name) VALUES (-1, @filling)", new { filling = RandomNumberGenerator.GetHexString(TryOutLength) });
            return await connection.ExecuteAsync("DELETE FROM schema_migrations WHERE version = -1");
        },
        cancellationToken);

    /// <summary>The database's own clock in Unix milliseconds, as an expression.</summary>
    internal abstract string Clock { get; }

    /// <summary>The database's own clock, finer than two changes of one row can follow each other, as an expression.</summary>
    internal abstract string Moment { get; }

    /// <summary>What an operator should know of it, each matter with its verdict.</summary>
    public abstract Task<IReadOnlyList<Finding>> ExamineAsync(CancellationToken cancellationToken);

    /// <summary>The schema it has; 0 where there is none.</summary>
    public abstract Task<long> SchemaAsync(CancellationToken cancellationToken);

    /// <summary>The schema that this program makes.</summary>
    public static long KnownSchema => Migrations.All[^1].Version;

    /// <summary>Runs one query that changes nothing: a single statement sees one moment by itself, and needs no transaction for it.</summary>
    public abstract Task<T> QueryAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken);

    /// <summary>Runs queries that change nothing, all of them on one moment's state; never waits for a writer.</summary>
    public abstract Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken);

    /// <summary>Runs several queries that change nothing in one round trip, all of them on one moment's state.</summary>
    /// <param name="queries">The texts, separated by semicolons.</param>
    public abstract Task<T> ReadTogetherAsync<T>(
        string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>
    /// Runs a change and then queries that see it, in one round trip with one commit, and answers once that is durable. Nobody decides in
    /// between: the change's statements ask themselves whether they may, and the queries show whether they did. Between two of the queries
    /// others may commit.
    /// </summary>
    public abstract Task<T> WriteThenReadAsync<T>(
        string change, string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>
    /// Runs a change in a transaction of its own and answers once its commit is durable. An exception undoes the change.
    /// The change may be run again by a database that asks for it, so it does nothing but SQL.
    /// </summary>
    /// <exception cref="DatabaseUnavailableException">
    /// The database can't do it just now. Unless the exception says that it may have been done, nothing of it was.
    /// </exception>
    public abstract Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> change, CancellationToken cancellationToken);

    /// <summary>As <see cref="WriteAsync"/>, for a change of a single statement, which is a transaction by itself.</summary>
    public abstract Task<T> WriteOneAsync<T>(Func<DbConnection, Task<T>> statement, CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="WriteAsync"/>, for a change that may come too late: where it answers false, or what it rests on was deleted meanwhile,
    /// all of it is undone and the answer is false.
    /// </summary>
    public Task<bool> TryWriteAsync(Func<DbConnection, Task<bool>> change, CancellationToken cancellationToken) =>
        TryAsync(() => WriteAsync(async connection => await change(connection) ? true : throw new TooLateException(), cancellationToken));

    /// <summary>
    /// As <see cref="WriteAsync"/>, for a change of something that nodes remember: once it is committed, this one has forgotten it, and the
    /// others hear of it in the same moment as of the commit.
    /// </summary>
    public async Task<T> WriteAndTellAsync<T>(Change told, Func<DbConnection, Task<T>> change, CancellationToken cancellationToken)
    {
        T result = await WriteAsync(
            async connection =>
            {
                T made = await change(connection);
                await TellOthersAsync(connection, told);
                return made;
            },
            cancellationToken);
        Changes.Tell(told);
        return result;
    }

    /// <summary>
    /// As <see cref="WriteAsync"/>, for a change that somebody may need to know of: its events are written with it, and with them the answer
    /// that is kept for a second asking.
    /// </summary>
    public async Task<T> RecordAsync<T>(
        Id<Realm> realm, Origin origin, Func<DbConnection, EventLog, Task<T>> change, CancellationToken cancellationToken)
    {
        (T result, EventLog log) = await WriteAsync(Recording(realm, origin, change), cancellationToken);
        TellOf(realm, log);
        return result;
    }

    /// <summary>As <see cref="RecordAsync"/>, for a change that may come too late; see <see cref="TryWriteAsync"/>.</summary>
    public Task<bool> TryRecordAsync(
        Id<Realm> realm, Origin origin, Func<DbConnection, EventLog, Task<bool>> change, CancellationToken cancellationToken) =>
        TryAsync(() => RecordAsync(
            realm, origin, async (connection, log) => await change(connection, log) ? true : throw new TooLateException(), cancellationToken));

    /// <summary>As <see cref="RecordAsync"/>, for a change of something that nodes remember.</summary>
    public async Task<T> RecordAndTellAsync<T>(
        Id<Realm> realm, Origin origin, Change told, Func<DbConnection, EventLog, Task<T>> change, CancellationToken cancellationToken)
    {
        (T result, EventLog log) = await WriteAndTellAsync(told, Recording(realm, origin, change), cancellationToken);
        TellOf(realm, log);
        return result;
    }

    private void TellOf(Id<Realm> realm, EventLog log)
    {
        if (!log.IsEmpty)
            Changes.Tell(Change.OfFreshEvents(realm));
        foreach (Change change in log.Told)
            Changes.Tell(change);
    }

    private async Task<bool> TryAsync(Func<Task<bool>> write)
    {
        try
        {
            return await write();
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

    private Func<DbConnection, Task<(T Result, EventLog Log)>> Recording<T>(
        Id<Realm> realm, Origin origin, Func<DbConnection, EventLog, Task<T>> change) =>
        async connection =>
        {
            EventLog log = new();
            T result = await change(connection, log);
            if (!log.IsEmpty)
                await log.WriteAsync(connection, this, realm, origin);
            if (origin.Receipt is { } receipt && receipt.Seal(result) is { } answer)
                await IdempotencyStore.KeepAsync(connection, realm, receipt, answer);
            return (result, log);
        };

    /// <summary>
    /// Hears what other nodes change until the connection for it is lost, which is an exception, or the token ends it. Returns where
    /// nobody else can be heard.
    /// </summary>
    /// <param name="listening">Called once others are heard.</param>
    public abstract Task ListenAsync(Action listening, CancellationToken cancellationToken);

    /// <summary>Whether a change failed because something unique is taken.</summary>
    public abstract bool IsUniqueViolation(DbException exception);

    /// <summary>Whether a change failed because what it belongs to is not there.</summary>
    protected abstract bool IsMissingParent(DbException exception);

    public abstract ValueTask DisposeAsync();

    /// <summary>Lets the other nodes know with the commit of this connection's transaction.</summary>
    protected abstract Task TellOthersAsync(DbConnection connection, Change told);

    private protected abstract Task MigrateAsync(IReadOnlyList<Migration> steps, CancellationToken cancellationToken);

    /// <summary>Whether the database is there at all.</summary>
    protected abstract Task ReachAsync(CancellationToken cancellationToken);

    /// <summary>Takes the schema's steps; what is wrong with them is said with the place. Whether there were any to take.</summary>
    private protected async Task<bool> ApplyMigrationsAsync(DbConnection connection, IReadOnlyList<Migration> steps)
    {
        try
        {
            bool taken = await Migrations.ApplyAsync(connection, steps);

            // A database that takes no changes is found out now, and not by the first who signs in.
            await connection.ExecuteAsync("UPDATE schema_migrations SET name = name WHERE version = 1");
            return taken;
        }
        catch (DatabaseConfigurationException e)
        {
            throw new DatabaseConfigurationException($"{Description}: {e.Message}", e);
        }
    }

    internal static bool IsPostgres(string connectionString)
    {
        try
        {
            DbConnectionStringBuilder words = new() { ConnectionString = connectionString };
            return words.ContainsKey("Host") || words.ContainsKey("Server");
        }
        catch (ArgumentException e)
        {
            // The text itself may have a password in it: no part of it is repeated.
            throw new DatabaseConfigurationException(
                $"The connection string can't be read: {e.Message} {DatabaseConfigurationException.Examples}", e);
        }
    }

#pragma warning disable CA1064 // Thrown and caught here alone: it undoes a change by leaving it.
    private sealed class TooLateException : Exception;
#pragma warning restore CA1064
}

/// <summary>The database can't be used as configured; the message says what to change.</summary>
public sealed class DatabaseConfigurationException(string message, Exception? inner = null) : Exception(message, inner)
{
    internal const string Examples =
        "Use \"Data Source=./atrium.db\" for SQLite, \"Host=db.example.com;Database=atrium;Username=atrium;Password=...\" for PostgreSQL.";
}
