using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class RealmTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Realms = "/v1/realms";

    [Fact]
    public async Task An_operator_makes_a_realm_that_serves_at_once_and_changes_it()
    {
        string key = await NewKeyAsync();
        ManagementAnswer made = (await SendAsync(key, HttpMethod.Post, Realms, new { handle = "fresh", settings = new { event_retention_days = 30 } })).Expect(201);
        (made["handle"], made["name"]).ShouldBe(("fresh", "fresh"));
        (await server.Http.GetStringAsync("/t/fresh/jwks.json")).ShouldContain("\"ES256\"");
        (await SendAsync(key, HttpMethod.Get, $"{Realms}/fresh")).Expect(200).Id.ShouldBe(made.Id);
        (await SendAsync(key, HttpMethod.Get, $"{Realms}/{made.Id}")).Expect(200).ETag.ShouldBe(made.ETag);
        (await SendAsync(key, HttpMethod.Post, Realms, new { handle = "fresh" })).Expect(409, "conflict");

        server.Clock.Advance(TimeSpan.FromSeconds(1));
        ManagementAnswer changed = (await SendAsync(key, HttpMethod.Patch, $"{Realms}/fresh", new { name = "Fresh" }, ("If-Match", made.ETag))).Expect(200);
        (changed["name"], changed.Data.GetProperty("settings").GetProperty("event_retention_days").GetInt32()).ShouldBe(("Fresh", 30));
        (await SendAsync(key, HttpMethod.Patch, $"{Realms}/fresh", new { name = "Late" }, ("If-Match", made.ETag))).Expect(412);
        (await SendAsync(key, HttpMethod.Patch, $"{Realms}/fresh", new { settings = new { event_retention_days = 0 } })).Expect(422).WrongFields.ShouldBe(["/settings/event_retention_days"]);
        (await SendAsync(key, HttpMethod.Patch, $"{Realms}/fresh", new { handle = "other" })).Expect(422).WrongFields.ShouldBe(["/handle"]);
        (await SendAsync(key, HttpMethod.Patch, $"{Realms}/fresh", new { name = (string?)null })).Expect(422).WrongFields.ShouldBe(["/name"]);

        (await EventsAsync(made.Id)).ShouldBe([EventTypes.RealmCreated, EventTypes.RealmUpdated]);
    }

    [Fact]
    public async Task A_list_of_realms_goes_on_where_it_was()
    {
        string key = await NewKeyAsync();
        ManagementAnswer first = (await SendAsync(key, HttpMethod.Get, $"{Realms}?limit=1")).Expect(200);
        ManagementAnswer second = (await SendAsync(key, HttpMethod.Get, $"{Realms}?limit=100&cursor={first.NextCursor}")).Expect(200);
        string?[] handles = [.. first.Items.Concat(second.Items).Select(static realm => realm.GetProperty("handle").GetString())];
        handles.ShouldContain(DemoRealm.Handle);
        handles.ShouldContain(DemoRealm.NeighbourHandle);
        handles.ShouldBeUnique();
        (await SendAsync(key, HttpMethod.Get, $"{Realms}?limit=0")).Expect(400);
        (await SendAsync(key, HttpMethod.Get, $"{Realms}?search=x")).Expect(400);
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData("-hyphen")]
    [InlineData("two words")]
    [InlineData("realm_0000000000000000000000001")]
    [InlineData("")]
    public async Task A_handle_is_what_can_stand_in_a_URL(string handle) =>
        (await SendAsync(await NewKeyAsync(), HttpMethod.Post, Realms, new { handle })).Expect(422, "unprocessable").WrongFields.ShouldBe(["/handle"]);

    [Theory]
    [InlineData("max_age", 59, 60)]
    [InlineData("max_age", 31536001, 31536000)]
    [InlineData("idle_timeout", 59, 60)]
    [InlineData("idle_timeout", 2592001, 2592000)]
    public async Task How_long_people_stay_signed_in_has_its_bounds(string limit, int tooMuch, int most)
    {
        string key = await NewKeyAsync();
        string path = $"{Realms}/limits-{limit.Replace('_', '-')}-{most}";
        JsonElement begun = (await SendAsync(key, HttpMethod.Post, Realms, new { handle = path[(Realms.Length + 1)..] })).Expect(201).Data.GetProperty("settings").GetProperty("sessions");
        (begun.GetProperty("max_age").GetInt32(), begun.GetProperty("idle_timeout").GetInt32()).ShouldBe((604800, 43200));
        (await SendAsync(key, HttpMethod.Patch, path, SessionsWith(tooMuch))).Expect(422).WrongFields.ShouldBe([$"/settings/sessions/{limit}"]);
        JsonElement changed = (await SendAsync(key, HttpMethod.Patch, path, SessionsWith(most))).Expect(200).Data.GetProperty("settings").GetProperty("sessions");
        changed.GetProperty(limit).GetInt32().ShouldBe(most);
        string other = limit == "max_age" ? "idle_timeout" : "max_age";
        changed.GetProperty(other).GetInt32().ShouldBe(begun.GetProperty(other).GetInt32(), "what is not named stays");

        object SessionsWith(int seconds) => new { settings = new { sessions = new Dictionary<string, int> { [limit] = seconds } } };
    }

    [Fact]
    public async Task An_operators_key_and_a_realms_key_open_nothing_of_each_other()
    {
        string key = await NewKeyAsync();
        foreach ((HttpMethod method, string path) in new[]
        {
            (HttpMethod.Get, Realms), (HttpMethod.Post, Realms), (HttpMethod.Get, $"{Realms}/acme"), (HttpMethod.Patch, $"{Realms}/acme"), (HttpMethod.Delete, $"{Realms}/acme?confirm=acme"),
        })
        {
            foreach (string? wrong in new[] { null, "", DemoRealm.ApiKey, "ok_wrong", key[..^1], $"{key}x" })
                (await SendAsync(wrong, method, path, method == HttpMethod.Get ? null : new { })).Expect(401, "unauthorized_client");
        }

        (await SendAsync(key, HttpMethod.Get, $"{Realms}/acme/api-keys")).Expect(401, "unauthorized_client");
        (await SendAsync(key, HttpMethod.Get, $"{Realms}/nowhere")).Expect(404, "not_found");
        (await SendAsync(key, HttpMethod.Get, $"{Realms}/realm_0000000000000000000000001")).Expect(404, "not_found");
    }

    [Fact]
    public async Task A_deleted_key_opens_nothing_from_then_on()
    {
        string key = await NewKeyAsync();
        (await SendAsync(key, HttpMethod.Get, Realms)).Expect(200);
        OperatorKeyStore keys = server.Get<OperatorKeyStore>();
        OperatorKey known = (await keys.FindAsync(new Secret(key).Hash(), default)).ShouldNotBeNull();
        (await keys.ListAsync(default)).ShouldContain(known);
        (await keys.DeleteAsync(known.Id, default)).ShouldBeTrue();
        (await keys.DeleteAsync(known.Id, default)).ShouldBeFalse();
        (await SendAsync(key, HttpMethod.Get, Realms)).Expect(401);
    }

    [Fact]
    public async Task A_realm_goes_only_by_its_name_and_then_all_of_it()
    {
        string key = await NewKeyAsync();
        ManagementAnswer made = (await SendAsync(key, HttpMethod.Post, Realms, new { handle = "doomed" })).Expect(201);
        Id<Realm> realm = Id<Realm>.Parse(made.Id)!.Value;
        string secret = await NewApiKeyAsync(realm);
        ManagementCalls inside = new(server, secret, "doomed");
        string connection = (await inside.PostAsync("/connections", new { type = "google", name = "x", settings = new { client_id = "a", client_secret = "b" } })).Expect(201).Id;

        (await SendAsync(key, HttpMethod.Delete, $"{Realms}/doomed")).Expect(400, "invalid_request");
        (await SendAsync(key, HttpMethod.Delete, $"{Realms}/doomed?confirm=acme")).Expect(400, "invalid_request");
        (await SendAsync(key, HttpMethod.Delete, $"{Realms}/doomed?confirm=doomed", null, ("If-Match", "\"stale\""))).Expect(412);
        (await inside.GetAsync($"/connections/{connection}")).Expect(200);

        (await SendAsync(key, HttpMethod.Delete, $"{Realms}/doomed?confirm=doomed", null, ("If-Match", made.ETag))).Expect(204);
        (await SendAsync(key, HttpMethod.Delete, $"{Realms}/doomed?confirm=doomed")).Expect(404);
        (await SendAsync(key, HttpMethod.Get, $"{Realms}/{made.Id}")).Expect(404);
        (await SendAsync(key, HttpMethod.Get, $"{Realms}?limit=100")).Ids.ShouldNotContain(made.Id);
        (await inside.GetAsync("/connections")).Expect(401, "unauthorized_client");
        (await server.Http.GetAsync("/t/doomed/jwks.json")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
        (await server.Http.GetAsync($"/t/{made.Id}/jwks.json")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);

        ManagementAnswer again = (await SendAsync(key, HttpMethod.Post, Realms, new { handle = "doomed" })).Expect(201);
        again.Id.ShouldNotBe(made.Id);
        (await inside.GetAsync("/connections")).Expect(401, "unauthorized_client");

        (await RowsOfAsync(realm)).ShouldBeGreaterThan(4);
        using Cleaner cleaner = new(server.Get<CleaningStore>(), server.Get<OrganizationRemains>(), server.Get<DeletedRealmStore>(), TimeProvider.System, NullLogger<Cleaner>.Instance);
        await cleaner.CleanAsync(default);
        (await RowsOfAsync(realm)).ShouldBe(0);
        (await server.Get<DeletedRealmStore>().ListAsync(default)).ShouldBeEmpty();
        (await RowsOfAsync(Id<Realm>.Parse(again.Id)!.Value)).ShouldBeGreaterThan(2, "nobody else's");
    }

    /// <summary>Of every table that has a realm, and in an order in which no row takes others with it.</summary>
    [Fact]
    public async Task Everything_of_a_realm_is_named_where_it_is_deleted()
    {
        Database database = server.Get<Database>();
        string[] tables = [.. DeletedRealmStore.Tables.Select(static rows => rows.Table)];
        (await OfRealmsAsync(database)).ShouldBe(tables, ignoreOrder: true);
        foreach ((string table, string referred) in await ReferencesAsync(database))
            Array.IndexOf(tables, table).ShouldBeLessThan(Array.IndexOf(tables, referred), $"{table} refers to {referred}");
        foreach ((string Table, string Key) rows in DeletedRealmStore.Tables)
            await server.Get<DeletedRealmStore>().DeleteAsync(Id<Realm>.New(server.Clock), rows, default);
    }

    /// <summary>Tables with a realm in them.</summary>
    protected virtual async Task<IEnumerable<string>> OfRealmsAsync(Database database) => await database.QueryAsync(
        static sql => sql.QueryAsync<string>("SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'realm_id'"), default);

    /// <summary>Which refers to which.</summary>
    protected virtual async Task<IEnumerable<(string Table, string Referred)>> ReferencesAsync(Database database) => await database.QueryAsync(
        static sql => sql.QueryAsync<(string, string)>(
            """SELECT DISTINCT m.name, f."table" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' AND f."table" <> 'realms' AND f."table" <> m.name"""),
        default);

    private async Task<string> NewKeyAsync()
    {
        Secret secret = Secret.New(OperatorKey.SecretPrefix);
        await server.Get<OperatorKeyStore>().CreateAsync(
            new OperatorKey { Id = Id<OperatorKey>.New(server.Clock), Name = "Test", CreatedAt = server.Clock.GetUtcNow() }, secret.Hash(), default);
        return secret.Reveal();
    }

    private async Task<string> NewApiKeyAsync(Id<Realm> realm)
    {
        Secret secret = Secret.New(ApiKey.SecretPrefix);
        DateTimeOffset now = server.Clock.GetUtcNow();
        ApiKey key = new() { RealmId = realm, Id = Id<ApiKey>.New(server.Clock), Name = "Test", Scopes = [ApiKey.Everything], CreatedAt = now, UpdatedAt = now };
        await server.Get<ApiKeyStore>().CreateAsync(key, secret.Hash(), Origin.System, default);
        return secret.Reveal();
    }

    private async Task<IEnumerable<string>> EventsAsync(string realm)
    {
        EventStore events = server.Get<EventStore>();
        Id<Realm> id = Id<Realm>.Parse(realm)!.Value;
        await events.SequenceAsync(id, default);
        IReadOnlyList<Event> happened = await events.ReadAsync(id, 0, 100, default);
        happened.ShouldAllBe(static one => one.Actor.Type == ActorType.Operator && one.Actor.Id!.StartsWith(OperatorKey.IdPrefix));
        return happened.Select(static one => one.Type);
    }

    private Task<long> RowsOfAsync(Id<Realm> realm) => server.Get<Database>().QueryAsync(
        sql => sql.ExecuteScalarAsync<long>(
            $"SELECT {string.Join(" + ", DeletedRealmStore.Tables.Select(static rows => $"(SELECT count(*) FROM {rows.Table} WHERE realm_id = @realm)"))}"
            + " + (SELECT count(*) FROM realms WHERE id = @realm)",
            new { realm }),
        default);

    private async Task<ManagementAnswer> SendAsync(string? key, HttpMethod method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(method, path);
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null)
            request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        foreach ((string name, string value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        HttpResponseMessage response = await server.Http.SendAsync(request);
        return new ManagementAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }
}

/// <summary>The same on PostgreSQL.</summary>
public sealed class PostgresRealmTests(PostgresDemoServer server) : RealmTests(server), IClassFixture<PostgresDemoServer>
{
    protected override async Task<IEnumerable<string>> OfRealmsAsync(Database database) => await database.QueryAsync(
        static sql => sql.QueryAsync<string>("SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'realm_id'"), default);

    protected override async Task<IEnumerable<(string Table, string Referred)>> ReferencesAsync(Database database) => await database.QueryAsync(
        static sql => sql.QueryAsync<(string, string)>(
            """
            SELECT DISTINCT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
            WHERE contype = 'f' AND confrelid <> 'realms'::regclass AND confrelid <> conrelid
            """),
        default);
}
