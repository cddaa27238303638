using System.CommandLine;
using System.CommandLine.Invocation;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>Operator keys are made, listed and deleted on the machine that has the database, and nowhere else.</summary>
internal sealed class OperatorKeyCommands(Shell shell, Machine machine)
{
    /// <summary>A verb about API keys that <c>--operator</c> turns to operator keys.</summary>
    public Command Or(Command aboutApiKeys, string description, Func<ParseResult, CancellationToken, Task<int>> aboutOperatorKeys)
    {
        Option<bool> forOperator = new("--operator") { Description = description };
        AsynchronousCommandLineAction otherwise = (AsynchronousCommandLineAction)aboutApiKeys.Action!;
        aboutApiKeys.Add(forOperator);
        aboutApiKeys.SetAction((parsed, cancellationToken) =>
            parsed.GetValue(forOperator) ? aboutOperatorKeys(parsed, cancellationToken) : otherwise.InvokeAsync(parsed, cancellationToken));
        return aboutApiKeys;
    }

    public Task<int> CreateAsync(ParseResult parsed, string name, bool saysRealm, CancellationToken cancellationToken) => machine.WithBackboneAsync(parsed, async backbone =>
    {
        if (saysRealm)
            throw new Refusal("--operator makes a key of the whole server: leave --realm out.", ExitCode.Usage);
        Secret secret = Secret.New(OperatorKey.SecretPrefix);
        OperatorKey key = new() { Id = Id<OperatorKey>.New(backbone.Clock), Name = name, CreatedAt = backbone.Clock.GetUtcNow() };
        await new OperatorKeyStore(backbone.Database).CreateAsync(key, secret.Hash(), cancellationToken);
        await shell.Output.WriteLineAsync($"Operator key {key.Id}. It is shown this once:");
        await shell.Output.WriteLineAsync(secret.Reveal());
        return ExitCode.Done;
    });

    public Command OrList(Command list) => machine.Verb(Or(list, "Lists the operator keys, on this machine's database.", (parsed, cancellationToken) => machine.WithBackboneAsync(parsed, async backbone =>
    {
        foreach (OperatorKey key in await new OperatorKeyStore(backbone.Database).ListAsync(cancellationToken))
            await shell.Output.WriteLineAsync($"{key.Id}  {key.CreatedAt:yyyy-MM-dd HH:mm}  {Printable.Text(key.Name)}");
        return ExitCode.Done;
    })));

    public Command OrDelete(Command delete) => machine.Verb(Or(delete, "Deletes an operator key, on this machine's database: from then on it opens nothing.", (parsed, cancellationToken) => machine.WithBackboneAsync(parsed, async backbone =>
    {
        string chosen = parsed.GetRequiredValue<string>(delete.Arguments[0].Name);
        if (Id<OperatorKey>.Parse(chosen) is not { } known || !await new OperatorKeyStore(backbone.Database).DeleteAsync(known, cancellationToken))
            throw new Refusal($"There is no operator key \"{chosen}\".", ExitCode.NotFound);
        await shell.Output.WriteLineAsync($"Operator key {chosen} is deleted");
        return ExitCode.Done;
    })));
}
