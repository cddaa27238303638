using System.Net;
using System.Text.Json;
using Atrium.Core.Realms;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>The keys that a realm signs with, and their rotation.</summary>
public class SigningKeyTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = "/signing-keys";

    private readonly ManagementCalls api = new(server);
    private readonly OAuthBrowser browser = new(server);

    [Fact]
    public async Task A_rotation_lets_the_next_keys_sign_and_what_the_old_ones_signed_stays_good()
    {
        IReadOnlyList<JsonElement> before = await KeysAsync();
        before.Where(static key => Text(key, "status") is "active" or "next").Select(static key => (Text(key, "alg"), Text(key, "status")))
            .ShouldBe([("ES256", "active"), ("ES256", "next"), ("RS256", "active"), ("RS256", "next"), ("EdDSA", "active"), ("EdDSA", "next")], ignoreOrder: true);
        string active = KidOf(before, "ES256", "active"), next = KidOf(before, "ES256", "next");
        string nextRs = KidOf(before, "RS256", "next"), nextEd = KidOf(before, "EdDSA", "next");
        (await PublishedAsync()).ShouldContain(next, "whoever keeps the key set knows a key before it signs");
        TokenReply old = await browser.TokensAsync("sam@example.test");
        HeaderOf(old.AccessToken).ShouldBe(active);

        server.Clock.Advance(TimeSpan.FromSeconds(1));
        ManagementAnswer rotated = (await api.PostAsync($"{Path}/rotate")).Expect(200);
        rotated.Text.ShouldNotContain("private");
        KidOf(rotated.Items, "ES256", "active").ShouldBe(next);
        KidOf(rotated.Items, "RS256", "active").ShouldBe(nextRs);
        HeaderOf((await new OAuthBrowser(server).TokensAsync("sam@example.test")).AccessToken).ShouldBe(next);
        (await browser.UserInfoAsync(old.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
        (await browser.RefreshAsync(old.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
        IReadOnlyList<string> published = await PublishedAsync();
        published.Take(3).ShouldBe([next, nextRs, nextEd], ignoreOrder: true, "the set begins with the keys that sign");
        published.ShouldContain(active);
        published.ShouldContain(KidOf(rotated.Items, "ES256", "next"));
        Answer signedIn = (await new AuthKitCalls(server).PasswordAsync("sam@example.test")).ShouldBe(HttpStatusCode.OK);
        HeaderOf(signedIn["access_token"]!).ShouldBe(nextRs);

        IReadOnlyList<JsonElement> events = (await api.GetAsync("/events?types=signing_key.rotated&limit=3")).Expect(200).Items;
        events.Select(static item => Text(item.GetProperty("data"), "kid")).ShouldBe([next, nextRs, nextEd], ignoreOrder: true);

        JsonElement retiring = (await KeysAsync()).Single(key => Text(key, "kid") == active);
        Text(retiring, "status").ShouldBe("retiring");
        retiring.GetProperty("retires_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().AddDays(45).ToUnixTimeMilliseconds());
        server.Clock.Advance(TimeSpan.FromDays(45));
        Text((await KeysAsync()).Single(key => Text(key, "kid") == active), "status").ShouldBe("retired");
        (await PublishedAsync()).ShouldNotContain(active);
        (await browser.UserInfoAsync(old.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Rotations_at_once_leave_one_active_key_of_each_kind()
    {
        ManagementAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => api.PostAsync($"{Path}/rotate")));
        answers.ShouldAllBe(static answer => answer.Status == 200);
        JsonElement[] keys = [.. await KeysAsync()];
        foreach (string algorithm in new[] { "ES256", "RS256", "EdDSA" })
            keys.Count(key => Text(key, "alg") == algorithm && Text(key, "status") == "active").ShouldBe(1);
        (await new OAuthBrowser(server).TokensAsync("sam@example.test")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_rotation_asked_for_twice_under_one_key_is_one()
    {
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        string first = (await api.PostAsync($"{Path}/rotate", null, key)).Expect(200).Text;
        (await api.PostAsync($"{Path}/rotate", null, key)).Expect(200).Text.ShouldBe(first);
    }

    [Fact]
    public async Task The_list_goes_on_where_it_was_and_a_realm_has_keys_of_its_own()
    {
        ManagementAnswer first = (await api.GetAsync($"{Path}?limit=3")).Expect(200);
        first.HasMore.ShouldBeTrue();
        ManagementAnswer rest = (await api.GetAsync($"{Path}?cursor={first.NextCursor}")).Expect(200);
        string[] all = [.. (await KeysAsync()).Select(static key => Text(key, "kid")!)];
        first.Items.Concat(rest.Items).Select(static key => Text(key, "kid")).ShouldBe(all);
        (await api.GetAsync($"{Path}?cursor=nonsense")).Expect(400, "invalid_request");
        (await api.Globex.GetAsync(Path)).Expect(200).Items.Select(static key => Text(key, "kid")).ShouldAllBe(kid => !all.Contains(kid));
        ManagementCalls reader = api.With(await new World(server).NewKeyAsync(null, ApiScopes.SigningKeysRead));
        (await reader.GetAsync(Path)).Expect(200);
        (await reader.PostAsync($"{Path}/rotate")).Expect(403, "insufficient_scope");
        (await api.PostAsync($"{Path}/rotate", new { force = true })).Expect(422).WrongFields.ShouldBe(["/force"]);
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static string KidOf(IEnumerable<JsonElement> keys, string algorithm, string status) =>
        Text(keys.Single(key => Text(key, "alg") == algorithm && Text(key, "status") == status), "kid")!;

    private static string HeaderOf(string jwt) =>
        JsonElement.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(jwt.Split('.')[0])).GetProperty("kid").GetString()!;

    private async Task<IReadOnlyList<JsonElement>> KeysAsync() => (await api.GetAsync($"{Path}?limit=100")).Expect(200).Items;

    private async Task<IReadOnlyList<string>> PublishedAsync() =>
    [
        .. JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/jwks.json")).GetProperty("keys").EnumerateArray().Select(static key => Text(key, "kid")!),
    ];
}

public sealed class PostgresSigningKeyTests(PostgresDemoServer server) : SigningKeyTests(server), IClassFixture<PostgresDemoServer>;
