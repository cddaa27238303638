using System.Diagnostics;
using Atrium.Testing;

namespace Atrium.CrashTests;

/// <summary>How often something is done: this often, or as often as there is time for.</summary>
internal sealed record Length(int Least, TimeSpan Time)
{
    public static Length Exactly(int times) => new(times, TimeSpan.Zero);

    public static Length Within(TimeSpan time, int least) => new(least, time);

    public IEnumerable<int> Rounds()
    {
        Stopwatch watch = Stopwatch.StartNew();
        for (int round = 1; round <= Least || watch.Elapsed < Time; round++)
            yield return round;
    }
}

/// <summary>What is killed, how often, and what must hold afterwards.</summary>
internal sealed class Campaigns(int seed, Tally tally)
{
    /// <summary>A server that waits for a database, and one that must find out which host is written to now, look again within ten seconds.</summary>
    private static readonly TimeSpan ReconnectsWithin = TimeSpan.FromSeconds(30);

    /// <summary>A server that has just started is slow; one that does nothing at all is killed all the same.</summary>
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(20);

    /// <summary>What one statement may take where the standby goes away: less than the clients' patience.</summary>
    private static readonly TimeSpan StatementTime = TimeSpan.FromSeconds(2);

    private readonly Random random = new(seed);

    public Task KillServerOnSqliteAsync(Length length) =>
        KillServerAsync("SQLite: kill -9 of the server", folder => new CrashSqlite(Path.Combine(folder, "atrium.db")), length);

    public async Task KillServerOnPostgresAsync(Length length)
    {
        await using PostgresCluster cluster = await PostgresCluster.StartNewAsync();
        await KillServerAsync("PostgreSQL: kill -9 of the server", _ => new CrashPostgres(cluster), length);
    }

    public async Task KillPostgresAsync(Length length)
    {
        await using PostgresCluster cluster = await PostgresCluster.StartNewAsync();
        await RunAsync("PostgreSQL: kill -9 of PostgreSQL", _ => new CrashPostgres(cluster), async stage =>
        {
            foreach (int round in length.Rounds())
            {
                await LoseDatabaseAsync(stage, round, async () =>
                {
                    await cluster.KillAsync();
                    // Away for long enough that every client meets it.
                    await Task.Delay(random.Next(1000, 3000));
                    await cluster.StartAsync();
                });
            }
        });
    }

    /// <summary>
    /// A primary whose commits wait for a standby (<c>synchronous_standby_names</c>) is killed, and the standby promoted. Every second time
    /// the standby goes first, for longer than a statement may take: what then waits for it in vain must not be acknowledged.
    /// </summary>
    public async Task PromoteStandbyAsync(Length length)
    {
        PostgresCluster primary = await PostgresCluster.StartNewAsync();
        int[] ports = [primary.Port, FreePort.Find()];
        CrashPostgres database = new(
            primary,
            $"{primary.ConnectionString("postgres")};Host=127.0.0.1:{ports[0]},127.0.0.1:{ports[1]};Target Session Attributes=read-write;Command Timeout={(int)StatementTime.TotalSeconds}");
        await RunAsync("PostgreSQL: kill -9 of the primary, and its synchronous standby promoted", _ => database, async stage =>
        {
            foreach (int round in length.Rounds())
            {
                PostgresCluster standby = await AttachStandbyAsync(primary, ports.Single(port => port != primary.Port));
                await LoseDatabaseAsync(stage, round, async () =>
                {
                    if (round % 2 == 0)
                    {
                        await standby.KillAsync();
                        await Task.Delay(2 * StatementTime);
                    }

                    await primary.KillAsync();
                    if (round % 2 == 0)
                        await standby.StartAsync();
                    await standby.PromoteAsync();
                    database.Cluster = standby;
                });
                await primary.DisposeAsync();
                primary = standby;
            }
        });
        await primary.DisposeAsync();
    }

