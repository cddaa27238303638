using System.CommandLine;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>Operator keys are made, listed and deleted on the machine that has the database, and nowhere else.</summary>
internal static class OperatorKeyCommands
{
    public static Task<int> CreateAsync(AtriumOptions options, string name, CancellationToken cancellationToken) =>
        AdministrationCommands.WithBackboneAsync(options, async backbone =>
        {
            Secret secret = Secret.New(OperatorKey.SecretPrefix);
            OperatorKey key = new() { Id = Id<OperatorKey>.New(backbone.Clock), Name = name, CreatedAt = backbone.Clock.GetUtcNow() };
            await new OperatorKeyStore(backbone.Database).CreateAsync(key, secret.Hash(), cancellationToken);
            Console.WriteLine($"Operator key {key.Id}. It is shown this once:");
            Console.WriteLine(secret.Reveal());
            return 0;
        });

    public static Command List(Func<ParseResult, AtriumOptions> optionsOf)
    {
        Option<bool> forOperator = OperatorOption();
        Command command = new("list", "Lists the operator keys.") { forOperator };
        command.SetAction((parsed, cancellationToken) => AdministrationCommands.WithBackboneAsync(optionsOf(parsed), async backbone =>
        {
            foreach (OperatorKey key in await new OperatorKeyStore(backbone.Database).ListAsync(cancellationToken))
                Console.WriteLine($"{key.Id}  {key.CreatedAt:yyyy-MM-dd HH:mm}  {key.Name}");
            return 0;
        }));
        return command;
    }

    public static Command Delete(Func<ParseResult, AtriumOptions> optionsOf)
    {
        Argument<string> id = new("id") { Description = "The key's id, as the list shows it." };
        Option<bool> forOperator = OperatorOption();
        Command command = new("delete", "Deletes an operator key: from then on it opens nothing.") { id, forOperator };
        command.SetAction((parsed, cancellationToken) => AdministrationCommands.WithBackboneAsync(optionsOf(parsed), async backbone =>
        {
            string chosen = parsed.GetRequiredValue(id);
            if (Id<OperatorKey>.Parse(chosen) is not { } known || !await new OperatorKeyStore(backbone.Database).DeleteAsync(known, cancellationToken))
                return CommandLine.Fail($"There is no operator key \"{chosen}\".");
            Console.WriteLine($"Operator key {chosen} is deleted");
            return 0;
        }));
        return command;
    }

    private static Option<bool> OperatorOption() => new("--operator") { Description = "Operator keys are meant.", Required = true };
}
