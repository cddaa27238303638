using System.Data.Common;
using System.Diagnostics;
using Dapper;

namespace Atrium.Bench;

/// <summary>People refresh at a steady, modest rate while a long piece of work runs: an import, and the cleaner. What they notice of it.</summary>
internal static class Beside
{
    private const int Rows = 100_000;
    private const int Connections = 4;

    private const string Ended = "realm_id = (SELECT id FROM realms WHERE handle = 'acme') AND expires_at = 1";

    /// <summary>Between two requests of one connection: a load that a server bears easily, so that what is beside it shows.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    public static async Task<int> RunAsync(Settings settings, Installation installation)
    {
        await FilledRealm.FillAsync(installation, users: 1_000, organizations: 100);
        await using Side node = await installation.StartNodeAsync();
        IReadOnlyList<string> tokens = await installation.SeedAsync(seed => seed.RefreshTokensAsync(Connections, organizationsEach: 2));
        Func<HttpClient, Task<bool>>[] load = [.. tokens.Select(static token => Requests.Refresh(token))];
        TimeSpan quietTime = settings.Duration * settings.Rounds;
        await Load.DriveAsync(node, load, Task.Delay(settings.Duration), Pause);

        List<(string Work, Measured Measured, int Rows)> table = [];
        table.Add(("quiet", await Load.DriveAsync(node, load, Task.Delay(quietTime), Pause), 0));
        table.Add(("beside an import", await Load.DriveAsync(node, load, ImportAsync(settings, installation), Pause), Rows));
        table.Add(("quiet again", await Load.DriveAsync(node, load, Task.Delay(quietTime), Pause), 0));
        await using (DbConnection connection = await installation.ConnectAsync())
        {
            await LetEndAsync(installation, connection);
            table.Add(("beside the cleaner", await Load.DriveAsync(node, load, UntilAsync(connection, static left => left == 0), Pause), Rows));
        }

        Console.WriteLine($"\nRefresh, {Connections} connections with a pause of {Pause.TotalMilliseconds:F0} ms, on {installation.DatabaseName}, beside an import of {Rows} users and beside the cleaner deleting {Rows} tokens.");
        Console.WriteLine($"{"work",-28} {"per s",9} {"p50 ms",8} {"p99 ms",8} {"max ms",8} {"errors",7} {"s",6} {"rows/s",8}");
        foreach ((string work, Measured measured, int rows) in table)
        {
            Console.WriteLine(
                $"{work,-28} {measured.PerSecond,9:F0} {measured.Milliseconds.Quantile(0.5),8:F2} {measured.Milliseconds.Quantile(0.99),8:F2} {measured.Milliseconds.Quantile(1),8:F1} {measured.Errors,7}"
                + $" {measured.Seconds,6:F1} {(rows > 0 ? $"{rows / measured.Seconds:F0}" : ""),8}");
        }

        return table.Sum(static line => line.Measured.Errors);
    }

    /// <summary>The verb, in a process of its own: it checks the file, and then writes.</summary>
    private static async Task ImportAsync(Settings settings, Installation installation)
    {
        string file = Path.Combine(settings.Folder, "people.ndjson");
        await File.WriteAllLinesAsync(
            file, Enumerable.Range(0, Rows).Select(static i => $$$"""{"type":"user","email":"{{{i}}}@import.test","external_id":"import|{{{i}}}","profile":{"name":"Person {{{i}}}"}}"""));
        ProcessStartInfo start = new("dotnet", installation.Verb("import", file, "--realm", "acme"))
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process import = Process.Start(start)!;
        Task<string> output = import.StandardOutput.ReadToEndAsync(), problems = import.StandardError.ReadToEndAsync();
        await import.WaitForExitAsync();
        if (import.ExitCode != 0)
            throw new InvalidOperationException($"The import failed: {await output}{await problems}");
    }

    /// <summary>Adds tokens that ended long ago, and waits until the node's cleaner, which comes about once a minute, is at them.</summary>
    private static async Task LetEndAsync(Installation installation, DbConnection connection)
    {
        await connection.ExecuteAsync(
            $"""
            INSERT INTO refresh_tokens (realm_id, token_hash, grant_id, created_at, expires_at)
            SELECT g.realm_id, {(installation.IsPostgres ? "sha256(CAST(CAST(i AS text) AS bytea))" : "randomblob(32)")}, g.id, 0, 1
            FROM (SELECT realm_id, id FROM grants LIMIT 1) AS g CROSS JOIN {installation.Numbers(Rows)}
            """);
        await UntilAsync(connection, static left => left < Rows);
    }

    private static async Task UntilAsync(DbConnection connection, Func<long, bool> isReached)
    {
        while (!isReached(await connection.ExecuteScalarAsync<long>($"SELECT count(*) FROM refresh_tokens WHERE {Ended}")))
            await Task.Delay(Look);
    }
}
