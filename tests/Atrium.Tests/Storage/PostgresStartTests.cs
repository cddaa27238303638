using System.Data.Common;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>What can be wrong with a PostgreSQL before the first request: each thing is said in a sentence, and nothing is changed.</summary>
public sealed class PostgresStartTests(PrivatePostgres postgres)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Database=atrium;Username=u;Password=do-not-show-this", "can't be reached")]
    [InlineData("Host=no-such-host.invalid;Database=atrium;Password=do-not-show-this", "can't be reached")]
    [InlineData("Server=127.0.0.1;Port=1;Database=atrium", "can't be reached")]
    [InlineData("Host=127.0.0.1;Username=u;Password=do-not-show-this", "names no database")]
    [InlineData("Host=127.0.0.1;Database=atrium;Port=many;Password=do-not-show-this", "can't be read")]
    [InlineData("Host=127.0.0.1;Database=atrium;Colour=blue;Password=do-not-show-this", "can't be read")]
    [InlineData("postgres://u:do-not-show-this@127.0.0.1/atrium", "can't be read")]
    public async Task A_connection_string_that_leads_nowhere_is_refused_in_a_sentence(string connectionString, string what)
    {
        DatabaseConfigurationException refused = await RefusedAsync(connectionString);
        refused.Message.ShouldContain(what);
        refused.Message.ShouldNotContain("do-not-show-this");
        if (what == "can't be reached")
            refused.InnerException.ShouldBeAssignableTo<DbException>("what the health check and the doors take for a database that is away");
    }

    [Fact]
    public async Task A_wrong_password_a_missing_database_and_a_user_who_may_make_nothing_are_each_named()
    {
        string database = await postgres.NewDatabaseAsync();
        string name = new NpgsqlConnectionStringBuilder(database).Database!;
        (await RefusedAsync(await postgres.ConnectionStringAsync(name, password: "wrong"))).Message.ShouldContain("Username and Password");
        (await RefusedAsync(await postgres.ConnectionStringAsync("not_there"))).Message.ShouldContain("CREATE DATABASE");
        await postgres.ExecuteAsync("CREATE ROLE guest LOGIN PASSWORD 'guest'");
        (await RefusedAsync(await postgres.ConnectionStringAsync(name, "guest", "guest"))).Message.ShouldContain("OWNER");
    }

    [Fact]
    public async Task A_database_that_would_lose_text_or_commits_is_refused()
    {
        await postgres.ExecuteAsync("CREATE DATABASE plain_bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
        (await RefusedAsync(await postgres.ConnectionStringAsync("plain_bytes"))).Message.ShouldContain("SQL_ASCII");
        string careless = await postgres.NewDatabaseAsync();
        await postgres.ExecuteAsync($"ALTER DATABASE {new NpgsqlConnectionStringBuilder(careless).Database} SET synchronous_commit = off");
        (await RefusedAsync(careless)).Message.ShouldContain("synchronous_commit");
    }

    [Fact]
    public async Task Nodes_that_start_at_once_on_an_empty_database_all_start()
    {
        string connectionString = await postgres.NewDatabaseAsync();
        Database[] opened = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Database.OpenAsync(connectionString, None))));
        foreach (Database one in opened)
            (await new RealmStore(one).AnyAsync(None)).ShouldBeFalse();
        foreach (Database one in opened)
            await one.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_key_file_nothing_is_opened()
    {
        AtriumOptions options = new() { Database = "Host=127.0.0.1;Port=1;Database=atrium" };
        KeyFileException refused = await Should.ThrowAsync<KeyFileException>(async () => await Backbone.OpenAsync(options, TimeProvider.System, None));
        refused.Message.ShouldContain("--key-file");
    }

    [Fact]
    public async Task The_demo_makes_a_key_file_where_it_is_started_and_shows_no_password()
    {
        string folder = Directory.CreateTempSubdirectory("atrium-test-").FullName;
        string connectionString = await postgres.NewDatabaseAsync();
        using System.Diagnostics.Process server = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(
                "dotnet", [typeof(AtriumServer).Assembly.Location, "demo", "--urls", "http://127.0.0.1:0", "--database", connectionString])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
        try
        {
            string said = "";
            while (!said.Contains("Stop with Ctrl+C", StringComparison.Ordinal) && await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
                said += line + "\n";
            said.ShouldContain("Database: PostgreSQL, ");
            said.ShouldNotContain(new NpgsqlConnectionStringBuilder(connectionString).Password!);
            File.Exists(Path.Combine(folder, "atrium-demo.key")).ShouldBeTrue();
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<DatabaseConfigurationException> RefusedAsync(string connectionString) =>
        await Should.ThrowAsync<DatabaseConfigurationException>(async () => await Database.OpenAsync(connectionString, None));
}
