using System.Net;
using System.Text.Json;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>Applications: what they are, their secrets, and whom they are shared with.</summary>
public class ClientTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = "/clients";

    private readonly ManagementCalls api = new(server);
    private readonly OAuthBrowser browser = new(server);

    public static TheoryData<string, string> Wrong => new()
    {
        { """{"type":"spa"}""", "/name" },
        { """{"name":"A"}""", "/type" },
        { """{"name":"A","type":"server"}""", "/type" },
        { """{"name":" ","type":"spa"}""", "/name" },
        { """{"name":"A","type":"spa","client_id":"usr_0000000000000000000000001"}""", "/client_id" },
        { """{"name":"A","type":"spa","client_id":"a b"}""", "/client_id" },
        { """{"name":"A","type":"spa","redirect_uris":"https://app.test/"}""", "/redirect_uris" },
        { """{"name":"A","type":"spa","redirect_uris":["https://app.test/",7]}""", "/redirect_uris/1" },
        { """{"name":"A","type":"spa","redirect_uris":["javascript:alert(1)"]}""", "/redirect_uris/0" },
        { """{"name":"A","type":"spa","post_logout_redirect_uris":["/relative"]}""", "/post_logout_redirect_uris/0" },
        { """{"name":"A","type":"spa","grant_types":[]}""", "/grant_types" },
        { """{"name":"A","type":"spa","grant_types":["password"]}""", "/grant_types/0" },
        { """{"name":"A","type":"spa","grant_types":["client_credentials"]}""", "/grant_types/0" },
        { """{"name":"A","type":"m2m","grant_types":["authorization_code"]}""", "/grant_types/0" },
        { """{"name":"A","type":"spa","response_signature_alg":"none"}""", "/response_signature_alg" },
        { """{"name":"A","type":"spa","response_signature_alg":"ES256","settings":{"authkit":{"enabled":true}}}""", "/response_signature_alg" },
        { """{"name":"A","type":"spa","shared_with":"some"}""", "/shared_with" },
        { """{"name":"A","type":"spa","status":"deleted"}""", "/status" },
        { """{"name":"A","type":"spa","client_secret":"mine"}""", "/client_secret" },
        { """{"name":"A","type":"spa","settings":[]}""", "/settings" },
        { """{"name":"A","type":"spa","settings":{"opnid":{}}}""", "/settings/opnid" },
    };

    [Fact]
    public async Task A_web_client_gets_a_secret_that_is_shown_once_and_opens_the_token_endpoint()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Shop", type = "web", redirect_uris = new[] { DemoRealm.Callback }, grant_types = new[] { "authorization_code", "client_credentials" } })).Expect(201);
        made.Id.ShouldStartWith("c_");
        made["client_id"].ShouldBe(made.Id);
        ManagementAnswer shown = (await api.GetAsync($"{Path}/{made.Id}")).Expect(200);
        shown.Data.TryGetProperty("client_secret", out _).ShouldBeFalse();
        made.ETag.ShouldBe(shown.ETag, "what was made can be changed without being read first");
        shown["status"].ShouldBe("active");
        shown["shared_with"].ShouldBe("all");
        (await MachineAsync(made)).Status.ShouldBe(HttpStatusCode.OK);
        (await MachineAsync(made, "wrong")).ShouldBeRefused("invalid_client", "ATR1101");
        (await api.GetAsync("/events?types=client.created&limit=1")).Text.ShouldNotContain(made["client_secret"]!);
    }

    [Theory]
    [InlineData("spa", """["authorization_code","refresh_token"]""", false)]
    [InlineData("native", """["authorization_code","refresh_token"]""", false)]
    [InlineData("web", """["authorization_code","refresh_token"]""", true)]
    [InlineData("m2m", """["client_credentials"]""", true)]
    public async Task A_client_has_the_defaults_of_its_type(string type, string grantTypes, bool hasSecret)
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Default", type })).Expect(201);
        made["type"].ShouldBe(type);
        made.Data.GetProperty("grant_types").ToString().ShouldBe(grantTypes);
        made.Data.GetProperty("client_secret").ValueKind.ShouldBe(hasSecret ? JsonValueKind.String : JsonValueKind.Null);
        (await api.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(hasSecret ? 200 : 409);
    }

    [Theory, MemberData(nameof(Wrong))]
    public async Task What_is_wrong_is_said_and_where(string body, string field) =>
        (await api.PostAsync(Path, body)).Expect(422, "unprocessable").WrongFields.ShouldBe([field]);

    [Fact]
    public async Task A_name_for_the_wire_is_unique_in_the_server_and_found_by_it()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Named", type = "spa", client_id = "the-shop" })).Expect(201);
        made["client_id"].ShouldBe("the-shop");
        (await api.PostAsync(Path, new { name = "Again", type = "spa", client_id = "the-shop" })).Expect(409, "conflict");
        (await api.Globex.PostAsync(Path, new { name = "Elsewhere", type = "spa", client_id = "the-shop" })).Expect(409, "conflict");
        (await api.GetAsync($"{Path}?client_id=the-shop")).Expect(200).Ids.ShouldBe([made.Id]);
        (await api.GetAsync($"{Path}?client_id=globex-authkit")).Expect(200).Items.ShouldBeEmpty();
        (await api.PatchAsync($"{Path}/{made.Id}", new { client_id = "another" })).Expect(422).WrongFields.ShouldBe(["/client_id"]);
        (await api.PatchAsync($"{Path}/{made.Id}", new { type = "web" })).Expect(422).WrongFields.ShouldBe(["/type"]);
    }

    [Fact]
    public async Task An_old_secret_works_for_fifteen_minutes_more_and_the_one_before_it_no_longer()
    {
        ManagementAnswer made = await MachineClientAsync();
        ManagementAnswer rotated = (await api.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(200);
        rotated["client_secret"].ShouldNotBe(made["client_secret"]);
        rotated.Data.GetProperty("previous_secret_expires_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().AddMinutes(15).ToUnixTimeMilliseconds());
        (await MachineAsync(made)).Status.ShouldBe(HttpStatusCode.OK);
        (await MachineAsync(rotated)).Status.ShouldBe(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromMinutes(15));
        (await MachineAsync(made)).ShouldBeRefused("invalid_client", "ATR1101");
        (await MachineAsync(rotated)).Status.ShouldBe(HttpStatusCode.OK);

        ManagementAnswer second = (await api.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(200);
        ManagementAnswer third = (await api.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(200);
        (await MachineAsync(rotated)).ShouldBeRefused("invalid_client", "ATR1101");
        (await MachineAsync(second)).Status.ShouldBe(HttpStatusCode.OK);
        (await MachineAsync(third)).Status.ShouldBe(HttpStatusCode.OK);
        ManagementAnswer events = (await api.GetAsync("/events?types=client.secret_rotated&limit=3")).Expect(200);
        events.Items.Count.ShouldBe(3);
        events.Text.ShouldNotContain(third["client_secret"]!);
    }

    [Fact]
    public async Task Two_rotations_at_once_leave_two_secrets_that_work()
    {
        ManagementAnswer made = await MachineClientAsync();
        ManagementAnswer[] both = await Task.WhenAll(api.PostAsync($"{Path}/{made.Id}/rotate-secret"), api.PostAsync($"{Path}/{made.Id}/rotate-secret"));
        both.ShouldAllBe(static answer => answer.Status == 200);
        both[0]["client_secret"].ShouldNotBe(both[1]["client_secret"]);
        foreach (ManagementAnswer one in both)
            (await MachineAsync(one)).Status.ShouldBe(HttpStatusCode.OK);
        (await MachineAsync(made)).ShouldBeRefused("invalid_client", "ATR1101");

        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer once = (await api.PostAsync($"{Path}/{made.Id}/rotate-secret", null, key)).Expect(200);
        (await api.PostAsync($"{Path}/{made.Id}/rotate-secret", null, key)).Expect(200)["client_secret"].ShouldBe(once["client_secret"]);
    }

    [Fact]
    public async Task A_disabled_client_is_refused_at_once_and_a_deleted_one_ends_what_it_had()
    {
        ManagementAnswer made = await MachineClientAsync();
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "disabled" })).Expect(200);
        (await MachineAsync(made)).ShouldBeRefused("invalid_client", "ATR1101");
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "active" })).Expect(200);
        (await MachineAsync(made)).Status.ShouldBe(HttpStatusCode.OK);
        string read = (await api.GetAsync($"{Path}/{made.Id}")).ETag;
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Meanwhile" })).Expect(200);
        (await api.DeleteAsync($"{Path}/{made.Id}", ("If-Match", read))).Expect(412, "precondition_failed");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(204);
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await MachineAsync(made)).ShouldBeRefused("invalid_client", "ATR1101");

        ManagementAnswer app = (await api.PostAsync(Path, new { name = "App", type = "spa", redirect_uris = new[] { DemoRealm.Callback } })).Expect(201);
        TokenReply tokens = await TokensAsync(app);
        (await api.DeleteAsync($"{Path}/{app.Id}")).Expect(204);
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_patch_changes_what_it_names_down_to_one_setting()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new
        {
            name = "Patched",
            type = "spa",
            redirect_uris = new[] { "https://app.test/callback" },
            settings = new { openid = new { default_access_token_age = 60, refresh_grace_seconds = 5 }, first_party = false },
        })).Expect(201);
        ManagementAnswer changed = (await api.PatchAsync(
            $"{Path}/{made.Id}", new { settings = new { openid = new { default_access_token_age = (int?)null, default_id_token_age = 120 } } })).Expect(200);
        changed.Data.GetProperty("settings").GetProperty("openid").ToString().ShouldBe(
            """{"default_access_token_age":null,"default_id_token_age":120,"default_refresh_token_age":604800,"refresh_grace_seconds":5,"require_pushed_authorization_requests":false,"resources":null,"default_resource":null,"dpop_bound_access_tokens":false,"dpop_nonce_required":false}""");
        changed.Data.GetProperty("settings").GetProperty("first_party").GetBoolean().ShouldBeFalse();
        changed.Data.GetProperty("redirect_uris").GetArrayLength().ShouldBe(1);
        (await PreflightAsync("https://app.test")).ShouldBeTrue();
        (await api.PatchAsync($"{Path}/{made.Id}", new { redirect_uris = new[] { "https://other.test/callback" } })).Expect(200);
        (await PreflightAsync("https://app.test")).ShouldBeFalse("what is no redirect URI any more may not call from there either");
        (await PreflightAsync("https://other.test")).ShouldBeTrue();
        JsonElement update = (await api.GetAsync("/events?types=client.updated&limit=1")).Expect(200).Items[0];
        update.GetProperty("changed").ToString().ShouldBe("""["redirect_uris"]""");
        update.GetProperty("client_id").GetString().ShouldBe(made["client_id"]);
    }

    [Fact]
    public async Task Two_who_change_different_settings_at_once_both_succeed_and_of_those_who_say_what_they_read_one_does()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Raced", type = "spa" })).Expect(201);
        ManagementAnswer[] both = await Task.WhenAll(
            api.PatchAsync($"{Path}/{made.Id}", new { settings = new { first_party = false } }),
            api.PatchAsync($"{Path}/{made.Id}", new { settings = new { openid = new { default_access_token_age = 77 } } }));
        both.ShouldAllBe(static answer => answer.Status == 200);
        ManagementAnswer after = (await api.GetAsync($"{Path}/{made.Id}")).Expect(200);
        after.Data.GetProperty("settings").GetProperty("first_party").GetBoolean().ShouldBeFalse();
        after.Data.GetProperty("settings").GetProperty("openid").GetProperty("default_access_token_age").GetInt32().ShouldBe(77);
        ManagementAnswer[] racing = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            api.PatchAsync($"{Path}/{made.Id}", new { name = $"Raced {i}" }, ("If-Match", after.ETag))));
        racing.Count(static answer => answer.Status == 200).ShouldBe(1);
        racing.Count(static answer => answer.Status == 412).ShouldBe(7);
    }

    [Fact]
    public async Task A_client_is_shared_with_organizations_of_its_realm_once_each()
    {
        string northwind = await new AuthKitCalls(server).OrganizationIdAsync("northwind");
        string contoso = await new AuthKitCalls(server).OrganizationIdAsync("contoso");
        string foreign = await new AuthKitCalls(server).OrganizationIdAsync("initech", "globex");
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Shared", type = "native", shared_with = "selected" })).Expect(201);
        string path = $"{Path}/{made.Id}/organizations";
        ManagementAnswer[] twice = await Task.WhenAll(api.PutAsync($"{path}/{northwind}"), api.PutAsync($"{path}/{northwind}"));
        twice.ShouldAllBe(static answer => answer.Status == 204);
        (await api.PutAsync($"{path}/{contoso}")).Expect(204);
        ManagementAnswer list = (await api.GetAsync($"{path}?limit=1")).Expect(200);
        list.HasMore.ShouldBeTrue();
        ManagementAnswer rest = (await api.GetAsync($"{path}?limit=1&cursor={list.NextCursor}")).Expect(200);
        new[] { list, rest }.Select(static page => page.Items.Single().GetProperty("organization_id").GetString()).ShouldBe([northwind, contoso], ignoreOrder: true);
        foreach (string nobody in new[] { foreign, "org_0000000000000000000000001", "nonsense" })
            (await api.PutAsync($"{path}/{nobody}")).Expect(404, "not_found");
        (await api.Globex.PutAsync($"{path}/{foreign}")).Expect(404, "not_found");
        (await api.Globex.GetAsync(path)).Expect(404, "not_found");
        (await api.DeleteAsync($"{path}/{northwind}")).Expect(204);
        (await api.DeleteAsync($"{path}/{northwind}")).Expect(204);
        (await api.GetAsync(path)).Expect(200).Items.Single().GetProperty("organization_id").GetString().ShouldBe(contoso);
        ManagementAnswer events = (await api.GetAsync($"/events?types=client.organization.*&organization_id={northwind}")).Expect(200);
        events.Items.Where(item => item.GetProperty("client_id").GetString() == made["client_id"]).Select(static item => item.GetProperty("type").GetString())
            .ShouldBe(["client.organization.removed", "client.organization.added"]);
    }

    [Fact]
    public async Task Another_realms_client_is_not_found_and_scopes_are_asked_for()
    {
        ManagementAnswer made = (await api.PostAsync(Path, new { name = "Ours", type = "web" })).Expect(201);
        (await api.Globex.GetAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.Globex.PatchAsync($"{Path}/{made.Id}", new { status = "disabled" })).Expect(404);
        (await api.Globex.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(404);
        (await api.Globex.DeleteAsync($"{Path}/{made.Id}")).Expect(404);
        ManagementCalls reader = api.With(await new World(server).NewKeyAsync(null, ApiScopes.ClientsRead));
        (await reader.GetAsync($"{Path}/{made.Id}")).Expect(200)["status"].ShouldBe("active");
        (await reader.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(403, "insufficient_scope");
        (await reader.PutAsync($"{Path}/{made.Id}/organizations/org_0000000000000000000000001")).Expect(403, "insufficient_scope");
    }

    private async Task<ManagementAnswer> MachineClientAsync() => (await api.PostAsync(Path, new { name = "Job", type = "m2m" })).Expect(201);

    private Task<TokenReply> MachineAsync(ManagementAnswer client, string? secret = null) => browser.TokenAsync(
        ("grant_type", "client_credentials"), ("client_id", client["client_id"]!), ("client_secret", secret ?? client["client_secret"]!));

    private async Task<TokenReply> TokensAsync(ManagementAnswer client)
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client["client_id"]));
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", client["client_id"]!), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback),
            ("code_verifier", OAuthBrowser.Verifier));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private async Task<bool> PreflightAsync(string origin)
    {
        using HttpRequestMessage request = new(HttpMethod.Options, "/t/acme/token");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return response.Headers.Contains("Access-Control-Allow-Origin");
    }
}

public sealed class PostgresClientTests(PostgresDemoServer server) : ClientTests(server), IClassFixture<PostgresDemoServer>;
