using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;

namespace Atrium.Tests.Management;

/// <summary>
/// Makes one of each thing of a realm, for tests that go through all routes. A thing is named by its path, such as <c>organizations/members</c>;
/// one within another is made within the one that was made first.
/// </summary>
internal sealed partial class Samples(DemoServer server, ManagementCalls api)
{
    private static int counter;

    private readonly Dictionary<string, string> made = [];

    /// <summary>Its id; made when it is first asked for.</summary>
    /// <param name="variant">Which of the bodies that make one.</param>
    public async Task<string> IdOfAsync(string thing, int variant = 0)
    {
        string name = $"{thing}#{variant}";
        return made.TryGetValue(name, out string? known) ? known : made[name] = thing switch
        {
            "events" => (await api.GetAsync("/events?limit=1")).Expect(200).Ids.Single(),
            "clients/organizations" => await IdOfAsync("organizations"),
            "mail-templates" or "organizations/mail-templates" => "invitation",
            "users/consents" => await AllowAsync(),
            "users/sessions" => await SignInAsync(),
            "webhooks/deliveries" or "deliveries" => await DeliverAsync(),
            _ => await MakeAsync(thing, variant),
        };
    }

    /// <summary>The ids that a path of these things is made of, outermost first.</summary>
    public async Task<List<string>> IdsOfAsync(IReadOnlyList<string> things, int variant = 0)
    {
        List<string> ids = [];
        foreach (string thing in things)
            ids.Add(await IdOfAsync(thing, thing == things[^1] ? variant : 0));
        return ids;
    }

    /// <summary>A body that the route takes; null where none of its fields must be there.</summary>
    public Task<JsonObject?> BodyAsync(Route route, int variant = 0) => BodyOfAsync(Parameter().Replace(route.ToString(), "{}"), variant);

    private async Task<string> MakeAsync(string thing, int variant)
    {
        string[] words = thing.Split('/');
        JsonObject body = (await BodyOfAsync($"POST /{string.Join("/{}/", words)}", variant)).ShouldNotBeNull($"no sample makes {thing}");
        ManagementAnswer answer = (await api.PostAsync(await PathOfAsync(words), body)).Expect(201);
        return answer[words[^1] switch
        {
            "members" => "user_id",
            "roles" => "slug",
            _ => "id",
        }]!;
    }

    /// <summary>The path of the list that a thing is in.</summary>
    private async Task<string> PathOfAsync(string[] words)
    {
        string path = "";
        for (int i = 0; i < words.Length - 1; i++)
            path += $"/{words[i]}/{await IdOfAsync(string.Join('/', words[..(i + 1)]))}";
        return $"{path}/{words[^1]}";
    }

    private async Task<JsonObject?> BodyOfAsync(string route, int variant) => route switch
    {
        "POST /api-keys" => new() { ["name"] = Unique("key"), ["scopes"] = new JsonArray(ApiScopes.UsersRead) },
        "POST /clients" => new() { ["name"] = Unique("client"), ["type"] = "web", ["redirect_uris"] = new JsonArray("https://app.example.com/callback") },
        "POST /connections" => Connection(variant),
        "POST /organizations" => new() { ["name"] = Unique("organization") },
        "POST /organizations/{}/domains" => new() { ["domain"] = $"{Unique("domain")}.test" },
        "POST /organizations/{}/invitations" => new() { ["email_invited"] = Address(), ["scopes"] = new JsonArray("member") },
        "POST /organizations/{}/members" => new() { ["user_id"] = await IdOfAsync("users"), ["scopes"] = new JsonArray("member") },
        "POST /roles" or "POST /organizations/{}/roles" => new() { ["slug"] = Unique("role"), ["name"] = "Role" },
        "PUT /mail-templates/{}" or "PUT /organizations/{}/mail-templates/{}" => new() { ["subject"] = "Come in", ["text"] = "{{link}}", ["html"] = "<p>{{link}}</p>" },
        "POST /users" => new() { ["email"] = Address(), ["email_verified"] = true, ["password"] = DemoRealm.Password },
        "POST /users/{}/factors" => new() { ["type"] = "totp" },
        "POST /users/{}/password" => new() { ["password"] = DemoRealm.Password },
        "POST /webhooks" => new() { ["name"] = Unique("webhook"), ["url"] = "http://127.0.0.1:9/hooks", ["events"] = new JsonArray("*") },
        _ => null,
    };

