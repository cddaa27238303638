using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Atrium.Core;
using Atrium.Server.Cli.Remote;
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
    };

    private static readonly Option<string?> PublicUrl = new("--public-url")
    {
        Description = "What the world sees; issuers and links are made of it. Default: the first address listened on.",
    };

    private static readonly Option<string?> TrustedProxies = new("--trusted-proxies")
    {
        Description = "Addresses and networks of the proxies in front, separated by commas, such as 10.0.0.5,10.1.0.0/16. Default: none.",
    };

    private static readonly Option<string?> DnsServers = new("--dns-servers")
    {
        Description = "Resolvers to ask about organizations' domains, separated by commas, such as 10.0.0.2,10.0.0.3:5353. Default: the machine's own.",
    };

    private static readonly Option<string?> OutboundAllow = new("--outbound-allow")
    {
        Description = "Addresses and networks that webhooks may reach although they are not public, and without TLS, such as 10.1.0.0/16. Default: none, and 127.0.0.0/8,::1 for the demo.",
    };

    private static readonly Option<string?> Smtp = new("--smtp")
    {
        Description = "Mail server, such as smtp://user@smtp.example.com:587; the password is in ATRIUM_SMTP_PASSWORD or a file. Default: none.",
    };

    private static readonly Option<string?> SmtpPasswordFile = new("--smtp-password-file")
    {
        Description = "File with the mail server's password.",
    };

    private static readonly Option<string?> MailFrom = new("--mail-from")
    {
        Description = "The address that mail comes from, such as \"Acme <no-reply@example.com>\". Must be named with --smtp.",
    };

    private static readonly Option<string?> MailFolder = new("--mail-folder")
    {
        Description = "Folder to put mail into instead of sending it. Default: none, and ./atrium-demo-mail for the demo.",
    };

    private static readonly Option<string?> Database = new("--database")
    {
        Description = "Connection string: \"Data Source=./atrium.db\" is SQLite, \"Host=...;Database=...\" PostgreSQL. Default: the first, and ./atrium-demo.db for the demo.",
    };

    private static readonly Option<string?> KeyFile = new("--key-file")
    {
        Description = "File with the key that encrypts secrets at rest. Default: beside the SQLite database; must be named with PostgreSQL.",
    };

    /// <summary>Those of a server, which the verbs that look after one understand as well.</summary>
    private static readonly Option[] OfServer =
        [Urls, PublicUrl, TrustedProxies, DnsServers, OutboundAllow, Smtp, SmtpPasswordFile, MailFrom, MailFolder, Database, KeyFile];

    public static Task<int> RunAsync(string[] args) => RunAsync(args, Shell.OfProcess(), CancellationToken.None);

    /// <param name="cancellationToken">Ends a verb that goes on by itself; a server is stopped by signals.</param>
    public static async Task<int> RunAsync(string[] args, Shell shell, CancellationToken cancellationToken)
    {
        ParseResult parsed = Root(shell).Parse(args);
        if (parsed.Action is ParseErrorAction)
            return Misunderstood(parsed, shell);

        // Signals are the host's: it stops the server and lets what is in flight finish.
        InvocationConfiguration configuration = new() { ProcessTerminationTimeout = null, Output = shell.Output, Error = shell.Error };
        return await parsed.InvokeAsync(configuration, cancellationToken);
    }

    private static Command Root(Shell shell)
    {
        Access access = new(shell);
        Command root = new("atrium", "Atrium, an identity provider for products whose customers are organizations. Without a verb it serves.")
        {
            new HelpOption(),
            new VersionOption(),
        };
        root.SetAction((parsed, cancellationToken) => Serve.RunAsync(OptionsOf(parsed, shell, demo: false), cancellationToken));

        Command demo = new("demo", "Serves a demo realm to try everything in, on loopback addresses only.");
        demo.SetAction((parsed, cancellationToken) => Serve.RunAsync(OptionsOf(parsed, shell, demo: true), cancellationToken));
        root.Add(demo);
        With(root, OfServer);
        AtriumOptions OnMachine(ParseResult parsed) => OptionsOf(parsed, shell, demo: false);
        Machine machine = new(shell, access, OnMachine, command => With(command, Database, KeyFile));
        EitherWay either = new(shell, machine, static parsed => parsed.GetResult(Database) is { Implicit: false });
        OperatorKeyCommands operators = new(shell, machine);
        AdministrationCommands first = new(shell, access, either, machine, operators);
        foreach (Command command in new RemoteCommands(shell, access, first, new ClientAdministration(shell, access, either, machine), operators).All())
            root.Add(command);
        foreach (Command command in OperationCommands.All(shell, OnMachine))
            root.Add(With(command, OfServer));
        foreach (Command command in TransferCommands.All(access, machine))
            root.Add(machine.Verb(command));
        return root;
    }

    /// <summary>A verb, or each of a group's, with these options; so that the help of a verb has no other than its own.</summary>
    private static Command With(Command command, params Option[] options)
    {
        foreach (Command verb in command.Subcommands)
            With(verb, options);
        foreach (Option option in options.Where(_ => command.Action is not null))
            command.Add(option);
        return command;
    }

    /// <summary>What could not be understood, and where to read on.</summary>
    private static int Misunderstood(ParseResult parsed, Shell shell)
    {
        IEnumerable<string> problems = parsed.CommandResult.Command.Subcommands.Count == 0 || parsed.UnmatchedTokens.Count == 0
            ? parsed.Errors.Select(static error => error.Message)
            : [$"There is no verb \"{parsed.UnmatchedTokens[0]}\"."];
        foreach (string problem in problems)
            shell.Error.WriteLine($"atrium: {Printable.Text(problem)}");
        string verb = "";
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult command; result = result.Parent)
            verb = $"{command.Command.Name} {verb}";
        shell.Error.WriteLine($"See: {verb}--help");
        return ExitCode.Usage;
    }

    /// <summary>Says why a verb could not do it; the exit code of every failure.</summary>
    internal static int Fail(string message)
    {
        Console.Error.WriteLine($"atrium: {message}");
        return ExitCode.Failed;
    }

    /// <summary>Runs a verb, and tells what an operator can put right.</summary>
    internal static async Task<int> TryAsync(Shell shell, Func<Task<int>> verb)
    {
        try
        {
            return await verb();
        }
        catch (Refusal refusal)
        {
            return refusal.TellOn(shell.Error);
        }
        catch (Exception e) when (e is DatabaseConfigurationException or DatabaseUnavailableException or KeyFileException or BackupException)
        {
            return new Refusal(e.Message).TellOn(shell.Error);
        }
    }

    private static AtriumOptions OptionsOf(ParseResult parsed, Shell shell, bool demo)
    {
        string? smtp = parsed.GetValue(Smtp) ?? shell.Setting("ATRIUM_SMTP");
        string defaultDatabase = demo ? "Data Source=./atrium-demo.db" : "Data Source=./atrium.db";
        return new AtriumOptions
        {
            Urls = parsed.GetValue(Urls) ?? shell.Setting("ATRIUM_URLS") ?? AtriumOptions.DefaultUrl,
            PublicUrl = (parsed.GetValue(PublicUrl) ?? shell.Setting("ATRIUM_PUBLIC_URL"))?.TrimEnd('/'),
            TrustedProxies = parsed.GetValue(TrustedProxies) ?? shell.Setting("ATRIUM_TRUSTED_PROXIES"),
            DnsServers = parsed.GetValue(DnsServers) ?? shell.Setting("ATRIUM_DNS_SERVERS"),
            OutboundAllow = parsed.GetValue(OutboundAllow) ?? shell.Setting("ATRIUM_OUTBOUND_ALLOW"),
            Smtp = smtp,
            SmtpPasswordFile = parsed.GetValue(SmtpPasswordFile) ?? shell.Setting("ATRIUM_SMTP_PASSWORD_FILE"),
            SmtpPassword = shell.Setting("ATRIUM_SMTP_PASSWORD") is { } password ? new Secret(password) : null,
            MailFrom = parsed.GetValue(MailFrom) ?? shell.Setting("ATRIUM_MAIL_FROM"),
            MailFolder = parsed.GetValue(MailFolder) ?? shell.Setting("ATRIUM_MAIL_FOLDER") ?? (demo && smtp is null ? "./atrium-demo-mail" : null),
            Database = parsed.GetValue(Database) ?? shell.Setting("ConnectionStrings__Atrium") ?? defaultDatabase,
            KeyFile = parsed.GetValue(KeyFile) ?? shell.Setting("ATRIUM_KEY_FILE"),
            Demo = demo,
        };
    }
}
