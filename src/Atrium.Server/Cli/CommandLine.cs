using System.CommandLine;
using Atrium.Core;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>What <c>atrium</c> understands: options that hold for every verb, and the verbs.</summary>
public static class CommandLine
{
    private static readonly Option<string?> Urls = new("--urls")
    {
        Description = $"Addresses to listen on, separated by semicolons. Default: {AtriumOptions.DefaultUrl}",
        Recursive = true,
    };

    private static readonly Option<string?> PublicUrl = new("--public-url")
    {
        Description = "What the world sees; issuers and links are made of it. Default: the first address listened on.",
        Recursive = true,
    };

    private static readonly Option<string?> TrustedProxies = new("--trusted-proxies")
    {
        Description = "Addresses and networks of the proxies in front, separated by commas, such as 10.0.0.5,10.1.0.0/16. Default: none.",
        Recursive = true,
    };

    private static readonly Option<string?> DnsServers = new("--dns-servers")
    {
        Description = "Resolvers to ask about organizations' domains, separated by commas, such as 10.0.0.2,10.0.0.3:5353. Default: the machine's own.",
        Recursive = true,
    };

    private static readonly Option<string?> OutboundAllow = new("--outbound-allow")
    {
        Description = "Addresses and networks that webhooks may reach although they are not public, and without TLS, such as 10.1.0.0/16. Default: none, and 127.0.0.0/8,::1 for the demo.",
        Recursive = true,
    };

    private static readonly Option<string?> Database = new("--database")
    {
        Description = "Connection string: \"Data Source=./atrium.db\" is SQLite, \"Host=...;Database=...\" PostgreSQL. Default: the first, and ./atrium-demo.db for the demo.",
        Recursive = true,
    };

    private static readonly Option<string?> KeyFile = new("--key-file")
    {
        Description = "File with the key that encrypts secrets at rest. Default: beside the SQLite database; must be named with PostgreSQL.",
        Recursive = true,
    };

    private static readonly Option<string?> Smtp = new("--smtp")
    {
        Description = "Mail server, such as smtp://user@smtp.example.com:587; the password is in ATRIUM_SMTP_PASSWORD or a file. Default: none.",
        Recursive = true,
    };

    private static readonly Option<string?> SmtpPasswordFile = new("--smtp-password-file")
    {
        Description = "File with the mail server's password.",
        Recursive = true,
    };

    private static readonly Option<string?> MailFrom = new("--mail-from")
    {
        Description = "The address that mail comes from, such as \"Acme <no-reply@example.com>\". Must be named with --smtp.",
        Recursive = true,
    };

    private static readonly Option<string?> MailFolder = new("--mail-folder")
    {
        Description = "Folder to put mail into instead of sending it. Default: none, and ./atrium-demo-mail for the demo.",
        Recursive = true,
    };

    public static Task<int> RunAsync(string[] args)
    {
        RootCommand root = new("Atrium, an identity provider for products whose customers are organizations. Without a verb it serves.")
        {
            Urls,
            PublicUrl,
            TrustedProxies,
            DnsServers,
            OutboundAllow,
            Database,
            KeyFile,
            Smtp,
            SmtpPasswordFile,
            MailFrom,
            MailFolder,
        };
        root.SetAction((parsed, cancellationToken) => Serve.RunAsync(OptionsOf(parsed, demo: false), cancellationToken));

        Command demo = new("demo", "Serves a demo realm to try everything in, on loopback addresses only.");
        demo.SetAction((parsed, cancellationToken) => Serve.RunAsync(OptionsOf(parsed, demo: true), cancellationToken));
        root.Add(demo);
        foreach (Command command in AdministrationCommands.All(parsed => OptionsOf(parsed, demo: false)))
            root.Add(command);
        foreach (Command command in OperationCommands.All(parsed => OptionsOf(parsed, demo: false)))
            root.Add(command);
        foreach (Command command in TransferCommands.All(parsed => OptionsOf(parsed, demo: false)))
            root.Add(command);

        // Signals are the host's: it stops the server and lets what is in flight finish.
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    /// <summary>Says why a verb could not do it; the exit code of every failure.</summary>
    internal static int Fail(string message)
    {
        Console.Error.WriteLine($"atrium: {message}");
        return 1;
    }

    /// <summary>Runs a verb, and tells in one line what an operator can put right.</summary>
    internal static async Task<int> TryAsync(Func<Task<int>> verb)
    {
        try
        {
            return await verb();
        }
        catch (Exception e) when (e is DatabaseConfigurationException or DatabaseUnavailableException or KeyFileException or BackupException)
        {
            return Fail(e.Message);
        }
    }

    private static AtriumOptions OptionsOf(ParseResult parsed, bool demo)
    {
        string? smtp = parsed.GetValue(Smtp) ?? Setting("ATRIUM_SMTP");
        string defaultDatabase = demo ? "Data Source=./atrium-demo.db" : "Data Source=./atrium.db";
        return new AtriumOptions
        {
            Urls = parsed.GetValue(Urls) ?? Setting("ATRIUM_URLS") ?? AtriumOptions.DefaultUrl,
            PublicUrl = (parsed.GetValue(PublicUrl) ?? Setting("ATRIUM_PUBLIC_URL"))?.TrimEnd('/'),
            TrustedProxies = parsed.GetValue(TrustedProxies) ?? Setting("ATRIUM_TRUSTED_PROXIES"),
            DnsServers = parsed.GetValue(DnsServers) ?? Setting("ATRIUM_DNS_SERVERS"),
            OutboundAllow = parsed.GetValue(OutboundAllow) ?? Setting("ATRIUM_OUTBOUND_ALLOW"),
            Database = parsed.GetValue(Database) ?? Setting("ConnectionStrings__Atrium") ?? defaultDatabase,
            KeyFile = parsed.GetValue(KeyFile) ?? Setting("ATRIUM_KEY_FILE"),
            Smtp = smtp,
            SmtpPasswordFile = parsed.GetValue(SmtpPasswordFile) ?? Setting("ATRIUM_SMTP_PASSWORD_FILE"),
            SmtpPassword = Setting("ATRIUM_SMTP_PASSWORD") is { } password ? new Secret(password) : null,
            MailFrom = parsed.GetValue(MailFrom) ?? Setting("ATRIUM_MAIL_FROM"),
            MailFolder = parsed.GetValue(MailFolder) ?? Setting("ATRIUM_MAIL_FOLDER") ?? (demo && smtp is null ? "./atrium-demo-mail" : null),
            Demo = demo,
        };
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
