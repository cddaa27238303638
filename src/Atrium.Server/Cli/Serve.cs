using System.Net;
using Atrium.Server.Demo;
using Atrium.Server.Dns;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Server.Mail;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>Runs the server until it is told to stop.</summary>
public static class Serve
{
    public static async Task<int> RunAsync(AtriumOptions options, CancellationToken cancellationToken)
    {
        if (Problem(options) is { } problem)
            return CommandLine.Fail(problem);
        try
        {
            await using WebApplication app = await AtriumServer.BuildAsync(options, TimeProvider.System, cancellationToken);
            Backbone backbone = app.Services.GetRequiredService<Backbone>();
            if (options.Demo)
                await new DemoRealm(app.Services).EnsureAsync(cancellationToken);
            await app.StartAsync(cancellationToken);
            await Greeting.PrintAsync(app, backbone, options, cancellationToken);
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
        catch (Exception e) when (e is DatabaseConfigurationException or DatabaseUnavailableException or KeyFileException or IOException)
        {
            return CommandLine.Fail(e.Message);
        }
    }

    /// <summary>What is wrong with the options, in a sentence that says what to change.</summary>
    private static string? Problem(AtriumOptions options)
    {
        foreach (string url in options.Addresses)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) || parsed.Scheme is not ("http" or "https"))
                return $"--urls: \"{url}\" is not an address to listen on. Use one such as {AtriumOptions.DefaultUrl}.";
            if (parsed.Scheme == "https")
                return $"--urls: \"{url}\": Atrium listens without TLS and leaves it to a proxy in front. Listen on http, and name the https address with --public-url.";
            if (options.Demo && !IsLoopback(parsed))
                return $"--urls: the demo's passwords are public, so it listens on loopback only; \"{url}\" is not. Use {AtriumOptions.DefaultUrl}.";
        }

        if (options.PublicUrl is { } publicUrl
            && (!Uri.TryCreate(publicUrl, UriKind.Absolute, out Uri? seen) || seen.Scheme is not ("http" or "https") || seen.AbsolutePath != "/" || seen.Query.Length > 0))
        {
            return $"--public-url: \"{publicUrl}\" must be a scheme and a host, such as https://id.example.com, without a path: some clients drop one.";
        }

        if (options.DnsServers is { } servers && DnsClient.ParseServers(servers) is null)
            return $"--dns-servers: \"{servers}\" must be addresses such as 10.0.0.2 or 10.0.0.3:5353, separated by commas.";

        try
        {
            TrustedProxies.Parse(options.TrustedProxies ?? "");
        }
        catch (FormatException e)
        {
            return $"--trusted-proxies: {e.Message}";
        }

        try
        {
            Networks.Parse(options.OutboundAllow ?? "");
        }
        catch (FormatException e)
        {
            return $"--outbound-allow: {e.Message}";
        }

        try
        {
            MailSettings.Of(options);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    private static bool IsLoopback(Uri url) =>
        url.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(url.Host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
