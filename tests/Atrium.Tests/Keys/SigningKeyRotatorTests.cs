using System.Net;
using System.Text.Json;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Keys;

/// <summary>Signing keys take each other's place by themselves.</summary>
public abstract class SigningKeyRotatorTests(DemoServer server)
{
    private static readonly string[] Algorithms = ["ES256", "RS256", "EdDSA"];

    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);

    private SigningKeyRotator Rotator => server.Get<SigningKeyRotator>();

    [Fact]
    public async Task After_thirty_days_the_next_key_signs_and_what_the_old_one_signed_stays_good_for_forty_five()
    {
        await StartAfreshAsync();
        string first = await SigningAsync(), next = KidOf(await KeysAsync(), "ES256", "next");
        (await PublishedAsync()).ShouldContain(next, "the next key is published since the one before it began to sign");
        TokenReply old = await new OAuthBrowser(server).TokensAsync("sam@example.test");

        server.Clock.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMilliseconds(1));
        await Rotator.RotateAsync(default);
        (await SigningAsync()).ShouldBe(first);
        TokenReply recent = await new OAuthBrowser(server).TokensAsync("sam@example.test");

        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        (await Rotator.RotateAsync(default)).ShouldBeGreaterThan(0);
        (await SigningAsync()).ShouldBe(next);
        IReadOnlyList<JsonElement> keys = await KeysAsync();
        foreach (string algorithm in Algorithms)
        {
            keys.Count(key => Text(key, "alg") == algorithm && Text(key, "status") == "active").ShouldBe(1, algorithm);
            keys.Count(key => Text(key, "alg") == algorithm && Text(key, "status") == "next").ShouldBe(1, algorithm);
        }

        (await new OAuthBrowser(server).UserInfoAsync(recent.AccessToken)).Status.ShouldBe(HttpStatusCode.OK, "signed before, verified after");
        (await new OAuthBrowser(server).RefreshAsync(recent.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
        (await PublishedAsync()).ShouldContain(first);
        (await PublishedAsync()).ShouldContain(KidOf(keys, "ES256", "next"));
        IReadOnlyList<JsonElement> events = (await api.GetAsync("/events?types=signing_key.rotated&limit=3")).Expect(200).Items;
        events.Select(static item => Text(item.GetProperty("data"), "alg")).ShouldBe(Algorithms, ignoreOrder: true);
        events.Select(static item => Text(item.GetProperty("actor"), "type")).Distinct().ShouldBe(["system"]);
        (await Rotator.RotateAsync(default)).ShouldBe(0, "it is done");

        server.Clock.Advance(TimeSpan.FromDays(45) - TimeSpan.FromSeconds(31));
        (await PublishedAsync()).ShouldContain(first);
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        (await PublishedAsync()).ShouldNotContain(first);
        Text((await KeysAsync()).Single(key => Text(key, "kid") == first), "status").ShouldBe("retired");
        (await new OAuthBrowser(server).UserInfoAsync(old.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(365)]
    public async Task A_realm_has_a_period_of_its_own(int days)
    {
        await StartAfreshAsync(new RealmSettings { SigningKeyDays = days });
        string first = await SigningAsync();
        server.Clock.Advance(TimeSpan.FromDays(days - 1));
        await Rotator.RotateAsync(default);
        (await SigningAsync()).ShouldBe(first);
        server.Clock.Advance(TimeSpan.FromDays(1));
        await Rotator.RotateAsync(default);
        (await SigningAsync()).ShouldNotBe(first);
    }

    [Fact]
    public async Task Nothing_rotates_by_itself_in_a_realm_that_does_not_want_it()
    {
        await StartAfreshAsync(new RealmSettings { SigningKeyDays = 0 });
        string first = await SigningAsync();
        server.Clock.Advance(TimeSpan.FromDays(1000));
        await Rotator.RotateAsync(default);
        (await SigningAsync()).ShouldBe(first);
        (await api.PostAsync("/signing-keys/rotate")).Expect(200);
        (await SigningAsync()).ShouldNotBe(first);
    }

    [Fact]
    public async Task A_next_key_is_published_for_a_day_before_it_signs()
    {
        await StartAfreshAsync(new RealmSettings { SigningKeyDays = 1 });
        server.Clock.Advance(TimeSpan.FromHours(23));
        (await api.PostAsync("/signing-keys/rotate")).Expect(200);
        string active = await SigningAsync(), next = KidOf(await KeysAsync(), "ES256", "next");
        server.Clock.Advance(TimeSpan.FromHours(23.9));
        await Rotator.RotateAsync(default);
        (await SigningAsync()).ShouldBe(active);
        server.Clock.Advance(TimeSpan.FromHours(0.1));
        await Rotator.RotateAsync(default);
        (await SigningAsync()).ShouldBe(next);
    }

    [Fact]
    public async Task Of_many_rotations_that_are_due_at_once_one_counts()
    {
        await StartAfreshAsync();
        string next = KidOf(await KeysAsync(), "ES256", "next");
        int before = (await KeysAsync()).Count;
        server.Clock.Advance(TimeSpan.FromDays(31));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Rotator.RotateAsync(default))));
        (await SigningAsync()).ShouldBe(next);
        (await KeysAsync()).Count.ShouldBe(before + Algorithms.Length);
    }

    /// <summary>As a realm is that was made before its server had the library.</summary>
    [Fact]
    public async Task A_realm_without_EdDSA_keys_gets_one_that_is_published_for_a_day_before_clients_may_ask_for_it()
    {
        await StartAfreshAsync();
        Realm realm = await world.RealmAsync();
        await server.Get<Database>().WriteAndTellAsync(
            Change.OfSigningKeys(realm.Id),
            connection => connection.ExecuteAsync("DELETE FROM signing_keys WHERE realm_id = @Id AND algorithm = 'EdDSA'", new { realm.Id }),
            default);
        const string client = """{"name":"A","type":"spa","response_signature_alg":"EdDSA"}""";
        (await api.PostAsync("/clients", client)).Expect(422).WrongFields.ShouldBe(["/response_signature_alg"]);

        await Rotator.RotateAsync(default);
        string published = KidOf(await KeysAsync(), "EdDSA", "next");
        (await PublishedAsync()).ShouldContain(published);
        (await api.PostAsync("/clients", client)).Expect(422).Text.ShouldContain("published for a day");
        (await server.Http.GetStringAsync("/t/acme/.well-known/openid-configuration")).ShouldContain("\"id_token_signing_alg_values_supported\":[\"ES256\",\"RS256\"]");

        server.Clock.Advance(TimeSpan.FromDays(1));
        await Rotator.RotateAsync(default);
        KidOf(await KeysAsync(), "EdDSA", "active").ShouldBe(published);
        KidOf(await KeysAsync(), "EdDSA", "next").ShouldNotBe(published);
        KidOf(await KeysAsync(), "ES256", "active").ShouldBe(await SigningAsync(), "the others were not due");
        (await api.PostAsync("/clients", client)).Expect(201);
    }

    protected static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    protected static string KidOf(IEnumerable<JsonElement> keys, string algorithm, string status) =>
        Text(keys.Single(key => Text(key, "alg") == algorithm && Text(key, "status") == status), "kid")!;

    /// <summary>Keys that began to sign just now.</summary>
    protected async Task StartAfreshAsync(RealmSettings? settings = null)
    {
        Realm realm = await world.RealmAsync();
        await server.Get<RealmStore>().ChangeAsync(realm, current => current with { Settings = settings ?? new() }, Origin.System, default);
        (await api.PostAsync("/signing-keys/rotate")).Expect(200);
        (await api.PostAsync("/signing-keys/rotate")).Expect(200);
    }

    protected async Task<string> SigningAsync() =>
        Text(Jwts.HeaderOf((await new OAuthBrowser(server).TokensAsync("sam@example.test")).AccessToken), "kid")!;

    protected async Task<IReadOnlyList<JsonElement>> KeysAsync() => (await api.GetAsync("/signing-keys?limit=100")).Expect(200).Items;

    private async Task<IReadOnlyList<string>> PublishedAsync() => [.. (await EdDsaTests.KeysAsync(server)).Select(static key => Text(key, "kid")!)];
}

