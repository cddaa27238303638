namespace Atrium.Tests.Harness;

/// <summary>The same server with its database in PostgreSQL.</summary>
public class PostgresDemoServer(PrivatePostgres postgres) : DemoServer
{
    private string? connectionString;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await postgres.DropAsync(connectionString!);
        GC.SuppressFinalize(this);
    }

    protected override async Task<string> NewDatabaseAsync(string path) => connectionString = await postgres.NewDatabaseAsync();
}
