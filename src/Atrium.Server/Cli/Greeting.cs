using Atrium.Server.Hosting;

namespace Atrium.Server.Cli;

/// <summary>What a server says once it listens.</summary>
public static class Greeting
{
    public static async Task PrintAsync(WebApplication app, Backbone backbone, AtriumOptions options, CancellationToken cancellationToken)
    {
        PublicUrl publicUrl = app.Services.GetRequiredService<PublicUrl>();
        Console.WriteLine($"Atrium listens on {string.Join(", ", app.Urls)}; the world sees {publicUrl.Base}");
        Console.WriteLine($"Database: {options.Database}");
        Console.WriteLine($"Passwords: {backbone.Passwords.Description}");
        if (backbone.KeyFile.Warning is { } warning)
            Console.WriteLine($"WARNING: {warning}");
        if (!options.Demo && !await backbone.Realms.AnyAsync(cancellationToken))
        {
            Console.WriteLine(
                """

                There is no realm yet. Make the first one, a key for your back end, and a client:

                  atrium realms create acme --name "Acme"
                  atrium keys create --realm acme --name "Back end"
                  atrium clients create --realm acme --name "Web app" --redirect-uri http://localhost:3000/callback

                """);
        }
    }
}
