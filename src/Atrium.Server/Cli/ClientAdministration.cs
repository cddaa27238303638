using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Server.Cli.Remote;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Doors.Management.Clients;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>The verbs that make a client and let it be used or not.</summary>
internal sealed class ClientAdministration(Shell shell, Access access, EitherWay either, Machine machine)
{
    private readonly BodyField name = BodyField.Text("--name", "name", "What people see when they sign in.", required: true);
    private readonly BodyField clientId = BodyField.Text("--client-id", "client_id", "The client_id; made up when not given.");
    private readonly Option<string> type = TypeOption();
    private readonly BodyField redirectUris = BodyField.List("--redirect-uri", "redirect_uris", "Where the answer may go, matched exactly; may be given several times.");
    private readonly BodyField signOutUris = BodyField.List("--post-logout-redirect-uri", "post_logout_redirect_uris", "Where a sign-out may lead; may be given several times.");
    private readonly Option<bool> authKit = new("--authkit") { Description = "Lets the client use the AuthKit door." };
    private readonly Option<bool> appNative = new("--app-native") { Description = "Lets the client sign people in as JSON, without a browser." };
    private readonly Option<string?> settings = new("--settings")
    {
        Description = "The client's settings as JSON, such as {\"openid\":{\"default_access_token_age\":300}}.", HelpName = "JSON",
    };

    public Command Create()
    {
        Command command = new("create", "Makes a client and shows its secret once.")
        {
            name.Option, clientId.Option, type, redirectUris.Option, signOutUris.Option, authKit, appNative, settings,
        };
        return either.Verb(
            command, access.HasApiKey, access.OpenRealm, (call, cancellationToken) => call.PostAsync(Resources.Clients, BodyOf(call.Parsed), cancellationToken), OnMachineAsync);
    }

    public Command SetStatus(string verb, string description, ClientStatus status)
    {
        Argument<string> client = new("client") { Description = "Its client_id." };
        return either.Verb(new Command(verb, description) { client }, access.HasApiKey, access.OpenRealm, OverApiAsync, SetOnMachineAsync);

        async Task<int> OverApiAsync(Call call, CancellationToken cancellationToken)
        {
            string id = await Resources.Clients.ResolveAsync(call.Api, call.Parsed.GetRequiredValue(client), parentId: null, cancellationToken);
            JsonObject change = new() { ["status"] = status.ToString().ToLowerInvariant() };
            call.Show((await call.Api.PatchAsync(Resources.Clients.PathOf(parentId: null, id), change, ifMatch: null, cancellationToken)).Data);
            return ExitCode.Done;
        }

        Task<int> SetOnMachineAsync(ParseResult parsed, CancellationToken cancellationToken) => machine.WithRealmAsync(parsed, async (backbone, realm) =>
        {
            string chosen = parsed.GetRequiredValue(client);
            ClientStore clients = new(backbone.Database);
            DateTimeOffset now = backbone.Clock.GetUtcNow();
            if (await clients.FindAsync(realm.Id, chosen, cancellationToken) is not { } found
                || (await clients.ChangeAsync(
                    realm.Id, found.Id, current => current with { Status = status, UpdatedAt = now }, Origin.CommandLine, cancellationToken)).Outcome != ClientWrite.Done)
            {
                throw new Refusal($"The realm {realm.Handle} has no client \"{chosen}\".");
            }

            await shell.Output.WriteLineAsync($"Client {chosen} of realm {realm.Handle} is {status.ToString().ToLowerInvariant()}");
            return ExitCode.Done;
        }, cancellationToken);
    }

    /// <summary>What the options say, as the API takes it.</summary>
    private JsonObject BodyOf(ParseResult parsed)
    {
        JsonObject body = [];
        foreach (BodyField field in new[] { name, clientId, redirectUris, signOutUris })
            field.Write(parsed, body);
        body["type"] = parsed.GetRequiredValue(type);
        JsonObject chosen = ParseSettings(parsed.GetValue(settings) ?? "{}");
        if (parsed.GetValue(authKit))
            BodyField.Put(chosen, "authkit.enabled", true);
        if (parsed.GetValue(appNative))
        {
            BodyField.Put(chosen, "app_native.enabled", true);
            chosen["pkce_required"] = false;
        }

        if (chosen.Count > 0)
            body["settings"] = chosen;
        return body;
    }

    /// <summary>As the API does it, by the same words and rules.</summary>
    private Task<int> OnMachineAsync(ParseResult parsed, CancellationToken cancellationToken) => machine.WithRealmAsync(parsed, async (backbone, realm) =>
    {
        List<Problem> problems = [];
        Body body = ClientBodies.Creation.Read(JsonSerializer.SerializeToElement(BodyOf(parsed)), "", problems);
        if (problems.Count > 0)
            throw Refused(problems.Select(static problem => (problem.Field, problem.Message)));
        Client client = ClientBodies.Make(body, realm.Id, backbone.Clock);
        if (ClientRules.Faults(client, await backbone.Keys.EdDsaOfAsync(realm.Id, cancellationToken)).ToArray() is { Length: > 0 } faults)
            throw Refused(faults.Select(static fault => (fault.Field, fault.Message)));
        Secret? secret = client.HasSecret ? Secret.New() : null;
        switch ((await new ClientStore(backbone.Database).CreateAsync(client with { SecretHash = secret?.Hash() }, Origin.CommandLine, cancellationToken)).Outcome)
        {
            case ClientWrite.ClientIdTaken:
                throw new Refusal($"The client id \"{client.ClientId}\" is taken. Choose another.");
            case ClientWrite.UnknownOrganizations:
                throw new Refusal("--settings: restrictions.organizations.allowed_org_ids names organizations that the realm does not have.");
        }

        await shell.Output.WriteLineAsync($"Client {client.ClientId} of realm {realm.Handle}");
        if (secret is { } shown)
        {
            await shell.Output.WriteLineAsync("Its secret is shown this once:");
            await shell.Output.WriteLineAsync(shown.Reveal());
        }

        return ExitCode.Done;
    }, cancellationToken);

    private static Refusal Refused(IEnumerable<(string Field, string Message)> problems) => new("The client can't be made so.") { Fields = [.. problems] };

    private static Option<string> TypeOption()
    {
        Option<string> option = Arguments.Choice("--type", "What it is:", "spa", "native", "web", "m2m");
        option.DefaultValueFactory = static _ => "spa";
        return option;
    }

    private static JsonObject ParseSettings(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new Refusal("--settings takes a JSON object.", ExitCode.Usage);
        }
        catch (JsonException e)
        {
            throw new Refusal($"--settings is not JSON: {e.Message}", ExitCode.Usage);
        }
    }
}