    /// <summary>A session of the person, who signs in for it.</summary>
    private async Task<string> SignInAsync()
    {
        string user = await IdOfAsync("users");
        string email = (await api.GetAsync($"/users/{user}")).Expect(200)["email"]!;
        (string client, string secret) = api.Realm == DemoRealm.Handle ? ("demo-authkit", DemoRealm.ApiKey) : ("globex-authkit", DemoRealm.NeighbourApiKey);
        await new AuthKitCalls(server).AuthenticateAsync(client, secret, "password", ("email", email), ("password", DemoRealm.Password));
        return (await api.GetAsync($"/users/{user}/sessions")).Expect(200).Ids[0];
    }

    /// <summary>A consent of the person, as if they had given it to a client of their realm.</summary>
    private async Task<string> AllowAsync()
    {
        string client = await IdOfAsync("clients");
        Id<Core.SignIns.Consent> consent = Id<Core.SignIns.Consent>.New(server.Clock);
        User user = (await server.Get<UserStore>().FindAsync((await new World(server).RealmAsync(api.Realm)).Id, Id<User>.Parse(await IdOfAsync("users"))!.Value, default))!;
        await server.Get<Database>().WriteAsync(
            connection => connection.ExecuteAsync(
                "INSERT INTO consents (realm_id, id, user_id, client_id, scopes, choice, granted_at) VALUES (@RealmId, @consent, @Id, @client, '[]', 'all', 1)",
                new { user.RealmId, consent, user.Id, client = Id<Client>.Parse(client)!.Value }),
            default);
        return consent.ToString();
    }

    /// <summary>A delivery to the webhook, which nobody takes; after it the webhook is told nothing more.</summary>
    private async Task<string> DeliverAsync()
    {
        string webhook = await IdOfAsync("webhooks");
        await MakeAsync("api-keys", 0);
        IReadOnlyList<string> deliveries = [];
        for (int tries = 0; tries < 600 && deliveries.Count == 0; tries++)
        {
            deliveries = (await api.GetAsync($"/webhooks/{webhook}/deliveries")).Expect(200).Ids;
            await Task.Delay(50);
        }

        (await api.PatchAsync($"/webhooks/{webhook}", new { status = "disabled" })).Expect(200);
        return deliveries[0];
    }

    private static string Address() => $"{Unique("person")}@example.test";

    private static JsonObject Connection(int variant) => variant switch
    {
        0 => Connection("oidc", new() { ["issuer"] = "https://idp.example.com", ["client_id"] = "atrium", ["client_secret"] = "secret" }),
        1 => Connection("saml", new()
        {
            ["idp_entity_id"] = "https://idp.example.com/metadata",
            ["sso_url"] = "https://idp.example.com/sso",
            ["certificates"] = new JsonArray(ConnectionTests.NewCertificate()),
        }),
        2 => Connection("google", new() { ["client_id"] = "atrium", ["client_secret"] = "secret" }),
        3 => Connection("microsoft", new() { ["client_id"] = "atrium", ["client_secret"] = "secret" }),
        4 => Connection("github", new() { ["client_id"] = "atrium", ["client_secret"] = "secret" }),
        _ => Connection("apple", new()
        {
            ["client_id"] = "com.example.atrium", ["team_id"] = "A1B2C3D4E5", ["key_id"] = "K1B2C3D4E5", ["private_key"] = ConnectionTests.NewPrivateKey(),
        }),
    };

    private static JsonObject Connection(string type, JsonObject settings) => new() { ["type"] = type, ["name"] = Unique(type), ["settings"] = settings };

    private static string Unique(string what) => $"{what}-{Interlocked.Increment(ref counter)}";

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
