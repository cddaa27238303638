using System.Data.Common;
using System.Net.Sockets;
using Dapper;
using Npgsql;

namespace Atrium.Storage.Postgres;

/// <summary>
/// The database of several nodes. Changes run side by side under READ COMMITTED, each statement seeing what is committed by then: what is
/// spent is spent by one conditional UPDATE, and what is read to be written is read with <see cref="ForUpdateOf"/>.
/// </summary>
internal sealed class PostgresDatabase : Database
{
    /// <summary>The oldest that the SQL is tested on.</summary>
    private const int OldestServer = 15;

    /// <summary>Of a change that the server stops because it got in another's way.</summary>
    private const int MaxAttempts = 5;

    /// <summary>Any number will do, as long as every version of Atrium takes the same: two that start at once must meet.</summary>
    private const long MigrationLock = 0x41747269756d;

    private const string BeginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    private const string BeginWrite = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

    /// <summary>
    /// What holds unless the connection string says otherwise. Fewer connections than the 100 that a server allows by default, so that two
    /// nodes fit; room to prepare every text of the stores; no waiting for a server that is gone for longer than a person would; and no
    /// reset between two uses of a connection, since none leaves anything behind.
    /// </summary>
    private const string Defaults =
        "Application Name=atrium;Maximum Pool Size=40;Timeout=5;Command Timeout=10;Max Auto Prepare=256;Auto Prepare Min Usages=2;No Reset On Close=true;Enlist=false;";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(10);

    private readonly NpgsqlConnectionStringBuilder settings;
    private readonly NpgsqlDataSource source;

    public PostgresDatabase(string connectionString)
    {
        settings = Parse(connectionString);
        source = NpgsqlDataSource.Create(settings);
    }

    public override string Description => $"PostgreSQL, {settings.Database} at {settings.Host}:{settings.Port}";

