using Microsoft.Data.Sqlite;
using Npgsql;

namespace Atrium.Bench;

/// <summary>One durable commit of one row for each call, by the shortest way there is.</summary>
internal abstract class ToyCommits : IAsyncDisposable
{
    private const string Table = "CREATE TABLE toy_tokens (hash bytea NOT NULL PRIMARY KEY)";
    private const string Insert = "INSERT INTO toy_tokens (hash) VALUES (@hash)";

    /// <param name="connectionString">With a <c>Host</c> it is PostgreSQL, as for Atrium.</param>
    public static ToyCommits To(string connectionString) =>
        connectionString.Contains("Host=", StringComparison.Ordinal) ? new OnPostgres(connectionString) : new OnSqlite(connectionString);

    public abstract Task AddAsync(byte[] hash);

    public abstract ValueTask DisposeAsync();

    /// <summary>Pooled connections, each with the statement prepared.</summary>
    private sealed class OnPostgres : ToyCommits
    {
        private readonly NpgsqlDataSource source;

        public OnPostgres(string connectionString)
        {
            source = NpgsqlDataSource.Create($"{connectionString};Maximum Pool Size=40;Max Auto Prepare=10;Auto Prepare Min Usages=2;No Reset On Close=true;Enlist=false");
            using NpgsqlCommand setup = source.CreateCommand(Table);
            setup.ExecuteNonQuery();
        }

        public override async Task AddAsync(byte[] hash)
        {
            await using NpgsqlCommand insert = source.CreateCommand(Insert);
            insert.Parameters.Add(new NpgsqlParameter<byte[]>("hash", hash));
            await insert.ExecuteNonQueryAsync();
        }

        public override ValueTask DisposeAsync() => source.DisposeAsync();
    }

    /// <summary>Write-ahead log, <c>synchronous=FULL</c>, one connection.</summary>
    private sealed class OnSqlite : ToyCommits
    {
        private readonly Lock gate = new();
        private readonly SqliteConnection connection;
        private readonly SqliteCommand insert;

        public OnSqlite(string connectionString)
        {
            connection = new SqliteConnection(connectionString);
            connection.Open();
            using SqliteCommand setup = connection.CreateCommand();
            setup.CommandText = $"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {Table}";
            setup.ExecuteNonQuery();
            insert = connection.CreateCommand();
            insert.CommandText = Insert;
            insert.Parameters.Add("@hash", SqliteType.Blob);
            insert.Prepare();
        }

        public override Task AddAsync(byte[] hash)
        {
            lock (gate)
            {
                insert.Parameters[0].Value = hash;
                insert.ExecuteNonQuery();
            }

            return Task.CompletedTask;
        }

        public override async ValueTask DisposeAsync()
        {
            await insert.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
