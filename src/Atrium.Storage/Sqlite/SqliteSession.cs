using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace Atrium.Storage.Sqlite;

/// <summary>
/// An open connection that remembers its prepared statements. Every statement of the stores is a constant text, so each is parsed and
/// planned once per connection instead of once per call.
/// </summary>
internal sealed class SqliteSession(SqliteConnection connection) : DbConnection
{
    /// <summary>The stores have fewer texts than this; only lists of varying length could make more, and those are not remembered.</summary>
    private const int MaxStatements = 256;

    private readonly Dictionary<string, SqliteCommand> statements = new(StringComparer.Ordinal);
    private readonly HashSet<SqliteCommand> running = [];

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

    public override void Open() => connection.Open();

    public override void Close() => connection.Close();

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => throw new NotSupportedException();

    protected override DbCommand CreateDbCommand() => new Command(this, connection.CreateCommand());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (SqliteCommand statement in statements.Values)
                statement.Dispose();
            connection.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The remembered statement of this text with these parameters; the asking command itself when that one is still being read.</summary>
    private SqliteCommand Prepared(SqliteCommand asked)
    {
        if (!statements.TryGetValue(asked.CommandText, out SqliteCommand? statement))
        {
            if (statements.Count >= MaxStatements)
                return asked;
            statement = connection.CreateCommand();
            statement.CommandText = asked.CommandText;
            statements.Add(asked.CommandText, statement);
        }

        if (!running.Add(statement))
            return asked;
        statement.Parameters.Clear();
        foreach (SqliteParameter parameter in asked.Parameters)
            statement.Parameters.Add(parameter);
        return statement;
    }

    private sealed class Command(SqliteSession session, SqliteCommand asked) : DbCommand
    {
        private SqliteCommand? used;

        [AllowNull]
        public override string CommandText
        {
            get => asked.CommandText;
            set => asked.CommandText = value;
        }

        public override int CommandTimeout
        {
            get => asked.CommandTimeout;
            set => asked.CommandTimeout = value;
        }

        public override CommandType CommandType
        {
            get => asked.CommandType;
            set => asked.CommandType = value;
        }

        public override bool DesignTimeVisible { get; set; }

        public override UpdateRowSource UpdatedRowSource { get; set; }

        protected override DbConnection? DbConnection
        {
            get => session;
            set => throw new NotSupportedException();
        }

        protected override DbParameterCollection DbParameterCollection => asked.Parameters;

        protected override DbTransaction? DbTransaction { get; set; }

        public override void Cancel() => asked.Cancel();

        public override void Prepare()
        {
        }

        public override int ExecuteNonQuery() => Use().ExecuteNonQuery();

        public override object? ExecuteScalar() => Use().ExecuteScalar();

        protected override DbParameter CreateDbParameter() => asked.CreateParameter();

        protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => Use().ExecuteReader(behavior);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                if (used is not null)
                    session.running.Remove(used);
                asked.Dispose();
            }

            base.Dispose(disposing);
        }

        private SqliteCommand Use() => used ??= session.Prepared(asked);
    }
}
