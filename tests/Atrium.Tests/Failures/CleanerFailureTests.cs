using System.Data.Common;
using System.Threading.Channels;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Failures;

/// <summary>A database that is away costs the cleaner a round, and not the server its life.</summary>
public sealed class CleanerFailureTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string folder = Directory.CreateTempSubdirectory("atrium-cleaner-").FullName;
    private Database database = null!;

    public async ValueTask InitializeAsync() =>
        database = await Database.OpenAsync($"Data Source={Path.Combine(folder, "atrium.db")}", None);

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_cleaner_goes_on_after_rounds_in_which_the_database_took_no_changes()
    {
        Id<Realm> realm = Id<Realm>.New(TimeProvider.System);
        await database.WriteAsync(
            connection => connection.ExecuteAsync(
                """
                INSERT INTO realms (id, handle, name, created_at) VALUES (@realm, 'acme', 'Acme', 0);
                INSERT INTO guesses (realm_id, target_hash, window_start, failures) VALUES (@realm, x'01', 0, 1);
                """,
                new { realm }),
            None);
        DbConnection writer = await database.WriteAsync(Task.FromResult, None);

        KeptLog<Cleaner> log = new();
        RoundsByHand clock = new();
        using Cleaner cleaner = new(new CleaningStore(database), new OrganizationRemains(database), new DeletedRealmStore(database), clock, log);
        await cleaner.StartAsync(None);
        ITimer first = await NextAsync();
        await writer.ExecuteAsync("PRAGMA query_only = on");
        Begin(first);
        ITimer second = await NextAsync();
        log.Lines.ShouldHaveSingleItem().Text.ShouldContain("will be tried again: The database is read-only");
        await writer.ExecuteAsync("PRAGMA query_only = off");
        Begin(second);
        await NextAsync();
        (await database.QueryAsync(static connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM guesses"), None)).ShouldBe(0);
        await cleaner.StopAsync(None);

        async Task<ITimer> NextAsync()
        {
            Task<ITimer> next = clock.Rounds.ReadAsync(None).AsTask();
            (await Task.WhenAny(next, cleaner.ExecuteTask!)).ShouldBe(next, "the cleaner waits for its next round");
            return await next;
        }

        static void Begin(ITimer round) => round.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A clock by which a round begins when the test says so, and the rests in it are as long as they are.</summary>
    private sealed class RoundsByHand : TimeProvider
    {
        private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

        private readonly Channel<ITimer> rounds = Channel.CreateUnbounded<ITimer>();

        public ChannelReader<ITimer> Rounds => rounds.Reader;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < LongestRest)
                return base.CreateTimer(callback, state, dueTime, period);
            ITimer round = base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            rounds.Writer.TryWrite(round);
            return round;
        }
    }
}
