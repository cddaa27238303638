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
        Comparison refresh = await Comparison.RunAsync("refresh, 3 memberships", many, Load(ofMany), few, Load(ofFew), settings);
        List<Comparison> table = [refresh];
        foreach ((string work, Func<int, Func<HttpClient, Task<bool>>> request) in Management(settings))
            table.Add(await Comparison.RunAsync(work, many, Each(request), few, Each(request), settings));

        Console.WriteLine(
            $"\nA realm of 1,000,000 users, 100,000 organizations and 3,000,000 memberships on {small.DatabaseName} (filled within {filled.TotalSeconds:F0} s) against one of 1,000 users; "
            + $"{FilledRealm.People} people in turn.");
        Comparison.Print(table, "large", "small");
        foreach (Comparison line in table)
            Console.WriteLine($"{line.Work}: the middle request takes {line.LatencyRatio:F2} times as long in the large realm.");
        return table.Sum(static line => line.Errors);

        Func<HttpClient, Task<bool>>[] Each(Func<int, Func<HttpClient, Task<bool>>> request) =>
            [.. Enumerable.Range(1, settings.Connections).Select(request)];

        Func<HttpClient, Task<bool>>[] Load(IReadOnlyList<string> tokens) =>
            [.. tokens.Chunk(tokens.Count / settings.Connections).Take(settings.Connections).Select(static tokens => Requests.Refresh(tokens))];
    }

    /// <summary>What a back end asks; the organization and the people of each connection are there in both realms.</summary>
    private static IEnumerable<(string Work, Func<int, Func<HttpClient, Task<bool>>> Request)> Management(Settings settings)
    {
        yield return ("list users", static _ => ManagementRequests.Pages("/users"));
        yield return ("list organizations", static _ => ManagementRequests.Pages("/organizations"));
        yield return ("list members", static i => ManagementRequests.Pages($"/organizations/{FilledRealm.Organization(i)}/members"));
        yield return ("list events", static _ => ManagementRequests.Pages("/events"));
        yield return ("list events of one person", static i => ManagementRequests.Pages($"/events?user_id={FilledRealm.User(i)}"));
        yield return ("add and remove a member", i => ManagementRequests.AddAndRemove(FilledRealm.Organization(i), FilledRealm.User(i + (2 * settings.Connections))));
    }
}
