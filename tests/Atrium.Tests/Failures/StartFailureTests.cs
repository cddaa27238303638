using System.Diagnostics;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Failures;

/// <summary>A start on a database that can't be used: one line that names the place and the next step, exit code 1, and nothing is changed.</summary>
public sealed class StartFailureTests(PrivatePostgres postgres) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-start-").FullName;

    private string DatabaseFile => Path.Combine(folder, "atrium.db");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory(Timeout = 60_000)]
    [InlineData("Data Source=/nonexistent-folder/atrium.db", "/nonexistent-folder/atrium.db", "folder exists")]
    [InlineData("Data Source=", "Data Source=./atrium.db", "needs a file")]
    [InlineData("Colour=blue", "Data Source=./atrium.db", "can't be read")]
    [InlineData("Host=127.0.0.1;Port=1;Database=atrium;Password=do-not-show-this", "atrium at 127.0.0.1:1", "Check that the server runs")]
    [InlineData("Host=127.0.0.1,localhost;Port=1;Database=atrium;Password=do-not-show-this", "atrium at 127.0.0.1,localhost:1", "Check that the server runs")]
    [InlineData("Host=127.0.0.1;Password=do-not-show-this", "names no database", "Host=db.example.com")]
    public Task A_wrong_connection_string(string connectionString, string place, string advice) => ShouldRefuseAsync(connectionString, place, advice);

    [Fact(Timeout = 60_000)]
    public async Task Another_password_and_a_database_that_is_not_there()
    {
        string database = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync()).Database!;
        await ShouldRefuseAsync(await postgres.ConnectionStringAsync(database, password: "do-not-show-this"), $"PostgreSQL, {database} at 127.0.0.1", "Username and Password");
        await ShouldRefuseAsync(await postgres.ConnectionStringAsync("not_there"), "PostgreSQL, not_there at 127.0.0.1", "CREATE DATABASE");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_newer_schema_in_SQLite()
    {
        await (await Database.OpenAsync($"Data Source={DatabaseFile}", default)).DisposeAsync();
        await ExecuteAsync("INSERT INTO schema_migrations VALUES (9999, 'of the future')");
        byte[] before = await File.ReadAllBytesAsync(DatabaseFile);
        await ShouldRefuseAsync($"Data Source={DatabaseFile}", DatabaseFile, "schema 9999");
        (await File.ReadAllBytesAsync(DatabaseFile)).ShouldBe(before);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_newer_schema_in_PostgreSQL()
    {
        string connectionString = await postgres.NewDatabaseAsync();
        string database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        await (await Database.OpenAsync(connectionString, default)).DisposeAsync();
        await postgres.ExecuteAsync("INSERT INTO schema_migrations VALUES (9999, 'of the future')", database);
        await ShouldRefuseAsync(connectionString, $"PostgreSQL, {database} at 127.0.0.1", "schema 9999");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_read_only_database()
    {
        string connectionString = await postgres.NewDatabaseAsync();
        string database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        await postgres.ExecuteAsync($"ALTER DATABASE {database} SET default_transaction_read_only = on");
        await ShouldRefuseAsync(connectionString, $"PostgreSQL, {database} at 127.0.0.1", "read-only");

        await (await Database.OpenAsync($"Data Source={DatabaseFile}", default)).DisposeAsync();
        await ShouldRefuseAsync($"Data Source={DatabaseFile};Mode=ReadOnly", DatabaseFile, "writable");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_that_another_process_holds()
    {
        await (await Database.OpenAsync($"Data Source={DatabaseFile}", default)).DisposeAsync();
        await using SqliteConnection holder = new($"Data Source={DatabaseFile};Pooling=false");
        await holder.OpenAsync();
        await holder.ExecuteAsync("BEGIN EXCLUSIVE");
        await ShouldRefuseAsync($"Data Source={DatabaseFile}", DatabaseFile, "Another process holds");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_that_is_no_database()
    {
        await File.WriteAllTextAsync(DatabaseFile, new string('x', 5000));
        await ShouldRefuseAsync($"Data Source={DatabaseFile}", DatabaseFile, "left as it is");
        (await File.ReadAllTextAsync(DatabaseFile)).ShouldBe(new string('x', 5000));
    }

    /// <summary>The real command, serving and as a verb.</summary>
    private async Task ShouldRefuseAsync(string connectionString, string place, string advice)
    {
        foreach (string[] verb in new[] { ["--urls", "http://127.0.0.1:0"], new[] { "realms", "create", "acme" } })
        {
            using Process atrium = Process.Start(
                new ProcessStartInfo(
                    "dotnet",
                    [typeof(AtriumServer).Assembly.Location, .. verb, "--database", connectionString, "--key-file", Path.Combine(folder, "atrium.key")])
                {
                    RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = folder,
                })!;
            using CancellationTokenRegistration stop = TestContext.Current.CancellationToken.Register(atrium.Kill);
            Task<string> output = atrium.StandardOutput.ReadToEndAsync();
            string said = await atrium.StandardError.ReadToEndAsync();
            await atrium.WaitForExitAsync();
            atrium.ExitCode.ShouldBe(1, said);
            said.TrimEnd().ShouldNotContain("\n");
            said.ShouldStartWith("atrium: ");
            said.ShouldContain(place);
            said.ShouldContain(advice);
            said.ShouldNotContain("do-not-show-this");
            (await output).ShouldBeEmpty();
            File.Exists(Path.Combine(folder, "atrium.key")).ShouldBeFalse("nothing is made");
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using SqliteConnection connection = new($"Data Source={DatabaseFile};Pooling=false");
        await connection.OpenAsync();
        await connection.ExecuteAsync(sql);
    }
}
