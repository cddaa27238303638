using System.Text;
using System.Text.Json;
using Atrium.Core.Realms;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class ApiKeyTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = "/api-keys";

    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_key_does_what_its_scopes_name_until_it_is_deleted()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Reader", scopes = new[] { ApiScopes.ApiKeysRead } })).Expect(201);
        made.Data.GetProperty("expires_at").ValueKind.ShouldBe(JsonValueKind.Null);
        ManagementCalls reader = api.With(made["secret"]);
        ManagementAnswer shown = (await reader.GetAsync($"{Path}/{made.Id}")).Expect(200);
        shown["name"].ShouldBe("Reader");
        shown.Data.TryGetProperty("secret", out _).ShouldBeFalse("it was shown once");
        (await reader.PostAsync(Path, new { name = "More", scopes = new[] { ApiScopes.ApiKeysRead } })).Expect(403, "insufficient_scope");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(204);
        (await reader.GetAsync(Path)).Expect(401, "unauthorized_client");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
    }

    [Fact]
    public async Task Http_basic_takes_the_id_and_the_secret_of_one_key()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Basic", scopes = new[] { ApiKey.Everything } })).Expect(201);
        (await api.With(null).GetAsync(Path, Basic(made.Id, made["secret"]!))).Expect(200);
        (await api.With(null).GetAsync(Path, Basic("key_0000000000000000000000000", made["secret"]!))).Expect(401);
        (await api.With(null).GetAsync(Path, Basic(made.Id, "sk_wrong"))).Expect(401);
        (await api.With(null).GetAsync(Path, ("Authorization", "Basic !!!"))).Expect(401);

        static (string, string) Basic(string id, string secret) => ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{id}:{secret}"))}");
    }

    [Fact]
    public async Task Nobody_gives_a_key_more_than_their_own_may_do()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Keeper", scopes = new[] { ApiScopes.ApiKeysRead, ApiScopes.ApiKeysWrite } })).Expect(201);
        ManagementCalls keeper = api.With(made["secret"]);
        ManagementAnswer strong = (await api.PostAsync(Path, new { name = "Strong", scopes = new[] { ApiKey.Everything } })).Expect(201);
        (await keeper.PostAsync(Path, new { name = "x", scopes = new[] { ApiKey.Everything } })).Expect(403, "insufficient_scope");
        (await keeper.PatchAsync($"{Path}/{made.Id}", new { scopes = new[] { ApiScopes.UsersRead } })).Expect(403, "insufficient_scope");
        (await keeper.PatchAsync($"{Path}/{strong.Id}", new { scopes = new[] { ApiScopes.ApiKeysRead } })).Expect(403, "insufficient_scope");
        (await keeper.PostAsync($"{Path}/{strong.Id}/rotate")).Expect(403, "insufficient_scope");
        (await keeper.DeleteAsync($"{Path}/{strong.Id}")).Expect(403, "insufficient_scope");
        (await api.With(strong["secret"]).GetAsync(Path)).Expect(200);
        (await keeper.PostAsync(Path, new { name = "x", scopes = new[] { ApiScopes.ApiKeysRead } })).Expect(201);
    }

    [Fact]
    public async Task A_rotated_secret_works_for_fifteen_more_minutes()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Rotated", scopes = new[] { ApiKey.Everything } })).Expect(201);
        ManagementAnswer rotated = (await api.PostAsync($"{Path}/{made.Id}/rotate")).Expect(200);
        rotated["secret"].ShouldNotBe(made["secret"]);
        (await api.With(made["secret"]).GetAsync(Path)).Expect(200);
        (await api.With(rotated["secret"]).GetAsync(Path)).Expect(200);
        server.Clock.Advance(TimeSpan.FromMinutes(15));
        (await api.With(made["secret"]).GetAsync(Path)).Expect(401);
        (await api.With(rotated["secret"]).GetAsync(Path)).Expect(200);
    }

    [Fact]
    public async Task A_key_ends_when_it_says()
    {
        long end = server.Clock.GetUtcNow().AddMinutes(1).ToUnixTimeMilliseconds();
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Short", scopes = new[] { ApiKey.Everything }, expires_at = end })).Expect(201);
        (await api.With(made["secret"]).GetAsync(Path)).Expect(200);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        (await api.With(made["secret"]).GetAsync(Path)).Expect(401);
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name_and_only_over_the_thing_that_was_read()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Before", scopes = new[] { ApiScopes.ApiKeysRead } })).Expect(201);
        string read = (await api.GetAsync($"{Path}/{made.Id}")).ETag;
        made.ETag.ShouldBe(read, "what is shown once is no part of the thing");
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        ManagementAnswer changed = (await api.PatchAsync($"{Path}/{made.Id}", new { name = "After" }, ("If-Match", read))).Expect(200);
        changed["name"].ShouldBe("After");
        changed.Data.GetProperty("scopes")[0].GetString().ShouldBe(ApiScopes.ApiKeysRead);
        changed.ETag.ShouldBe((await api.GetAsync($"{Path}/{made.Id}")).ETag);
        changed.ETag.ShouldNotBe(read);
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Late" }, ("If-Match", read))).Expect(412, "precondition_failed");
        (await api.DeleteAsync($"{Path}/{made.Id}", ("If-Match", read))).Expect(412, "precondition_failed");
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Any" }, ("If-Match", "*"))).Expect(200);
        (await api.PatchAsync($"{Path}/{made.Id}", new { scopes = (string?)null })).Expect(422).WrongFields.ShouldBe(["/scopes"]);
    }

    [Fact]
    public async Task Everything_wrong_with_a_body_is_said_at_once_and_where()
    {
        ManagementAnswer refused = await api.PostAsync(Path, new { nmae = "x", scopes = new object[] { 1, "users:eat" }, expires_at = "soon" });
        refused.Expect(422, "unprocessable").WrongFields.ShouldBe(["/nmae", "/name", "/scopes/0", "/scopes/1", "/expires_at"], ignoreOrder: true);
        (await api.PostAsync(Path, "{\"name\":")).Expect(400, "invalid_request");
        (await api.PostAsync(Path, "[]")).Expect(400, "invalid_request");
        (await api.GetAsync($"{Path}?limit=0")).Expect(400, "invalid_request");
        (await api.GetAsync($"{Path}?cursor=zzz")).Expect(400, "invalid_request");
        (await api.GetAsync($"{Path}?limits=1")).Expect(400, "invalid_request");
    }

    [Fact]
    public async Task A_list_goes_on_where_it_was_and_neither_skips_nor_repeats()
    {
        List<string> made = [];
        for (int i = 0; i < 5; i++)
            made.Insert(0, (await api.PostAsync(Path, new { name = $"Listed {i}", scopes = new[] { ApiScopes.ApiKeysRead } })).Id);
        ManagementAnswer first = (await api.GetAsync($"{Path}?limit=2")).Expect(200);
        first.Ids.ShouldBe(made[..2]);
        first.HasMore.ShouldBeTrue();
        await api.PostAsync(Path, new { name = "Meanwhile", scopes = new[] { ApiScopes.ApiKeysRead } });
        ManagementAnswer second = (await api.GetAsync($"{Path}?limit=2&cursor={first.NextCursor}")).Expect(200);
        second.Ids.ShouldBe(made[2..4]);
        ManagementAnswer rest = (await api.GetAsync($"{Path}?limit=100&cursor={second.NextCursor}")).Expect(200);
        rest.Ids[0].ShouldBe(made[4]);
        (rest.HasMore, rest.NextCursor).ShouldBe((false, null));
    }

    [Fact]
    public async Task A_request_sent_twice_is_done_once_and_answered_twice()
    {
        object body = new { name = "Once", scopes = new[] { ApiScopes.ApiKeysRead } };
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer first = (await api.PostAsync(Path, body, key)).Expect(201);
        ManagementAnswer again = (await api.PostAsync(Path, body, key)).Expect(201);
        again.Text.ShouldBe(first.Text, "with the secret that was shown once");
        again.Response.Headers.GetValues("Idempotent-Replayed").ShouldBe(["true"]);
        (await api.PostAsync(Path, new { name = "Other", scopes = new[] { ApiScopes.ApiKeysRead } }, key)).Expect(422, "unprocessable");
        (await api.PostAsync(Path, new { name = "" }, ("Idempotency-Key", "refused"))).Expect(422);
        (await api.PostAsync(Path, body, ("Idempotency-Key", "refused"))).Expect(201);
        (await api.PostAsync(Path, body, ("Idempotency-Key", new string('x', 257)))).Expect(400, "invalid_request");
    }

    [Fact]
    public async Task Another_realm_is_not_found()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Ours", scopes = new[] { ApiKey.Everything } })).Expect(201);
        (await api.Globex.GetAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.Globex.DeleteAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.Globex.PostAsync($"{Path}/{made.Id}/rotate")).Expect(404, "not_found");
        (await api.Globex.With(made["secret"]).GetAsync(Path)).Expect(404, "not_found");
        (await api.GetAsync("/nothing")).Expect(404, "not_found");
    }
}
