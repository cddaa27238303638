using System.Net;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Failures;

/// <summary>What a PostgreSQL can do to a server that runs: each time it is told, and each time it is over without a restart.</summary>
public sealed class PostgresFailureTests(FailingPostgres postgres) : IClassFixture<FailingPostgres>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly List<FailingServer> servers = [];
    private string connectionString = "";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (FailingServer server in servers)
            await server.DisposeAsync();
    }

    [Fact]
    public async Task A_server_that_is_down_is_said_so_by_every_door_and_found_again()
    {
        Visitors visitors = await ServerAsync();
        await postgres.StopAsync();
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9101", "ATR9108");
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9101");
        await visitors.ShouldBeUnreadyAsync("database_unreachable");
        await postgres.StartAsync();
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_restart_that_nobody_noticed_fails_nobody()
    {
        Visitors visitors = await ServerAsync();
        await postgres.StopAsync();
        await postgres.StartAsync();
        await visitors.ShouldBeServedAsync();
        await visitors.ShouldBecomeReadyAsync();
    }

    [Fact]
    public async Task A_server_that_hangs_makes_nobody_wait_for_ever()
    {
        Visitors visitors = await ServerAsync();
        await postgres.FreezeAsync();
        try
        {
            await visitors.ShouldBeUnreadyAsync("database_slow", "database_unreachable");
            await visitors.ShouldAllBeToldToComeAgainAsync("ATR9101", "ATR9103", "ATR9108");
        }
        finally
        {
            await postgres.ThawAsync();
        }

        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task When_all_connections_are_in_use_nobody_waits_for_long()
    {
        Visitors visitors = await ServerAsync("Maximum Pool Size=1;Command Timeout=30");
        await using NpgsqlConnection holder = await postgres.ConnectAsync(Name);
        await holder.ExecuteAsync("BEGIN; LOCK TABLE users, sign_ins, refresh_tokens IN ACCESS EXCLUSIVE MODE");
        Task<HttpResponseMessage> waiting = visitors.SubmitOpenFormAsync();
        await WaitingForLockAsync(holder);
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9102");
        await visitors.ShouldBeUnreadyAsync("database_overloaded");
        await holder.ExecuteAsync("ROLLBACK");
        (await waiting).StatusCode.ShouldBe(HttpStatusCode.SeeOther, "who waited for the lock is served");
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_database_that_takes_longer_than_it_may_is_slow_and_well_afterwards()
    {
        Visitors visitors = await ServerAsync();
        await using NpgsqlConnection holder = await postgres.ConnectAsync(Name);
        await holder.ExecuteAsync("BEGIN; LOCK TABLE users, sign_ins, refresh_tokens, schema_migrations IN ACCESS EXCLUSIVE MODE");
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9103", "ATR9108");
        await visitors.ShouldBecomeUnreadyAsync("database_slow");
        await holder.ExecuteAsync("ROLLBACK");
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task One_row_that_is_locked_makes_one_answer_slow_and_leaves_the_server_ready()
    {
        Visitors visitors = await ServerAsync();
        await using NpgsqlConnection holder = await postgres.ConnectAsync(Name);
        await holder.ExecuteAsync("BEGIN; SELECT * FROM sign_ins FOR UPDATE");
        using (HttpResponseMessage refused = await visitors.SubmitOpenFormAsync())
        {
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            (await refused.Content.ReadAsStringAsync()).ShouldContain("ATR910");
        }

        await visitors.ShouldBecomeReadyAsync();
        await holder.ExecuteAsync("ROLLBACK");
        using HttpResponseMessage served = await visitors.SubmitOpenFormAsync();
        served.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Fact]
    public async Task A_database_made_read_only_goes_on_reading_and_takes_changes_again()
    {
        Visitors visitors = await ServerAsync();
        await postgres.ExecuteAsync($"ALTER DATABASE {Name} SET default_transaction_read_only = on");
        await postgres.ExecuteAsync($"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{Name}'");
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9105", "ATR9108");
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9105");
        await visitors.ShouldBeUnreadyAsync("database_read_only");
        (await servers[0].Http.GetAsync("/user_management/users?limit=1")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, "a read is answered");
        await postgres.ExecuteAsync($"ALTER DATABASE {Name} RESET default_transaction_read_only");
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_full_disk_is_said_so_and_forgotten_when_there_is_room()
    {
        Visitors visitors = await ServerAsync();

        // What the server says when it cannot make a file longer; it goes on serving reads.
        await postgres.ExecuteAsync(
            """
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON sign_ins FOR EACH STATEMENT EXECUTE FUNCTION no_room();
            CREATE TRIGGER full_disk BEFORE INSERT ON users FOR EACH STATEMENT EXECUTE FUNCTION no_room();
            CREATE TRIGGER full_disk BEFORE INSERT ON refresh_tokens FOR EACH STATEMENT EXECUTE FUNCTION no_room();
            CREATE TRIGGER full_disk BEFORE INSERT ON schema_migrations FOR EACH STATEMENT EXECUTE FUNCTION no_room();
            """,
            Name);
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9106");
        await visitors.ShouldBeUnreadyAsync("database_full");
        await postgres.ExecuteAsync("DROP FUNCTION no_room CASCADE", Name);
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_commit_that_no_synchronous_standby_confirms_is_not_acknowledged()
    {
        Visitors visitors = await ServerAsync();
        await postgres.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'away'");
        await postgres.ExecuteAsync("SELECT pg_reload_conf()");
        await using NpgsqlConnection watcher = await postgres.ConnectAsync(Name);
        Task commit = await CommitThatWaitsForStandbyAsync(watcher);
        try
        {
            await visitors.ShouldAllBeToldToComeAgainAsync("ATR9108");
            await visitors.ShouldBecomeUnreadyAsync("database_slow");
        }
        finally
        {
            await postgres.ExecuteAsync("ALTER SYSTEM RESET synchronous_standby_names");
            await postgres.ExecuteAsync("SELECT pg_reload_conf()");
        }

        await commit;
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_server_with_no_connection_left_is_overloaded()
    {
        await using Database database = await Database.OpenAsync(await postgres.NewDatabaseAsync(maxConnections: 1), None);
        await LeftByItsStartAsync(database);
        TaskCompletionSource held = new();
        TaskCompletionSource gate = new();
        Task<bool> holding = database.ReadAsync(
            async connection =>
            {
                await connection.ExecuteAsync("SELECT 1");
                held.SetResult();
                await gate.Task;
                return true;
            },
            None);
        if (await Task.WhenAny(held.Task, holding) == holding)
            await holding;
        (await Should.ThrowAsync<DatabaseUnavailableException>(database.CheckAsync(None))).Trouble.ShouldBe(DatabaseTrouble.Overloaded);
        gate.SetResult();
        await holding;
        await database.CheckAsync(None);
    }

    private string Name => new NpgsqlConnectionStringBuilder(connectionString).Database!;

    private async Task<Visitors> ServerAsync(string more = "")
    {
        connectionString = $"{await postgres.NewDatabaseAsync()};{more}";
        FailingServer server = new(_ => Task.FromResult(connectionString));
        servers.Add(server);
        await server.InitializeAsync();
        Visitors visitors = new(server);
        await visitors.ArriveAsync();
        return visitors;
    }

    /// <summary>The one connection there may be is the start's until the server has seen it go.</summary>
    private static async Task LeftByItsStartAsync(Database database)
    {
        for (int i = 0; i < 500; i++)
        {
            try
            {
                await database.CheckAsync(None);
                return;
            }
            catch (DatabaseUnavailableException e) when (e.Trouble == DatabaseTrouble.Overloaded)
            {
                await Task.Delay(20);
            }
        }
    }

    /// <summary>The server takes a setting up some time after it was told to; then a commit waits.</summary>
    private async Task<Task> CommitThatWaitsForStandbyAsync(NpgsqlConnection watcher)
    {
        for (int i = 0; ; i++)
        {
            Task commit = postgres.ExecuteAsync($"CREATE TABLE commit_{i} ()", Name);
            while (!commit.IsCompleted)
            {
                if (await watcher.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") > 0)
                    return commit;
                await Task.Delay(20);
            }

            await commit;
        }
    }

    private static async Task WaitingForLockAsync(NpgsqlConnection holder)
    {
        while (await holder.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0)
            await Task.Delay(20);
    }
}
