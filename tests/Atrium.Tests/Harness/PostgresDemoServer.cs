using Npgsql;

namespace Atrium.Tests.Harness;

/// <summary>The same server with its database in PostgreSQL.</summary>
public class PostgresDemoServer(PrivatePostgres postgres) : DemoServer
{
    private string? connectionString;

    /// <summary>The database's name, to look into it beside the server.</summary>
    public string Database => new NpgsqlConnectionStringBuilder(connectionString).Database!;

    protected PrivatePostgres Cluster => postgres;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await postgres.DropAsync(connectionString!);
        GC.SuppressFinalize(this);
    }

    protected override async Task<string> NewDatabaseAsync(string path) => connectionString = await DemoTemplate.CopyPostgresAsync(postgres, path);
}
