using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Server.Pages;

namespace Atrium.Server.Cli;

/// <summary>What a server says once it listens.</summary>
public static class Greeting
{
    public static async Task PrintAsync(WebApplication app, Backbone backbone, AtriumOptions options, CancellationToken cancellationToken)
    {
        PublicUrl publicUrl = app.Services.GetRequiredService<PublicUrl>();
        Console.WriteLine($"Atrium listens on {string.Join(", ", app.Urls)}; the world sees {publicUrl.Base}");
        Console.WriteLine($"Database: {backbone.Database.Description}");
        Console.WriteLine($"Passwords: {backbone.Passwords.Description}");
        Console.WriteLine($"Signatures: {string.Join(", ", backbone.Keys.Algorithms)}.{(backbone.Ed25519.IsAvailable ? "" : $" {Ed25519.Missing}")}");
        if (backbone.KeyFile.Warning is { } warning)
            Console.WriteLine($"WARNING: {warning}");
        if (publicUrl.IsHttps && options.TrustedProxies is null)
            Console.WriteLine("WARNING: The public URL is https, so a proxy is in front. Name its address with --trusted-proxies: until then everybody seems to come from it.");
        if (options.Demo)
            PrintDemo(publicUrl.Base);
        else if (!await backbone.Realms.AnyAsync(cancellationToken))
        {
            string atrium = Invocation(backbone, options);
            Console.WriteLine(
                $"""

                There is no realm yet. Make the first one, a key for your back end, and a client, from another shell:

                  {atrium} realms create acme --name "Acme"
                  {atrium} keys create --realm acme --name "Back end"
                  {atrium} clients create --realm acme --name "Web app" --redirect-uri http://localhost:3000/callback

                """);
        }
    }

    /// <summary>How to run a verb on this server's database from any folder.</summary>
    private static string Invocation(Backbone backbone, AtriumOptions options)
    {
        string assembly = typeof(Greeting).Assembly.Location;
        string keyFile = options.KeyFile is null ? "" : $" --key-file \"{Path.GetFullPath(options.KeyFile)}\"";
        return $"dotnet \"{assembly}\" --database \"{backbone.Database.ConnectionStringWithoutPassword}\"{keyFile}";
    }

    private static void PrintDemo(string url)
    {
        Console.WriteLine(
            $"""

            Look around:  {url}
            Mail:         {url}{DemoMail.Path}
            People:       mia@, sam@, tom@ (second factor {DemoRealm.TotpSecret}), zoe@example.test; everybody's password: {DemoRealm.Password}
            Clients:      demo-web, demo-server ({DemoRealm.ServerSecret}), demo-m2m ({DemoRealm.MachineSecret}), demo-authkit,
                          demo-native, demo-native-mfa, demo-native-off
            Keys:         {DemoRealm.ApiKey}; of the neighbour realm {DemoRealm.NeighbourHandle}: {DemoRealm.NeighbourApiKey}

            Three walks, one for each door. Paste a block into another shell:
            """);
        foreach (DemoWalk walk in DemoWalks.At(url))
        {
            Console.WriteLine($"\n# {walk.Door}: {walk.Title}");
            foreach (DemoStep step in walk.Steps)
                Console.WriteLine($"# {step.Text}\n{step.Command}");
        }

        Console.WriteLine("\nStop with Ctrl+C. What you do is kept for the next start.\n");
    }
}
