using System.Globalization;
using Atrium.Testing;

namespace Atrium.Bench;

/// <summary>Starts every side itself, drives them in turn, and prints a table for each question. Ends by itself; loopback only.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        ["toy", var url] => Toy.RunAsync(url, database: null),
        ["toy", var url, var database] => Toy.RunAsync(url, database),
        [var server, .. var options] when server.EndsWith(".dll", StringComparison.Ordinal) => MeasureAsync(server, options),
        _ => Task.FromResult(Usage()),
    };

    private static async Task<int> MeasureAsync(string server, string[] options)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        string folder = Directory.CreateTempSubdirectory("atrium-bench-").FullName;
        Settings settings = Settings.Parse(server, folder, options);
        try
        {
            Console.WriteLine(
                $"{Environment.ProcessorCount} processors, .NET {Environment.Version}; {settings.Connections} connections, {settings.Rounds} rounds of {settings.Duration.TotalSeconds:F0} s a side after one to "
                + $"warm up, medians over the rounds. Load average when it began: {LoadAverage}.");
            await using PostgresCluster cluster = await PostgresCluster.StartNewAsync();
            int errors = await WriterLimit.RunAsync(settings);
            foreach (Func<string, Task<Installation>> make in Kinds(settings, cluster))
            {
                errors += await TokenEndpoint.RunAsync(settings, await make("token"));
                if (settings.Large)
                    errors += await RealmSize.RunAsync(settings, await make("small"), await make("large"));
                if (settings.Beside)
                    errors += await Beside.RunAsync(settings, await make("beside"));
            }

            errors += await TwoNodes.RunAsync(settings, await Installation.OnPostgresAsync(settings, cluster, "nodes"));
            Console.WriteLine($"\nLoad average at the end: {LoadAverage}. {(errors > 0 ? $"{errors} ERRORS: no result." : "No errors.")}");
            return errors > 0 ? 1 : 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string LoadAverage => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);

    private static Func<string, Task<Installation>>[] Kinds(Settings settings, PostgresCluster cluster) =>
    [
        name => Task.FromResult(Installation.OnSqlite(settings, name)),
        name => Installation.OnPostgresAsync(settings, cluster, name),
    ];

    private static int Usage()
    {
        Console.Error.WriteLine("bench/run [--seconds 3] [--rounds 5] [--connections 16] [--large] [--beside]");
        return 2;
    }
}
