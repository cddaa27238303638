using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Npgsql;

namespace Atrium.Storage.Postgres;

/// <summary>
/// A connection from the pool for as long as one piece of work takes. The transaction begins in the same round trip as its first statement;
/// without a text to begin it there is none, and one statement is all that may be run. Being no connection of Npgsql's, it makes
/// Dapper write a list behind IN as it does for SQLite.
/// </summary>
internal sealed class PostgresSession(NpgsqlConnection connection, Transaction transaction) : DbConnection
{
    private bool begun;
    private PostgresException? failure;

    [AllowNull]
    public override string ConnectionString
    {
        get => connection.ConnectionString;
        set => throw new NotSupportedException();
    }

    public override string Database => connection.Database;

    public override string DataSource => connection.DataSource;

    public override string ServerVersion => connection.ServerVersion;

    public override ConnectionState State => connection.State;

    /// <summary>Whether the commit is on its way, or done.</summary>
    public bool IsCommitting { get; private set; }

    /// <summary>None: Npgsql would cancel it. A commit of what only read waits for nobody.</summary>
    private int TimeoutOfCommit => transaction.Writes ? 0 : connection.CommandTimeout;

    public override void Open() => throw new NotSupportedException();

    public override void Close() => connection.Close();

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    /// <summary>Back to the pool; a transaction that was not committed is rolled back there.</summary>
    public override async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <summary>Makes what was done last. Where a statement failed and the work went on, that failure: the server has given the transaction up.</summary>
    public async Task CommitAsync()
    {
        if (failure is not null)
            throw failure;
        if (transaction.Begin is null || !begun)
            return;
        IsCommitting = true;
        await using NpgsqlCommand commit = new("COMMIT", connection) { CommandTimeout = TimeoutOfCommit };
        await commit.ExecuteNonQueryAsync();
    }

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => throw new NotSupportedException();

    protected override DbCommand CreateDbCommand() => new Command(this, CreateNpgsqlCommand());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            connection.Dispose();
        base.Dispose(disposing);
    }

    private NpgsqlCommand CreateNpgsqlCommand()
    {
        NpgsqlCommand command = connection.CreateCommand();
        if (transaction.CommitsAtOnce)
            command.CommandTimeout = TimeoutOfCommit;
        return command;
    }

    /// <summary>Makes a command ready to run: texts that can be stored, and before the first, in the same round trip, the transaction's begin.</summary>
    private NpgsqlCommand Ready(NpgsqlCommand command)
    {
        if (transaction.Begin is null && begun)
            throw new InvalidOperationException("This read runs one query alone; several that shall see one moment are read together.");
        if (transaction.Begin is not null && !begun)
            command.CommandText = $"{transaction.Begin};{command.CommandText}";
        begun = true;
        foreach (NpgsqlParameter parameter in command.Parameters)
        {
            if (parameter.Value is string text)
                parameter.Value = Storable(text);
        }

        return command;
    }

    /// <summary>
    /// PostgreSQL's text has no U+0000, and no UTF-8 has half a surrogate pair; what somebody sends of that kind is no reason to fail. It becomes
    /// U+FFFD, in what is written and in what is looked for alike.
    /// </summary>
    private static string Storable(string text) =>
        text.Contains('\0', StringComparison.Ordinal) || text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')
            ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD')
            : text;

    private sealed class Command(PostgresSession session, NpgsqlCommand command) : DbCommand
    {
        [AllowNull]
        public override string CommandText
        {
            get => command.CommandText;
            set => command.CommandText = value;
        }

        public override int CommandTimeout
        {
            get => command.CommandTimeout;
            set => command.CommandTimeout = value;
        }

        public override CommandType CommandType
        {
            get => command.CommandType;
            set => command.CommandType = value;
        }

        public override bool DesignTimeVisible { get; set; }

        public override UpdateRowSource UpdatedRowSource { get; set; }

        protected override DbConnection? DbConnection
        {
            get => session;
            set => throw new NotSupportedException();
        }

        protected override DbParameterCollection DbParameterCollection => command.Parameters;

        protected override DbTransaction? DbTransaction { get; set; }

        public override void Cancel() => command.Cancel();

        /// <summary>Npgsql prepares by itself what is run often.</summary>
        public override void Prepare()
        {
        }

        public override int ExecuteNonQuery() => Run(static command => command.ExecuteNonQuery());

        public override object? ExecuteScalar() => Run(static command => command.ExecuteScalar());

        public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken) =>
            RunAsync(command => command.ExecuteNonQueryAsync(cancellationToken));

        public override Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken) =>
            RunAsync(command => command.ExecuteScalarAsync(cancellationToken));

        protected override DbParameter CreateDbParameter() => new NpgsqlParameter();

        protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => Run(command => command.ExecuteReader(behavior));

        protected override Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken) =>
            RunAsync<DbDataReader>(async command => await command.ExecuteReaderAsync(behavior, cancellationToken));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                command.Dispose();
            base.Dispose(disposing);
        }

        private T Run<T>(Func<NpgsqlCommand, T> execute)
        {
            try
            {
                return execute(session.Ready(command));
            }
            catch (PostgresException e)
            {
                session.failure ??= e;
                throw;
            }
        }

        private async Task<T> RunAsync<T>(Func<NpgsqlCommand, Task<T>> execute)
        {
            try
            {
                return await execute(session.Ready(command));
            }
            catch (PostgresException e)
            {
                session.failure ??= e;
                throw;
            }
        }
    }
}