public sealed class SqliteSigningKeyRotatorTests(DemoServer server) : SigningKeyRotatorTests(server), IClassFixture<DemoServer>;

public sealed class PostgresSigningKeyRotatorTests(PostgresDemoServer server) : SigningKeyRotatorTests(server), IClassFixture<PostgresDemoServer>;

/// <summary>Two nodes that find the same keys due.</summary>
public sealed class TwoNodesSigningKeyRotatorTests(TwoNodes nodes) : SigningKeyRotatorTests(nodes), IClassFixture<TwoNodes>
{
    [Fact]
    public async Task Both_rotate_at_once_and_the_keys_go_on_by_one()
    {
        await StartAfreshAsync();
        IReadOnlyList<JsonElement> before = await KeysAsync();
        nodes.Clock.Advance(TimeSpan.FromDays(30));
        await Task.WhenAll(
            Task.Run(() => nodes.Get<SigningKeyRotator>().RotateAsync(default)), Task.Run(() => nodes.GetSecond<SigningKeyRotator>().RotateAsync(default)));
        IReadOnlyList<JsonElement> after = await KeysAsync();
        after.Count.ShouldBe(before.Count + 3);
        foreach (string algorithm in new[] { "ES256", "RS256", "EdDSA" })
            KidOf(after, algorithm, "active").ShouldBe(KidOf(before, algorithm, "next"));
        (await nodes.GetSecond<SigningKeyRotator>().RotateAsync(default)).ShouldBe(0);
    }
}
