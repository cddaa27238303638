using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Atrium.Storage.Sqlite;

/// <summary>
/// The embedded default: one file, write-ahead log, <c>synchronous=FULL</c>. Readers have connections of their own and never wait;
/// writers queue for the one <see cref="SqliteWriter"/>.
/// </summary>
internal sealed class SqliteDatabase : Database
{
    /// <summary>How long to wait for another process, in seconds.</summary>
    private const int Patience = 5;

    private readonly string file;
    private readonly bool isReadOnly;
    private readonly SqliteReaders readers;
    private readonly SqliteWriter writer;

    /// <param name="asItIs">Only looks: the file must be there, and nothing in it is changed.</param>
    public SqliteDatabase(string connectionString, bool asItIs = false)
    {
        SqliteConnectionStringBuilder settings = Parse(connectionString);
        settings.ForeignKeys = true;
        settings.DefaultTimeout = Patience;
        file = Path.GetFullPath(settings.DataSource);
        ConnectionStringWithoutPassword = $"Data Source={file}";
        Description = $"SQLite, {file}";
        SqliteConnection toWrite = asItIs ? OpenToLook(settings) : OpenWriter(settings);
        isReadOnly = raw.sqlite3_db_readonly(toWrite.Handle, "main") != 0;
        writer = new SqliteWriter(toWrite);
        // SQLite ignores a read-only hint on a file that isn't there: the writer has made it by now.
        readers = new SqliteReaders(new SqliteConnectionStringBuilder { DataSource = settings.DataSource, Mode = SqliteOpenMode.ReadOnly, Pooling = false, DefaultTimeout = Patience }.ConnectionString);
    }

    public static string KeyFileBeside(string connectionString) =>
        Path.ChangeExtension(Path.GetFullPath(Parse(connectionString).DataSource), ".key");

    public override string Description { get; }

    public override string ConnectionStringWithoutPassword { get; }

    public override string ForUpdateOf(string table) => "";

    public override string ForDeleteOf(string table) => "";

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

    public override async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await readers.ReadAsync(query);
        }
        catch (SqliteException e) when (SqliteTroubles.OfReading(e) is { } trouble)
        {
            throw new DatabaseUnavailableException(trouble, e.Message, e);
        }
    }

    public override Task<T> ReadTogetherAsync<T>(
        string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        ReadAsync(connection => TogetherAsync(connection, queries, parameters, read), cancellationToken);

    /// <summary>In the change's own transaction: what the queries see is what the change left, and nobody else's came between.</summary>
    public override Task<T> WriteThenReadAsync<T>(
        string change, string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync(change, parameters);
                return await TogetherAsync(connection, queries, parameters, read);
            },
            cancellationToken);

    public override async Task<T> WriteAsync<T>(Func<DbConnection, Task<T>> change, CancellationToken cancellationToken)
    {
        try
        {
            return await writer.WriteAsync(change, cancellationToken);
        }
        catch (SqliteException e) when (SqliteTroubles.Of(e) is { } trouble)
        {
            throw new DatabaseUnavailableException(trouble, e.Message, e);
        }
    }

    /// <summary>Goes the writer's way, with the lock and without a change: that writes nothing.</summary>
    public override Task CheckAsync(CancellationToken cancellationToken) =>
        WriteAsync(static connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM schema_migrations"), cancellationToken);

    public override Task<T> WriteOneAsync<T>(Func<DbConnection, Task<T>> statement, CancellationToken cancellationToken) =>
        WriteAsync(statement, cancellationToken);

    /// <summary>There is one server; the verbs of other processes are noticed by age.</summary>
    public override Task ListenAsync(Action listening, CancellationToken cancellationToken) => Task.CompletedTask;

    public override bool IsUniqueViolation(DbException exception) =>
        exception is SqliteException
        {
            // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY
            SqliteExtendedErrorCode: 2067 or 1555,
        };

    protected override Task TellOthersAsync(DbConnection connection, Change told) => Task.CompletedTask;

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

    internal override string Clock => "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

    internal override string Moment => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

    public override Task<IReadOnlyList<Finding>> ExamineAsync(CancellationToken cancellationToken) =>
        ReadAsync(connection => SqliteExamination.RunAsync(connection, file, isReadOnly), cancellationToken);

    public override Task<long> SchemaAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            static async connection => await connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations')")
                ? await Migrations.CurrentAsync(connection)
                : 0,
            cancellationToken);

    private protected override async Task MigrateAsync(IReadOnlyList<Migration> steps, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(
                connection => ApplyMigrationsAsync(connection, steps),
                cancellationToken);
        }
        catch (DatabaseUnavailableException e)
        {
            throw new DatabaseConfigurationException($"{Description}: {e.Message} The database was left as it is.", e);
        }
    }

    private static async Task<T> TogetherAsync<T>(
        DbConnection connection, string queries, object parameters, Func<SqlMapper.GridReader, Task<T>> read)
    {
        await using SqlMapper.GridReader results = await connection.QueryMultipleAsync(queries, parameters);
        return await read(results);
    }

    /// <summary>
    /// Copies the database as it is at one moment into a file; writers go on meanwhile. The copy is a single file: it has no log of its own.
    /// </summary>
    internal void CopyTo(string path)
    {
        using SqliteConnection from = new(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
        using SqliteConnection to = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        from.Open();
        from.BackupDatabase(to);
        to.Execute("PRAGMA journal_mode = DELETE");
    }

    /// <summary>The file was opened by the constructor.</summary>
    protected override Task ReachAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The path of the file that a connection string names.</summary>
    internal static string FileOf(string connectionString) => Path.GetFullPath(Parse(connectionString).DataSource);

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

    private static SqliteConnection OpenToLook(SqliteConnectionStringBuilder settings)
    {
        string path = Path.GetFullPath(settings.DataSource);
        if (!File.Exists(path))
            throw new DatabaseConfigurationException($"There is no database file {path}. Name it with --database \"Data Source=...\".");
        return Open(
            new SqliteConnectionStringBuilder(settings.ConnectionString) { Mode = SqliteOpenMode.ReadWrite },
            "PRAGMA query_only = 1; SELECT count(*) FROM sqlite_schema;");
    }

    private static SqliteConnection OpenWriter(SqliteConnectionStringBuilder settings)
    {
        MakeOwnersOnly(Path.GetFullPath(settings.DataSource));
        return Open(settings, $"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = {Patience * 1000};");
    }

    /// <summary>A new file has password hashes in it soon: nobody else may read it. SQLite takes its permissions for the files beside it.</summary>
    private static void MakeOwnersOnly(string path)
    {
        if (OperatingSystem.IsWindows() || File.Exists(path) || !Directory.Exists(Path.GetDirectoryName(path)))
            return;
        try
        {
            new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody else was faster, or the folder can't be written, which SQLite tells better.
        }
    }

    private static SqliteConnection Open(SqliteConnectionStringBuilder settings, string first)
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            connection.Execute(first);
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            string path = Path.GetFullPath(settings.DataSource);
            throw new DatabaseConfigurationException($"The database file {path} can't be opened: {e.Message} {SqliteTroubles.AdviceFor(e)}", e);
        }
    }
}
