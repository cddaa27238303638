using System.CommandLine;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>The verbs that make the first things, on the machine that has the database.</summary>
public static class AdministrationCommands
{
    public static IEnumerable<Command> All(Func<ParseResult, AtriumOptions> optionsOf)
    {
        yield return new Command("realms", "Isolated pools of users, organizations, clients and keys.") { CreateRealm(optionsOf) };
        yield return new Command("keys", "Keys for back ends, and for operators.") { CreateKey(optionsOf), OperatorKeyCommands.List(optionsOf), OperatorKeyCommands.Delete(optionsOf) };
        yield return new Command("clients", "Applications.")
        {
            CreateClient(optionsOf),
            SetClientStatus(optionsOf, "disable", "Refuses everything that a client asks for, its tokens' renewal too.", ClientStatus.Disabled),
            SetClientStatus(optionsOf, "enable", "Lets a disabled client be used again.", ClientStatus.Active),
        };
    }

    private static Command CreateRealm(Func<ParseResult, AtriumOptions> optionsOf)
    {
        Argument<string> handle = new("handle") { Description = "The name in URLs: lower-case letters, digits and hyphens." };
        Option<string?> name = new("--name") { Description = "The name for people. Default: the handle." };
        Command command = new("create", "Makes a realm with its signing keys.") { handle, name };
        command.SetAction((parsed, cancellationToken) => WithBackboneAsync(optionsOf(parsed), async backbone =>
        {
            string chosen = parsed.GetRequiredValue(handle);
            if (!Handles.IsValid(chosen))
                return CommandLine.Fail($"\"{chosen}\" can't be a handle: use 1 to {Handles.MaxLength} lower-case letters, digits and hyphens.");
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
                return CommandLine.Fail($"There is a realm \"{chosen}\" already. Choose another handle.");
            Console.WriteLine($"Realm {realm.Handle} ({realm.Id}), served at /t/{realm.Handle}");
            return 0;
        }));
        return command;
    }

