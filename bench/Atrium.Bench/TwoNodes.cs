namespace Atrium.Bench;

/// <summary>
/// What a second node on the same PostgreSQL adds. Here nodes, database and load loop share the processors, so two nodes can't be faster than
/// one, and a ratio of rates would say nothing. What can be shown is whether a refresh costs more processor time, of the nodes
/// or of the database, when two nodes do it side by side: where it does not, nodes on machines of their own add up until the database is full.
/// </summary>
internal static class TwoNodes
{
    public static async Task<int> RunAsync(Settings settings, Installation installation)
    {
        await FilledRealm.FillAsync(installation, users: 1_000, organizations: 100);
        await using Side first = await installation.StartNodeAsync();
        await using Side second = await installation.StartNodeAsync();
        IReadOnlyList<string> tokens = await installation.SeedAsync(seed => seed.RefreshTokensAsync(settings.Connections, organizationsEach: 2));
        Func<HttpClient, Task<bool>>[] load = [.. tokens.Select(static token => Requests.Refresh(token))];

        List<Cost> one = [], two = [];
        for (int round = 0; round <= settings.Rounds; round++)
        {
            Cost alone = await MeasureAsync(installation, settings, (round % 2 == 0 ? first : second, load));
            Cost together = await MeasureAsync(installation, settings, (first, load[..(load.Length / 2)]), (second, load[(load.Length / 2)..]));
            if (round == 0)
                continue;
            one.Add(alone);
            two.Add(together);
        }

        Console.WriteLine("\nOne node and two nodes on one PostgreSQL: processor time of a refresh with 2 memberships, the same connections divided among the nodes.");
        Console.WriteLine($"{"nodes",-28} {"node ms",9} {"database ms",12} {"per s",9} {"errors",7}");
        foreach ((string nodes, List<Cost> costs) in new[] { ("one", one), ("two", two) })
            Console.WriteLine($"{nodes,-28} {costs.Select(static c => c.Node).Median(),9:F3} {costs.Select(static c => c.Database).Median(),12:F3} {costs.Select(static c => c.PerSecond).Median(),9:F0} {costs.Sum(static c => c.Errors),7}");
        double ofNode = two.Zip(one, static (two, one) => two.Node / one.Node).Median(), ofDatabase = two.Zip(one, static (two, one) => two.Database / one.Database).Median();
        Console.WriteLine(
            $"A refresh costs two nodes {ofNode:F2} times what it costs one, and their database {ofDatabase:F2} times. "
            + "The rates are no measure: nodes, database and load loop share these processors. "
            + $"Two nodes on machines of their own would do {2 / ofNode:F2} times as much as one as long as the database keeps up; with as much processor as one node has, it keeps up with {one.Select(static c => c.Node / c.Database).Median():F1}.");
        return one.Concat(two).Sum(static cost => cost.Errors);
    }

    private static async Task<Cost> MeasureAsync(Installation installation, Settings settings, params (Side Node, Func<HttpClient, Task<bool>>[] Load)[] nodes)
    {
        TimeSpan database = installation.DatabaseCpu;
        Measured[] measured = await Task.WhenAll(nodes.Select(one => Load.DriveAsync(one.Node, one.Load, settings.Duration)));
        int requests = measured.Sum(static one => one.Requests);
        return new Cost(
            measured.Sum(static one => one.CpuSeconds) / requests * 1000,
            (installation.DatabaseCpu - database).TotalMilliseconds / requests,
            measured.Sum(static one => one.PerSecond),
            measured.Sum(static one => one.Errors));
    }

    /// <summary>Milliseconds of processor time a request.</summary>
    private sealed record Cost(double Node, double Database, double PerSecond, int Errors);
}
