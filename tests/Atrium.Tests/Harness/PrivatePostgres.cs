using Atrium.Storage;
using Atrium.Testing;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(Atrium.Tests.Harness.PrivatePostgres))]

namespace Atrium.Tests.Harness;

/// <summary>The cluster of this run: started when the first test asks for a database, stopped and removed with the last.</summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private const string SchemaName = "atrium_schema";

    private readonly Lazy<Task<PostgresCluster>> cluster = new(static () => PostgresCluster.StartNewAsync());
    private readonly Lazy<Task> schema;
    private int databases;

    public PrivatePostgres() => schema = new(MakeSchemaAsync);

    /// <summary>What the cluster's programs have said so far.</summary>
    public string Log => cluster.IsValueCreated ? cluster.Value.GetAwaiter().GetResult().Log : "";

    /// <summary>The connection string of a database that nobody else uses: an empty one, or a copy of another that nobody is connected to.</summary>
    public async Task<string> NewDatabaseAsync(string? template = null)
    {
        string name = $"atrium_{Interlocked.Increment(ref databases)}";
        await ExecuteAsync($"CREATE DATABASE {name}{(template is null ? "" : $" TEMPLATE {template}")}");
        return (await cluster.Value).ConnectionString(name);
    }

    /// <summary>The connection string of a database that has the schema of today, and nothing in it: the migrations of it run once for all.</summary>
    public async Task<string> NewDatabaseWithSchemaAsync()
    {
        await schema.Value;
        return await NewDatabaseAsync(SchemaName);
    }

    public async Task<string> ConnectionStringAsync(string database, string user = PostgresCluster.User, string password = PostgresCluster.Password) =>
        (await cluster.Value).ConnectionString(database, user, password);

    /// <summary>Runs a statement as the cluster's superuser.</summary>
    public async Task ExecuteAsync(string sql, string database = "postgres") => await (await cluster.Value).ExecuteAsync(sql, database);

    /// <summary>Removes a database, with the connections that are still open to it.</summary>
    public Task DropAsync(string connectionString) =>
        ExecuteAsync($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");

    private async Task MakeSchemaAsync()
    {
        await ExecuteAsync($"CREATE DATABASE {SchemaName}");
        await using Database made = await Database.OpenAsync($"{await ConnectionStringAsync(SchemaName)};Pooling=False", default);
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster.IsValueCreated)
            await (await cluster.Value).DisposeAsync();
    }
}
