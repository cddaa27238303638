using Atrium.Core.Events;
using System.Buffers.Binary;
using Atrium.Core.Users;
using Atrium.Storage;
using Dapper;
using Microsoft.Data.Sqlite;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>The contract on SQLite, and what only SQLite's one writer can get wrong.</summary>
public sealed class SqliteStoreContract : StoreContract
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-store-").FullName;

    private string ConnectionString => $"Data Source={Path.Combine(folder, "atrium.db")}";

    protected override string UniqueBytes => "randomblob(32)";

    protected override Task<Database> OpenDatabase() => Database.OpenAsync(ConnectionString, None);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Changes_that_wait_together_are_committed_together()
    {
        // Every page that is written gets a frame in the log, and every commit marks one: the log's frames with a commit mark are the commits.
        await Database.WriteAsync(static connection => connection.ExecuteAsync("PRAGMA wal_autocheckpoint = 0"), None);
        int before = CommitsInLog();
        Task<int>[] all = await Queued(100, Insert);
        all.ShouldAllBe(static one => one.Result == 1);
        (CommitsInLog() - before).ShouldBe(1, "100 changes that waited are one group; the one they waited for wrote nothing");
    }

    [Fact]
    public async Task A_failing_change_does_not_harm_its_neighbours()
    {
        Task<int>[] all = await Queued(20, async (connection, i) =>
        {
            int made = await Insert(connection, i);
            return i % 4 == 0 ? throw new InvalidOperationException($"change {i}") : made;
        });
        for (int i = 0; i < all.Length; i++)
        {
            if (i % 4 == 0)
                (await Should.ThrowAsync<InvalidOperationException>(all[i])).Message.ShouldBe($"change {i}");
            else
                (await all[i]).ShouldBe(1);
        }

        (await CountRealms()).ShouldBe(2 + 15);
    }

    [Fact]
    public async Task A_broken_statement_a_broken_rule_and_a_reader_left_open_do_not_harm_their_neighbours()
    {
        Task<int>[] all = await Queued(9, async (connection, i) =>
        {
            int made = await Insert(connection, i);
            switch (i % 3)
            {
                case 0:
                    return await connection.ExecuteAsync(i == 0 ? "NOT SQL" : "INSERT INTO roles VALUES (x'00', 'a', 'a', 'a')");
                case 1:
                    System.Data.Common.DbDataReader left = await connection.ExecuteReaderAsync("SELECT id FROM realms");
                    await left.ReadAsync();
                    return made;
                default:
                    return made;
            }
        });
        for (int i = 0; i < all.Length; i++)
        {
            if (i % 3 == 0)
                await Should.ThrowAsync<SqliteException>(all[i]);
            else
                (await all[i]).ShouldBe(1);
        }

        (await CountRealms()).ShouldBe(2 + 6);
        await MakeRealm("after");
        (await CountRealms()).ShouldBe(2 + 7);
    }

    [Fact]
    public async Task A_change_that_breaks_the_transaction_fails_alone()
    {
        Task<int>[] all = await Queued(3, async (connection, i) =>
        {
            int made = await Insert(connection, i);
            if (i == 1)
                await connection.ExecuteAsync("ROLLBACK TRANSACTION");
            return made;
        });
        await Should.ThrowAsync<SqliteException>(all[1]);
        (await all[0]).ShouldBe(1);
        (await all[2]).ShouldBe(1);
        (await CountRealms()).ShouldBe(4);
        await MakeRealm("after");
        (await CountRealms()).ShouldBe(5);
    }

    [Fact]
    public async Task A_full_disk_fails_the_changes_that_it_hit_and_nothing_else()
    {
        // Room for those that fit, their events included, and for none of the others.
        const int spare = 20;
        await Database.WriteAsync(
            static async connection => await connection.ExecuteAsync(
                $"PRAGMA max_page_count = {await connection.ExecuteScalarAsync<long>("PRAGMA page_count") + spare}"),
            None);
        Task<UserWrite>[] all = [.. Enumerable.Range(0, 20).Select(i =>
            Users.CreateAsync(NewUser($"{i}@example.test") with { Name = i % 2 == 0 ? new string('x', 100_000) : "fits" }, null, Origin.System, None))];
        for (int i = 0; i < all.Length; i++)
        {
            if (i % 2 == 0)
                (await Should.ThrowAsync<DatabaseUnavailableException>(all[i])).Trouble.ShouldBe(DatabaseTrouble.Full);
            else
                (await all[i]).ShouldBe(UserWrite.Done);
        }

        await Database.WriteAsync(static connection => connection.ExecuteAsync("PRAGMA max_page_count = 1000000"), None);
        (await Users.CreateAsync(NewUser("mia@example.test"), null, Origin.System, None)).ShouldBe(UserWrite.Done);
        (await Users.ListAsync(Realm.Id, new UserFilter(), new PageRequest<User>(50), None)).Items.Count.ShouldBe(11);
    }

    [Fact]
    public async Task What_is_cancelled_while_it_waits_is_never_done()
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenSource cancel = new();
        Task<int> first = Database.WriteAsync(
            async connection =>
            {
                started.TrySetResult();
                await gate.Task;
                return 1;
            },
            None);
        await started.Task;
        Task<UserWrite> cancelled = Users.CreateAsync(NewUser("mia@example.test"), null, Origin.System, cancel.Token);
        Task<UserWrite> neighbour = Users.CreateAsync(NewUser("sam@example.test"), null, Origin.System, None);
        await cancel.CancelAsync();
        gate.SetResult();
        await first;
        await Should.ThrowAsync<OperationCanceledException>(cancelled);
        (await neighbour).ShouldBe(UserWrite.Done);
        (await Users.FindByEmailAsync(Realm.Id, "mia@example.test", None)).ShouldBeNull();
        await Should.ThrowAsync<OperationCanceledException>(Users.CreateAsync(NewUser("late@example.test"), null, Origin.System, cancel.Token));
    }

    [Fact]
    public async Task Another_process_that_writes_for_a_moment_delays_changes_and_fails_none()
    {
        await using SqliteConnection other = await Connect();
        await other.ExecuteAsync("BEGIN IMMEDIATE");
        await other.ExecuteAsync("UPDATE realms SET name = 'theirs' WHERE handle = 'globex'");
        Task<UserWrite> write = Users.CreateAsync(NewUser("mia@example.test"), null, Origin.System, None);
        await Task.Delay(200);
        write.IsCompleted.ShouldBeFalse();
        (await Realms.FindByHandleAsync("globex", None))!.Name.ShouldBe("globex", "readers wait for nobody");
        await other.ExecuteAsync("COMMIT");
        (await write).ShouldBe(UserWrite.Done);
        (await Realms.FindByHandleAsync("globex", None))!.Name.ShouldBe("theirs");
    }

    [Fact]
    public async Task A_stop_finishes_what_waits_and_takes_nothing_more()
    {
        Task<UserWrite>[] waiting = [.. Enumerable.Range(0, 300).Select(i => Users.CreateAsync(NewUser($"{i}@example.test"), null, Origin.System, None))];
        await Database.DisposeAsync();
        foreach (Task<UserWrite> one in waiting)
            (await one).ShouldBe(UserWrite.Done);
        await Should.ThrowAsync<ObjectDisposedException>(async () => await Users.CreateAsync(NewUser("late@example.test"), null, Origin.System, None));
        File.Exists(Path.Combine(folder, "atrium.db-wal")).ShouldBeFalse("the log is folded into the file");
        await Database.DisposeAsync();
        await Reopen();
        (await Users.ListAsync(Realm.Id, new UserFilter(), new PageRequest<User>(500), None)).Items.Count.ShouldBe(300);
    }

    [Fact]
    public async Task A_reader_can_change_nothing() =>
        await Should.ThrowAsync<SqliteException>(Database.ReadAsync(static connection => connection.ExecuteAsync("DELETE FROM realms"), None));

    [Fact]
    public async Task Two_processes_that_start_at_once_on_an_empty_file_both_start()
    {
        string path = Path.Combine(folder, "fresh.db");
        Database[] opened = await AtOnce(_ => Database.OpenAsync($"Data Source={path}", None), times: 4);
        foreach (Database one in opened)
            (await new RealmStore(one).AnyAsync(None)).ShouldBeFalse();
        foreach (Database one in opened)
            await one.DisposeAsync();
    }

    [Theory]
    [InlineData("Data Source=:memory:")]
    [InlineData("Data Source=")]
    [InlineData("Data Source=x.db;Mode=Memory")]
    [InlineData("Data Source=file:x?mode=memory")]
    [InlineData("nonsense")]
    [InlineData("Data Source=/nonexistent-folder/atrium.db")]
    public async Task A_connection_string_that_cannot_be_used_is_refused_in_a_sentence(string connectionString)
    {
        DatabaseConfigurationException refused =
            await Should.ThrowAsync<DatabaseConfigurationException>(async () => await Database.OpenAsync(connectionString, None));
        refused.Message.ShouldContain(".");
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_and_left_as_it_is()
    {
        string path = Path.Combine(folder, "notes.txt");
        await File.WriteAllTextAsync(path, new string('x', 5000));
        await Should.ThrowAsync<DatabaseConfigurationException>(async () => await Database.OpenAsync($"Data Source={path}", None));
        (await File.ReadAllTextAsync(path)).ShouldBe(new string('x', 5000));
    }

    [Fact]
    public async Task A_commit_is_flushed_to_the_disk_before_it_is_answered() =>
        (await Database.WriteAsync(
            static async connection => (
                await connection.ExecuteScalarAsync<string>("PRAGMA journal_mode"),
                await connection.ExecuteScalarAsync<long>("PRAGMA synchronous"),
                await connection.ExecuteScalarAsync<long>("PRAGMA foreign_keys")),
            None)).ShouldBe(("wal", 2L, 1L));

    /// <summary>Queues changes behind one that holds the writer, so that they are one group.</summary>
    private async Task<Task<int>[]> Queued(int count, Func<System.Data.Common.DbConnection, int, Task<int>> change)
    {
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource holding = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int> first = Database.WriteAsync(
            async _ =>
            {
                holding.TrySetResult();
                await gate.Task;
                return 0;
            },
            None);
        await holding.Task;
        Task<int>[] all = [.. Enumerable.Range(0, count).Select(i => Database.WriteAsync(connection => change(connection, i), None))];
        gate.SetResult();
        await first;
        await Task.WhenAll(all.Select(static one => one.ContinueWith(static _ => { }, TaskScheduler.Default)));
        return all;
    }

    /// <summary>
    /// SQLite's file format, section 4.1: a header of 32 bytes, then frames of 24 bytes and a page; bytes 4 to 7 of a frame are zero unless it
    /// ends a commit. Frames of an earlier round of the log carry another salt.
    /// </summary>
    private int CommitsInLog()
    {
        using FileStream stream = new(Path.Combine(folder, "atrium.db-wal"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] log = new byte[stream.Length];
        stream.ReadExactly(log);
        int page = BinaryPrimitives.ReadInt32BigEndian(log.AsSpan(8));
        int commits = 0;
        for (int frame = 32; frame + 24 + page <= log.Length; frame += 24 + page)
        {
            if (log.AsSpan(frame + 8, 8).SequenceEqual(log.AsSpan(16, 8)) && BinaryPrimitives.ReadInt32BigEndian(log.AsSpan(frame + 4)) != 0)
                commits++;
        }

        return commits;
    }

    private static Task<int> Insert(System.Data.Common.DbConnection connection, int i) =>
        connection.ExecuteAsync(
            "INSERT INTO realms (id, handle, name, created_at) VALUES (@id, @handle, 'x', 0)", new { id = Guid.NewGuid().ToByteArray(), handle = $"r{i}" });

    private Task<int> CountRealms() => Database.ReadAsync(static connection => connection.ExecuteScalarAsync<int>("SELECT count(*) FROM realms"), None);

    private async Task<SqliteConnection> Connect()
    {
        SqliteConnection connection = new($"{ConnectionString};Pooling=false");
        await connection.OpenAsync();
        return connection;
    }
}
