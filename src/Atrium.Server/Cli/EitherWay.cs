using System.CommandLine;
using Atrium.Server.Cli.Remote;

namespace Atrium.Server.Cli;

/// <summary>
/// Makes verbs that must work before there is a key: without one they work on the database of this machine, with one they go over the
/// management API as all others do. Who names a database means this machine, whatever the environment has.
/// </summary>
internal sealed class EitherWay(Shell shell, Machine machine, Func<ParseResult, bool> namesDatabase)
{
    private const string Rule = " Over the API when a key is given, on this machine's database otherwise.";

    public Command Verb(
        Command command,
        Func<ParseResult, bool> hasKey,
        Func<ParseResult, ManagementApi> open,
        Func<Call, CancellationToken, Task<int>> overApi,
        Func<ParseResult, CancellationToken, Task<int>> onMachine)
    {
        command.Description += Rule;
        command.SetAction((parsed, cancellationToken) => hasKey(parsed) && !namesDatabase(parsed)
            ? Call.RunAsync(parsed, shell, open, overApi, cancellationToken)
            : onMachine(parsed, cancellationToken));
        return machine.Verb(command);
    }
}
