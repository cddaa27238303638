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

    /// <summary>Any number will do, as long as every version of Atrium takes the same: two that start at once must meet.</summary>
    private const long MigrationLock = 0x41747269756d;

    /// <summary>
    /// What holds unless the connection string says otherwise. Fewer connections than the 100 that a server allows by default, so that two
    /// nodes fit; room to prepare every text of the stores; no waiting for a server that is gone for longer than a person would; no
    /// reset between two uses of a connection, since none leaves anything behind; of several hosts the primary, found soon
    /// after it changed; and an end to connections whose other side is no more.
    /// </summary>
    private const string Defaults =
        "Application Name=atrium;Maximum Pool Size=40;Timeout=5;Command Timeout=10;Max Auto Prepare=256;Auto Prepare Min Usages=2;No Reset On Close=true;Enlist=false;Host Recheck Seconds=1;Tcp Keepalive=true;Tcp Keepalive Time=10;Tcp Keepalive Interval=5;";

    private readonly NpgsqlConnectionStringBuilder settings;
    private readonly NpgsqlDataSource source;
    private readonly PostgresConnections connections;

    public PostgresDatabase(string connectionString)
    {
        settings = Parse(connectionString);
        source = NpgsqlDataSource.Create(WithLockTimeout(settings));
        connections = new PostgresConnections(source, settings);
    }

    public override string Description => $"PostgreSQL, {settings.Database} at {Place}";

    public override string ConnectionStringWithoutPassword => new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Password = null }.ConnectionString;

    /// <summary>The lock of an UPDATE that leaves the key alone: rows that refer to this one are added meanwhile without waiting.</summary>
    public override string ForUpdateOf(string table) => $" FOR NO KEY UPDATE OF {table}";

    public override string ForDeleteOf(string table) => $" FOR UPDATE OF {table}";

    public override string ElementsOf(string column) => $"LATERAL jsonb_array_elements_text({column}::jsonb)";

    public override int RowsAtATime => 500;

    public override string SkipLocked => " FOR UPDATE SKIP LOCKED";

    public override string RowsOf(string parameter, string columns) =>
        $"json_to_recordset(CAST({parameter} AS json)) AS r ({columns})";

    public override Task<T> QueryAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken) =>
        connections.RunAsync(Transaction.None, query, cancellationToken);

    public override Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken) =>
        connections.RunAsync(Transaction.Read, query, cancellationToken);

    public override Task<T> ReadTogetherAsync<T>(
        string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        TogetherAsync(Transaction.None, $"{Transaction.Read.Begin};{queries};COMMIT", parameters, read, cancellationToken);

    public override Task<T> WriteThenReadAsync<T>(
        string change, string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        TogetherAsync(Transaction.InOneText, $"{Transaction.Write.Begin};{change};{queries};COMMIT", parameters, read, cancellationToken);

    public override Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> change, CancellationToken cancellationToken) =>
        connections.RunAsync(Transaction.Write, change, cancellationToken);

    public override Task CheckAsync(CancellationToken cancellationToken) => QueryAsync(
        static async connection => await connection.ExecuteScalarAsync<string>("SHOW transaction_read_only") == "on"
            ? throw new DatabaseUnavailableException(DatabaseTrouble.ReadOnly, "transaction_read_only is on")
            : true,
        cancellationToken);

    public override Task<T> WriteOneAsync<T>(Func<DbConnection, Task<T>> statement, CancellationToken cancellationToken) =>
        connections.RunAsync(Transaction.InOneText, statement, cancellationToken);

    public override Task ListenAsync(Action listening, CancellationToken cancellationToken) =>
        PostgresChanges.ListenAsync(settings.ConnectionString, Changes, listening, cancellationToken);

    public override bool IsUniqueViolation(DbException exception) => exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    public override ValueTask DisposeAsync() => source.DisposeAsync();

    protected override Task TellOthersAsync(DbConnection connection, Change told) => PostgresChanges.TellAsync(connection, told);

    protected override bool IsMissingParent(DbException exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation };

    internal override string Clock => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";

    internal override string Moment => "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)";

    public override Task<IReadOnlyList<Finding>> ExamineAsync(CancellationToken cancellationToken) =>
        ReadAsync(connection => PostgresExamination.RunAsync(connection, settings.MaxPoolSize), cancellationToken);

    public override Task<long> SchemaAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            static async connection => await connection.ExecuteScalarAsync<bool>("SELECT to_regclass('schema_migrations') IS NOT NULL")
                ? await Migrations.CurrentAsync(connection)
                : 0,
            cancellationToken);

    private protected override Task MigrateAsync(IReadOnlyList<Migration> steps, CancellationToken cancellationToken) =>
        AtStartAsync(
            async connection =>
            {
                await RefuseUnfitAsync(connection);
                await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
                await connection.ExecuteAsync("SELECT pg_advisory_xact_lock(@MigrationLock)", new { MigrationLock });

                // With nothing to keep, there is nothing to wait for: a synchronous standby may be away.
                if (await ApplyMigrationsAsync(connection, steps))
                    await transaction.CommitAsync(cancellationToken);
            },
            cancellationToken);

    protected override Task ReachAsync(CancellationToken cancellationToken) => AtStartAsync(static _ => Task.CompletedTask, cancellationToken);

    /// <summary>What can be wrong with a server is found by the first connection, and told in a sentence.</summary>
    private async Task AtStartAsync(Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        // A connection of its own, without a time limit: another node may be at it, and a step may take long.
        await using NpgsqlDataSource patient = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { CommandTimeout = 0 });
        try
        {
            await using NpgsqlConnection connection = await patient.OpenConnectionAsync(cancellationToken);
            await work(connection);
        }
        catch (PostgresException e)
        {
            throw new DatabaseConfigurationException($"{Description}: {e.MessageText}. {AdviceFor(e)}", e);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException)
        {
            throw new DatabaseConfigurationException(
                $"{Description} can't be reached: {(e.InnerException ?? e).Message.TrimEnd('.')}. Check that the server runs there, and Host and Port in the connection string.", e);
        }
    }

    /// <summary>Runs a text of several statements in one round trip; the last of them is the commit.</summary>
    private Task<T> TogetherAsync<T>(
        Transaction transaction, string statements, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        connections.RunAsync(
            transaction,
            async session =>
            {
                await using SqlMapper.GridReader results = await session.QueryMultipleAsync(statements, parameters);
                T result = await read(results);

                // Npgsql says nothing of an error in what is closed unread, and the commit comes last.
                while (!results.IsConsumed)
                    await results.ReadAsync();
                return result;
            },
            cancellationToken);

    /// <summary>The port stands behind each of several hosts already, or is that of all.</summary>
    private string Place => settings.Host!.Contains(':', StringComparison.Ordinal) ? settings.Host : $"{settings.Host}:{settings.Port}";

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            // Of a word that comes twice, the last counts.
            NpgsqlConnectionStringBuilder parsed = new(Defaults + connectionString);
            if (parsed.Host?.Contains(',', StringComparison.Ordinal) == true)
                parsed.TargetSessionAttributes ??= "primary";
            return string.IsNullOrEmpty(parsed.Database)
                ? throw new DatabaseConfigurationException($"The connection string names no database. {DatabaseConfigurationException.Examples}")
                : parsed;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            throw new DatabaseConfigurationException($"The connection string can't be read: {e.Message} {DatabaseConfigurationException.Examples}", e);
        }
    }

    /// <summary>
    /// A change whose commit comes with it is never cancelled; where it waits for somebody's lock, the server itself ends it, before whoever asked
    /// gives up and is told that it may have been done.
    /// </summary>
    private static NpgsqlConnectionStringBuilder WithLockTimeout(NpgsqlConnectionStringBuilder settings) =>
        settings.CommandTimeout == 0 || settings.Options?.Contains("lock_timeout", StringComparison.Ordinal) == true
            ? settings
            : new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Options = $"{settings.Options} -c lock_timeout={settings.CommandTimeout * 750}".TrimStart() };

    private static string AdviceFor(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            "Check Username and Password in the connection string, and the server's pg_hba.conf.",
        PostgresErrorCodes.InvalidCatalogName => "Make it first: CREATE DATABASE ... OWNER the user of the connection string.",
        PostgresErrorCodes.InsufficientPrivilege =>
            "Atrium makes its tables itself: make the user of the connection string the owner of the database (ALTER DATABASE ... OWNER TO ...).",
        PostgresErrorCodes.TooManyConnections => "Raise max_connections of the server, or lower Maximum Pool Size in the connection string of every node.",
        PostgresErrorCodes.ReadOnlySqlTransaction => "Name the primary, or turn off default_transaction_read_only.",
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
}
