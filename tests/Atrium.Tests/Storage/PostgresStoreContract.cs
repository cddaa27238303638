using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>The contract on PostgreSQL, and what only a database with many writers can get wrong.</summary>
public sealed class PostgresStoreContract(PrivatePostgres postgres) : StoreContract
{
    private string? connectionString;

    protected override string UniqueBytes => "sha256(convert_to(concat(n, gen_random_uuid()), 'UTF8'))";

    protected override async Task<Database> OpenDatabase() =>
        await Database.OpenAsync(connectionString ??= await postgres.NewDatabaseWithSchemaAsync(), None);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await postgres.DropAsync(connectionString!);
    }

    [Fact]
    public async Task A_reader_can_change_nothing() =>
        (await Should.ThrowAsync<PostgresException>(Database.ReadAsync(static connection => connection.ExecuteAsync("DELETE FROM realms"), None)))
        .SqlState.ShouldBe(PostgresErrorCodes.ReadOnlySqlTransaction);

    [Fact]
    public async Task What_is_read_as_one_query_is_one_query() =>
        await Should.ThrowAsync<InvalidOperationException>(Database.QueryAsync(
            static async connection => await CountRealms(connection) + await CountRealms(connection), None));

    [Fact]
    public async Task Two_changes_that_lock_each_other_out_both_end_well()
    {
        TaskCompletionSource[] holds = [new(), new()];
        int[] attempts = new int[2];
        await AtOnce(
            i => Database.WriteAsync(
                async connection =>
                {
                    attempts[i]++;
                    await Rename(connection, i == 0 ? "acme" : "globex", $"by {i}");
                    holds[i].TrySetResult();
                    await holds[1 - i].Task;
                    return await Rename(connection, i == 0 ? "globex" : "acme", $"by {i}");
                },
                None),
            times: 2);
        attempts.Sum().ShouldBeGreaterThan(2, "one of them was stopped and ran again");
        string acme = (await Realms.FindByHandleAsync("acme", None))!.Name;
        acme.ShouldStartWith("by ");
        (await Realms.FindByHandleAsync("globex", None))!.Name.ShouldBe(acme, "a change is whole");
    }

    [Fact]
    public async Task A_membership_of_a_person_who_is_deleted_at_that_moment_fails_as_a_value()
    {
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        TaskCompletionSource deleted = new();
        TaskCompletionSource gate = new();
        Task<int> deletion = Database.WriteAsync(
            async connection =>
            {
                int count = await connection.ExecuteAsync("DELETE FROM users");
                deleted.SetResult();
                await gate.Task;
                return count;
            },
            None);
        await deleted.Task;
        Task<MembershipWrite> made = Memberships.CreateAsync(NewMembership(user, organization), Origin.System, None);
        await Task.Delay(200);
        made.IsCompleted.ShouldBeFalse("the person may yet stay");
        gate.SetResult();
        (await deletion).ShouldBe(1);
        (await made).ShouldBe(MembershipWrite.NotFound);
    }

    [Fact]
    public async Task A_change_of_what_somebody_else_is_changing_waits_and_readers_do_not()
    {
        User user = await MakeUser("mia@example.test");
        TaskCompletionSource changed = new();
        TaskCompletionSource gate = new();
        Task<int> first = Database.WriteAsync(
            async connection =>
            {
                int count = await connection.ExecuteAsync("UPDATE users SET given_name = 'Mia'");
                changed.SetResult();
                await gate.Task;
                return count;
            },
            None);
        await changed.Task;
        Task<UserChange> second = Users.ChangeAsync(Realm.Id, user.Id, static current => current with { FamilyName = "Moss" }, null, Origin.System, None);
        await Task.Delay(200);
        second.IsCompleted.ShouldBeFalse();
        (await Users.FindAsync(Realm.Id, user.Id, None))!.GivenName.ShouldBeNull();
        gate.SetResult();
        await first;
        (await second).Outcome.ShouldBe(UserWrite.Done);
        User both = (await Users.FindAsync(Realm.Id, user.Id, None))!;
        (both.GivenName, both.FamilyName).ShouldBe(("Mia", "Moss"));
    }

    [Fact]
    public async Task A_change_that_goes_on_after_a_failed_statement_is_not_acknowledged()
    {
        await Should.ThrowAsync<PostgresException>(Database.WriteAsync(
            static async connection =>
            {
                int count = await Rename(connection, "acme", "half");
                try
                {
                    await connection.ExecuteAsync("NOT SQL");
                }
                catch (PostgresException)
                {
                    return count;
                }

                return 0;
            },
            None));
        (await Realms.FindByHandleAsync("acme", None))!.Name.ShouldBe("acme");
    }

    [Fact]
    public async Task What_is_cancelled_before_it_begins_is_never_done()
    {
        await Should.ThrowAsync<OperationCanceledException>(Users.CreateAsync(NewUser("mia@example.test"), null, Origin.System, new CancellationToken(canceled: true)));
        (await Users.FindByEmailAsync(Realm.Id, "mia@example.test", None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_stop_finishes_what_runs_and_takes_nothing_more()
    {
        TaskCompletionSource begun = new();
        TaskCompletionSource gate = new();
        Task<int> running = Database.WriteAsync(
            async connection =>
            {
                int count = await Rename(connection, "acme", "done");
                begun.SetResult();
                await gate.Task;
                return count;
            },
            None);
        await begun.Task;
        await Database.DisposeAsync();
        gate.SetResult();
        (await running).ShouldBe(1);
        await Should.ThrowAsync<ObjectDisposedException>(async () => await Users.CreateAsync(NewUser("late@example.test"), null, Origin.System, None));
        await Reopen();
        (await Realms.FindByHandleAsync("acme", None))!.Name.ShouldBe("done");
    }

    [Fact]
    public async Task What_is_asked_often_is_prepared()
    {
        long prepared = await Database.WriteAsync(
            static async connection =>
            {
                for (int i = 0; i < 5; i++)
                    await Rename(connection, "acme", $"{i}");
                return await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'UPDATE realms%'");
            },
            None);
        prepared.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_was_away_is_found_again_without_a_restart()
    {
        await MakeUser("mia@example.test");
        await postgres.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{new NpgsqlConnectionStringBuilder(connectionString).Database}'");
        (await Users.FindByEmailAsync(Realm.Id, "mia@example.test", None)).ShouldNotBeNull("a read is asked again on a fresh connection");
        User?[] found = await AtOnce(_ => Users.FindByEmailAsync(Realm.Id, "mia@example.test", None));
        found.ShouldAllBe(static user => user != null);
    }

    [Fact]
    public async Task A_change_on_a_connection_that_broke_before_its_commit_is_made_once_on_another()
    {
        int attempts = 0;
        int renamed = await Database.WriteAsync(
            async connection =>
            {
                int count = await Rename(connection, "acme", "renamed");
                if (attempts++ == 0)
                    await postgres.ExecuteAsync($"SELECT pg_terminate_backend({await connection.ExecuteScalarAsync<int>("SELECT pg_backend_pid()")})");
                return count + await Rename(connection, "globex", "renamed");
            },
            None);
        (renamed, attempts).ShouldBe((2, 2));
        (await Realms.FindByHandleAsync("acme", None))!.Name.ShouldBe("renamed");
    }

    [Fact]
    public async Task A_statement_that_was_prepared_for_an_older_schema_is_prepared_anew()
    {
        for (int i = 0; i < 5; i++)
            await AtOnce(_ => Realms.FindByHandleAsync("acme", None));
        await postgres.ExecuteAsync("ALTER TABLE realms ALTER COLUMN name TYPE varchar(100)", new NpgsqlConnectionStringBuilder(connectionString).Database!);
        (await AtOnce(_ => Realms.FindByHandleAsync("acme", None))).ShouldAllBe(static realm => realm != null);
    }

    private static Task<int> Rename(System.Data.Common.DbConnection connection, string handle, string name) =>
        connection.ExecuteAsync("UPDATE realms SET name = @name WHERE handle = @handle", new { handle, name });

    private static Task<int> CountRealms(System.Data.Common.DbConnection connection) =>
        connection.ExecuteScalarAsync<int>("SELECT count(*) FROM realms");
}
