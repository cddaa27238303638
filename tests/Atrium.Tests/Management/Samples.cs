using System.Text.Json.Nodes;
using Atrium.Core.Realms;
using Shouldly;

namespace Atrium.Tests.Management;

/// <summary>
/// Makes one of each thing of a realm, for tests that go through all routes. A thing is named by its path, such as <c>organizations/members</c>;
/// one within another is made within the one that was made first.
/// </summary>
internal sealed class Samples(ManagementCalls api)
{
    private static int counter;

    private readonly Dictionary<string, string> made = [];

    /// <summary>Its id; made when it is first asked for.</summary>
    /// <param name="variant">Which of the bodies that make one.</param>
    public async Task<string> IdOfAsync(string thing, int variant = 0)
    {
        string name = $"{thing}#{variant}";
        if (made.TryGetValue(name, out string? known))
            return known;
        string id = thing switch
        {
            "events" => (await api.GetAsync("/events?limit=1")).Expect(200).Ids.Single(),
            _ => await MakeAsync(thing, variant),
        };
        return made[name] = id;
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
    public Task<JsonObject?> BodyAsync(Route route, int variant = 0) => BodyOfAsync(route.ToString(), variant);

    private async Task<string> MakeAsync(string thing, int variant)
    {
        List<string> words = [.. thing.Split('/')];
        string path = "";
        for (int i = 0; i < words.Count - 1; i++)
            path += $"/{words[i]}/{await IdOfAsync(string.Join('/', words[..(i + 1)]))}";
        JsonObject body = (await BodyOfAsync($"POST {PatternOf(words)}", variant)).ShouldNotBeNull($"no sample makes {thing}");
        ManagementAnswer answer = (await api.PostAsync($"{path}/{words[^1]}", body)).Expect(201);
        return answer.Data.GetProperty("id").GetString()!;
    }

    private static string PatternOf(List<string> words) => $"/{string.Join("/{id}/", words)}";

    private async Task<JsonObject?> BodyOfAsync(string route, int variant) => route switch
    {
        "POST /api-keys" => new() { ["name"] = Unique("key"), ["scopes"] = new JsonArray(ApiScopes.UsersRead) },
        "POST /connections" => Connection(variant),
        _ => await Task.FromResult<JsonObject?>(null),
    };

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
}