    private static Command CreateKey(Func<ParseResult, AtriumOptions> optionsOf)
    {
        Option<string> realmHandle = RealmOption();
        realmHandle.Required = false;
        Option<string> name = new("--name") { Description = "What the key is for.", DefaultValueFactory = static _ => "Back end" };
        Option<string[]> scopes = new("--scope")
        {
            Description = $"What the key may do. Default: {ApiKey.Everything}, everything in its realm.",
            DefaultValueFactory = static _ => [ApiKey.Everything],
        };
        Option<bool> forOperator = new("--operator") { Description = "Makes an operator key instead, which makes, changes and deletes realms over the API." };
        Command command = new("create", "Makes an API key and shows it once.") { realmHandle, name, scopes, forOperator };
        command.Validators.Add(result =>
        {
            if (result.GetValue(forOperator) == (result.GetResult(realmHandle) is not null))
                result.AddError("Name the realm that the key is for with --realm, or make an operator key with --operator.");
        });
        command.SetAction((parsed, cancellationToken) => parsed.GetValue(forOperator)
            ? OperatorKeyCommands.CreateAsync(optionsOf(parsed), parsed.GetRequiredValue(name), cancellationToken)
            : WithRealmAsync(optionsOf(parsed), parsed.GetRequiredValue(realmHandle), async (backbone, realm) =>
        {
            if (parsed.GetRequiredValue(scopes).FirstOrDefault(static scope => scope != ApiKey.Everything && !ApiScopes.All.Contains(scope)) is { } unknown)
                return CommandLine.Fail($"There is no scope \"{unknown}\". The scopes are {ApiKey.Everything}, {string.Join(", ", ApiScopes.All)}.");
            Secret secret = Secret.New(ApiKey.SecretPrefix);
            ApiKey key = new()
            {
                RealmId = realm.Id,
                Id = Id<ApiKey>.New(backbone.Clock),
                Name = parsed.GetRequiredValue(name),
                Scopes = parsed.GetRequiredValue(scopes),
                CreatedAt = backbone.Clock.GetUtcNow(),
                UpdatedAt = backbone.Clock.GetUtcNow(),
            };
            await new ApiKeyStore(backbone.Database).CreateAsync(key, secret.Hash(), Origin.CommandLine, cancellationToken);
            Console.WriteLine($"Key {key.Id} of realm {realm.Handle}. It is shown this once:");
            Console.WriteLine(secret.Reveal());
            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command CreateClient(Func<ParseResult, AtriumOptions> optionsOf)
    {
        Option<string> realmHandle = RealmOption();
        Option<string> name = new("--name") { Description = "What people see when they sign in.", Required = true };
        Option<string?> clientId = new("--client-id") { Description = "The client_id; made up when not given." };
        Option<ClientType> type = new("--type") { Description = "spa, native, web or m2m.", DefaultValueFactory = static _ => ClientType.Spa };
        Option<string[]> redirectUris = new("--redirect-uri") { Description = "Where the answer may go, matched exactly.", DefaultValueFactory = static _ => [] };
        Option<string[]> signOutUris = new("--post-logout-redirect-uri") { Description = "Where a sign-out may lead.", DefaultValueFactory = static _ => [] };
        Option<bool> authKit = new("--authkit") { Description = "Lets the client use the AuthKit door." };
        Option<bool> appNative = new("--app-native") { Description = "Lets the client sign people in as JSON, without a browser." };
        Option<string> settingsJson = new("--settings")
        {
            Description = "The client's settings as JSON, such as {\"openid\":{\"default_access_token_age\":300}}.",
            DefaultValueFactory = static _ => "{}",
        };
        Command command = new("create", "Makes a client and shows its secret once.")
        {
            realmHandle, name, clientId, type, redirectUris, signOutUris, authKit, appNative, settingsJson,
        };
        command.SetAction((parsed, cancellationToken) => WithRealmAsync(optionsOf(parsed), parsed.GetRequiredValue(realmHandle), async (backbone, realm) =>
        {
            ClientType chosen = parsed.GetValue(type);
            string[] uris = parsed.GetRequiredValue(redirectUris);
            (ClientSettings? settings, string? unreadable) = ClientSettingsRules.Parse(parsed.GetRequiredValue(settingsJson));
            if (settings is null)
                return CommandLine.Fail($"--settings: {unreadable}");
            if (parsed.GetValue(authKit))
                settings = settings with { Authkit = settings.Authkit with { Enabled = true } };
            if (parsed.GetValue(appNative))
                settings = settings with { AppNative = settings.AppNative with { Enabled = true }, PkceRequired = false };
            Id<Client> id = Id<Client>.New(backbone.Clock);
            DateTimeOffset now = backbone.Clock.GetUtcNow();
            Client client = new()
            {
                RealmId = realm.Id,
                Id = id,
                ClientId = parsed.GetValue(clientId) ?? id.ToString(),
                Name = parsed.GetRequiredValue(name),
                Type = chosen,
                RedirectUris = uris,
                PostLogoutRedirectUris = parsed.GetRequiredValue(signOutUris),
                GrantTypes = ClientRules.DefaultGrantTypes(chosen),
                Settings = settings,
                CreatedAt = now,
                UpdatedAt = now,
            };
            if (parsed.GetValue(clientId) is { } named && !ClientRules.IsClientId(named))
                return CommandLine.Fail($"\"{named}\" can't be a client id: use letters, digits and -._~, and nothing that looks like an id of something else.");
            if (ClientRules.Faults(client).FirstOrDefault() is { } fault)
                return CommandLine.Fail($"{fault.Field}: {fault.Message}");
            Secret? secret = client.HasSecret ? Secret.New() : null;
            client = client with { SecretHash = secret?.Hash() };
            switch ((await new ClientStore(backbone.Database).CreateAsync(client, Origin.CommandLine, cancellationToken)).Outcome)
            {
                case ClientWrite.ClientIdTaken:
                    return CommandLine.Fail($"The client id \"{client.ClientId}\" is taken. Choose another.");
                case ClientWrite.UnknownOrganizations:
                    return CommandLine.Fail("--settings: restrictions.organizations.allowed_org_ids names organizations that the realm does not have.");
            }

            Console.WriteLine($"Client {client.ClientId} of realm {realm.Handle}");
            if (secret is { } shown)
            {
                Console.WriteLine("Its secret is shown this once:");
                Console.WriteLine(shown.Reveal());
            }

            return 0;
        }, cancellationToken));
        return command;
    }

    private static Command SetClientStatus(Func<ParseResult, AtriumOptions> optionsOf, string verb, string description, ClientStatus status)
    {
        Option<string> realmHandle = RealmOption();
        Argument<string> clientId = new("client-id") { Description = "The client_id." };
        Command command = new(verb, description) { clientId, realmHandle };
        command.SetAction((parsed, cancellationToken) => WithRealmAsync(optionsOf(parsed), parsed.GetRequiredValue(realmHandle), async (backbone, realm) =>
        {
            string chosen = parsed.GetRequiredValue(clientId);
            ClientStore clients = new(backbone.Database);
            DateTimeOffset now = backbone.Clock.GetUtcNow();
            if (await clients.FindAsync(realm.Id, chosen, cancellationToken) is not { } client
                || (await clients.ChangeAsync(
                    realm.Id, client.Id, current => current with { Status = status, UpdatedAt = now }, Origin.CommandLine, cancellationToken)).Outcome != ClientWrite.Done)
            {
                return CommandLine.Fail($"The realm {realm.Handle} has no client \"{chosen}\".");
            }

            Console.WriteLine($"Client {chosen} of realm {realm.Handle} is {status.ToString().ToLowerInvariant()}");
            return 0;
        }, cancellationToken));
        return command;
    }

    internal static Option<string> RealmOption() => new("--realm") { Description = "The realm's handle.", Required = true };

    internal static Task<int> WithRealmAsync(
        AtriumOptions options, string handle, Func<Backbone, Realm, Task<int>> action, CancellationToken cancellationToken) =>
        WithBackboneAsync(options, async backbone =>
            await backbone.Realms.FindByHandleAsync(handle, cancellationToken) is { } realm
                ? await action(backbone, realm)
                : CommandLine.Fail($"There is no realm \"{handle}\". Make it with: atrium realms create {handle}"));

    internal static Task<int> WithBackboneAsync(AtriumOptions options, Func<Backbone, Task<int>> action) => CommandLine.TryAsync(async () =>
    {
        await using Backbone backbone = await Backbone.OpenAsync(options, TimeProvider.System, CancellationToken.None);
        return await action(backbone);
    });
}
