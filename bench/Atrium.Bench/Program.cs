using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Storage;

namespace Atrium.Bench;

/// <summary>Starts every side itself, drives them in turn, and prints one table. Ends by itself; loopback only.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        ["toy", var url] => Toy.RunAsync(url, database: null),
        ["toy", var url, var database] => Toy.RunAsync(url, database),
        [var server, .. var options] when server.EndsWith(".dll", StringComparison.Ordinal) => CompareAsync(Path.GetFullPath(server), options),
        _ => Task.FromResult(Usage()),
    };

    private static async Task<int> CompareAsync(string server, string[] options)
    {
        TimeSpan duration = TimeSpan.FromSeconds(Number(options, "--seconds", 3));
        int rounds = Number(options, "--rounds", 5);
        int connections = Number(options, "--connections", 16);
        string folder = Directory.CreateTempSubdirectory("atrium-bench-").FullName;
        string self = typeof(Program).Assembly.Location;
        string connectionString = $"Data Source={Path.Combine(folder, "atrium.db")}";
        try
        {
            await using Side atrium = await Side.StartAsync(url => [server, "demo", "--urls", url, "--database", connectionString], folder);
            await using Side toy = await Side.StartAsync(url => [self, "toy", url], folder);
            await using Side committing = await Side.StartAsync(url => [self, "toy", url, Path.Combine(folder, "toy.db")], folder);

            IReadOnlyList<string> few, many;
            await using (Database database = await Database.OpenAsync(connectionString, CancellationToken.None))
            {
                Client client = (await new ClientStore(database).FindByClientIdAsync("demo-server", CancellationToken.None))!;
                Seed seed = new(database, TimeProvider.System);
                few = await seed.RefreshTokensAsync(client, connections, organizationsEach: 2);
                many = await seed.RefreshTokensAsync(client, connections, organizationsEach: 20);
            }

            Func<HttpClient, Task<bool>>[] toyLoad = [.. Enumerable.Range(0, connections).Select(_ => Requests.Toy())];
            Func<HttpClient, Task<bool>>[] clientCredentials = [.. Enumerable.Range(0, connections).Select(_ => Requests.ClientCredentials())];
            Comparison[] table =
            [
                await Comparison.RunAsync("client_credentials", atrium, clientCredentials, toy, toyLoad, rounds, duration),
                await Comparison.RunAsync("refresh, 2 memberships", atrium, [.. few.Select(Requests.Refresh)], committing, toyLoad, rounds, duration),
                await Comparison.RunAsync("refresh, 20 memberships", atrium, [.. many.Select(Requests.Refresh)], committing, toyLoad, rounds, duration),
            ];

            Console.WriteLine(
                $"{Environment.ProcessorCount} processors, .NET {Environment.Version}; {connections} connections, {rounds} rounds of {duration.TotalSeconds:F0} s a side after one to warm up; "
                + "medians over the rounds. Atrium: Release, SQLite WAL synchronous=FULL, ES256. Toy: form, SHA-256 of the secret, ES256, JSON; for refresh with one durable SQLite commit a request.");
            Console.WriteLine(Comparison.Header);
            foreach (Comparison line in table)
                Console.WriteLine(line);
            foreach (Comparison line in table)
                Console.WriteLine(line.Bottleneck);
            return table.Any(static line => line.Errors > 0) ? 1 : 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Number(string[] options, string name, int otherwise)
    {
        int at = Array.IndexOf(options, name);
        return at >= 0 && at + 1 < options.Length && int.TryParse(options[at + 1], out int value) && value > 0 ? value : otherwise;
    }

    private static int Usage()
    {
        Console.Error.WriteLine("bench/run [--seconds 3] [--rounds 5] [--connections 16]");
        return 2;
    }
}

/// <summary>The requests of the load, each the next of one connection.</summary>
internal static class Requests
{
    public static Func<HttpClient, Task<bool>> Toy() => static async http =>
        await SendAsync(http, "/token", "client_credentials", "toy", "toy-secret", refreshToken: null) is not null;

    public static Func<HttpClient, Task<bool>> ClientCredentials() => static async http =>
        await SendAsync(http, "/t/acme/token", "client_credentials", "demo-m2m", "demo-m2m-secret", refreshToken: null) is not null;

    /// <summary>Rotates: each request presents the token that the last one gave.</summary>
    public static Func<HttpClient, Task<bool>> Refresh(string first)
    {
        string token = first;
        return async http =>
        {
            using JsonDocument? answer = await SendAsync(http, "/t/acme/token", "refresh_token", "demo-server", "demo-server-secret", token);
            if (answer?.RootElement.GetProperty("refresh_token").GetString() is not { } next || next == token)
                return false;
            token = next;
            return true;
        };
    }

    private static async Task<JsonDocument?> SendAsync(
        HttpClient http, string path, string grantType, string clientId, string secret, string? refreshToken)
    {
        Dictionary<string, string> form = new() { ["grant_type"] = grantType, ["client_id"] = clientId, ["client_secret"] = secret };
        if (refreshToken is not null)
            form["refresh_token"] = refreshToken;
        using FormUrlEncodedContent content = new(form);
        using HttpResponseMessage response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode ? JsonDocument.Parse(body) : null;
    }
}
