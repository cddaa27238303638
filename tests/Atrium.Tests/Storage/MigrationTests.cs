using System.Data.Common;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>How a database gets its schema: every step once, all of them or none, and never backwards.</summary>
public sealed class MigrationTests(PrivatePostgres postgres) : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string folder = Directory.CreateTempSubdirectory("atrium-migrations-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Steps_have_numbers_of_their_own() =>
        Migrations.All.Select(static step => step.Version).ShouldBe(Migrations.All.Select(static step => step.Version).Distinct().Order());

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Eight_that_start_at_once_take_each_step_once(bool onPostgres)
    {
        string connectionString = await NewAsync(onPostgres);
        Database[] opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Database.OpenAsync(connectionString, None))));
        (await StepsAsync(opened[0])).ShouldBe(Migrations.All.Select(static step => step.Name));
        foreach (Database one in opened)
            await one.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_processes_that_start_at_once_take_each_step_once_and_share_one_key(bool onPostgres)
    {
        string connectionString = await NewAsync(onPostgres);
        string[] common = ["--database", connectionString, "--key-file", Path.Combine(folder, "shared.key")];
        VerbResult[] results = await Task.WhenAll(Verb.RunAsync(["realms", "create", "one", .. common]), Verb.RunAsync(["realms", "create", "two", .. common]));
        results.ShouldAllBe(static result => result.ExitCode == 0);
        await using Database database = await Database.OpenAsItIsAsync(connectionString, None);
        (await StepsAsync(database)).ShouldBe(Migrations.All.Select(static step => step.Name));
        (await new StorageKeyStore(database).FindAsync(None))!.Opening.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_step_that_fails_half_way_changes_nothing_and_is_named_in_one_line(bool onPostgres)
    {
        string fresh = await NewAsync(onPostgres);
        (await FailsAsync(fresh)).ShouldContain("at schema 0");
        await using (Database database = await Database.OpenAsItIsAsync(fresh, None))
            (await database.SchemaAsync(None)).ShouldBe(0, "not even the first steps, which did not fail, are left");

        string used = await NewAsync(onPostgres);
        await (await Database.OpenAsync(used, None)).DisposeAsync();
        (await FailsAsync(used)).ShouldContain($"at schema {Database.KnownSchema}");
        await using (Database database = await Database.OpenAsync(used, None))
        {
            (await StepsAsync(database)).ShouldBe(Migrations.All.Select(static step => step.Name));
            await Should.ThrowAsync<DbException>(database.QueryAsync(static connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM half_made"), None));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_newer_schema_is_refused_and_left_as_it_is(bool onPostgres)
    {
        string connectionString = await NewAsync(onPostgres);
        Migration newer = new(Database.KnownSchema + 1, "9999_newer.sql", "CREATE TABLE newer (id bigint)");
        await (await Database.OpenAsync(connectionString, [.. Migrations.All, newer], None)).DisposeAsync();
        DatabaseConfigurationException refused =
            await Should.ThrowAsync<DatabaseConfigurationException>(async () => await Database.OpenAsync(connectionString, None));
        refused.Message.ShouldContain($"schema {newer.Version}, this program knows up to {Database.KnownSchema}");
        await using Database database = await Database.OpenAsItIsAsync(connectionString, None);
        (await StepsAsync(database)).Count.ShouldBe(Migrations.All.Count + 1);
    }

    private static async Task<string> FailsAsync(string connectionString)
    {
        Migration[] steps = [.. Migrations.All, new(Database.KnownSchema + 1, "9999_broken.sql", "CREATE TABLE half_made (id bigint); INSERT INTO nowhere VALUES (1);")];
        DatabaseConfigurationException failed =
            await Should.ThrowAsync<DatabaseConfigurationException>(async () => await Database.OpenAsync(connectionString, steps, None));
        failed.Message.ShouldContain("9999_broken.sql");
        failed.Message.ShouldContain("nowhere");
        failed.Message.ShouldNotContain('\n');
        return failed.Message;
    }

    private static Task<List<string>> StepsAsync(Database database) =>
        database.QueryAsync(static async connection => (await connection.QueryAsync<string>("SELECT name FROM schema_migrations ORDER BY version")).AsList(), None);

    private async Task<string> NewAsync(bool onPostgres) =>
        onPostgres ? await postgres.NewDatabaseAsync() : $"Data Source={Path.Combine(folder, $"{Guid.NewGuid():n}.db")}";
}
