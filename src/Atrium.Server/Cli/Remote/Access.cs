using System.CommandLine;
using Atrium.Server.Hosting;

namespace Atrium.Server.Cli.Remote;

/// <summary>Which server a verb calls, with which key, about which realm.</summary>
internal sealed class Access(Shell shell)
{
    private readonly Option<string?> server = new("--server")
    {
        Description = $"The server's address; ATRIUM_SERVER otherwise. Default: {AtriumOptions.DefaultUrl}",
        HelpName = "URL",
        Recursive = true,
    };

    private readonly Option<string?> apiKey = new("--api-key")
    {
        Description = "A key of the realm. Better in ATRIUM_API_KEY: other users of this machine can see command lines.",
        HelpName = "KEY",
        Recursive = true,
    };

    private readonly Option<string?> operatorKey = new("--operator-key")
    {
        Description = "A key made with \"atrium keys create --operator\". Better in ATRIUM_OPERATOR_KEY.",
        HelpName = "KEY",
        Recursive = true,
    };

    private readonly Option<string?> realm = new("--realm")
    {
        Description = "The realm's handle or id; ATRIUM_REALM otherwise.",
        HelpName = "REALM",
        Recursive = true,
    };

    /// <summary>A verb and what is below it, called with a key of a realm.</summary>
    public Command OfRealm(Command command) => With(command, server, apiKey, realm);

    /// <summary>A verb and what is below it, called with a key of the whole server.</summary>
    public Command OfOperator(Command command) => With(command, server, operatorKey);

    /// <summary>A verb that is called with a key of a realm, and for some of what it does with a key of the whole server.</summary>
    public Command OfRealmAndOperator(Command command) => With(OfRealm(command), operatorKey);

    /// <summary>A verb about a realm that needs no server.</summary>
    public Command AboutRealm(Command command) => With(command, realm);

    public bool HasApiKey(ParseResult parsed) => parsed.GetValue(apiKey) is not null || shell.Setting("ATRIUM_API_KEY") is not null;

    public bool HasOperatorKey(ParseResult parsed) => parsed.GetValue(operatorKey) is not null || shell.Setting("ATRIUM_OPERATOR_KEY") is not null;

    public bool NamesRealm(ParseResult parsed) => parsed.GetValue(realm) is not null || shell.Setting("ATRIUM_REALM") is not null;

    /// <summary>Whether the realm stands in the command line itself.</summary>
    public bool SaysRealm(ParseResult parsed) => parsed.GetValue(realm) is not null;

    public string RealmOf(ParseResult parsed) => parsed.GetValue(realm) ?? shell.Setting("ATRIUM_REALM")
        ?? throw new Refusal("Name the realm with --realm or ATRIUM_REALM.", ExitCode.Usage);

    public ManagementApi OpenRealm(ParseResult parsed)
    {
        string key = parsed.GetValue(apiKey) ?? shell.Setting("ATRIUM_API_KEY")
            ?? throw new Refusal("Name a key of the realm with --api-key or ATRIUM_API_KEY. \"atrium keys create\" makes one on the machine that has the database.", ExitCode.Usage);
        return new ManagementApi(ServerOf(parsed), key, $"/v1/realms/{Uri.EscapeDataString(RealmOf(parsed))}", shell.Clock);
    }

    public ManagementApi OpenOperator(ParseResult parsed)
    {
        string key = parsed.GetValue(operatorKey) ?? shell.Setting("ATRIUM_OPERATOR_KEY")
            ?? throw new Refusal(
                "Name an operator key with --operator-key or ATRIUM_OPERATOR_KEY. \"atrium keys create --operator\" makes one on the machine that has the database.", ExitCode.Usage);
        return new ManagementApi(ServerOf(parsed), key, "/v1/realms", shell.Clock);
    }

    private Uri ServerOf(ParseResult parsed)
    {
        string address = parsed.GetValue(server) ?? shell.Setting("ATRIUM_SERVER") ?? AtriumOptions.DefaultUrl;
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https") || url.AbsolutePath != "/" || url.Query.Length > 0)
            throw new Refusal($"--server: \"{Printable.Text(address)}\" is no address of a server. Use one such as {AtriumOptions.DefaultUrl}.", ExitCode.Usage);
        if (url.Scheme == "http" && !url.IsLoopback)
            shell.Error.WriteLine($"atrium: {url} is not https: whoever is in between can read the key.");
        return url;
    }

    private static Command With(Command command, params Option[] options)
    {
        foreach (Option option in options)
            command.Add(option);
        return command;
    }
}
