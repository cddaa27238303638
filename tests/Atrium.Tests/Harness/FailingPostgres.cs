using Atrium.Testing;
using Npgsql;

namespace Atrium.Tests.Harness;

/// <summary>
/// A PostgreSQL of one test class alone, to be stopped, started and frozen as a machine would do it. Its clients come as an ordinary user, who
/// owns the databases.
/// </summary>
public sealed class FailingPostgres : IAsyncDisposable
{
    private PostgresCluster? cluster;
    private int databases;

    private PostgresCluster Cluster => cluster ?? throw new InvalidOperationException("No database was asked for yet.");

    public Task StartAsync() => Cluster.StartAsync();

    /// <summary>As if the machine had lost its power.</summary>
    public Task StopAsync() => Cluster.KillAsync();

    /// <summary>Every process stands still; connections stay open and new ones are accepted, but nothing is answered.</summary>
    public Task FreezeAsync() => Cluster.FreezeAsync();

    public Task ThawAsync() => Cluster.ThawAsync();

    /// <summary>The connection string of an empty database, whose owner may open this many connections; -1 for no bound.</summary>
    public async Task<string> NewDatabaseAsync(int maxConnections = -1)
    {
        cluster ??= await PostgresCluster.StartNewAsync(maxConnections: 30);
        string name = $"app_{++databases}";
        await ExecuteAsync($"CREATE ROLE {name} LOGIN CONNECTION LIMIT {maxConnections} PASSWORD '{name}'");
        await ExecuteAsync($"CREATE DATABASE {name} OWNER {name}");
        return $"{cluster.ConnectionString(name, name, name)};Timeout=2;Command Timeout=2";
    }

    /// <summary>A connection of the cluster's superuser, to run statements and to hold locks with.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(string database = "postgres")
    {
        NpgsqlConnection connection = new($"{Cluster.ConnectionString(database)};Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    public Task ExecuteAsync(string sql, string database = "postgres") => Cluster.ExecuteAsync(sql, database);

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
            await cluster.DisposeAsync();
    }
}