    public override string ConnectionStringWithoutPassword => new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Password = null }.ConnectionString;

    /// <summary>The lock of an UPDATE that leaves the key alone: rows that refer to this one are added meanwhile without waiting.</summary>
    public override string ForUpdateOf(string table) => $" FOR NO KEY UPDATE OF {table}";

    public override string ElementsOf(string column) => $"LATERAL jsonb_array_elements_text({column}::jsonb)";

    public override int RowsAtATime => 500;

    public override string SkipLocked => " FOR UPDATE SKIP LOCKED";

    public override string RowsOf(string parameter, string columns) =>
        $"json_to_recordset(CAST({parameter} AS json)) AS r ({columns})";

    public override async Task<T> QueryAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken)
    {
        await using PostgresSession session = await BorrowAsync(begin: null, cancellationToken);
        return await query(session);
    }

    public override async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken)
    {
        await using PostgresSession session = await BorrowAsync(BeginRead, cancellationToken);
        T result = await query(session);
        await session.CommitAsync();
        return result;
    }

    public override Task<T> ReadTogetherAsync<T>(
        string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        TogetherAsync($"{BeginRead};{queries};COMMIT", parameters, read, cancellationToken);

    public override Task<T> WriteThenReadAsync<T>(
        string change, string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        AttemptAsync(() => TogetherAsync($"{BeginWrite};{change};{queries};COMMIT", parameters, read, cancellationToken), cancellationToken);

    public override Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> change, CancellationToken cancellationToken) => AttemptAsync(
        async () =>
        {
            // Left without a commit, a session undoes what was done in it.
            await using PostgresSession session = await BorrowAsync(BeginWrite, cancellationToken);
            T result = await change(session);
            await session.CommitAsync();
            return result;
        },
        cancellationToken);

    public override Task<T> WriteOneAsync<T>(Func<DbConnection, Task<T>> statement, CancellationToken cancellationToken) =>
        AttemptAsync(() => QueryAsync(statement, cancellationToken), cancellationToken);

    public override bool IsUniqueViolation(DbException exception) => exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    public override ValueTask DisposeAsync() => source.DisposeAsync();

    protected override bool IsMissingParent(DbException exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation };

    protected override async Task MigrateAsync(CancellationToken cancellationToken)
    {
        // A connection of its own, without a time limit: another node may be at it, and a step may take long.
        await using NpgsqlConnection connection = new(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await RefuseUnfitAsync(connection);
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteAsync("SELECT pg_advisory_xact_lock(@MigrationLock)", new { MigrationLock });
            await Migrations.ApplyAsync(connection);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException e)
        {
            throw new DatabaseConfigurationException($"{Description}: {e.MessageText}. {AdviceFor(e)}", e);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException)
        {
            throw new DatabaseConfigurationException(
                $"{Description} can't be reached: {e.Message} Check that the server runs there, and Host and Port in the connection string.", e);
        }
    }

    /// <summary>Runs a text of several statements in one round trip; the last of them is the commit.</summary>
    private async Task<T> TogetherAsync<T>(
        string statements, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken)
    {
        await using PostgresSession session = await BorrowAsync(begin: null, cancellationToken);
        await using SqlMapper.GridReader results = await session.QueryMultipleAsync(statements, parameters);
        T result = await read(results);

        // Npgsql says nothing of an error in what is closed unread, and the commit comes last.
        while (!results.IsConsumed)
            await results.ReadAsync();
        return result;
    }

    private static async Task<T> AttemptAsync<T>(Func<Task<T>> change, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await change();
            }
            catch (PostgresException e) when (IsWorthAnotherAttempt(e, attempt))
            {
                // The server has undone all of it, and a change does nothing but SQL. The one that it got in the way of goes first now.
                await Task.Delay(attempt * RetryDelay, cancellationToken);
            }
        }
    }

    /// <summary>
    /// A change that was in another's way runs again; so does, once, one whose parent was deleted between two of its statements: the second
    /// time it sees that the parent is gone, as it would have with one writer at a time.
    /// </summary>
    private static bool IsWorthAnotherAttempt(PostgresException e, int attempt) => e.SqlState switch
    {
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected => attempt < MaxAttempts,
        PostgresErrorCodes.ForeignKeyViolation => attempt == 1,
        _ => false,
    };

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            // Of a word that comes twice, the last counts.
            NpgsqlConnectionStringBuilder parsed = new(Defaults + connectionString);
            return string.IsNullOrEmpty(parsed.Database)
                ? throw new DatabaseConfigurationException($"The connection string names no database. {DatabaseConfigurationException.Examples}")
                : parsed;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            throw new DatabaseConfigurationException($"The connection string can't be read: {e.Message} {DatabaseConfigurationException.Examples}", e);
        }
    }

    private static string AdviceFor(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            "Check Username and Password in the connection string, and the server's pg_hba.conf.",
        PostgresErrorCodes.InvalidCatalogName => "Make it first: CREATE DATABASE ... OWNER the user of the connection string.",
        PostgresErrorCodes.InsufficientPrivilege =>
            "Atrium makes its tables itself: make the user of the connection string the owner of the database (ALTER DATABASE ... OWNER TO ...).",
        PostgresErrorCodes.TooManyConnections => "Raise max_connections of the server, or lower Maximum Pool Size in the connection string of every node.",
        PostgresErrorCodes.CannotConnectNow => "Wait until the server has started.",
        _ => "The database was left as it is.",
    };

    /// <summary>What Atrium promises, it can't on every server.</summary>
    private async Task RefuseUnfitAsync(NpgsqlConnection connection)
    {
        if (connection.PostgreSqlVersion.Major < OldestServer)
            throw new DatabaseConfigurationException($"{Description} is version {connection.PostgreSqlVersion}. Atrium needs {OldestServer} or later.");
        (string encoding, string commit) = await connection.QuerySingleAsync<(string, string)>(
            "SELECT current_setting('server_encoding'), current_setting('synchronous_commit')");
        if (encoding != "UTF8")
            throw new DatabaseConfigurationException($"{Description} keeps text as {encoding}. Make a database with ENCODING 'UTF8'.");
        if (commit == "off")
        {
            throw new DatabaseConfigurationException(
                $"{Description} has synchronous_commit = off: a crash of the server would take back what Atrium has acknowledged. Turn it on for this database.");
        }
    }

    private async Task<PostgresSession> BorrowAsync(string? begin, CancellationToken cancellationToken)
    {
        // The pool looks at the token only where it has to wait.
        cancellationToken.ThrowIfCancellationRequested();
        return new PostgresSession(await source.OpenConnectionAsync(cancellationToken), begin);
    }
}
