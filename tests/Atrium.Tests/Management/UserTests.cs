using System.Net;
using System.Text.Json;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>People, as a back end makes, finds and changes them.</summary>
public class UserTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = "/users";

    private static int counter;

    private readonly ManagementCalls api = new(server);
    private readonly AuthKitCalls door = new(server);

    public static TheoryData<string, string> Wrong => new()
    {
        { """{}""", "/email" },
        { """{"email":null}""", "/email" },
        { """{"email":"nobody"}""", "/email" },
        { """{"email":1}""", "/email" },
        { """{"email":"a@example.test","username":"two words"}""", "/username" },
        { """{"email":"a@example.test","profile":{"name":"two\nlines"}}""", "/profile/name" },
        { """{"email":"a@example.test","profile":{"locale":"english please"}}""", "/profile/locale" },
        { """{"email":"a@example.test","profile":{"nickname":"A"}}""", "/profile/nickname" },
        { """{"email":"a@example.test","phone_number":"none"}""", "/phone_number" },
        { """{"email":"a@example.test","phone_number":"1\u0007"}""", "/phone_number" },
        { """{"email":"a@example.test","address":"12 St James's Square"}""", "/address" },
        { """{"email":"a@example.test","address":{"formatted":"a\u0000b"}}""", "/address/formatted" },
        { """{"email":"a@example.test","address":{"locality":"two\nlines"}}""", "/address/locality" },
        { """{"email":"a@example.test","external_id":"ümlaut"}""", "/external_id" },
        { """{"email":"a@example.test","metadata":{"a":1}}""", "/metadata/a" },
        { """{"email":"a@example.test","status":"suspended"}""", "/status" },
        { """{"email":"a@example.test","email_verified":"yes"}""", "/email_verified" },
        { """{"email":"a@example.test","password":"short"}""", "/password" },
        { """{"email":"a@example.test","password":"password1"}""", "/password" },
        { """{"email":"a@example.test","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99"}""", "/password_hash" },
        { """{"email":"a@example.test","password_hash":"$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"}""", "/password_hash" },
        { """{"email":"a@example.test","password":"Demo-Passw0rd!","password_hash":"$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"}""", "/password_hash" },
        { """{"email":"a@example.test","id":"usr_0000000000000000000000001"}""", "/id" },
        { """{"email":"a@example.test","realm_id":"realm_0000000000000000000000001"}""", "/realm_id" },
    };

    [Fact]
    public async Task A_person_has_everything_that_was_said_and_can_sign_in()
    {
        string email = UniqueEmail();
        ManagementAnswer made = (await api.PostAsync(Path, new
        {
            email,
            email_verified = true,
            username = $"user-{counter}",
            profile = new { given_name = "Ada", family_name = "King", name = "Ada Lovelace", picture = "https://img.test/a.png", locale = "en-GB" },
            phone_number = "+44 20 7946 0000",
            address = new { formatted = "12 St James's Square\r\nLondon", region = "Greater London" },
            external_id = $"ext-{counter}",
            metadata = new { plan = "pro" },
            password = DemoRealm.Password,
        })).Expect(201);
        made.Id.ShouldStartWith("usr_");
        made["status"].ShouldBe("active");
        made.Data.GetProperty("profile").GetProperty("name").GetString().ShouldBe("Ada Lovelace");
        (made["phone_number"], made.Data.GetProperty("phone_number_verified").GetBoolean()).ShouldBe(("+44 20 7946 0000", false));
        made.Data.GetProperty("address").EnumerateObject().Select(static part => $"{part.Name} {part.Value}").ShouldBe(
            ["formatted 12 St James's Square\r\nLondon", "street_address ", "locality ", "region Greater London", "postal_code ", "country "]);
        made.Data.GetProperty("last_sign_in_at").ValueKind.ShouldBe(JsonValueKind.Null);
        made.Data.GetProperty("created_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        made.Text.ShouldNotContain("password");

        ManagementAnswer shown = (await api.GetAsync($"{Path}/{made.Id}")).Expect(200);
        JsonElement.DeepEquals(shown.Data, made.Data).ShouldBeTrue();
        shown.ETag.ShouldBe(made.ETag);
        (await door.PasswordAsync(email)).ShouldBe(HttpStatusCode.OK);
        (await door.PasswordAsync($"user-{counter}")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("$2b$04$5DQy7SKAScFJ1T7kKAiIieuBjGkEC0UCmNsgJB91qFzNfLwbuKm5.")]
    public async Task A_hash_that_is_no_password_of_theirs_lets_nobody_in(string hash)
    {
        string email = UniqueEmail();
        (await api.PostAsync(Path, new { email, email_verified = true, password_hash = hash })).Expect(201);
        (await door.PasswordAsync(email)).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory, MemberData(nameof(Wrong))]
    public async Task What_is_wrong_is_said_and_where(string body, string field)
    {
        (await api.PostAsync(Path, body)).Expect(422, "unprocessable").WrongFields.ShouldBe([field]);
    }

    [Fact]
    public async Task Names_that_are_taken_are_a_conflict_whatever_their_case()
    {
        ManagementAnswer first = await NewAsync(new { email = UniqueEmail(), username = "Taken", external_id = "taken" });
        (await api.PostAsync(Path, new { email = first["email"]!.ToUpperInvariant() })).Expect(409, "conflict");
        (await api.PostAsync(Path, new { email = UniqueEmail(), username = "tAKEN" })).Expect(409, "conflict");
        (await api.PostAsync(Path, new { email = UniqueEmail(), external_id = "taken" })).Expect(409, "conflict");
        ManagementAnswer second = await NewAsync();
        (await api.PatchAsync($"{Path}/{second.Id}", new { email = first["email"] })).Expect(409, "conflict");
        (await api.PatchAsync($"{Path}/{second.Id}", new { username = "taken" })).Expect(409, "conflict");
        (await api.Globex.PostAsync(Path, new { email = first["email"], username = "Taken", external_id = "taken" })).Expect(201);
    }

    [Fact]
    public async Task A_list_is_narrowed_by_what_an_index_finds()
    {
        ManagementAnswer one = await NewAsync(new { email = UniqueEmail(), username = "findable", external_id = "findable", status = "disabled" });
        await NewAsync();
        foreach (string query in new[] { $"email={one["email"]!.ToUpperInvariant()}", "username=FINDABLE", "external_id=findable", $"email={one["email"]}&status=disabled" })
            (await api.GetAsync($"{Path}?{query}")).Expect(200).Ids.ShouldBe([one.Id], query);
        (await api.GetAsync($"{Path}?email={one["email"]}&status=active")).Expect(200).Items.ShouldBeEmpty();
        (await api.GetAsync($"{Path}?status=disabled&limit=100")).Expect(200).Ids.ShouldContain(one.Id);
        (await api.GetAsync($"{Path}?status=active&limit=100")).Expect(200).Ids.ShouldNotContain(one.Id);
        string northwind = await door.OrganizationIdAsync("northwind");
        IReadOnlyList<string> members = (await api.GetAsync($"{Path}?organization_id={northwind}")).Expect(200).Ids;
        members.ShouldContain((await door.UserAsync("sam@example.test")).Id.ToString());
        members.ShouldNotContain(one.Id);
        (await api.GetAsync($"{Path}?organization_id={northwind}&status=active")).Expect(400, "invalid_request");
        (await api.GetAsync($"{Path}?organization_id={await door.OrganizationIdAsync("initech", "globex")}")).Expect(200).Items.ShouldBeEmpty();
        (await api.GetAsync($"{Path}?organization_id=org_x")).Expect(400, "invalid_request");
    }

    [Fact]
    public async Task A_list_goes_on_where_it_was()
    {
        string[] made = [(await NewAsync()).Id, (await NewAsync()).Id, (await NewAsync()).Id];
        ManagementAnswer first = (await api.GetAsync($"{Path}?limit=2")).Expect(200);
        first.Ids.ShouldBe([made[2], made[1]]);
        await NewAsync();
        (await api.GetAsync($"{Path}?limit=1&cursor={first.NextCursor}")).Expect(200).Ids.ShouldBe([made[0]]);
    }

    [Fact]
    public async Task A_patch_changes_what_it_names_and_null_takes_away()
    {
        ManagementAnswer made = await NewAsync(new { email = UniqueEmail(), profile = new { given_name = "Ada", family_name = "King" }, metadata = new { a = "1", b = "2" } });
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        ManagementAnswer changed = (await api.PatchAsync(
            $"{Path}/{made.Id}", new { profile = new { family_name = (string?)null, name = "Ada" }, metadata = new { a = (string?)null, c = "3" } })).Expect(200);
        JsonElement profile = changed.Data.GetProperty("profile");
        profile.GetProperty("given_name").GetString().ShouldBe("Ada");
        profile.GetProperty("family_name").ValueKind.ShouldBe(JsonValueKind.Null);
        changed.Data.GetProperty("metadata").ToString().ShouldBe("""{"b":"2","c":"3"}""");
        changed.Data.GetProperty("updated_at").GetInt64().ShouldBeGreaterThan(made.Data.GetProperty("updated_at").GetInt64());
        (await api.PatchAsync($"{Path}/{made.Id}", new { email = (string?)null })).Expect(422).WrongFields.ShouldBe(["/email"]);
        (await api.PatchAsync($"{Path}/{made.Id}", new { password = DemoRealm.Password })).Expect(422).WrongFields.ShouldBe(["/password"]);
    }

    [Fact]
    public async Task A_new_address_is_not_verified_unless_the_same_body_says_so()
    {
        ManagementAnswer made = await NewAsync(new { email = UniqueEmail(), email_verified = true });
        Verified(await api.PatchAsync($"{Path}/{made.Id}", new { email = made["email"]!.ToUpperInvariant() })).ShouldBeTrue("another spelling is the same mailbox");
        Verified(await api.PatchAsync($"{Path}/{made.Id}", new { email = UniqueEmail() })).ShouldBeFalse();
        Verified(await api.PatchAsync($"{Path}/{made.Id}", new { email_verified = true })).ShouldBeTrue();
        Verified(await api.PatchAsync($"{Path}/{made.Id}", new { email = UniqueEmail(), email_verified = true })).ShouldBeTrue();

        static bool Verified(ManagementAnswer answer) => answer.Expect(200).Data.GetProperty("email_verified").GetBoolean();
    }

    [Fact]
    public async Task Two_who_change_different_things_at_once_both_succeed_and_of_those_who_say_what_they_read_one_does()
    {
        ManagementAnswer made = await NewAsync();
        ManagementAnswer[] both = await Task.WhenAll(
            api.PatchAsync($"{Path}/{made.Id}", new { profile = new { given_name = "Ada" } }),
            api.PatchAsync($"{Path}/{made.Id}", new { profile = new { family_name = "King" } }));
        both.ShouldAllBe(static answer => answer.Status == 200);
        ManagementAnswer after = (await api.GetAsync($"{Path}/{made.Id}")).Expect(200);
        after.Data.GetProperty("profile").GetProperty("given_name").GetString().ShouldBe("Ada");
        after.Data.GetProperty("profile").GetProperty("family_name").GetString().ShouldBe("King");

        ManagementAnswer[] racing = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            api.PatchAsync($"{Path}/{made.Id}", new { profile = new { name = $"Name {i}" } }, ("If-Match", after.ETag))));
        racing.Count(static answer => answer.Status == 200).ShouldBe(1);
        racing.Count(static answer => answer.Status == 412).ShouldBe(7);
        (await api.DeleteAsync($"{Path}/{made.Id}", ("If-Match", after.ETag))).Expect(412, "precondition_failed");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(204);
        (await api.GetAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
    }

    [Fact]
    public async Task Who_is_disabled_is_out_on_every_door_and_can_come_back()
    {
        ManagementAnswer made = await NewAsync(new { email = UniqueEmail(), email_verified = true, password = DemoRealm.Password });
        Answer signedIn = (await door.PasswordAsync(made["email"]!)).ShouldBe(HttpStatusCode.OK);
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "disabled" })).Expect(200)["status"].ShouldBe("disabled");
        (await door.RefreshAsync(signedIn["refresh_token"])).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await door.PasswordAsync(made["email"]!)).Status.ShouldNotBe(HttpStatusCode.OK);
        JsonElement ended = await EventAsync("session.ended", AuthKitCalls.SessionOf(signedIn));
        ended.GetProperty("end_reason").GetString().ShouldBe("user_disabled");
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "active" })).Expect(200);
        (await door.PasswordAsync(made["email"]!)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_new_password_is_good_at_once_and_ends_what_the_old_one_opened()
    {
        ManagementAnswer made = await NewAsync(new { email = UniqueEmail(), email_verified = true, password = DemoRealm.Password });
        Answer signedIn = (await door.PasswordAsync(made["email"]!)).ShouldBe(HttpStatusCode.OK);
        ManagementAnswer set = (await api.PostAsync($"{Path}/{made.Id}/password", new { password = "another good one" })).Expect(200);
        set.Id.ShouldBe(made.Id);
        (await door.PasswordAsync(made["email"]!)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await door.PasswordAsync(made["email"]!, "another good one")).ShouldBe(HttpStatusCode.OK);
        (await door.RefreshAsync(signedIn["refresh_token"])).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await EventAsync("session.ended", AuthKitCalls.SessionOf(signedIn))).GetProperty("end_reason").GetString().ShouldBe("password_changed");
        (await EventAsync("user.password.changed", made.Id)).ToString().ShouldNotContain("another good one");
        (await api.PostAsync($"{Path}/{made.Id}/password", new { })).Expect(422).WrongFields.ShouldBe(["/password"]);
        (await api.PostAsync($"{Path}/usr_0000000000000000000000001/password", new { password = "another good one" })).Expect(404);
    }

    [Fact]
    public async Task Every_change_is_told_with_what_changed_and_no_change_is_not()
    {
        ManagementAnswer made = await NewAsync();
        (await EventAsync("user.created", made.Id)).GetProperty("email").GetString().ShouldBe(made["email"]);
        (await api.PatchAsync($"{Path}/{made.Id}", new { profile = new { name = "Ada" } })).Expect(200);
        (await api.PatchAsync($"{Path}/{made.Id}", new { profile = new { name = "Ada" } })).Expect(200);
        JsonElement[] updates = [.. (await api.GetAsync($"/events?types=user.updated&user_id={made.Id}")).Expect(200).Items];
        updates.ShouldHaveSingleItem().GetProperty("changed").ToString().ShouldBe("""["profile"]""");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(204);
        (await EventAsync("user.deleted", made.Id)).GetProperty("email").GetString().ShouldBe(made["email"]);
    }

    [Fact]
    public async Task Another_realms_people_are_not_found_and_scopes_are_asked_for()
    {
        ManagementAnswer made = await NewAsync();
        foreach (string path in new[] { $"{Path}/{made.Id}", $"{Path}/{made.Id}/sessions", $"{Path}/{made.Id}/factors", $"{Path}/usr_x", $"{Path}/org_0000000000000000000000001" })
            (await api.Globex.GetAsync(path)).Expect(404, "not_found");
        (await api.Globex.PatchAsync($"{Path}/{made.Id}", new { status = "disabled" })).Expect(404);
        (await api.Globex.PostAsync($"{Path}/{made.Id}/password", new { password = "another good one" })).Expect(404);
        (await api.Globex.DeleteAsync($"{Path}/{made.Id}")).Expect(404);
        ManagementCalls reader = api.With(await new World(server).NewKeyAsync(null, ApiScopes.UsersRead));
        (await reader.GetAsync($"{Path}/{made.Id}")).Expect(200);
        (await reader.PatchAsync($"{Path}/{made.Id}", new { status = "disabled" })).Expect(403, "insufficient_scope");
        (await reader.GetAsync($"{Path}/{made.Id}/sessions")).Expect(403, "insufficient_scope");
        (await api.GetAsync($"{Path}/{made.Id}")).Expect(200)["status"].ShouldBe("active");
    }

    [Fact]
    public async Task A_person_made_twice_under_one_key_is_one_person()
    {
        object body = new { email = UniqueEmail(), password = DemoRealm.Password };
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => api.PostAsync(Path, body, key)));
        answers.ShouldAllBe(static answer => answer.Status == 201);
        answers.Select(static answer => answer.Text).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    private static string UniqueEmail() => $"managed-{Interlocked.Increment(ref counter)}@example.test";

    private async Task<ManagementAnswer> NewAsync(object? body = null)
    {
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return (await api.PostAsync(Path, body ?? new { email = UniqueEmail() })).Expect(201);
    }

    /// <summary>What the newest event of that type says of this thing.</summary>
    private async Task<JsonElement> EventAsync(string type, string id) =>
        (await api.GetAsync($"/events?types={type}&limit=100")).Expect(200).Items
            .Select(static item => item.GetProperty("data")).First(data => data.GetProperty("id").GetString() == id);
}

public sealed class PostgresUserTests(PostgresDemoServer server) : UserTests(server), IClassFixture<PostgresDemoServer>;
