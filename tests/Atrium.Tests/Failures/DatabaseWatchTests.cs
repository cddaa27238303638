using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Failures;

/// <summary>What the log says of trouble, and when it is over.</summary>
public sealed class DatabaseWatchTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string folder = Directory.CreateTempSubdirectory("atrium-watch-").FullName;
    private readonly KeptLog<DatabaseWatch> log = new();
    private Database database = null!;
    private DatabaseWatch watch = null!;

    public async ValueTask InitializeAsync()
    {
        database = await Database.OpenAsync($"Data Source={Path.Combine(folder, "atrium.db")}", None);
        watch = new DatabaseWatch(database, new FakeClock(), log);
    }

    public async ValueTask DisposeAsync()
    {
        await watch.DisposeAsync();
        await database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task However_many_requests_fail_the_log_has_one_line_at_the_beginning_and_one_at_the_end()
    {
        await database.WriteAsync(static connection => connection.ExecuteAsync("PRAGMA max_page_count = 1"), None);
        Parallel.For(0, 100, _ => watch.Report(new DatabaseUnavailableException(DatabaseTrouble.Full, "no room")));
        (await watch.FindTroubleAsync(None)).ShouldBe(DatabaseTrouble.Full);
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        (await watch.FindTroubleAsync(None)).ShouldBe(DatabaseTrouble.Full, "it was tried out meanwhile, and still has no room");
        await database.WriteAsync(static connection => connection.ExecuteAsync("PRAGMA max_page_count = 1000000"), None);
        while (await watch.FindTroubleAsync(None) is not null)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        log.Lines.Select(static line => line.Level).ShouldBe([LogLevel.Error, LogLevel.Warning]);
        string beginning = log.Lines.First().Text;
        beginning.ShouldStartWith("ATR9106 SQLite, ");
        beginning.ShouldContain("no room. Make room.");
        log.Lines.Last().Text.ShouldContain("can be used again");
    }

    [Fact]
    public async Task A_request_that_was_slow_alone_is_no_trouble_of_the_database()
    {
        watch.Report(new DatabaseUnavailableException(DatabaseTrouble.Slow, "a row is locked"));
        (await watch.FindTroubleAsync(None)).ShouldBeNull();
        log.Lines.ShouldBeEmpty();
    }
}
