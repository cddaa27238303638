using System.Data.Common;
using Atrium.Core.Clients;
using Atrium.Storage;
using Atrium.Testing;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Atrium.Bench;

/// <summary>A database for Atrium's demo realm, and the nodes on it.</summary>
internal sealed class Installation
{
    private readonly Settings settings;
    private readonly string connectionString;
    private readonly string keyFile;
    private readonly PostgresProcesses? postgres;

    private Installation(Settings settings, string name, string connectionString, PostgresProcesses? postgres)
    {
        this.settings = settings;
        this.connectionString = connectionString;
        this.postgres = postgres;
        keyFile = Path.Combine(settings.Folder, $"{name}.key");
    }

    public static Installation OnSqlite(Settings settings, string name) =>
        new(settings, name, $"Data Source={Path.Combine(settings.Folder, $"{name}.db")}", postgres: null);

    public static async Task<Installation> OnPostgresAsync(Settings settings, PostgresCluster cluster, string name)
    {
        await cluster.ExecuteAsync($"CREATE DATABASE {name}");
        return new Installation(settings, $"postgres-{name}", cluster.ConnectionString(name), await PostgresProcesses.OfAsync(cluster));
    }

    public bool IsPostgres => postgres is not null;

    public string DatabaseName => IsPostgres ? "PostgreSQL" : "SQLite";

    public TimeSpan DatabaseCpu => postgres?.Cpu ?? TimeSpan.Zero;

    public Task<Side> StartNodeAsync() =>
        Side.StartAsync(url => [settings.Server, "demo", "--urls", url, .. Place], settings.Folder, postgres);

    /// <summary>The toy with a durable commit a request, on the same disk or the same server.</summary>
    public Task<Side> StartToyAsync() => Side.StartAsync(
        url => [typeof(Toy).Assembly.Location, "toy", url, IsPostgres ? connectionString : $"{connectionString}.toy"], settings.Folder, postgres);

    /// <summary>The arguments of one of Atrium's verbs.</summary>
    public string[] Verb(params string[] verb) => [settings.Server, .. verb, .. Place];

    /// <summary>The numbers from 1 to the last, as a table with the column <c>i</c>, to stand behind CROSS JOIN.</summary>
    public string Numbers(int last) => IsPostgres
        ? $"generate_series(1, {last}) AS numbers(i)"
        : $"(WITH RECURSIVE numbers(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM numbers WHERE i < {last}) SELECT i FROM numbers)";

    /// <summary>A connection of one's own, past Atrium.</summary>
    public async Task<DbConnection> ConnectAsync()
    {
        DbConnection connection = IsPostgres
            ? new NpgsqlConnection($"{connectionString};Pooling=false;Command Timeout=0")
            : new SqliteConnection($"{connectionString};Pooling=false;Foreign Keys=false");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>
    /// Lets a load be prepared with Atrium's own stores. PostgreSQL then looks at its tables, as it does by itself within a minute: a server that
    /// does not know yet how many rows there are takes any index for as good as another.
    /// </summary>
    public async Task<T> SeedAsync<T>(Func<Seed, Task<T>> prepare)
    {
        await using Database database = await Database.OpenAsync(connectionString, CancellationToken.None);
        Client client = (await new ClientStore(database).FindByClientIdAsync("demo-server", CancellationToken.None))!;
        T prepared = await prepare(new Seed(database, client, TimeProvider.System));
        if (IsPostgres)
        {
            await using DbConnection connection = await ConnectAsync();
            await connection.ExecuteAsync("VACUUM ANALYZE");
        }

        return prepared;
    }

    private string[] Place => ["--database", connectionString, "--key-file", keyFile];
}
