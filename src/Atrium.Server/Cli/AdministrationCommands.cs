using System.CommandLine;
using System.Text.Json.Nodes;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Cli.Remote;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>The verbs that make a realm and its first key.</summary>
internal sealed class AdministrationCommands(Shell shell, Access access, EitherWay either, Machine machine, OperatorKeyCommands operators)
{
    public Command CreateRealm()
    {
        Argument<string> handle = new("handle") { Description = "The name in URLs: lower-case letters, digits and hyphens." };
        Option<string?> name = new("--name") { Description = "The name for people. Default: the handle." };
        return either.Verb(new Command("create", "Makes a realm with its signing keys.") { handle, name }, access.HasOperatorKey, access.OpenOperator, OverApiAsync, OnMachineAsync);

        Task<int> OverApiAsync(Call call, CancellationToken cancellationToken)
        {
            string chosen = call.Parsed.GetRequiredValue(handle);
            return call.PostAsync(Resources.Realms, new JsonObject { ["handle"] = chosen, ["name"] = call.Parsed.GetValue(name) ?? chosen }, cancellationToken);
        }

        Task<int> OnMachineAsync(ParseResult parsed, CancellationToken cancellationToken) => machine.WithBackboneAsync(parsed, async backbone =>
        {
            string chosen = parsed.GetRequiredValue(handle);
            if (!Handles.IsValid(chosen))
                throw new Refusal($"\"{chosen}\" can't be a handle: use 1 to {Handles.MaxLength} lower-case letters, digits and hyphens.");
            DateTimeOffset now = backbone.Clock.GetUtcNow();
            Realm realm = new()
            {
                Id = Id<Realm>.New(backbone.Clock),
                Handle = chosen,
                Name = parsed.GetValue(name) ?? chosen,
                CreatedAt = now,
                UpdatedAt = now,
            };
            if (!await backbone.Realms.CreateAsync(realm, backbone.Keys.MakeFor(realm), Origin.CommandLine, cancellationToken))
                throw new Refusal($"There is a realm \"{chosen}\" already. Choose another handle.");
            await shell.Output.WriteLineAsync($"Realm {realm.Handle} ({realm.Id}), served at /t/{realm.Handle}");
            return ExitCode.Done;
        });
    }

    public Command CreateKey()
    {
        Option<string> name = new("--name") { Description = "What the key is for.", DefaultValueFactory = static _ => "Back end" };
        Option<string[]> scopes = new("--scope")
        {
            Description = $"What the key may do; may be given several times. {ApiKey.Everything} is everything in its realm.",
            DefaultValueFactory = static _ => [ApiKey.Everything],
        };
        Option<DateTimeOffset> expiresAt = Arguments.Moment("--expires-at", "When it ends by itself.", shell.Clock, ahead: true);
        Command command = either.Verb(
            new Command("create", "Makes an API key and shows it once.") { name, scopes, expiresAt }, access.HasApiKey, access.OpenRealm, OverApiAsync, OnMachineAsync);
        return operators.Or(
            command,
            "Makes an operator key on this machine's database instead, which makes, changes and deletes realms over the API.",
            (parsed, cancellationToken) => operators.CreateAsync(parsed, parsed.GetRequiredValue(name), access.SaysRealm(parsed), cancellationToken));

        Task<int> OverApiAsync(Call call, CancellationToken cancellationToken)
        {
            JsonObject body = new()
            {
                ["name"] = call.Parsed.GetRequiredValue(name),
                ["scopes"] = new JsonArray([.. call.Parsed.GetRequiredValue(scopes).Select(static scope => JsonValue.Create(scope))]),
                ["expires_at"] = ExpiryOf(call.Parsed)?.ToUnixTimeMilliseconds(),
            };
            return call.PostAsync(Resources.ApiKeys, body, cancellationToken);
        }

        Task<int> OnMachineAsync(ParseResult parsed, CancellationToken cancellationToken) => access.NamesRealm(parsed)
            ? MakeOnMachineAsync(parsed, cancellationToken)
            : Task.FromResult(new Refusal("Name the realm that the key is for with --realm, or make an operator key with --operator.", ExitCode.Usage).TellOn(shell.Error));

        Task<int> MakeOnMachineAsync(ParseResult parsed, CancellationToken cancellationToken) => machine.WithRealmAsync(parsed, async (backbone, realm) =>
        {
            if (parsed.GetRequiredValue(scopes).FirstOrDefault(static scope => scope != ApiKey.Everything && !ApiScopes.All.Contains(scope)) is { } unknown)
                throw new Refusal($"There is no scope \"{unknown}\". The scopes are {ApiKey.Everything}, {string.Join(", ", ApiScopes.All)}.");
            Secret secret = Secret.New(ApiKey.SecretPrefix);
            ApiKey key = new()
            {
                RealmId = realm.Id,
                Id = Id<ApiKey>.New(backbone.Clock),
                Name = parsed.GetRequiredValue(name),
                Scopes = parsed.GetRequiredValue(scopes),
                ExpiresAt = ExpiryOf(parsed),
                CreatedAt = backbone.Clock.GetUtcNow(),
                UpdatedAt = backbone.Clock.GetUtcNow(),
            };
            await new ApiKeyStore(backbone.Database).CreateAsync(key, secret.Hash(), Origin.CommandLine, cancellationToken);
            await shell.Output.WriteLineAsync($"Key {key.Id} of realm {realm.Handle}. It is shown this once:");
            await shell.Output.WriteLineAsync(secret.Reveal());
            return ExitCode.Done;
        }, cancellationToken);

        DateTimeOffset? ExpiryOf(ParseResult parsed) => parsed.GetResult(expiresAt) is null ? null : parsed.GetValue(expiresAt);
    }
}