    /// <summary>
    /// A standby that every commit of the primary waits for from now on. It does not have that setting itself: promoted, it waits for nobody
    /// until whoever runs it has attached a standby to it in turn.
    /// </summary>
    private static async Task<PostgresCluster> AttachStandbyAsync(PostgresCluster primary, int port)
    {
        PostgresCluster standby = await primary.StartStandbyAsync(port);
        await primary.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = '*'");
        await primary.ExecuteAsync("SELECT pg_reload_conf()");
        while (await primary.ScalarAsync("SELECT sync_state FROM pg_stat_replication") is not "sync")
            await Task.Delay(50);
        return standby;
    }

    private async Task KillServerAsync(string name, Func<string, CrashDatabase> database, Length length) => await RunAsync(name, database, async stage =>
    {
        foreach (int round in length.Rounds())
        {
            await stage.Load.PrepareAsync();
            stage.Wire.StartCounting();
            int before = stage.Ledger.Rotations;
            await stage.Load.RunAsync(async () =>
            {
                await UnderLoadAsync(stage, before);
                await stage.KillServerAsync();
            });
            await stage.StartServerAsync();
            await ReportAsync(stage, round, before, "");
        }
    }, afterwards: stage => new Sabotage(stage).RunAsync(tally));

    /// <summary>Takes PostgreSQL away under load and brings it back; the server, which is not touched, has to find it by itself.</summary>
    private async Task LoseDatabaseAsync(Stage stage, int round, Func<Task> loseAndBringBack)
    {
        await stage.Load.PrepareAsync();
        stage.Wire.StartCounting();
        int before = stage.Ledger.Rotations;
        Stopwatch away = new();
        await stage.Load.RunAsync(async () =>
        {
            await UnderLoadAsync(stage, before);
            stage.Wire.Trouble = Trouble.DatabaseIsAway;
            away.Start();
            await loseAndBringBack();
            if (!await stage.IsReadyWithinAsync(ReconnectsWithin))
                stage.Verdict.Broken(Promise.Answers, $"not ready {ReconnectsWithin.TotalSeconds} s after the database came back");
            stage.Wire.Trouble = Trouble.None;
            away.Stop();
            await Task.Delay(random.Next(300, 1000));
        });
        if (stage.Wire.Count(503) == 0)
            stage.Verdict.Broken(Promise.Answers, "nobody was told that the database was away");
        await ReportAsync(stage, round, before, $" ready again after {away.Elapsed.TotalSeconds:0.0} s;");
    }

    /// <summary>Until everybody is at it, and then for as long as chance will have it.</summary>
    private async Task UnderLoadAsync(Stage stage, int rotationsBefore)
    {
        TimeSpan longer = TimeSpan.FromMilliseconds(random.Next(0, 1000));
        Stopwatch waited = Stopwatch.StartNew();
        while ((stage.Ledger.Rotations - rotationsBefore < stage.Ledger.Chains.Count || stage.Ledger.Others < 5) && waited.Elapsed < StartsWithin)
            await Task.Delay(10);
        await Task.Delay(longer);
    }

    private static async Task ReportAsync(Stage stage, int round, int rotationsBefore, string more)
    {
        int acknowledged = stage.Ledger.Rotations - rotationsBefore;
        int others = stage.Ledger.Others;
        string answers = stage.Wire.Counts();
        Stopwatch watch = Stopwatch.StartNew();
        await stage.AuditAsync();
        Console.WriteLine($"  {round,3} {more} acknowledged {acknowledged} rotations, {others} others; answers {answers}; looked at in {watch.Elapsed.TotalSeconds:0.0} s");
    }

    private async Task RunAsync(string name, Func<string, CrashDatabase> database, Func<Stage, Task> campaign, Func<Stage, Task>? afterwards = null)
    {
        Console.WriteLine($"\n-- {name}");
        await using Stage stage = new(database, seed);
        await stage.StartServerAsync();
        await campaign(stage);
        stage.Verdict.Print(tally);
        if (stage.Verdict.AnyBroken)
            stage.PrintLog();
        if (afterwards is not null)
            await afterwards(stage);
    }
}
