using System.CommandLine;
using Atrium.CrashTests;

Option<int?> kills = new("--kills") { Description = "How often the server is killed on each database, and a tenth of it PostgreSQL. Default: as often as fits into two minutes for all." };
Option<string> only = new("--only") { Description = "sqlite, postgres, outage or failover. Default: all of them.", DefaultValueFactory = static _ => "all" };
Option<int> seed = new("--seed") { Description = "Draws the chances of the run that printed it again.", DefaultValueFactory = static _ => Random.Shared.Next() };
only.AcceptOnlyFromAmong("all", "sqlite", "postgres", "outage", "failover");
RootCommand root = new("Kills the server and its database under load, and looks whether all that was acknowledged is there.") { kills, only, seed };
root.SetAction(async (parsed, _) =>
{
    Tally tally = new();
    Campaigns campaigns = new(parsed.GetValue(seed), tally);
    (Length servers, Length outages, Length failovers) = parsed.GetValue(kills) is { } asked
        ? (Length.Exactly(asked), Length.Exactly((asked + 9) / 10), Length.Exactly((asked + 9) / 10))
        : (Length.Within(TimeSpan.FromSeconds(12), least: 5), Length.Within(TimeSpan.FromSeconds(8), least: 1), Length.Within(TimeSpan.FromSeconds(8), least: 2));
    Console.WriteLine($"Kills by chance, --seed {parsed.GetValue(seed)}");
    (string Name, Func<Task> Run)[] all =
    [
        ("sqlite", () => campaigns.KillServerOnSqliteAsync(servers)),
        ("postgres", () => campaigns.KillServerOnPostgresAsync(servers)),
        ("outage", () => campaigns.KillPostgresAsync(outages)),
        ("failover", () => campaigns.PromoteStandbyAsync(failovers)),
    ];
    foreach ((string name, Func<Task> run) in all)
    {
        if (parsed.GetValue(only) == "all" || parsed.GetValue(only) == name)
            await run();
    }

    Console.WriteLine($"\npassed: {tally.Passed}\nfailed: {tally.Failed}");
    return tally.Failed == 0 ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();
