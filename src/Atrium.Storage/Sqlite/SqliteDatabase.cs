using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Atrium.Storage.Sqlite;

/// <summary>
/// The embedded default: one file, write-ahead log, <c>synchronous=FULL</c>. Readers have connections of their own and never wait;
/// writers queue for the one <see cref="SqliteWriter"/>.
/// </summary>
internal sealed class SqliteDatabase : Database
{
    private readonly SqliteReaders readers;
    private readonly SqliteWriter writer;

    public SqliteDatabase(string connectionString)
    {
        SqliteConnectionStringBuilder settings = Parse(connectionString);
        settings.ForeignKeys = true;
        ConnectionStringWithoutPassword = $"Data Source={Path.GetFullPath(settings.DataSource)}";
        Description = $"SQLite, {Path.GetFullPath(settings.DataSource)}";
        writer = new SqliteWriter(OpenWriter(settings));
        // SQLite ignores a read-only hint on a file that isn't there: the writer has made it by now.
        readers = new SqliteReaders(new SqliteConnectionStringBuilder { DataSource = settings.DataSource, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
    }

    public static string KeyFileBeside(string connectionString) =>
        Path.ChangeExtension(Path.GetFullPath(Parse(connectionString).DataSource), ".key");

    public override string Description { get; }

    public override string ConnectionStringWithoutPassword { get; }

    public override string ForUpdateOf(string table) => "";

    public override string ElementsOf(string column) => $"json_each({column})";

    public override int RowsAtATime => 100;

    public override string SkipLocked => "";

    public override string RowsOf(string parameter, string columns)
    {
        IEnumerable<string> read = JsonRows.Columns(columns).Select(static column =>
            column.Type == "uuid" ? $"unhex(value ->> '{column.Name}') AS {column.Name}" : $"value ->> '{column.Name}' AS {column.Name}");
        return $"(SELECT {string.Join(", ", read)} FROM json_each({parameter})) AS r";
    }

    public override Task<T> QueryAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken) =>
        ReadAsync(query, cancellationToken);

    public override Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return readers.ReadAsync(query);
    }

    public override Task<T> ReadTogetherAsync<T>(
        string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        ReadAsync(connection => TogetherAsync(connection, queries, parameters, read), cancellationToken);

    /// <summary>The writer is one for all: only what must be written is its work, and a reader sees it as soon as it is durable.</summary>
    public override async Task<T> WriteThenReadAsync<T>(
        string change, string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken)
    {
        await WriteAsync(connection => connection.ExecuteAsync(change, parameters), cancellationToken);
        return await ReadTogetherAsync(queries, parameters, read, cancellationToken);
    }

    public override Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> change, CancellationToken cancellationToken) =>
        writer.WriteAsync(change, cancellationToken);

    public override Task<T> WriteOneAsync<T>(Func<DbConnection, Task<T>> statement, CancellationToken cancellationToken) =>
        WriteAsync(statement, cancellationToken);

    public override bool IsUniqueViolation(DbException exception) =>
        exception is SqliteException
        {
            // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY
            SqliteExtendedErrorCode: 2067 or 1555,
        };

    protected override bool IsMissingParent(DbException exception) =>
        exception is SqliteException
        {
            // SQLITE_CONSTRAINT_FOREIGNKEY
            SqliteExtendedErrorCode: 787,
        };

    public override async ValueTask DisposeAsync()
    {
        // The writer closes last: the last connection that may write folds the log into the file.
        readers.Dispose();
        await writer.DisposeAsync();
    }

    protected override Task MigrateAsync(CancellationToken cancellationToken) =>
        writer.WriteAsync(
            static async connection =>
            {
                await Migrations.ApplyAsync(connection);
                return true;
            },
            cancellationToken);

    private static async Task<T> TogetherAsync<T>(
        DbConnection connection, string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read)
    {
        await using SqlMapper.GridReader results = await connection.QueryMultipleAsync(queries, parameters);
        return await read(results);
    }

    private static SqliteConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            SqliteConnectionStringBuilder settings = new(connectionString);
            if (settings.DataSource.Length == 0
                || settings.Mode == SqliteOpenMode.Memory
                || settings.DataSource.Contains(":memory:", StringComparison.Ordinal)
                || settings.DataSource.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            {
                throw new DatabaseConfigurationException("The database needs a file, named by its path: use a connection string such as \"Data Source=./atrium.db\".");
            }

            return settings;
        }
        catch (ArgumentException e)
        {
            throw new DatabaseConfigurationException(
                $"The connection string can't be read: {e.Message} {DatabaseConfigurationException.Examples}", e);
        }
    }

    private static SqliteConnection OpenWriter(SqliteConnectionStringBuilder settings)
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            connection.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;");
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new DatabaseConfigurationException(
                $"The database file {Path.GetFullPath(settings.DataSource)} can't be opened: {e.Message} Check that its folder exists and can be written.", e);
        }
    }
}
