using System.CommandLine;
using Atrium.Core.Realms;
using Atrium.Server.Cli.Remote;
using Atrium.Server.Hosting;

namespace Atrium.Server.Cli;

/// <summary>The database of this machine, for the verbs that work on it themselves, while a server runs or not.</summary>
internal sealed class Machine(Shell shell, Access access, Func<ParseResult, AtriumOptions> optionsOf, Func<Command, Command> withOptions)
{
    /// <summary>A verb with the options that say which database.</summary>
    public Command Verb(Command command) => withOptions(command);

    public Task<int> WithRealmAsync(ParseResult parsed, Func<Backbone, Realm, Task<int>> action, CancellationToken cancellationToken) =>
        WithBackboneAsync(parsed, async backbone =>
        {
            string handle = access.RealmOf(parsed);
            return await backbone.Realms.FindByHandleAsync(handle, cancellationToken) is { } realm
                ? await action(backbone, realm)
                : throw new Refusal($"There is no realm \"{handle}\". Make it with: atrium realms create {handle}");
        });

    public Task<int> WithBackboneAsync(ParseResult parsed, Func<Backbone, Task<int>> action) => CommandLine.TryAsync(shell, async () =>
    {
        await using Backbone backbone = await Backbone.OpenAsync(optionsOf(parsed), TimeProvider.System, CancellationToken.None);
        return await action(backbone);
    });
}
