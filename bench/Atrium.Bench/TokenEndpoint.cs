namespace Atrium.Bench;

/// <summary>What the token endpoint gives of what the machine could, as a toy endpoint shows it.</summary>
internal static class TokenEndpoint
{
    public static async Task<int> RunAsync(Settings settings, Installation installation)
    {
        await FilledRealm.FillAsync(installation, users: 1_000, organizations: 100);
        await using Side atrium = await installation.StartNodeAsync();
        await using Side toy = await Side.StartAsync(static url => [typeof(Toy).Assembly.Location, "toy", url], settings.Folder);
        await using Side committing = await installation.StartToyAsync();
        IReadOnlyList<string> few = await installation.SeedAsync(seed => seed.RefreshTokensAsync(settings.Connections, organizationsEach: 2));
        IReadOnlyList<string> many = await installation.SeedAsync(seed => seed.RefreshTokensAsync(settings.Connections, organizationsEach: 20));
        IReadOnlyList<string> asking = await installation.SeedAsync(seed => seed.RefreshTokensAsync(settings.Connections * 2, organizationsEach: 2, "openid"));

        Func<HttpClient, Task<bool>>[] toyLoad = [.. Enumerable.Range(0, settings.Connections).Select(static _ => Requests.Toy())];
        Func<HttpClient, Task<bool>>[] machines = [.. Enumerable.Range(0, settings.Connections).Select(static _ => Requests.ClientCredentials())];
        (string Work, Func<HttpClient, Task<bool>>[] Load, Side Toy)[] works =
        [
            ("client_credentials", machines, toy),
            ("refresh, 2 memberships", [.. few.Select(static token => Requests.Refresh(token))], committing),
            ("refresh, 20 memberships", [.. many.Select(static token => Requests.Refresh(token))], committing),
            ("userinfo, 2 memberships", [.. asking.Take(settings.Connections).Select(Requests.UserInfo)], toy),
            ("introspection", [.. asking.Skip(settings.Connections).Select(Requests.Introspection)], toy),
        ];
        List<Comparison> table = [];
        foreach ((string work, Func<HttpClient, Task<bool>>[] load, Side against) in works)
            table.Add(await Comparison.RunAsync(work, atrium, load, against, toyLoad, settings));

        Console.WriteLine(
            $"\nAtrium (Release, {installation.DatabaseName}, ES256) against a toy that parses the form, checks a SHA-256, signs one ES256 and answers JSON; "
            + "for refresh it also makes one durable commit a request in the same kind of database.");
        Comparison.Print(table, "ours", "toy");
        return table.Sum(static line => line.Errors);
    }
}
