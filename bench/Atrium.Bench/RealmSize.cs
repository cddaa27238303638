using System.Diagnostics;

namespace Atrium.Bench;

/// <summary>Refreshing in a realm of a million users against one of a thousand: the same people each time, spread over the realm, each with three memberships.</summary>
internal static class RealmSize
{
    public static async Task<int> RunAsync(Settings settings, Installation small, Installation large)
    {
        IReadOnlyList<string> ofFew = await FilledRealm.FillAsync(small, users: 1_000, organizations: 100);
        Stopwatch watch = Stopwatch.StartNew();
        IReadOnlyList<string> ofMany = await FilledRealm.FillAsync(large, users: 1_000_000, organizations: 100_000);
        TimeSpan filled = watch.Elapsed;
        await using Side few = await small.StartNodeAsync();
        await using Side many = await large.StartNodeAsync();
        Comparison comparison = await Comparison.RunAsync("refresh, 3 memberships", many, Load(ofMany), few, Load(ofFew), settings);

        Console.WriteLine(
            $"\nA realm of 1,000,000 users, 100,000 organizations and 3,000,000 memberships on {small.DatabaseName} (filled within {filled.TotalSeconds:F0} s) against one of 1,000 users; "
            + $"{FilledRealm.People} people in turn.");
        Comparison.Print([comparison], "large", "small");
        Console.WriteLine($"The middle request takes {comparison.LatencyRatio:F2} times as long in the large realm.");
        return comparison.Errors;

        Func<HttpClient, Task<bool>>[] Load(IReadOnlyList<string> tokens) =>
            [.. tokens.Chunk(tokens.Count / settings.Connections).Take(settings.Connections).Select(static tokens => Requests.Refresh(tokens))];
    }
}
